//! A12, A13: where a secret is shown, and which secrets are taken.

use hookport_tests::Sink;
use hookport_tests::gateway::text;
use http::Method;
use serde_json::{Value, json};

use crate::{
    SUBSCRIPTIONS, active, call, delivered, done, failing, gateway_of, refused, settings, shown, three_tries, trigger,
    value_of,
};

/// A12: a secret is in the answer that made it and in no other; what a target has to echo is in none.
#[tokio::test]
async fn a12_a_secret_is_shown_once_and_a_challenge_never() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(3));
    let key = "sesame-open-to-the-gateway";
    let more = json!({"headers": {"x-api-key": key, "x-room": "four"}});
    let made = gateway.subscribe(&sink, &["github.push"], more).await;
    let id = text(&made["data"]["id"]);
    let path = format!("{SUBSCRIPTIONS}/{id}");
    three_tries(&gateway).await;
    let patched = done(&gateway, Method::PATCH, &path, trigger()).await;
    gateway.drain(gateway.instance(0)).await;
    let own =
        done(&gateway, Method::POST, &format!("{path}/rotate-secret"), json!({"secret": "another of my own"})).await;
    let rotated = done(&gateway, Method::POST, &format!("{path}/rotate-secret"), json!({})).await;
    delivered(&gateway, 1).await;

    let mut hidden = vec![key.to_owned(), "another of my own".to_owned()];
    hidden.extend([&made, &rotated].map(|answer| text(&answer["secret"]).replace("whsec_", "")));
    hidden.extend(sink.challenges().iter().map(value_of));
    assert_eq!(own["secret"], "another of my own");
    let mut answers = vec![made["data"].clone(), own["data"].clone(), rotated["data"].clone(), patched];
    for verb in ["pause", "resume", "disable", "enable"] {
        answers.push(done(&gateway, Method::POST, &format!("{path}/{verb}"), json!({})).await);
    }
    let of = format!("/api/v1/deliveries?subscription_id={id}");
    let attempts = format!("{path}/attempts");
    let deliveries = format!("{path}/deliveries");
    for path in [SUBSCRIPTIONS.to_owned(), path.clone(), of, attempts, deliveries, "/api/v1/events".to_owned()] {
        answers.push(gateway.get(&path).await);
    }
    for answer in answers {
        let text = answer.to_string();
        for hidden in &hidden {
            assert!(!text.contains(hidden.as_str()), "{hidden} is in {text}");
        }
    }
    let headers = shown(&gateway, &path).await["headers"].clone();
    assert_eq!(headers, json!({"x-api-key": "(hidden)", "x-room": "four"}));
}

/// A13: 15 and 129 characters are refused, 16 and 128 are taken, at creation and at rotation.
#[tokio::test]
async fn a13_a_supplied_secret_has_16_to_128_characters() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    for (chars, status) in [(15, 400), (16, 201), (128, 201), (129, 400)] {
        let body = settings(&sink, json!({"secret": "ß".repeat(chars)}));
        let answer = call(&gateway, Method::POST, SUBSCRIPTIONS, body).await;
        assert_eq!(answer.0.as_u16(), status, "{chars}: {}", answer.1);
        if status == 400 {
            let message = refused(&answer, 400, "invalid_request");
            assert!(message.contains("16 to 128"), "{message}");
            continue;
        }
        assert_eq!(answer.1["secret"], json!("ß".repeat(chars)));
        let rotate = format!("{SUBSCRIPTIONS}/{}/rotate-secret", text(&answer.1["data"]["id"]));
        for (chars, status) in [(15, 400), (16, 200), (128, 200), (129, 400)] {
            let answer = call(&gateway, Method::POST, &rotate, json!({"secret": "s".repeat(chars)})).await;
            assert_eq!(answer.0.as_u16(), status, "{chars}: {}", answer.1);
        }
    }
    let no_base64 = settings(&sink, json!({"secret": format!("whsec_{}", "!".repeat(20))}));
    refused(&call(&gateway, Method::POST, SUBSCRIPTIONS, no_base64).await, 400, "invalid_request");
}

/// A13: without a secret of the caller's own one of 32 random bytes is made, another each time.
#[tokio::test]
async fn a13_a_made_secret_has_32_random_bytes() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let mut said = settings(&sink, json!({}));
    said["secret"] = Value::Null;
    let mut secrets = vec![text(&gateway.create(SUBSCRIPTIONS, said).await["secret"])];
    let made = active(&gateway, &sink, json!({})).await;
    secrets.push(text(&made["secret"]));
    let rotate = format!("{SUBSCRIPTIONS}/{}/rotate-secret", text(&made["data"]["id"]));
    secrets.push(text(&done(&gateway, Method::POST, &rotate, json!({})).await["secret"]));
    for secret in &secrets {
        // 32 bytes are 44 characters of base64, the last of which fills up.
        assert!(secret.starts_with("whsec_") && secret.len() == 50 && secret.ends_with('='), "{secret}");
    }
    secrets.sort();
    secrets.dedup();
    assert_eq!(secrets.len(), 3);
}
