//! Filters from admins over payloads from anyone: no panic, and `$not` is the exact negation.
#![no_main]

use hookport::domain::payload_filter::PayloadFilter;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (filter, payload) = text.split_once('\n').unwrap_or((text, r#"{"a":[1,{"b":"c"}]}"#));
    let (Ok(filter), Ok(payload)) = (serde_json::from_str::<Value>(filter), serde_json::from_str(payload)) else {
        return;
    };
    let Ok(read) = PayloadFilter::try_from(filter.clone()) else { return };
    assert_eq!(read.text(), &filter);
    // One level more may be one too many.
    if let Ok(negated) = PayloadFilter::try_from(json!({"$not": filter})) {
        assert_ne!(negated.matches(&payload), read.matches(&payload));
    }
});
