//! `X-Forwarded-For` from anyone: no panic, and a trusted proxy is never taken for the sender.
#![no_main]

use hookport::domain::source_address::{is_within, sender};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let trusted = ["10.0.0.0/8", "2001:db8::/32"].map(|net| net.parse().expect("a network"));
    let values: Vec<&[u8]> = data.split(|b| *b == b'\n').collect();
    if let Some(found) = sender("10.0.0.1".parse().ok(), &values, &trusted) {
        assert!(!is_within(found, &trusted));
    }
    assert_eq!(sender("203.0.113.9".parse().ok(), &values, &trusted), "203.0.113.9".parse().ok());
});
