//! B5 and the guard in front of every request: what a deployment does not allow is not connected to.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::sync::Arc;

use hookport::random::Random;
use hookport_local::functions::Functions;
use hookport_local::template::Template;
use hookport_tests::gateway::text;
use hookport_tests::{Instance, Sink, TestGateway};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{SUBSCRIPTIONS, deliveries, delivery, happens, post, publish, refused, register};

const TRUSTING: [(&str, &str); 1] = [("TRUSTED_TARGETS", "127.0.0.1")];

/// An instance on the same store that sends nothing to this machine.
fn strict(gateway: &TestGateway) -> Instance {
    let template = Template::embedded().expect("the template can be honoured");
    let settings: HashMap<String, String> = [
        ("ALLOW_HTTP_TARGETS", "true"),
        ("AWS_MAX_ATTEMPTS", "1"),
        ("AWS_BACKOFF_MS", "1"),
        ("REPORT_CAPACITY", "true"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let random = Random::seeded(8);
    let made = Functions::new("strict", &gateway.cloud, &template, &settings, &gateway.clock, &random);
    Arc::new(made.expect("the functions can be set up"))
}

/// B5: where nothing may be sent, no socket is opened, nothing is tried again, and the delivery says why. Defect 12.
#[tokio::test]
async fn b5_defect_12_a_refused_address_is_not_connected_to_and_not_tried_again() {
    let gateway = TestGateway::with_settings(&["a"], &TRUSTING).await;
    register(&gateway, &["ticket.updated"]).await;
    let target = TcpListener::bind("127.0.0.1:0").expect("loopback can be listened on");
    target.set_nonblocking(true).expect("a socket");
    let url = format!("http://{}/hook", target.local_addr().expect("an address"));
    let any = Sink::start().await;
    let made = gateway.subscribe(&any, &["ticket.updated"], json!({"url": url})).await;
    publish(&gateway, json!({"type": "ticket.updated", "data": {}})).await;
    let strict = strict(&gateway);
    gateway.drain(&strict).await;
    gateway.settle(&strict).await;
    let ended = delivery(&gateway, &made).await;
    assert_eq!((&ended["state"], &ended["next_attempt_at"]), (&json!("exhausted"), &Value::Null));
    assert_eq!(ended["attempts"].as_array().map(Vec::len), Some(1));
    let attempt = &ended["attempts"][0];
    assert_eq!(attempt["error_code"], "address_refused");
    assert!(text(&attempt["error_message"]).contains("loopback"), "{attempt}");
    let nobody = target.accept().expect_err("nobody connects");
    assert_eq!(nobody.kind(), ErrorKind::WouldBlock);
}

/// B5: an operator's rule stops deliveries to subscriptions that exist.
#[tokio::test]
async fn b5_a_host_that_is_denied_later_gets_nothing_more() {
    let gateway = crate::gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    happens(&gateway).await;
    let rule = json!({"pattern": "127.0.0.*", "description": "tests"});
    gateway.create("/api/v1/egress-rules", rule).await;
    gateway.advance(SignedDuration::from_secs(61));
    happens(&gateway).await;
    gateway.settle(gateway.instance(0)).await;
    let newest = &deliveries(&gateway, &made).await[0];
    assert_eq!((&newest["state"], &newest["attempts"][0]["error_code"]), (&json!("exhausted"), &json!("host_denied")));
    assert_eq!(newest["attempts"].as_array().map(Vec::len), Some(1));
    assert_eq!(sink.received().len(), 1);
}

/// Defects 12 and 24: private addresses of both families are no targets, in whatever form they are written.
#[tokio::test]
async fn defect_12_defect_24_nobody_subscribes_a_private_address() {
    let settings = [("ALLOW_HTTP_TARGETS", "false"), ("ALLOW_LOOPBACK_TARGETS", "false")];
    let gateway = TestGateway::with_settings(&["a"], &settings).await;
    for host in ["10.0.0.1", "192.168.1.1:8443", "[fd00::1]", "[::ffff:10.0.0.1]", "[fe80::1]", "169.254.169.254"] {
        let body = json!({"name": "x", "url": format!("https://{host}/"), "events": ["*"]});
        refused(&post(&gateway, SUBSCRIPTIONS, body).await, StatusCode::BAD_REQUEST, "invalid_target");
    }
}

/// Defect 11: the port is no part of the name that is looked up.
#[tokio::test]
async fn defect_11_a_name_with_a_port_is_looked_up_without_it() {
    let gateway = crate::gateway().await;
    let sink = Sink::start().await;
    let url = sink.url("/hook").replace("127.0.0.1", "localhost");
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"url": url})).await;
    happens(&gateway).await;
    assert_eq!(delivery(&gateway, &made).await["state"], "delivered");
    assert_eq!((sink.challenges().len(), sink.received().len()), (1, 1));
}

/// A20: what waits for a subscription that is deleted is not sent.
#[tokio::test]
async fn a20_a_retry_of_a_deleted_subscription_is_not_sent() {
    let gateway = crate::gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": "five-tries"})).await;
    sink.answers([500]);
    happens(&gateway).await;
    let path = crate::path(&made);
    let (status, _) = gateway.api(Method::DELETE, &path, gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 1);
}
