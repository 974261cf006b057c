//! Rows from an admin and requests from anyone: nothing panics or runs long, and nothing is proven by chance.
#![no_main]

use hookport::scheme::catalogue::presets;
use hookport::scheme::handshake::Means;
use hookport::scheme::preset::Preset;
use hookport::scheme::settings::Settings;
use hookport::scheme::signature::Keys;
use hookport::scheme::view::{Request, View};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;

/// Lines: which row (a number, or the row itself), the path with its query, headers, an empty line, the body.
fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.splitn(3, '\n');
    let (Some(row), Some(path), Some(rest)) = (lines.next(), lines.next(), lines.next()) else { return };
    let own;
    let (preset, is_built_in) = match row.trim().parse::<usize>() {
        Ok(n) => (&presets()[n % presets().len()], true),
        Err(_) => match Preset::parse(row) {
            Ok(preset) => {
                own = preset;
                (&own, false)
            }
            Err(_) => return,
        },
    };
    let (head, body) = rest.split_once("\n\n").unwrap_or((rest, ""));
    let mut headers = HeaderMap::new();
    for line in head.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name.trim()), HeaderValue::try_from(value.trim())) else { continue };
        headers.append(name, value);
    }
    let base_url = "https://hooks.example.com";
    let request = Request { method: "POST", base_url, path_and_query: path, headers: &headers, body: body.as_bytes() };
    let view = View::new(request);
    let (secret, settings) = (SecretString::from("00112233445566778899aabbccddeeff"), Settings::default());
    let keys = Keys { secrets: &[&secret], settings: &settings, certificate: None };
    let (result, _) = preset.verify.judge(&view, &keys, Timestamp::UNIX_EPOCH);
    // An input that has the secret in it is a lucky guess of the fuzzer, not of the engine.
    assert!(result.is_err() || !is_built_in || text.contains("00112233"), "{} is proven by chance", preset.name);
    let _ = preset.naming().and_then(|naming| naming.of(&view));
    let _ = preset.dedupe.key(&view);
    let means = Means { secret: Some(&secret), key: preset.verify.key_text(), settings: &settings };
    for handshake in &preset.handshakes {
        let _ = handshake.is(&view, &settings);
        let _ = handshake.answer(&view, &means);
    }
});
