//! Methods and headers: B11 and B20 for every dialect.

use serde_json::json;

use super::{SECRET, Sent, set, text};
use crate::dialect::{Dialect, catalogue};

/// B20: method, content type, user agent.
#[test]
fn b20_every_dialect_has_its_method_content_type_and_agent() {
    for dialect in catalogue::all() {
        let written = Sent::in_dialect(dialect.name.as_str()).write();
        assert_eq!(written.method, "POST", "{}", dialect.name);
        let agent = format!("Hookport/{}", env!("CARGO_PKG_VERSION"));
        assert_eq!(text(&written, "user-agent"), agent, "{}", dialect.name);
        let content_type = match dialect.name.as_str() {
            "cloudevents-structured" => "application/cloudevents+json; charset=utf-8",
            _ => "application/json",
        };
        assert_eq!(text(&written, "content-type"), content_type, "{}", dialect.name);
        let overridden = Sent::in_dialect(dialect.name.as_str()).header("User-Agent", "acme/1").write();
        assert_eq!(text(&overridden, "user-agent"), "acme/1", "{}", dialect.name);
    }
}

/// B11: what a subscription or the original request says never stands in the place of what the gateway says.
#[test]
fn b11_no_header_of_anybody_elses_stands_in_the_place_of_the_dialects() {
    for dialect in catalogue::all() {
        let name = dialect.name.as_str();
        let plain = Sent::in_dialect(name).write();
        let mut sent = Sent::in_dialect(name);
        // Those that the gateway always writes are refused when a subscription is made; the rest of the dialect's own
        // can be given, and lose.
        for header in plain.headers.keys().filter(|header| *header != "user-agent") {
            let given = std::collections::BTreeMap::from([(header.to_string(), "evil".to_owned())]);
            if crate::domain::static_headers::StaticHeaders::try_from(given).is_ok() {
                sent = sent.header(header.as_str(), "evil");
            }
            sent.forwarded.insert(header.clone(), "evil".parse().expect("a value"));
        }
        assert_eq!(sent.write().headers, plain.headers, "{name}");
    }
}

/// B11: a value that would break a line, or is no ASCII, is written so that it cannot.
#[test]
fn b11_values_of_events_cannot_break_a_header() {
    let row = json!({ "name": "acme", "headers": { "x-note": "<{data:/note}>", "ce-note": "{data:/note}" } });
    let sent = Sent::declared(row).body("{\"note\":\"a\\r\\nevil: 1 \\\"é%\"}");
    let written = sent.write();
    assert_eq!(text(&written, "x-note"), "<a%0D%0Aevil: 1 \"%C3%A9%>");
    assert_eq!(text(&written, "ce-note"), "a%0D%0Aevil:%201%20%22%C3%A9%25", "as CloudEvents encodes attributes");
    assert!(!written.headers.contains_key("evil"));
}

