//! Which IP addresses no webhook may be sent to, and why.
//!
//! The tables follow the IANA special-purpose registries of IPv4 and IPv6, with the addresses of cloud services put
//! before them. The standard library's `is_global` is unstable and its `is_loopback` misses `::ffff:127.0.0.1`, so an
//! address is first taken apart: an IPv4 address inside an IPv6 one is judged as the IPv4 address it is. What is
//! neither listed nor global unicast is refused.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

#[cfg(test)]
mod tests;

/// Why an address is refused: what it is, and the range that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub struct AddressRefusal {
    /// What the address is for.
    pub kind: AddressKind,
    /// The listed range it falls in.
    pub network: IpNet,
    /// How an IPv4 address was written into the IPv6 address, if it was.
    pub form: Option<EmbeddedForm>,
}

impl fmt::Display for AddressRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.kind.noun(), self.network)?;
        match self.form {
            Some(form) => write!(f, " in {} form", form.name()),
            None => Ok(()),
        }
    }
}

/// What a refused address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// Hands out the machine's identity and credentials.
    CloudMetadata,
    /// Hands out the credentials of a container.
    ContainerCredentials,
    /// The cloud's own name, time or agent service.
    CloudService,
    /// All zeros.
    Unspecified,
    /// This host on this network.
    ThisNetwork,
    /// This machine.
    Loopback,
    /// A network of one's own.
    Private,
    /// Between a provider and its customers (carrier-grade NAT).
    Shared,
    /// This link only.
    LinkLocal,
    /// Set aside for protocols of the IETF.
    ProtocolAssignment,
    /// For examples in documents.
    Documentation,
    /// For measuring network devices.
    Benchmarking,
    /// A sink for reverse look-ups of private addresses.
    As112,
    /// An anycast relay of a transition or multicast technology.
    Relay,
    /// Many receivers at once.
    Multicast,
    /// Every receiver on the link.
    Broadcast,
    /// Kept for a future that has not come.
    Reserved,
    /// IPv6's private range.
    UniqueLocal,
    /// IPv6's former private range.
    SiteLocal,
    /// Thrown away on arrival.
    DiscardOnly,
    /// A tunnel through whatever server the address names.
    Teredo,
    /// A translation prefix that means something else on every network.
    LocalTranslation,
    /// Segment identifiers of a routing domain.
    SegmentRouting,
    /// Outside of the range that IANA hands out for the Internet.
    NotGlobalUnicast,
}

impl AddressKind {
    /// Names the kind in a sentence: "a private address".
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::CloudMetadata => "a cloud metadata address",
            Self::ContainerCredentials => "a container credential address",
            Self::CloudService => "an address of the cloud's own services",
            Self::Unspecified => "the unspecified address",
            Self::ThisNetwork => "an address of this network",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::Shared => "a shared address of a provider",
            Self::LinkLocal => "a link-local address",
            Self::ProtocolAssignment => "an address of a protocol assignment",
            Self::Documentation => "a documentation address",
            Self::Benchmarking => "a benchmarking address",
            Self::As112 => "an AS112 address",
            Self::Relay => "a relay address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::Reserved => "a reserved address",
            Self::UniqueLocal => "a unique local address",
            Self::SiteLocal => "a site-local address",
            Self::DiscardOnly => "a discard-only address",
            Self::Teredo => "a Teredo address",
            Self::LocalTranslation => "a local-use translation address",
            Self::SegmentRouting => "a segment routing address",
            Self::NotGlobalUnicast => "an address outside of global unicast",
        }
    }
}

/// How an IPv4 address is written into an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbeddedForm {
    /// `::ffff:a.b.c.d`.
    Mapped,
    /// `::a.b.c.d`, long deprecated.
    Compatible,
    /// `64:ff9b::a.b.c.d`.
    Nat64,
    /// `2002:` and the address.
    SixToFour,
    /// Any prefix with the interface identifier `0:5efe:a.b.c.d` or `200:5efe:a.b.c.d`.
    Isatap,
}

