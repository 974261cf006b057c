//! JSONPath keys from admins over bodies from senders: no panic, no long run, one place at most.
#![no_main]

use hookport::domain::key_path::KeyPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (path, body) = text.split_once('\n').unwrap_or((text, r#"{"a":[1,{"b":"c"}]}"#));
    let (Ok(path), Ok(body)) = (KeyPath::try_from(path.to_owned()), serde_json::from_str(body)) else { return };
    let _ = path.find(&body);
});
