//! Where a request comes from: what the platform saw, unless that is a proxy of ours that says more.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// Forwarded addresses beyond this many are not looked at.
const MAX_HOPS: usize = 32;

/// The address of the sender.
///
/// `peer` is what the platform saw. Only when it is one of the `trusted` proxies is `X-Forwarded-For` read, from its
/// right end: each trusted proxy vouches for the address before it, and the first that is not a proxy of ours is the
/// sender. What stands further left was written by the sender and proves nothing. `None` when a trusted proxy does not
/// say who called it, or says it in no readable way: nobody knows then, and an allow-list must refuse.
#[must_use]
pub fn sender(peer: Option<IpAddr>, forwarded: &[&[u8]], trusted: &[IpNet]) -> Option<IpAddr> {
    let is_ours = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip.to_canonical()));
    let peer = peer?.to_canonical();
    if !is_ours(peer) {
        return Some(peer);
    }
    let hops = forwarded.iter().rev().flat_map(|value| value.rsplit(|b| *b == b','));
    for hop in hops.take(MAX_HOPS) {
        let address = address(hop)?;
        if !is_ours(address) {
            return Some(address);
        }
    }
    None
}

/// What an address counts for where requests are counted: itself, or its network where one sender has many. Requests
/// from nobody knows where count together.
#[must_use]
pub fn counted_as(source: Option<IpAddr>) -> IpAddr {
    match source.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(address)) => IpAddr::V4(address),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        None => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

/// Reads one entry: an address, IPv6 perhaps in brackets, either perhaps with a port.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop.trim_ascii()).ok()?;
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(ip.to_canonical());
    }
    if let Ok(socket) = text.parse::<std::net::SocketAddr>() {
        return Some(socket.ip().to_canonical());
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse::<std::net::Ipv6Addr>().ok().map(|ip| IpAddr::V6(ip).to_canonical())
}

/// Tells whether an address is in one of the networks; IPv4 in IPv6 clothes counts as IPv4.
#[must_use]
pub fn is_within(address: IpAddr, networks: &[IpNet]) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|net| net.contains(&address))
}

/// Reads a network, or an address as the network of it alone. IPv4 in IPv6 clothes becomes IPv4, as which senders are
/// judged.
#[must_use]
pub fn network(entry: &str) -> Option<IpNet> {
    let entry = entry.trim();
    let net = entry.parse::<IpNet>().ok().or_else(|| entry.parse::<IpAddr>().ok().map(IpNet::from))?;
    let address = net.addr().to_canonical();
    let was_mapped = address.is_ipv4() && net.addr().is_ipv6();
    let bits = if was_mapped { net.prefix_len().checked_sub(96)? } else { net.prefix_len() };
    IpNet::new(address, bits).ok().map(|net| net.trunc())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().expect("a network")).collect()
    }

    #[test]
    fn without_trusted_proxies_nothing_that_a_sender_writes_counts() {
        let spoofed: [&[u8]; 1] = [b"10.0.0.1"];
        assert_eq!(sender(Some(ip("198.51.100.7")), &spoofed, &[]), Some(ip("198.51.100.7")));
        assert_eq!(sender(None, &spoofed, &[]), None);
    }

    #[test]
    fn a_trusted_proxy_is_believed_from_the_right() {
        let trusted = nets(&["10.0.0.0/8", "2001:db8::/32"]);
        let cases: [(&[&[u8]], Option<&str>); 9] = [
            (&[b"203.0.113.9"], Some("203.0.113.9")),
            (&[b"1.1.1.1, 203.0.113.9"], Some("203.0.113.9")),
            (&[b"1.1.1.1, 203.0.113.9, 10.2.3.4"], Some("203.0.113.9")),
            (&[b"1.1.1.1", b"203.0.113.9", b"10.2.3.4"], Some("203.0.113.9")),
            (&[b"[2001:db9::1]:443"], Some("2001:db9::1")),
            (&[b"203.0.113.9:1234"], Some("203.0.113.9")),
            (&[b"10.1.1.1"], None),
            (&[b"203.0.113.9, unknown"], None),
            (&[], None),
        ];
        for (forwarded, expected) in cases {
            assert_eq!(sender(Some(ip("10.9.9.9")), forwarded, &trusted), expected.map(ip), "{forwarded:?}");
        }
    }

    #[test]
    fn an_address_in_other_clothes_is_the_same() {
        assert!(is_within(ip("::ffff:192.0.2.1"), &nets(&["192.0.2.0/24"])));
        assert!(is_within(ip("2001:db8::5"), &nets(&["192.0.2.0/24", "2001:db8::/32"])));
        assert!(!is_within(ip("2001:db9::5"), &nets(&["2001:db8::/32"])));
        assert!(!is_within(ip("192.0.2.1"), &[]));
    }

    #[test]
    fn a_network_is_read_in_its_normal_form() {
        let cases = [
            ("192.0.2.0/24", Some("192.0.2.0/24")),
            ("192.0.2.77/24", Some("192.0.2.0/24")),
            (" 192.0.2.77 ", Some("192.0.2.77/32")),
            ("2001:DB8::/32", Some("2001:db8::/32")),
            ("2001:db8::7", Some("2001:db8::7/128")),
            ("::ffff:192.0.2.7", Some("192.0.2.7/32")),
            ("::ffff:192.0.2.7/120", Some("192.0.2.0/24")),
            ("::ffff:192.0.2.7/95", None),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("192.0.2.0/33", None),
            ("2001:db8::/129", None),
            ("192.0.2", None),
            ("192.0.2.0/", None),
            ("192.0.2.0/24,198.51.100.0/24", None),
            ("example.com", None),
            ("", None),
        ];
        for (entry, expected) in cases {
            assert_eq!(network(entry).map(|net| net.to_string()).as_deref(), expected, "{entry}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_forwarded_only_a_right_most_stranger_is_believed(
            junk in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..6),
        ) {
            let trusted = nets(&["10.0.0.0/8"]);
            let values: Vec<&[u8]> = junk.iter().map(Vec::as_slice).chain([b"203.0.113.9".as_slice()]).collect();
            prop_assert_eq!(sender(Some(ip("10.0.0.1")), &values, &trusted), Some(ip("203.0.113.9")));
            let junk: Vec<&[u8]> = junk.iter().map(Vec::as_slice).collect();
            if let Some(found) = sender(Some(ip("10.0.0.1")), &junk, &trusted) {
                prop_assert!(!is_within(found, &trusted));
            }
        }
    }
}