impl EmbeddedForm {
    /// Names the form.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mapped => "IPv4-mapped",
            Self::Compatible => "IPv4-compatible",
            Self::Nat64 => "NAT64",
            Self::SixToFour => "6to4",
            Self::Isatap => "ISATAP",
        }
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(s: [u16; 8], bits: u8) -> Ipv6Net {
    let address = Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]);
    Ipv6Net::new_assert(address, bits)
}

/// The first match counts, so the narrow ranges stand before the wide ones.
static V4: &[(Ipv4Net, AddressKind)] = &[
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
static V6: &[(Ipv6Net, AddressKind)] = &[
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
static GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Tells why no webhook may be sent to an address, or `None` when one may.
#[must_use]
pub fn refusal(address: IpAddr) -> Option<AddressRefusal> {
    match address {
        IpAddr::V4(address) => v4_refusal(address),
        IpAddr::V6(address) => v6_refusal(address),
    }
}

/// Judges an address where a deployment accepts some that are refused elsewhere.
///
/// Addresses that hand out credentials stay refused whatever is allowed. Only the IPv4-mapped form of an allowed IPv4
/// address is allowed with it: the other forms go through machines of somebody else.
///
/// # Errors
/// Says what the address is when it is refused.
pub fn permitted(address: IpAddr, allow_loopback: bool, allowed_networks: &[IpNet]) -> Result<(), AddressRefusal> {
    let Some(refusal) = refusal(address) else {
        return Ok(());
    };
    let plain = address.to_canonical();
    let is_plain = matches!(refusal.form, None | Some(EmbeddedForm::Mapped));
    let allowed = match refusal.kind {
        AddressKind::CloudMetadata | AddressKind::ContainerCredentials => false,
        AddressKind::Loopback if allow_loopback && is_plain => true,
        _ => allowed_networks.iter().any(|network| network.contains(&plain)),
    };
    if allowed { Ok(()) } else { Err(refusal) }
}

fn v4_refusal(address: Ipv4Addr) -> Option<AddressRefusal> {
    V4.iter().find(|(network, _)| network.contains(&address)).map(|&(network, kind)| AddressRefusal {
        kind,
        network: IpNet::V4(network),
        form: None,
    })
}

fn v6_refusal(address: Ipv6Addr) -> Option<AddressRefusal> {
    if let Some(&(network, kind)) = V6.iter().find(|(network, _)| network.contains(&address)) {
        return Some(AddressRefusal { kind, network: IpNet::V6(network), form: None });
    }
    let forms = [prefixed(address), isatap(address)];
    for (form, inner) in forms.into_iter().flatten() {
        if let Some(refusal) = v4_refusal(inner) {
            return Some(AddressRefusal { form: Some(form), ..refusal });
        }
    }
    // These two lie outside of global unicast and still lead to the public IPv4 address they hold.
    if let Some((EmbeddedForm::Mapped | EmbeddedForm::Nat64, _)) = prefixed(address) {
        return None;
    }
    (!GLOBAL_UNICAST.contains(&address)).then_some(AddressRefusal {
        kind: AddressKind::NotGlobalUnicast,
        network: IpNet::V6(GLOBAL_UNICAST),
        form: None,
    })
}

/// The IPv4 address that the prefix says is inside.
fn prefixed(address: Ipv6Addr) -> Option<(EmbeddedForm, Ipv4Addr)> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => Some((EmbeddedForm::Mapped, joined(high, low))),
        [0, 0, 0, 0, 0, 0, high, low] => Some((EmbeddedForm::Compatible, joined(high, low))),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some((EmbeddedForm::Nat64, joined(high, low))),
        [0x2002, high, low, ..] => Some((EmbeddedForm::SixToFour, joined(high, low))),
        _ => None,
    }
}

/// The IPv4 address that the interface identifier says is inside.
fn isatap(address: Ipv6Addr) -> Option<(EmbeddedForm, Ipv4Addr)> {
    match address.segments() {
        [.., 0 | 0x200, 0x5efe, high, low] => Some((EmbeddedForm::Isatap, joined(high, low))),
        _ => None,
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}
