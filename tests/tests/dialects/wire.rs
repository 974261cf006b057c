//! Every built-in dialect: A1, B1, B11, B20.

use hookport::dialect::catalogue;
use hookport::dialect::proof::ProofStyle;
use hookport_tests::gateway::merge;
use hookport_tests::sink::SinkRequest;
use http::StatusCode;
use serde_json::{Value, json};

use crate::signature::{Known, holds, other_public_key};
use crate::target::Target;
use crate::{
    SUBSCRIPTIONS, Spoken, every_dialect, gateway, invoice, newest, post, public_key, published, refused, settings,
    speaking, state, subscribed,
};

/// A secret that is nobody's here, in the form that every dialect takes.
const OTHER_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn json_of(request: &SinkRequest) -> Value {
    serde_json::from_slice(&request.body).expect("a JSON body")
}

/// A1, A11: a target is asked in the style of its dialect, signed as a delivery is; then it gets events.
#[tokio::test]
async fn a1_every_dialect_has_its_target_proven_in_its_style_and_delivers() {
    let gateway = gateway().await;
    let all = every_dialect(&gateway).await;
    let public = public_key(&gateway).await;
    for spoken in &all {
        let name = spoken.name();
        assert_eq!(state(&gateway, &spoken.made).await, "active", "{name}");
        assert_eq!(spoken.made["data"]["dialect"], name);
        let asked = spoken.target.asked();
        let [question] = &asked[..] else { panic!("{name}: one question") };
        if spoken.dialect.proof == ProofStyle::CloudEvents {
            assert_eq!(question.method, "OPTIONS", "{name}");
            assert_eq!(question.header("webhook-request-origin"), "hooks.example.com", "{name}");
        } else {
            assert_eq!(question.method, "POST", "{name}");
            assert_eq!(json_of(question)["type"], "webhook.challenge", "{name}");
        }
        let (secret, url) = (spoken.secret(), spoken.target.url(&question.path));
        let known = Known { secret: &secret, public: &public, url: &url };
        assert_ne!(holds(name, question, known), Some(false), "{name}: the question is signed");
        assert!(spoken.target.received().is_empty(), "{name}");
    }
    published(&gateway, invoice()).await;
    for spoken in &all {
        assert_eq!(spoken.only().path, "/hook", "{}", spoken.name());
    }
}

/// B1: over the very bytes that came; not with another secret or key, and not over other bytes.
#[tokio::test]
async fn b1_every_dialect_is_signed_over_the_bytes_on_the_wire() {
    let gateway = gateway().await;
    let all = every_dialect(&gateway).await;
    published(&gateway, invoice()).await;
    let (public, other_public) = (public_key(&gateway).await, other_public_key());
    let mut unsigned = Vec::new();
    for spoken in &all {
        let (name, request, secret) = (spoken.name(), spoken.only(), spoken.secret());
        let url = spoken.target.url(&request.path);
        let known = Known { secret: &secret, public: &public, url: &url };
        let Some(is_signed) = holds(name, &request, known) else {
            let named = request.headers.keys().find(|header| header.as_str().contains("signature"));
            assert_eq!(named, None, "{name}");
            unsigned.push(name);
            continue;
        };
        assert!(is_signed, "{name}");
        let stranger = Known { secret: OTHER_SECRET, public: &other_public, ..known };
        assert_eq!(holds(name, &request, stranger), Some(false), "{name}: another secret or key");
        let changed = SinkRequest { body: [&request.body[..], b" "].concat().into(), ..request.clone() };
        assert_eq!(holds(name, &changed, known), Some(false), "{name}: another body");
    }
    assert_eq!(unsigned, ["bare", "slack", "teams", "discord"]);
}

/// B11: a header that a dialect writes is refused when a subscription names it, or gives way.
#[tokio::test]
async fn b11_no_header_of_a_subscription_stands_in_the_place_of_its_dialects() {
    let gateway = gateway().await;
    let all = every_dialect(&gateway).await;
    published(&gateway, invoice()).await;
    let mut given_way = 0;
    // Looked at before anything else is published: that goes to these targets as well.
    let said: Vec<_> = all.iter().map(|spoken| spoken.only().headers).collect();
    for (spoken, said) in all.iter().zip(said) {
        let name = spoken.name();
        let mut taken = serde_json::Map::new();
        for header in said.keys().filter(|header| *header != "user-agent") {
            let mut more = speaking(&spoken.dialect);
            merge(&mut more, json!({"headers": {(header.as_str()): "evil"}, "trigger_challenge": false}));
            let answer = post(&gateway, SUBSCRIPTIONS, settings(&spoken.target, more)).await;
            if answer.0 == StatusCode::CREATED {
                taken.insert(header.to_string(), json!("evil"));
            } else {
                refused(&answer, 400, "invalid_request");
            }
        }
        given_way += taken.len();
        let target = Target::start().await;
        let mut more = speaking(&spoken.dialect);
        more["headers"] = Value::Object(taken);
        subscribed(&gateway, &target, more).await;
        // It is about no entity, so that a dialect has less to say than before.
        published(&gateway, json!({"type": "invoice.paid", "data": {}})).await;
        let request = newest(&target);
        let evil: Vec<_> = request.headers.iter().filter(|(_, value)| *value == "evil").collect();
        assert!(evil.is_empty(), "{name}: {evil:?}");
    }
    assert!(given_way >= 10, "{given_way}: there are headers to be held against it");
}

