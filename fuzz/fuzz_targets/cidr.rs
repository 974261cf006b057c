//! Networks and addresses of all kinds: an address is within its own network, and mapped forms make no difference.
#![no_main]

use std::net::IpAddr;

use hookport::domain::source_address::is_within;
use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((network, address)) = text.split_once(' ') else { return };
    let (Ok(network), Ok(address)) = (network.parse::<IpNet>(), address.parse::<IpAddr>()) else { return };
    let networks = [network];
    assert_eq!(is_within(address, &networks), is_within(address.to_canonical(), &networks));
    if let IpAddr::V4(v4) = address {
        assert_eq!(is_within(address, &networks), is_within(IpAddr::V6(v4.to_ipv6_mapped()), &networks));
    }
    assert!(!is_within(address, &[]));
});
