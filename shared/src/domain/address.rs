//! Which IP addresses no webhook may be sent to, and why.
//!
//! The standard library's `is_global` is unstable and its `is_loopback` misses `::ffff:127.0.0.1`, so an address is
//! first taken apart: an IPv4 address inside an IPv6 one is judged as the IPv4 address it is. What is neither listed in
//! the registries of special-purpose addresses nor global unicast is refused.

mod embedded;
mod kind;
mod ranges;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

pub use self::embedded::EmbeddedForm;
use self::embedded::embedded;
pub use self::kind::AddressKind;
use self::ranges::{GLOBAL_UNICAST, V4, V6};

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
/// Addresses that hand out credentials stay refused whatever is allowed, in every form. Only the IPv4-mapped form of an
/// allowed IPv4 address is allowed with it: the other forms go through machines of somebody else.
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
        kind if kind.hands_out_credentials() => false,
        AddressKind::Loopback if allow_loopback && is_plain => true,
        _ => allowed_networks.iter().any(|network| network.contains(&plain)),
    };
    if allowed { Ok(()) } else { Err(refusal) }
}

/// Every address that an address may stand for: itself, and the IPv4 addresses written into it.
#[must_use]
pub fn meanings(address: IpAddr) -> Vec<IpAddr> {
    let mut meanings = vec![address];
    if let IpAddr::V6(address) = address {
        meanings.extend(embedded(address).map(|(_, inner)| IpAddr::V4(inner)));
    }
    meanings
}

fn v4_refusal(address: Ipv4Addr) -> Option<AddressRefusal> {
    V4.iter().find(|(network, _)| network.contains(&address)).map(|&(network, kind)| AddressRefusal {
        kind,
        network: IpNet::V4(network),
        form: None,
    })
}

fn v6_refusal(address: Ipv6Addr) -> Option<AddressRefusal> {
    let listed = V6.iter().find(|(network, _)| network.contains(&address)).map(|&(network, kind)| AddressRefusal {
        kind,
        network: IpNet::V6(network),
        form: None,
    });
    let inner = || {
        embedded(address)
            .filter_map(|(form, inner)| v4_refusal(inner).map(|refusal| AddressRefusal { form: Some(form), ..refusal }))
    };
    // A range that a deployment may allow must not hide what no deployment may.
    let worst = listed.into_iter().chain(inner()).find(|refusal| refusal.kind.hands_out_credentials());
    if let Some(refusal) = worst.or(listed).or_else(|| inner().next()) {
        return Some(refusal);
    }
    // These two lie outside of global unicast and still lead to the public IPv4 address they hold.
    if embedded(address).any(|(form, _)| matches!(form, EmbeddedForm::Mapped | EmbeddedForm::Nat64)) {
        return None;
    }
    (!GLOBAL_UNICAST.contains(&address)).then_some(AddressRefusal {
        kind: AddressKind::NotGlobalUnicast,
        network: IpNet::V6(GLOBAL_UNICAST),
        form: None,
    })
}