/// B20: method, content type, agent and body.
#[tokio::test]
async fn b20_every_dialect_has_its_method_content_type_agent_and_body() {
    let gateway = gateway().await;
    let all = every_dialect(&gateway).await;
    let event = published(&gateway, invoice()).await;
    let at = gateway.clock.now().to_string();
    for spoken in &all {
        let (name, request) = (spoken.name(), spoken.only());
        assert_eq!(request.method, "POST", "{name}");
        assert!(request.header("user-agent").starts_with("Hookport/"), "{name}");
        let content_type = match name {
            "cloudevents-structured" => "application/cloudevents+json; charset=utf-8",
            _ => "application/json",
        };
        assert_eq!(request.header("content-type"), content_type, "{name}");
        assert_eq!(request.header("content-length"), request.body.len().to_string(), "{name}");
        let (id, delivery) = (request.header("webhook-id"), request.header("hookport-delivery-id"));
        let own = if spoken.dialect.own_headers { (event.as_str(), "dlv_") } else { ("", "") };
        assert_eq!((id, delivery.get(..4).unwrap_or_default()), own, "{name}");
        has_the_body(spoken, &request, &event, &at);
    }
}

/// What each dialect makes of [`invoice`].
fn has_the_body(spoken: &Spoken, request: &SinkRequest, event: &str, at: &str) {
    let (name, body) = (spoken.name(), json_of(request));
    let data = json!({"note": "<a> & é"});
    match name {
        "cloudevents" => {
            assert_eq!(body, data);
            let names = ["specversion", "id", "source", "type", "time", "subject"];
            let attributes = names.map(|name| request.header(&format!("ce-{name}")).to_owned());
            assert_eq!(attributes, ["1.0", event, "/hookport/default", "invoice.paid", at, "invoice/42"]);
        }
        "cloudevents-structured" => {
            let expected = json!({
                "specversion": "1.0", "id": event, "source": "/hookport/default", "type": "invoice.paid", "time": at,
                "datacontenttype": "application/json", "subject": "invoice/42", "data": data,
            });
            assert_eq!(body, expected);
        }
        "slack" => {
            let words = "*invoice.paid* invoice/42\n```{\"note\":\"&lt;a&gt; &amp; é\"}```";
            assert_eq!(body, json!({"text": words}));
        }
        "discord" => {
            let words = "**invoice.paid** invoice/42\n```json\n{\"note\":\"<a> & é\"}\n```";
            assert_eq!(body, json!({"content": words, "allowed_mentions": {"parse": []}}));
        }
        "teams" => {
            let card = &body["attachments"][0]["content"];
            assert_eq!((&body["type"], &card["type"]), (&json!("message"), &json!("AdaptiveCard")));
            assert_eq!(card["body"][0]["text"], "invoice.paid");
            assert_eq!(card["body"][2]["codeSnippet"], data.to_string());
        }
        _ => {
            let expected = json!({
                "id": event, "type": "invoice.paid", "timestamp": at, "entity_type": "invoice", "entity_id": "42",
                "data": data,
            });
            assert_eq!(body, expected, "{name}");
        }
    }
}

/// B20: what a subscription says of the agent goes before what the gateway says.
#[tokio::test]
async fn b20_every_dialect_lets_a_subscription_name_the_agent() {
    let gateway = gateway().await;
    for dialect in catalogue::all() {
        let target = Target::start().await;
        let mut more = speaking(dialect);
        more["headers"] = json!({"User-Agent": "acme/1"});
        subscribed(&gateway, &target, more).await;
        published(&gateway, invoice()).await;
        assert_eq!(newest(&target).header("user-agent"), "acme/1", "{}", dialect.name);
    }
}

/// A dialect that there is not is refused where it is named.
#[tokio::test]
async fn an_unknown_dialect_is_refused() {
    let gateway = gateway().await;
    let target = Target::start().await;
    let cases = [
        (json!({"dialect": "klingon"}), "dialect"),
        (json!({"dialect": "No Name"}), "dialect"),
        (json!({"also_sign": ["hub", "klingon"]}), "also_sign[1]"),
        (json!({"also_sign": ["hub", "hub"]}), "also_sign[1]"),
        (json!({"also_sign": ["hub", "bare", "timestamped", "rfc9421"]}), "also_sign"),
    ];
    for (more, field) in cases {
        let answer = post(&gateway, SUBSCRIPTIONS, settings(&target, more.clone())).await;
        let message = refused(&answer, 400, "invalid_request");
        assert!(message.starts_with(field), "{more}: {message}");
    }
}