#[test]
fn b20_a_declared_dialect_has_its_own_method_agent_and_headers() {
    let row = json!({
        "name": "acme",
        "method": "PUT",
        "user_agent": "Acme/7",
        "own_headers": false,
        "content_type": "application/vnd.acme+json",
        "headers": { "x-acme-event": "{type}", "x-acme-entity": "{entity_id}" },
        "signatures": [{
            "type": "mac",
            "algorithm": "hmac-sha512",
            "encoding": "base64",
            "signed": "{id}:{body}",
            "headers": ["x-acme-signature"],
            "value": "{signature}",
        }],
    });
    let written = Sent::declared(row).write();
    assert_eq!(written.method, "PUT");
    assert_eq!(text(&written, "user-agent"), "Acme/7");
    assert_eq!(text(&written, "content-type"), "application/vnd.acme+json");
    assert_eq!(text(&written, "x-acme-event"), "invoice.paid");
    assert!(!written.headers.contains_key("x-acme-entity"), "an empty header is left out");
    assert!(!written.headers.contains_key("webhook-id") && !written.headers.contains_key("hookport-delivery-id"));
    let expected = {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let mut mac = Hmac::<sha2::Sha512>::new_from_slice(SECRET.as_bytes()).expect("a key");
        mac.update(br#"evt_1:{"a":1}"#);
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
    };
    assert_eq!(text(&written, "x-acme-signature"), expected);
}

#[test]
fn a_get_has_no_body_and_no_content_type() {
    let written = Sent::declared(json!({ "name": "acme", "method": "GET", "headers": { "x-id": "{id}" } })).write();
    assert_eq!((written.method.as_str(), written.body.len()), ("GET", 0));
    assert!(!written.headers.contains_key("content-type"));
    assert_eq!(text(&written, "x-id"), "evt_1");
}

#[test]
fn forwarded_headers_arrive_beside_the_gateways_own() {
    let mut sent = Sent::in_dialect("standard").header("x-team", "blue");
    set(&mut sent.forwarded, "x-github-event", "push");
    set(&mut sent.forwarded, "x-team", "red");
    let written = sent.write();
    assert_eq!(text(&written, "x-github-event"), "push");
    assert_eq!(text(&written, "x-team"), "blue", "what the subscription says goes before what the sender said");
}

#[test]
fn rows_that_make_no_sense_are_refused_with_their_rule() {
    let cases = [
        (json!({ "name": "Acme" }), "lower-case"),
        (json!({ "name": "a", "headers": { "host": "x" } }), "headers.host"),
        (json!({ "name": "a", "headers": { "webhook-id": "x" } }), "headers.webhook-id"),
        (json!({ "name": "a", "headers": { "x": "{body}" } }), "headers.x"),
        (json!({ "name": "a", "headers": { "x": "{nothing}" } }), "no piece"),
        (json!({ "name": "a", "method": "TRACE" }), "unknown variant"),
        (json!({ "name": "a", "proof": "message" }), "proof"),
        (json!({ "name": "a", "own_headers": false, "signatures": [{ "type": "standard" }] }), "webhook-id"),
        (json!({ "name": "a", "user_agent": "a\r\nb" }), "user_agent"),
        (json!({ "name": "a", "body": { "as": "json", "json": { "x": "{signature}" } } }), "body"),
        (json!({ "name": "a", "body": { "as": "form", "form": { "x": "{body}" } } }), "body"),
        (json!({ "name": "a", "headers": { "x": "two\nlines {type}" } }), "headers.x"),
        (json!({ "name": "a", "headers": { "x": "Größe {type}" } }), "headers.x"),
        (mac("hmac-sha256", "{body}", "{signature}\u{7}", "x-s"), "value"),
        (mac("ed25519", "{body}", "{signature}", "x-s"), "algorithm"),
        (mac("sha256", "{body}", "{signature}", "x-s"), "algorithm"),
        (mac("hmac-sha256", "{id}", "{signature}", "x-s"), "signed"),
        (mac("hmac-sha256", "{body}", "fixed", "x-s"), "value"),
        (mac("hmac-sha256", "{body}", "{signature}", "webhook-signature"), "headers"),
        (mac("hmac-sha256", "{body}", "{signature}", "content-length"), "headers"),
        (message(&["@method"]), "components"),
        (message(&["content-digest", "x-nobody-writes-this"]), "x-nobody-writes-this"),
        (message(&["content-digest", "@status"]), "components"),
        (message(&["content-digest", "@method", "content-digest"]), "components"),
    ];
    for (row, part) in cases {
        let refusal = match serde_json::from_value::<Dialect>(row.clone()) {
            Ok(dialect) => dialect.check().err().unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        assert!(refusal.contains(part), "{row}: {refusal:?}");
    }
}

fn mac(algorithm: &str, signed: &str, value: &str, header: &str) -> serde_json::Value {
    json!({ "name": "a", "signatures": [{
        "type": "mac", "algorithm": algorithm, "encoding": "hex", "signed": signed, "headers": [header], "value": value,
    }] })
}

fn message(components: &[&str]) -> serde_json::Value {
    json!({ "name": "a", "signatures": [{
        "type": "http_message_signature", "algorithm": "hmac-sha256", "components": components, "label": "x",
    }] })
}
