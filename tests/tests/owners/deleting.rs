//! B23: what is left, and what is not, when an owner is deleted.

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, text};
use hookport_tests::inbound::list;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    DELIVERIES, OWNERS, SUBSCRIPTIONS, act, call, delete, deliveries, gateway, happens, path, publish, put, refused,
};

const ANN: &str = "/api/v1/owners/ann";

async fn of(gateway: &TestGateway, sink: &Sink, owner: Value) -> Value {
    gateway.subscribe(sink, &["ticket.updated"], json!({"owner": owner})).await
}

async fn ids(gateway: &TestGateway) -> Vec<String> {
    let found = list(gateway, &format!("{SUBSCRIPTIONS}?limit=100")).await;
    found.iter().map(|subscription| text(&subscription["id"])).collect()
}

/// B23: neither that of another owner, were its name the same but for one more letter, nor that of nobody.
#[tokio::test]
async fn b23_deleting_an_owner_removes_that_owners_subscriptions_and_no_other() {
    let gateway = gateway().await;
    let sinks = [Sink::start().await, Sink::start().await, Sink::start().await, Sink::start().await];
    let mut made = Vec::new();
    for (sink, owner) in sinks.iter().zip([json!("ann"), json!("ann"), json!("anna"), Value::Null]) {
        gateway.advance(SignedDuration::from_secs(1));
        made.push(of(&gateway, sink, owner).await);
    }
    happens(&gateway).await;
    put(&gateway, &format!("{ANN}/permissions"), json!({"grants": {"tickets.view": []}})).await;

    for _ in 0..2 {
        delete(&gateway, ANN).await;
        let left = [text(&made[3]["data"]["id"]), text(&made[2]["data"]["id"])];
        assert_eq!(ids(&gateway).await, left, "and once more changes nothing");
    }
    for gone in &made[..2] {
        let (status, _) = call(&gateway, Method::GET, &path(gone), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(deliveries(&gateway, gone).await.len(), 1, "what was delivered stays on record");
    }
    let known: Vec<Value> = list(&gateway, OWNERS).await.iter().map(|owner| owner["name"].clone()).collect();
    assert_eq!(known, ["anna"]);
    let ann = gateway.get(ANN).await["data"].clone();
    assert_eq!((&ann["grants"], &ann["subscriptions"]), (&Value::Null, &json!(0)));
    assert_eq!(gateway.get(&format!("{OWNERS}/anna")).await["data"]["subscriptions"], 1);

    happens(&gateway).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sinks.each_ref().map(|sink| sink.received().len()), [1, 1, 2, 2]);
}

/// B23, A20: what is in flight, waits for another attempt or is kept ends, and nothing more is sent.
#[tokio::test]
async fn b23_what_is_under_way_for_a_deleted_owner_ends_without_harm() {
    let gateway = gateway().await;
    let [busy, failing, paused] = [Sink::start().await, Sink::start().await, Sink::start().await];
    let in_flight = of(&gateway, &busy, json!("ann")).await;
    let waiting = of(&gateway, &failing, json!("ann")).await;
    let held = of(&gateway, &paused, json!("ann")).await;
    act(&gateway, &format!("{}/pause", path(&held))).await;
    failing.answers([500; 9]);
    busy.hang(true);
    publish(&gateway, Value::Null).await;
    let meanwhile = async {
        busy.got(1).await;
        failing.got(1).await;
        delete(&gateway, ANN).await;
        busy.hang(false);
    };
    tokio::join!(gateway.drain(gateway.instance(0)), meanwhile);
    gateway.settle(gateway.instance(0)).await;
    for (made, expected) in [(&in_flight, "delivered"), (&waiting, "exhausted"), (&held, "cancelled")] {
        let all = deliveries(&gateway, made).await;
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0]["state"], expected, "{}", all[0]);
    }
    happens(&gateway).await;
    gateway.settle(gateway.instance(0)).await;
    assert_eq!([&busy, &failing, &paused].map(|sink| sink.received().len()), [1, 1, 0]);
    let unfinished = ["pending", "held", "attempting", "in_progress"];
    for delivery in list(&gateway, &format!("{DELIVERIES}?limit=100")).await {
        assert!(unfinished.iter().all(|state| delivery["state"] != *state), "{delivery}");
    }
}

/// B23, A18: the count is back at nothing, and so are the quotas.
#[tokio::test]
async fn b23_a_deleted_owner_may_have_as_many_as_anybody_new() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let url = sink.url("/hook");
    let held = json!({
        "name": "held", "url": url, "events": ["ticket.updated"], "owner": "ann", "trigger_challenge": false,
    });
    let most = json!({
        "max_subscriptions": 10,
        "max_events_per_minute": 12,
        "max_subscription_requests_per_minute": 100,
        "max_subscription_requests_per_day": 1_000,
    });
    for round in 0..2 {
        put(&gateway, &format!("{ANN}/quotas"), most.clone()).await;
        for _ in 0..10 {
            gateway.create(SUBSCRIPTIONS, held.clone()).await;
        }
        refused(&call(&gateway, Method::POST, SUBSCRIPTIONS, Some(held.clone())).await, 429, "quota_reached");
        assert_eq!(gateway.get(ANN).await["data"]["subscriptions"], 10, "{round}");
        delete(&gateway, ANN).await;
        let ann = gateway.get(ANN).await["data"].clone();
        assert_eq!((&ann["subscriptions"], &ann["has_own_quotas"]), (&json!(0), &json!(false)), "{round}");
        assert_eq!(ids(&gateway).await, [] as [String; 0], "{round}");
    }
}
