//! Bodies: CloudEvents in both modes, chat messages, and those that tenants declare.

use serde_json::{Value, json};

use super::{Sent, json, text};

#[test]
fn b20_cloudevents_in_binary_mode_has_attributes_in_headers_and_the_data_as_its_body() {
    let written = Sent::in_dialect("cloudevents").published(r#"{"total": 7.10}"#, ("invoice", "42 é")).write();
    let attributes =
        ["specversion", "id", "source", "type", "time", "subject"].map(|name| text(&written, &format!("ce-{name}")));
    let expected = ["1.0", "evt_1", "/hookport/acme", "invoice.paid", "2023-11-14T22:13:20Z", "invoice/42%20%C3%A9"];
    assert_eq!(attributes, expected);
    assert_eq!(&written.body[..], br#"{"total": 7.10}"#, "digit for digit as it was written");
    assert_eq!(text(&written, "content-type"), "application/json");
    assert!(text(&written, "webhook-signature").starts_with("v1,"));
    let said = Sent {
        payload: bytes::Bytes::from_static(br#"{"timestamp":"2023-01-02T03:04:05Z","data":1}"#),
        facts: Some(crate::domain::event_facts::EventFacts::default()),
        is_envelope: true,
        ..Sent::in_dialect("cloudevents")
    };
    assert_eq!(text(&said.write(), "ce-time"), "2023-01-02T03:04:05Z", "as its publisher says");
}

#[test]
fn b20_cloudevents_in_structured_mode_is_one_json_object() {
    let written = Sent::in_dialect("cloudevents-structured").published(r#"{"total":7.10}"#, ("invoice", "42")).write();
    let event = json(&written);
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["subject"], "invoice/42");
    assert_eq!(event["datacontenttype"], "application/json");
    assert!(
        std::str::from_utf8(&written.body).expect("text").ends_with(r#","data":{"total":7.10}}"#),
        "digit for digit"
    );

    let as_text =
        Sent { content_type: Some("text/plain"), ..Sent::in_dialect("cloudevents-structured").body("a \"b\"") };
    assert_eq!(json(&as_text.write())["data"], "a \"b\"");
    let broken = Sent::in_dialect("cloudevents-structured").body("{not json");
    assert_eq!(json(&broken.write())["data"], "{not json", "JSON that is none stays text");
    let bytes =
        Sent { payload: vec![0xff, 0xfe].into(), content_type: None, ..Sent::in_dialect("cloudevents-structured") };
    let event = json(&bytes.write());
    assert_eq!((event["data_base64"].clone(), event.get("datacontenttype")), (json!("//4="), None));
}

/// B20: the Slack dialect's body.
#[test]
fn b20_slack_gets_one_text_in_which_nothing_is_a_link_or_calls_people() {
    let sent = Sent::in_dialect("slack").published(r#"{"name":"<!channel> & co"}"#, ("invoice", "<42>"));
    let written = sent.write();
    let body = json(&written);
    let members: Vec<&String> = body.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["text"]);
    let expected = "*invoice.paid* invoice/&lt;42&gt;\n```{\"name\":\"&lt;!channel&gt; &amp; co\"}```";
    assert_eq!(body["text"], expected);
    for header in ["webhook-id", "webhook-signature", "hookport-event-type"] {
        assert!(!written.headers.contains_key(header), "{header}");
    }
}

#[test]
fn b20_discord_and_teams_get_what_their_webhooks_take() {
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(10_000));
    let discord = json(&Sent::in_dialect("discord").published(&long, ("invoice", "42")).write());
    let content = discord["content"].as_str().expect("text");
    assert!(content.chars().count() <= 2_000, "Discord takes 2,000 characters: {}", content.chars().count());
    assert!(content.contains('…') && content.ends_with("\n```"), "what is cut is a value, not the message");
    assert_eq!(discord["allowed_mentions"], json!({ "parse": [] }));

    let teams = json(&Sent::in_dialect("teams").published(r#"{"total":7}"#, ("invoice", "42")).write());
    let card = &teams["attachments"][0]["content"];
    assert_eq!(card["type"], "AdaptiveCard");
    assert_eq!(card["body"][0]["text"], "invoice.paid");
    assert_eq!(card["body"][2]["codeSnippet"], r#"{"total":7}"#, "a text, not an object");
}

/// C11's rule for templates holds here as well: a value that stands alone keeps its type.
#[test]
fn a_declared_body_keeps_types_and_fills_what_is_missing() {
    let row = json!({
        "name": "acme",
        "body": { "as": "json", "json": {
            "n": "{data:/n}", "list": "{data:/list}", "first": "{data:/list/0}", "missing": "{data:/nothing}",
            "said": "n is {data:/n}, {data:/nothing|none}", "whole": "{data}", "fixed": [1, true, null, "{{}}"],
        } },
    });
    let written = Sent::declared(row).body(r#"{"n":7,"list":["a",2]}"#).write();
    let expected = json!({
        "n": 7, "list": ["a", 2], "first": "a", "missing": null, "said": "n is 7, none",
        "whole": { "n": 7, "list": ["a", 2] }, "fixed": [1, true, null, "{}"],
    });
    assert_eq!(json(&written), expected);
    assert_eq!(text(&written, "content-type"), "application/json");
}

#[test]
fn a_declared_form_is_sent_as_html_forms_are() {
    let row =
        json!({ "name": "acme", "body": { "as": "form", "form": { "event": "{type}", "note": "{data:/note}" } } });
    let written = Sent::declared(row).body(r#"{"note":"a&b é"}"#).write();
    assert_eq!(&written.body[..], b"event=invoice.paid&note=a%26b+%C3%A9");
    assert_eq!(text(&written, "content-type"), "application/x-www-form-urlencoded");
}

#[test]
fn bare_is_the_payload_and_nothing_of_the_gateways_but_its_name() {
    let written = Sent::in_dialect("bare").body("<a/>").write();
    assert_eq!(&written.body[..], b"<a/>");
    let mut names: Vec<&str> = written.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "user-agent"]);
}

#[test]
fn a_body_without_a_content_type_is_octets() {
    let sent = Sent { content_type: None, ..Sent::in_dialect("standard") };
    assert_eq!(text(&sent.write(), "content-type"), "application/octet-stream");
}

#[test]
fn bodies_have_bounds() {
    let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
    let wide = Value::from(vec![1; 300]);
    for shape in [deep, wide] {
        let row = json!({ "name": "acme", "body": { "as": "json", "json": shape } });
        assert!(serde_json::from_value::<crate::dialect::Dialect>(row).is_err());
    }
}

/// What counts is what a value takes up in the body, not how much there was to choose from.
#[test]
fn many_values_of_a_large_payload_fit_as_long_as_they_are_small() {
    let payload = format!(r#"{{"filler":"{}","n":7}}"#, "x".repeat(1024 * 1024));
    let members: serde_json::Map<_, _> = (0..40).map(|n| (format!("f{n}"), json!("{data:/n}"))).collect();
    let row = json!({ "name": "acme", "body": { "as": "json", "json": members } });
    let sent = Sent::declared(row).body(payload.leak());
    assert_eq!(json(&sent.write()), (0..40).map(|n| (format!("f{n}"), json!(7))).collect::<Value>());
}

#[test]
fn copies_of_a_large_payload_are_given_up_wherever_they_are_asked_for() {
    let payload: &'static str = format!(r#"{{"filler":"{}"}}"#, "x".repeat(300 * 1024)).leak();
    let twice = |one: &str| one.repeat(2);
    let mac = json!({
        "type": "mac", "algorithm": "hmac-sha256", "encoding": "hex", "headers": ["x-s"], "value": "{signature}",
        "signed": twice("{data}") + "{body}",
    });
    let rows = [
        json!({ "name": "acme", "body": { "as": "json", "json": ["{data}", "{data}"] } }),
        json!({ "name": "acme", "body": { "as": "json", "json": { "text": twice("{data:/filler}") } } }),
        json!({ "name": "acme", "body": { "as": "form", "form": { "text": twice("{data}") } } }),
        json!({ "name": "acme", "signatures": [mac] }),
    ];
    for row in rows {
        let refused = Sent::declared(row.clone()).body(payload).try_write().err();
        assert_eq!(refused, Some(crate::dialect::Unsendable::TooLarge), "{row}");
    }
}
