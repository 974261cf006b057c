//! What is in no line of the log, whatever becomes of an authentication.

use std::process::Command;

use hookport_tests::Sink;
use hookport_tests::sink::Reply;
use http::Method;
use serde_json::json;

use crate::secure::{CA, SecureSink};
use crate::{SUBSCRIPTIONS, gateway_with, happens, subscribed};

const KEY: &str = include_str!("../../fixtures/mtls/client.key");

/// The part of [`defect_8_no_credential_is_in_a_log`] that runs as a process of its own: the log goes to standard
/// output, and all that must not be in it to standard error.
#[tokio::test]
#[ignore = "its output is the log that defect_8_no_credential_is_in_a_log reads"]
async fn a_gateway_that_authenticates_and_logs_all_it_does() {
    hookport::log::init_json("debug");
    let gateway = gateway_with(&[("EGRESS_CA_PEM", CA)]).await;
    let (sink, server, secure) = (Sink::start().await, Sink::start().await, SecureSink::start().await);
    let token = json!({"access_token": "the-token-granted", "expires_in": 3600}).to_string();
    let mut grants = vec![Reply::status(500).saying("the-secret-of-the-client is wrong")];
    grants.extend((0..20).map(|_| Reply::status(200).saying(token.clone())));
    server.replies(grants);
    let credentials = [
        json!({"type": "basic", "username": "hookport", "password": "the-password-of-hookport"}),
        json!({"type": "bearer", "token": "the-token-that-stays"}),
        json!({"type": "api_key", "in": "header", "name": "X-Api-Key", "value": "the-key-in-a-header"}),
        json!({"type": "api_key", "in": "query", "name": "key", "value": "the-key-in-a-query"}),
        json!({
            "type": "oauth2", "token_url": server.url("/token"), "client_id": "hookport",
            "client_secret": "the-secret-of-the-client",
        }),
        json!({
            "type": "aws_sigv4", "region": "eu-central-1", "service": "execute-api", "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": "the-key-that-signs", "session_token": "the-token-of-a-session",
        }),
    ];
    for credential in credentials {
        subscribed(&gateway, &sink, json!({"credential": credential})).await;
    }
    let mtls = json!({"mtls": {"certificate": include_str!("../../fixtures/mtls/client.pem"), "private_key": KEY}});
    gateway.subscribe(&sink, &["ticket.updated"], json!({"url": secure.url("/hook"), "auth": mtls})).await;
    sink.answers([401, 500, 401]);
    happens(&gateway).await;
    gateway.settle(gateway.instance(0)).await;
    let wrong = json!({"name": "x", "url": sink.url("/"), "events": ["*"], "auth": {"credential": {
        "type": "basic", "username": "a:b", "password": "the-password-refused",
    }}});
    let (status, _) = gateway.api(Method::POST, SUBSCRIPTIONS, gateway.admin_token(), Some(wrong)).await;
    assert_eq!(status, http::StatusCode::BAD_REQUEST);

    let line = KEY.lines().nth(1).expect("a line of the key");
    for secret in [
        "the-password-of-hookport",
        "aG9va3BvcnQ6dGhlLXBhc3N3b3JkLW9mLWhvb2twb3J0",
        "the-token-that-stays",
        "the-key-in-a-header",
        "the-key-in-a-query",
        "the-secret-of-the-client",
        "the-token-granted",
        "the-key-that-signs",
        "the-token-of-a-session",
        "the-password-refused",
        line,
    ] {
        eprintln!("secret: {secret}");
    }
}

/// Defect 8: neither a credential, nor a token that was granted, nor a private key is in a line of the log, however
/// much is logged.
#[test]
fn defect_8_no_credential_is_in_a_log() {
    let program = std::env::current_exe().expect("a running program has a path");
    let name = "logs::a_gateway_that_authenticates_and_logs_all_it_does";
    let arguments = ["--exact", name, "--ignored", "--nocapture", "--test-threads=1"];
    let output = Command::new(program).args(arguments).output().expect("this program can be run");
    let (log, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    for line in ["delivery.attempted", "oauth2.token_fetched", "oauth2.no_token"] {
        assert!(log.contains(line), "the log can be searched: {line}");
    }
    let secrets: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("secret: ")).collect();
    assert_eq!(secrets.len(), 11, "{told}");
    for line in log.lines() {
        let found = secrets.iter().find(|secret| line.contains(**secret));
        assert!(found.is_none(), "{found:?} is in {line}");
    }
}
