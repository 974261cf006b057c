use super::*;

fn networks(list: &[&str]) -> Vec<IpNet> {
    list.iter().map(|network| network.parse().unwrap()).collect()
}

fn allows(address: &str, loopback: bool, list: &[&str]) -> bool {
    permitted(address.parse().unwrap(), loopback, &networks(list)).is_ok()
}

#[test]
fn no_range_hides_a_later_one() {
    for (at, (network, _)) in V4.iter().enumerate() {
        assert!(!V4[..at].iter().any(|(earlier, _)| earlier.contains(network)), "{network}");
        assert_eq!(network.addr(), network.network(), "{network} has host bits");
    }
    for (at, (network, _)) in V6.iter().enumerate() {
        assert!(!V6[..at].iter().any(|(earlier, _)| earlier.contains(network)), "{network}");
        assert_eq!(network.addr(), network.network(), "{network} has host bits");
    }
}

#[test]
fn loopback_is_allowed_on_request_and_nothing_else_with_it() {
    assert!(allows("127.0.0.1", true, &[]));
    assert!(allows("::1", true, &[]));
    assert!(allows("::ffff:127.0.0.1", true, &[]));
    assert!(!allows("127.0.0.1", false, &[]));
    assert!(!allows("::1", false, &[]));
    for other in ["0.0.0.0", "::", "10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"] {
        assert!(!allows(other, true, &[]), "{other}");
    }
}

#[test]
fn an_allowed_network_allows_itself() {
    assert!(allows("10.1.2.3", false, &["10.1.0.0/16"]));
    assert!(allows("::ffff:10.1.2.3", false, &["10.1.0.0/16"]));
    assert!(!allows("10.2.0.1", false, &["10.1.0.0/16"]));
    assert!(!allows("64:ff9b::10.1.2.3", false, &["10.1.0.0/16"]));
    assert!(allows("fd12::1", false, &["fd00::/8"]));
    assert!(allows("8.8.8.8", false, &[]));
}

#[test]
fn credential_addresses_are_never_allowed() {
    let everything = ["0.0.0.0/0", "::/0"];
    for address in ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "::ffff:169.254.169.254"] {
        assert!(!allows(address, true, &everything), "{address}");
    }
    assert!(allows("169.254.1.1", true, &everything));
}

#[test]
fn agrees_with_the_standard_library_where_it_has_an_opinion() {
    use proptest::prelude::*;
    proptest!(|(bits in any::<u32>())| {
        let address = Ipv4Addr::from(bits);
        let special = address.is_private()
            || address.is_loopback()
            || address.is_link_local()
            || address.is_multicast()
            || address.is_broadcast()
            || address.is_documentation()
            || address.is_unspecified();
        prop_assert!(!special || refusal(address.into()).is_some(), "{}", address);
        // The same address in its IPv6 spellings is judged alike.
        let refused = refusal(address.into()).is_some();
        prop_assert_eq!(refusal(address.to_ipv6_mapped().into()).is_some(), refused);
        let nat64 = Ipv6Addr::from((0x0064_ff9b_u128 << 96) | u128::from(bits));
        prop_assert_eq!(refusal(nat64.into()).is_some(), refused);
    });
    proptest!(|(bits in any::<u128>())| {
        let address = Ipv6Addr::from(bits);
        if bits >> 125 != 1 && address.to_canonical().is_ipv6() && bits >> 32 != 0x0064_ff9b_u128 << 64 {
            prop_assert!(refusal(address.into()).is_some(), "{}", address);
        }
    });
}
