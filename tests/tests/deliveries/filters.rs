//! B2 and B21: which events go to which subscriptions, and what becomes of those that come at the wrong time.

use hookport_tests::gateway::{SECRET, TestGateway};
use hookport_tests::inbound::{URL, kept};
use hookport_tests::{SenderRequest, Sink};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{SUBSCRIPTIONS, act, deliveries, gateway, happens, now, path, post, publish, refused, register, work};

/// A subscription at a path of the sink.
async fn at(gateway: &TestGateway, sink: &Sink, path: &str, mut more: Value) -> Value {
    more["url"] = json!(sink.url(path));
    gateway.subscribe(sink, &["ticket.updated"], more).await
}

/// The paths that were sent to since the last look.
fn paths(sink: &Sink) -> Vec<String> {
    let mut paths: Vec<String> = sink.received().into_iter().map(|request| request.path).collect();
    paths.sort();
    sink.forget();
    paths
}

/// B2: scope, kind of object and entities narrow what is wanted; a scope takes in all below it.
#[tokio::test]
async fn b2_scope_object_type_and_entities_narrow_what_is_wanted() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    at(&gateway, &sink, "/all", json!({})).await;
    at(&gateway, &sink, "/entities", json!({"entity_ids": ["6", "7"]})).await;
    at(&gateway, &sink, "/object", json!({"object_type": "Ticket"})).await;
    at(&gateway, &sink, "/scope", json!({"scope": "acme/berlin"})).await;
    let cases = [
        (json!({}), vec!["/all", "/object"]),
        (json!({"scope": "acme/berlin"}), vec!["/all", "/object", "/scope"]),
        (json!({"scope": "acme/berlin/line-3", "entity_id": "7"}), vec!["/all", "/entities", "/object", "/scope"]),
        (json!({"scope": "acme/berlin-2", "entity_id": "77"}), vec!["/all", "/object"]),
        (json!({"scope": "acme", "entity_type": "TICKET"}), vec!["/all", "/object"]),
        (json!({"entity_type": "user", "entity_id": "6"}), vec!["/all", "/entities"]),
    ];
    for (facts, expected) in cases {
        let mut event = json!({"type": "ticket.updated", "data": {}});
        hookport_tests::gateway::merge(&mut event, facts.clone());
        publish(&gateway, event).await;
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(paths(&sink), expected, "{facts}");
    }
}

/// B2: conditions on the payload, of events that were published and of those that were received.
#[tokio::test]
async fn b2_a_payload_filter_decides_by_the_payload() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.webhook("github", json!({})).await;
    let filter = json!({"filter": {"amount": {"$gte": 100}, "country": {"$in": ["CH", "DE"]}}});
    at(&gateway, &sink, "/published", filter.clone()).await;
    let mut received = filter;
    received["url"] = json!(sink.url("/received"));
    gateway.subscribe(&sink, &["github.push"], received).await;
    let cases = [
        (json!({"amount": 100, "country": "CH"}), true),
        (json!({"amount": 99.9, "country": "CH"}), false),
        (json!({"amount": 200, "country": "FR"}), false),
        (json!({"amount": "200", "country": "CH"}), false),
        (json!({"country": "CH"}), false),
        (json!([1]), false),
    ];
    for (payload, passes) in cases {
        publish(&gateway, json!({"type": "ticket.updated", "data": payload})).await;
        kept(&gateway, URL, &SenderRequest::json(payload.to_string()).signed(SECRET)).await;
        gateway.drain(gateway.instance(0)).await;
        let expected: &[&str] = if passes { &["/published", "/received"] } else { &[] };
        assert_eq!(paths(&sink), expected, "{payload}");
    }
    let text = SenderRequest::json("amount=100").with("content-type", "text/plain").signed(SECRET);
    kept(&gateway, URL, &text).await;
    gateway.drain(gateway.instance(0)).await;
    assert!(paths(&sink).is_empty(), "what is no JSON passes no filter");
}

