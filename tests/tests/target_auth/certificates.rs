//! Client certificates: shown to the target, and to nobody else.

use hookport_tests::{Sink, TestGateway};
use serde_json::{Value, json};

use crate::secure::{CA, SecureSink, certificate};
use crate::{all_shown, gateway_with, happens, newest, only_attempt, path};

const CLIENT: (&str, &str) =
    (include_str!("../../fixtures/mtls/client.pem"), include_str!("../../fixtures/mtls/client.key"));
const RSA: (&str, &str) = (include_str!("../../fixtures/mtls/rsa.pem"), include_str!("../../fixtures/mtls/rsa.key"));
const STRANGER: (&str, &str) =
    (include_str!("../../fixtures/mtls/stranger.pem"), include_str!("../../fixtures/mtls/stranger.key"));

fn mtls((certificate, private_key): (&str, &str)) -> Value {
    json!({"mtls": {"certificate": certificate, "private_key": private_key}})
}

/// Subscribes the target as it is, without waiting for a proof.
async fn made(gateway: &TestGateway, target: &SecureSink, auth: Value) -> Value {
    let any = Sink::start().await;
    let more = json!({"url": target.url("/hook"), "auth": auth});
    gateway.subscribe(&any, &["ticket.updated"], more).await
}

#[tokio::test]
async fn a_target_that_asks_for_a_certificate_is_shown_it() {
    let gateway = gateway_with(&[("EGRESS_CA_PEM", CA)]).await;
    let target = SecureSink::start().await;
    let subscription = made(&gateway, &target, mtls(CLIENT)).await;
    happens(&gateway).await;
    let shown = target.shown();
    let types: Vec<&str> = shown.iter().map(|shown| shown.event_type.as_str()).collect();
    assert_eq!(types, ["webhook.challenge", "ticket.updated"]);
    assert!(shown.iter().all(|shown| shown.certificate == certificate(CLIENT.0)));
    assert_eq!(newest(&gateway, &subscription).await["state"], "delivered");

    let view = gateway.get(&path(&subscription)).await["data"]["auth"].clone();
    assert_eq!(view, json!({"credential": null, "mtls": {"certificate": CLIENT.0, "private_key": "(hidden)"}}));
    let line = CLIENT.1.lines().nth(1).expect("a line of the key");
    assert!(!all_shown(&gateway, &subscription).await.contains(line));
}

/// Two who show different certificates to one host share no connection.
#[tokio::test]
async fn connections_are_not_shared_between_certificates() {
    let gateway = gateway_with(&[("EGRESS_CA_PEM", CA), ("TRUSTED_TARGETS", "127.0.0.1")]).await;
    let target = SecureSink::start().await;
    for auth in [mtls(CLIENT), mtls(RSA)] {
        made(&gateway, &target, auth).await;
    }
    for _ in 0..3 {
        happens(&gateway).await;
    }
    let shown = target.shown();
    let by = |pem: &str| shown.iter().filter(|shown| shown.certificate == certificate(pem)).count();
    assert_eq!((by(CLIENT.0), by(RSA.0), shown.len()), (3, 3, 6));
}

#[tokio::test]
async fn a_target_gets_nothing_from_whom_it_does_not_know() {
    let gateway = gateway_with(&[("EGRESS_CA_PEM", CA), ("TRUSTED_TARGETS", "127.0.0.1")]).await;
    for auth in [mtls(STRANGER), Value::Null] {
        let target = SecureSink::start().await;
        let subscription = made(&gateway, &target, auth).await;
        happens(&gateway).await;
        let attempt = only_attempt(&gateway, &subscription).await;
        // The refusal comes as an alert, or as the end of the connection where that is faster.
        let code = attempt["error_code"].as_str().expect("a code");
        assert!(["tls_failed", "protocol_error"].contains(&code), "{attempt}");
        assert_eq!(newest(&gateway, &subscription).await["state"], "pending", "it is tried again");
        assert!(target.shown().is_empty());
    }
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_not_believed() {
    let gateway = gateway_with(&[("TRUSTED_TARGETS", "127.0.0.1")]).await;
    let target = SecureSink::start().await;
    let subscription = made(&gateway, &target, mtls(CLIENT)).await;
    happens(&gateway).await;
    assert_eq!(only_attempt(&gateway, &subscription).await["error_code"], "tls_failed");
    assert!(target.shown().is_empty());
}

/// A token may be bound to the certificate (RFC 8705), so both are shown the same one.
#[tokio::test]
async fn a_certificate_is_shown_where_tokens_are_granted_too() {
    let gateway = gateway_with(&[("EGRESS_CA_PEM", CA), ("TRUSTED_TARGETS", "127.0.0.1")]).await;
    let (target, server) = (SecureSink::start().await, SecureSink::start().await);
    let mut auth = mtls(CLIENT);
    auth["credential"] = json!({
        "type": "oauth2", "token_url": server.url("/token"), "client_id": "hookport", "client_secret": "sesame",
    });
    made(&gateway, &target, auth).await;
    happens(&gateway).await;
    assert_eq!((server.shown().len(), target.shown().len()), (1, 1));
    assert_eq!(target.shown()[0].authorization, "Bearer bound-to-the-certificate");
    for shown in server.shown().iter().chain(&target.shown()) {
        assert_eq!(shown.certificate, certificate(CLIENT.0));
    }
}
