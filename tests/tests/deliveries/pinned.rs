//! The operator's own subscription: it gets what the gateway tells of itself, and nobody sees where it leads.

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, text};
use hookport_tests::inbound::list;
use hookport_tests::sink::Reply;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::{DELIVERIES, SUBSCRIPTIONS, act, happens, refused, register};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const HIDDEN: &str = "(operator-pinned)";

/// A gateway that tells the sink of itself.
async fn telling(sink: &Sink) -> TestGateway {
    let url = sink.url("/alerts/s3cr3t");
    let settings = [("ALERT_SINK_ENABLED", "true"), ("ALERT_SINK_URL", url.as_str()), ("ALERT_SINK_SECRET", SECRET)];
    let gateway = TestGateway::with_settings(&["a"], &settings).await;
    register(&gateway, &["ticket.updated"]).await;
    gateway
}

/// The operator's subscription, as the tenant of the operator sees it.
async fn pinned(gateway: &TestGateway) -> Value {
    list(gateway, SUBSCRIPTIONS).await.into_iter().find(|s| s["url"] == HIDDEN).expect("the operator's subscription")
}

/// It needs no challenge and gets the own events of every tenant, and no other, signed with the operator's secret.
#[tokio::test]
async fn b2_the_operators_sink_gets_what_the_gateway_tells_of_every_tenant() {
    let (alerts, sink) = (Sink::start().await, Sink::start().await);
    let gateway = telling(&alerts).await;
    gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    let token = text(&gateway.create("/api/v1/tenants", json!({"slug": "acme", "name": "Acme"})).await["token"]);
    let body = json!({"name": "theirs", "url": sink.url("/theirs"), "events": ["*"]});
    let (status, theirs) = gateway.api(Method::POST, SUBSCRIPTIONS, &token, Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{theirs}");
    gateway.drain(gateway.instance(0)).await;
    happens(&gateway).await;
    let received = alerts.received();
    let types: Vec<_> = received.iter().map(|r| r.header("hookport-event-type")).collect();
    assert_eq!(types, ["subscription.activated", "subscription.activated"]);
    assert!(alerts.challenges().is_empty());
    let told: Vec<Value> = received.iter().map(|r| serde_json::from_slice(&r.body).expect("JSON")).collect();
    assert_eq!(told[1]["data"]["subscription_id"], theirs["data"]["id"]);
    let verifier = Webhook::new(SECRET).expect("a secret");
    for request in &received {
        let timestamp = request.header("webhook-timestamp").parse().expect("seconds");
        let signed = verifier.sign(request.header("webhook-id"), timestamp, &request.body).expect("signed");
        assert_eq!(request.header("webhook-signature"), signed);
    }
}

/// It is the operator's to change, in the configuration.
#[tokio::test]
async fn a19_the_operators_subscription_is_shown_without_its_url_and_not_changed() {
    let alerts = Sink::start().await;
    let gateway = telling(&alerts).await;
    let shown = pinned(&gateway).await;
    assert_eq!((&shown["state"], &shown["owner"]), (&json!("active"), &Value::Null));
    let one = format!("{SUBSCRIPTIONS}/{}", text(&shown["id"]));
    assert_eq!(gateway.get(&one).await["data"]["url"], HIDDEN);
    let delete = gateway.api(Method::DELETE, &one, gateway.admin_token(), None).await;
    refused(&delete, StatusCode::FORBIDDEN, "operator_pinned");
    for action in ["test", "pause", "disable", "cancel-retries"] {
        refused(&act(&gateway, &format!("{one}/{action}")).await, StatusCode::FORBIDDEN, "operator_pinned");
    }
    assert!(alerts.received().is_empty());
}

/// B24: neither its deliveries nor their errors say where it leads, and their ends are not told.
#[tokio::test]
async fn b24_the_text_of_the_operators_errors_is_hidden() {
    let (alerts, sink) = (Sink::start().await, Sink::start().await);
    let gateway = telling(&alerts).await;
    let place = alerts.url("/elsewhere");
    let reply = || Reply::status(500).with("location", place.clone()).saying(format!("{place} is broken"));
    alerts.replies((0..20).map(|_| reply()));
    gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    for _ in 0..10 {
        gateway.settle(gateway.instance(0)).await;
        // Longer than the longest wait of the schedule.
        gateway.advance(SignedDuration::from_hours(29));
    }
    let id = text(&pinned(&gateway).await["id"]);
    let deliveries = list(&gateway, &format!("{DELIVERIES}?subscription_id={id}")).await;
    let [ended] = &deliveries[..] else { panic!("one delivery: {deliveries:?}") };
    assert_eq!((&ended["state"], &ended["event_type"]), (&json!("exhausted"), &json!("subscription.activated")));
    assert_eq!((&ended["attempts"][0]["url"], &ended["attempts"][0]["status"]), (&json!(HIDDEN), &json!(500)));
    let attempts = gateway.get(&format!("{SUBSCRIPTIONS}/{id}/attempts?limit=100")).await;
    let health = gateway.get(&format!("{SUBSCRIPTIONS}/{id}/health")).await;
    for shown in [&json!(deliveries), &attempts, &health] {
        let shown = shown.to_string();
        assert!(!shown.contains("127.0.0.1") && !shown.contains("s3cr3t"), "{shown}");
    }
    let types: Vec<String> = alerts.received().iter().map(|r| r.header("hookport-event-type").to_owned()).collect();
    assert!(types.iter().all(|name| name == "subscription.activated"), "{types:?}");
}