/// B2: a held, unproven or disabled subscription gets nothing, now or later; what comes in a pause is kept for it.
#[tokio::test]
async fn b2_only_a_pause_keeps_events_for_later() {
    let gateway = gateway().await;
    let (sink, mute) = (Sink::start().await, Sink::start().await);
    let held = json!({"trigger_challenge": false, "url": sink.url("/held")});
    let held = gateway.ask_for_subscription(&sink, &["ticket.updated"], held).await;
    mute.answers_challenges([hookport_tests::sink::Reply::status(404)]);
    let pending = gateway.subscribe(&mute, &["ticket.updated"], json!({})).await;
    let disabled = at(&gateway, &sink, "/disabled", json!({})).await;
    let paused = at(&gateway, &sink, "/paused", json!({})).await;
    act(&gateway, &format!("{}/disable", path(&disabled))).await;
    act(&gateway, &format!("{}/pause", path(&paused))).await;
    for n in 0..3 {
        gateway.advance(SignedDuration::from_secs(1));
        publish(&gateway, json!({"type": "ticket.updated", "data": {"n": n}})).await;
        gateway.drain(gateway.instance(0)).await;
    }
    assert_eq!(now(&gateway, &pending).await["state"], "pending_verification");
    assert!(sink.received().is_empty() && mute.received().is_empty());
    for made in [&held, &pending, &disabled] {
        assert!(deliveries(&gateway, made).await.is_empty());
    }
    let kept = deliveries(&gateway, &paused).await;
    assert_eq!((kept.len(), kept.iter().all(|d| d["state"] == "held")), (3, true));

    act(&gateway, &format!("{}/resume", path(&paused))).await;
    act(&gateway, &format!("{}/enable", path(&disabled))).await;
    work(&gateway).await;
    let bodies: Vec<Value> = sink.received().iter().map(|r| serde_json::from_slice(&r.body).expect("JSON")).collect();
    let numbers: Vec<&Value> = bodies.iter().map(|body| &body["data"]["n"]).collect();
    assert_eq!(numbers, [&json!(0), &json!(1), &json!(2)], "in their order, and to the paused one alone");
    assert!(deliveries(&gateway, &paused).await.iter().all(|d| d["state"] == "delivered"));
}

/// B21: two equal subscriptions are two; one that takes an event in by two patterns gets it once.
#[tokio::test]
async fn b21_equal_subscriptions_both_deliver_and_one_delivers_once() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    for _ in 0..2 {
        gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    }
    let many = ["ticket.updated", "ticket.*", "*"];
    let twice = gateway.subscribe(&sink, &many, json!({"url": sink.url("/twice")})).await;
    let before = sink.received().iter().filter(|r| r.path == "/twice").count();
    happens(&gateway).await;
    gateway.settle(gateway.instance(0)).await;
    let received = sink.received();
    let of_event: Vec<_> = received.iter().filter(|r| r.header("hookport-event-type") == "ticket.updated").collect();
    assert_eq!(of_event.len(), 3, "beside {before} own events");
    assert!(of_event.iter().all(|r| r.header("webhook-id") == of_event[0].header("webhook-id")));
    let mut ids: Vec<_> = of_event.iter().map(|r| r.header("hookport-delivery-id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let deliveries = deliveries(&gateway, &twice).await;
    assert_eq!(deliveries.iter().filter(|d| d["event_type"] == "ticket.updated").count(), 1);
}

/// Defect 40: nobody can subscribe to what is never told.
#[tokio::test]
async fn defect_40_a_type_of_which_there_are_no_events_is_refused() {
    let gateway = gateway().await;
    let body = |event: &str| json!({"name": "x", "url": "http://127.0.0.1:9/", "events": ["ticket.updated", event]});
    for unknown in ["invoice.paid", "invoice.*", "ticket.closed", "ticket.updated.*"] {
        refused(&post(&gateway, SUBSCRIPTIONS, body(unknown)).await, StatusCode::BAD_REQUEST, "unknown_event_type");
    }
    register(&gateway, &["invoice.paid"]).await;
    gateway.webhook("github", json!({})).await;
    for known in ["invoice.paid", "invoice.*", "github.push", "delivery.exhausted", "subscription.*", "*"] {
        let (status, answer) = post(&gateway, SUBSCRIPTIONS, body(known)).await;
        assert_eq!(status, StatusCode::CREATED, "{known}: {answer}");
    }
}
