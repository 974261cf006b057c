//! IPv4 addresses inside IPv6 addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

/// How an IPv4 address is written into an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbeddedForm {
    /// `::ffff:a.b.c.d`.
    Mapped,
    /// `::ffff:0:a.b.c.d`, of a translation that was given up.
    Translated,
    /// `::a.b.c.d`, long deprecated.
    Compatible,
    /// `64:ff9b::a.b.c.d`.
    Nat64,
    /// Somewhere behind `64:ff9b:1:`, where the prefix of the network ends.
    LocalNat64,
    /// `2002:` and the address.
    SixToFour,
    /// `2001:0:`, the server's address, and the client's with every bit turned round at the end.
    Teredo,
    /// Any prefix with the interface identifier `0:5efe:a.b.c.d` or `200:5efe:a.b.c.d`.
    Isatap,
}

impl EmbeddedForm {
    /// Names the form.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mapped => "IPv4-mapped",
            Self::Translated => "IPv4-translated",
            Self::Compatible => "IPv4-compatible",
            Self::Nat64 => "NAT64",
            Self::LocalNat64 => "local NAT64",
            Self::SixToFour => "6to4",
            Self::Teredo => "Teredo",
            Self::Isatap => "ISATAP",
        }
    }
}

/// The IPv4 addresses that may be inside, the one that the prefix tells of first.
pub(super) fn embedded(address: Ipv6Addr) -> impl Iterator<Item = (EmbeddedForm, Ipv4Addr)> {
    by_prefix(address).into_iter().chain([isatap(address)]).flatten()
}

fn by_prefix(address: Ipv6Addr) -> [Option<(EmbeddedForm, Ipv4Addr)>; 4] {
    let one = |form, inner| [Some((form, inner)), None, None, None];
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => one(EmbeddedForm::Mapped, joined(high, low)),
        [0, 0, 0, 0, 0xffff, 0, high, low] => one(EmbeddedForm::Translated, joined(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] => one(EmbeddedForm::Compatible, joined(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => one(EmbeddedForm::Nat64, joined(high, low)),
        [0x64, 0xff9b, 1, ..] => local_nat64(address).map(|inner| Some((EmbeddedForm::LocalNat64, inner))),
        [0x2002, high, low, ..] => one(EmbeddedForm::SixToFour, joined(high, low)),
        [0x2001, 0, server_high, server_low, _, _, high, low] => [
            Some((EmbeddedForm::Teredo, joined(server_high, server_low))),
            Some((EmbeddedForm::Teredo, joined(!high, !low))),
            None,
            None,
        ],
        _ => [None; 4],
    }
}

/// Where RFC 6052 puts the address behind prefixes of 48, 56, 64 and 96 bits; the ninth octet holds none of it.
fn local_nat64(address: Ipv6Addr) -> [Ipv4Addr; 4] {
    let o = address.octets();
    [[6, 7, 9, 10], [7, 9, 10, 11], [9, 10, 11, 12], [12, 13, 14, 15]]
        .map(|[a, b, c, d]: [usize; 4]| Ipv4Addr::new(o[a], o[b], o[c], o[d]))
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
