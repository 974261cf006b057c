//! The special-purpose registries of IANA, with the addresses of cloud services before them.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::AddressKind;

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(s: [u16; 8], bits: u8) -> Ipv6Net {
    let address = Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]);
    Ipv6Net::new_assert(address, bits)
}

/// The first match counts, so the narrow ranges stand before the wide ones.
pub(super) static V4: &[(Ipv4Net, AddressKind)] = &[
    (v4(169, 254, 169, 254, 32), AddressKind::CloudMetadata),
    (v4(100, 100, 100, 200, 32), AddressKind::CloudMetadata),
    (v4(192, 0, 0, 192, 32), AddressKind::CloudMetadata),
    (v4(169, 254, 170, 2, 32), AddressKind::ContainerCredentials),
    (v4(169, 254, 170, 23, 32), AddressKind::ContainerCredentials),
    (v4(169, 254, 169, 123, 32), AddressKind::CloudService),
    (v4(169, 254, 169, 253, 32), AddressKind::CloudService),
    (v4(168, 63, 129, 16, 32), AddressKind::CloudService),
    (v4(0, 0, 0, 0, 32), AddressKind::Unspecified),
    (v4(0, 0, 0, 0, 8), AddressKind::ThisNetwork),
    (v4(10, 0, 0, 0, 8), AddressKind::Private),
    (v4(100, 64, 0, 0, 10), AddressKind::Shared),
    (v4(127, 0, 0, 0, 8), AddressKind::Loopback),
    (v4(169, 254, 0, 0, 16), AddressKind::LinkLocal),
    (v4(172, 16, 0, 0, 12), AddressKind::Private),
    (v4(192, 0, 0, 0, 24), AddressKind::ProtocolAssignment),
    (v4(192, 0, 2, 0, 24), AddressKind::Documentation),
    (v4(192, 31, 196, 0, 24), AddressKind::As112),
    (v4(192, 52, 193, 0, 24), AddressKind::Relay),
    (v4(192, 88, 99, 0, 24), AddressKind::Relay),
    (v4(192, 168, 0, 0, 16), AddressKind::Private),
    (v4(192, 175, 48, 0, 24), AddressKind::As112),
    (v4(198, 18, 0, 0, 15), AddressKind::Benchmarking),
    (v4(198, 51, 100, 0, 24), AddressKind::Documentation),
    (v4(203, 0, 113, 0, 24), AddressKind::Documentation),
    (v4(233, 252, 0, 0, 24), AddressKind::Documentation),
    (v4(224, 0, 0, 0, 4), AddressKind::Multicast),
    (v4(255, 255, 255, 255, 32), AddressKind::Broadcast),
    (v4(240, 0, 0, 0, 4), AddressKind::Reserved),
];

/// The first match counts here too.
pub(super) static V6: &[(Ipv6Net, AddressKind)] = &[
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128), AddressKind::CloudMetadata),
    (v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128), AddressKind::CloudMetadata),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23], 128), AddressKind::ContainerCredentials),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x123], 128), AddressKind::CloudService),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253], 128), AddressKind::CloudService),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), AddressKind::Unspecified),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), AddressKind::Loopback),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), AddressKind::LocalTranslation),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), AddressKind::DiscardOnly),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), AddressKind::Teredo),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), AddressKind::Benchmarking),
    (v6([0x2001, 3, 0, 0, 0, 0, 0, 0], 32), AddressKind::Relay),
    (v6([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48), AddressKind::As112),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), AddressKind::ProtocolAssignment),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), AddressKind::Documentation),
    (v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), AddressKind::As112),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), AddressKind::Documentation),
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), AddressKind::SegmentRouting),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), AddressKind::UniqueLocal),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), AddressKind::LinkLocal),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), AddressKind::SiteLocal),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), AddressKind::Multicast),
];

/// Everything that is handed out for the Internet.
pub(super) static GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
