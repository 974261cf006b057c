//! The doctor in a gateway: asked through the API, and at work while a sample is waited for.

use hookport::scheme::catalogue::preset;
use hookport_tests::gateway::{TestGateway, text};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::gateway::{sample, secrets_of, send, webhook};

/// The request of a sample as a caller pastes it.
fn pasted(signed: &hookport::scheme::sign::SignedRequest) -> Value {
    let headers: serde_json::Map<String, Value> =
        signed.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    json!({
        "method": signed.method, "url": signed.url, "headers": headers,
        "body": String::from_utf8(signed.body.clone()).expect("text"),
    })
}

async fn diagnosed(gateway: &TestGateway, id: &str, asked: Value) -> Value {
    let path = format!("/api/v1/inbound-webhooks/{id}/diagnose");
    let (status, answer) = gateway.api(Method::POST, &path, gateway.admin_token(), Some(asked)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer["data"].clone()
}

#[tokio::test]
async fn a_pasted_request_is_told_whose_secret_signed_it_and_no_secret_is_shown() {
    let gateway = TestGateway::new().await;
    let stripe = preset("stripe").expect("a preset");
    let live = text(&webhook(&gateway, stripe, json!({})).await["data"]["id"]);
    let test_secret = "whsec_of_the_test_mode_0123456789";
    let config = json!({"secret": test_secret});
    let test = webhook(&gateway, stripe, json!({"slug": "stripe-test", "auth_config": config})).await;
    let test = text(&test["data"]["id"]);

    let signed = sample(&gateway, stripe, None, Some(test_secret), 1).expect("a sample");
    assert_eq!(send(&gateway, &signed, None).await.status(), StatusCode::UNAUTHORIZED);
    let found = diagnosed(&gateway, &live, json!({"request": pasted(&signed)})).await;
    assert_eq!(found["cause"], json!({"code": "wrong_secret", "of": {"whose": "other", "which": test}}), "{found}");
    let own = secrets_of(stripe).secret;
    assert!(!found.to_string().contains(test_secret) && !found.to_string().contains(&own), "{found}");

    let right = sample(&gateway, stripe, None, None, 2).expect("a sample");
    assert_eq!(diagnosed(&gateway, &live, json!({"request": pasted(&right)})).await["cause"]["code"], "valid");
    gateway.advance(SignedDuration::from_mins(10));
    let late = diagnosed(&gateway, &live, json!({"request": pasted(&right)})).await;
    assert_eq!((&late["cause"]["code"], &late["cause"]["off_s"]), (&json!("stale"), &json!(600)), "{late}");
    let forged = sample(&gateway, stripe, None, Some("nobody's secret at all"), 3).expect("a sample");
    assert_eq!(diagnosed(&gateway, &live, json!({"request": pasted(&forged)})).await["cause"]["code"], "unknown");
    let given = json!({"request": pasted(&forged), "secrets": ["x", "nobody's secret at all"]});
    let found = diagnosed(&gateway, &live, given).await;
    assert_eq!(found["cause"], json!({"code": "wrong_secret", "of": {"whose": "given", "which": 1}}), "{found}");
}

#[tokio::test]
async fn a_refused_request_explains_itself_while_a_sample_is_waited_for_and_only_then() {
    let gateway = TestGateway::new().await;
    let github = preset("github").expect("a preset");
    let id = text(&webhook(&gateway, github, json!({})).await["data"]["id"]);
    let mut signed = sample(&gateway, github, Some("push"), None, 4).expect("a sample");
    signed.body.push(b'\n');
    let newest = async || {
        let listed = gateway.get(&format!("/api/v1/inbound-webhooks/{id}/rejections")).await;
        listed["data"][0].clone()
    };
    assert_eq!(send(&gateway, &signed, None).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(newest().await["diagnosis"], Value::Null);
    let path = format!("/api/v1/inbound-webhooks/{id}/capture-sample");
    gateway.api(Method::POST, &path, gateway.admin_token(), None).await;
    gateway.advance(SignedDuration::from_secs(6));
    assert_eq!(send(&gateway, &signed, None).await.status(), StatusCode::UNAUTHORIZED);
    let explained = newest().await;
    assert_eq!(explained["reason"], "signature_mismatch");
    assert_eq!(explained["diagnosis"]["cause"]["code"], "body_newline", "{explained}");
    assert!(!explained.to_string().contains(&secrets_of(github).secret));
}

/// The proofs that are no rows are explained by the same doctor.
#[tokio::test]
async fn a_webhook_without_a_preset_is_examined_as_well() {
    let gateway = TestGateway::new().await;
    let id = gateway.webhook("plain", json!({})).await;
    let stripe = preset("stripe").expect("a preset");
    let signed = sample(&gateway, stripe, None, Some(hookport_tests::gateway::SECRET), 5).expect("a sample");
    let found = diagnosed(&gateway, &id, json!({"request": pasted(&signed)})).await;
    assert_eq!(
        (&found["cause"]["code"], &found["cause"]["preset"]),
        (&json!("wrong_preset"), &json!("stripe")),
        "{found}"
    );
}
