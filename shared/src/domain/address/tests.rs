use serde::Deserialize;

use super::*;

const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/ssrf.json"));

#[derive(Deserialize)]
struct Vectors {
    addresses: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    address: IpAddr,
    /// The code of the kind, unless the address is public.
    refused: Option<String>,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str::<Vectors>(VECTORS).unwrap().addresses
}

/// A15, and defects 12 and 24: nothing checked addresses, or not unique local ones.
#[test]
fn a15_every_listed_address_is_judged_as_listed() {
    let vectors = vectors();
    assert!(vectors.len() >= 250, "{}", vectors.len());
    for Vector { address, refused } in vectors {
        let found = refusal(address).map(|refusal| refusal.kind.code());
        assert_eq!(found, refused.as_deref(), "{address}");
    }
}

#[test]
fn every_range_is_listed_with_its_first_and_last_address() {
    let listed: Vec<_> = vectors().into_iter().map(|vector| vector.address).collect();
    let ranges = V4.iter().map(|(range, _)| IpNet::V4(*range)).chain(V6.iter().map(|(range, _)| IpNet::V6(*range)));
    for range in ranges {
        let last = match range {
            IpNet::V4(range) => IpAddr::V4(range.broadcast()),
            IpNet::V6(range) => IpAddr::V6(range.broadcast()),
        };
        assert!(listed.contains(&range.addr()) && listed.contains(&last), "{range}");
    }
}

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
fn no_allowed_range_hides_a_credential_address_inside() {
    for (address, range) in [
        ("64:ff9b:1::a9fe:a9fe", "64:ff9b:1::/48"),
        ("64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1::/48"),
        ("fe80::5efe:a9fe:a9fe", "fe80::/10"),
        ("::ffff:0:a9fe:a9fe", "::/0"),
        ("2001:0:808:808:8000:63bf:5601:5601", "2001::/32"),
    ] {
        assert!(!allows(address, true, &[range]), "{address}");
        let refusal = refusal(address.parse().unwrap()).unwrap();
        assert!(refusal.kind.hands_out_credentials() && refusal.form.is_some(), "{refusal}");
    }
    assert!(allows("64:ff9b:1::a00:1", false, &["64:ff9b:1::/48"]));
}

#[test]
fn an_address_means_itself_and_what_is_inside() {
    let meanings = |text: &str| meanings(text.parse().unwrap()).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(meanings("10.0.0.1"), ["10.0.0.1"]);
    assert_eq!(meanings("2a00:1450::1"), ["2a00:1450::1"]);
    assert_eq!(meanings("::ffff:10.0.0.1"), ["::ffff:10.0.0.1", "10.0.0.1"]);
    assert_eq!(meanings("2002:808:808::5efe:a00:1"), ["2002:808:808::5efe:a00:1", "8.8.8.8", "10.0.0.1"]);
    assert_eq!(
        meanings("2001:0:808:808:8000:63bf:f5ff:fffe"),
        ["2001:0:808:808:8000:63bf:f5ff:fffe", "8.8.8.8", "10.0.0.1"],
    );
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
