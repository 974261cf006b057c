//! Where requests come from.

use super::*;

fn networks(allowed: Option<&[&str]>) -> Verifier {
    let allowed_ips = allowed.map(|networks| networks.iter().map(|network| network.parse().unwrap()).collect());
    opened(&Auth { allowed_ips, proofs: vec![] })
}

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn c5_a_source_in_the_allow_list_is_admitted() {
    let verifier = networks(Some(&["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32", "2001:db9::1/128"]));
    for inside in ["192.0.2.0", "192.0.2.255", "198.51.100.7", "2001:db8:1::5", "2001:db9::1", "::ffff:192.0.2.9"] {
        assert_eq!(verifier.admits(ip(inside)), Ok(()), "{inside}");
    }
    for outside in ["192.0.3.0", "198.51.100.8", "2001:dba::1", "2001:db9::2", "::1", "::ffff:192.0.3.9"] {
        assert_eq!(verifier.admits(ip(outside)), Err(Refusal::IpNotAllowed), "{outside}");
    }
}

#[test]
fn c5_an_unknown_source_and_an_empty_list_are_refused() {
    assert_eq!(networks(Some(&["0.0.0.0/0", "::/0"])).admits(None), Err(Refusal::IpUnknown));
    for source in ["192.0.2.1", "2001:db8::1"] {
        assert_eq!(networks(Some(&[])).admits(ip(source)), Err(Refusal::IpNotAllowed));
    }
    assert!(networks(Some(&[])).admits(None).is_err());
}

#[test]
fn c5_one_family_never_admits_the_other() {
    assert_eq!(networks(Some(&["0.0.0.0/0"])).admits(ip("2001:db8::1")), Err(Refusal::IpNotAllowed));
    assert_eq!(networks(Some(&["::/0"])).admits(ip("192.0.2.1")), Err(Refusal::IpNotAllowed));
}

#[test]
fn without_a_list_every_source_is_admitted() {
    for source in [ip("192.0.2.1"), ip("::1"), None] {
        assert_eq!(networks(None).admits(source), Ok(()));
    }
}

#[test]
fn d3_an_allow_list_alone_needs_no_other_proof() {
    let verifier = networks(Some(&["192.0.2.7/32", "2001:db8:1::/48"]));
    assert_eq!(judged(&verifier, &[], b"{}").result, Ok(()));
    assert_eq!(verifier.admits(ip("192.0.2.7")), Ok(()));
    assert_eq!(verifier.admits(ip("2001:db8:1:ffff::1")), Ok(()));
    assert_eq!(verifier.admits(ip("192.0.2.8")), Err(Refusal::IpNotAllowed));
    assert_eq!(verifier.admits(ip("2001:db8:2::1")), Err(Refusal::IpNotAllowed));
    assert_eq!(verifier.admits(None), Err(Refusal::IpUnknown));
}
