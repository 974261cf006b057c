//! Listeners without a token: where nobody may ask, and where everybody may.

use hookport_tests::gateway::text;
use hookport_tests::{Sink, TestGateway};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    ASK, CHALLENGE, SETTINGS, approve, asked, asks, call, done, gateway, happens, is_signed, made, path_of, refused,
    state, value_of,
};

/// Lets everybody ask for `ticket.*`; `more` changes members.
async fn open(gateway: &TestGateway, more: Value) -> Value {
    let mut body = json!({"mode": "ask", "events": ["ticket.*"]});
    hookport_tests::gateway::merge(&mut body, more);
    done(gateway, Method::PUT, SETTINGS, body).await["data"].clone()
}

async fn waiting(gateway: &TestGateway) -> Value {
    gateway.get(SETTINGS).await["data"]["waiting"].clone()
}

/// Whether a tenant is not there, lets nobody ask or is switched off: nobody can tell.
#[tokio::test]
async fn where_nobody_may_ask_there_is_nothing() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let body = || asked(&sink, json!({}));
    let missing = gateway.api(Method::POST, "/api/v1/nothing-at-all", "", Some(body())).await;
    refused(&missing, 404, "not_found");
    assert_eq!(asks(&gateway, body()).await, missing, "closed is the default");
    for slug in ["nobody", "NOT-A-SLUG", "%20"] {
        let path = format!("/api/v1/tenants/{slug}/registrations");
        assert_eq!(gateway.api(Method::POST, &path, "", Some(body())).await, missing, "{slug}");
    }
    assert_eq!(asks(&gateway, json!({"what": "ever"})).await, missing, "nothing is explained");
    // The operator's token does not open it either.
    assert_eq!(call(&gateway, Method::POST, ASK, body()).await, missing);

    open(&gateway, json!({})).await;
    done(&gateway, Method::PUT, "/api/v1/tenants/default", json!({"outbound_enabled": false})).await;
    assert_eq!(asks(&gateway, body()).await, missing);
    done(&gateway, Method::PUT, "/api/v1/tenants/default", json!({"outbound_enabled": true})).await;
    made(asks(&gateway, body()).await);
    done(&gateway, Method::PUT, SETTINGS, json!({"mode": "closed"})).await;
    assert_eq!(asks(&gateway, body()).await, missing);
}

#[tokio::test]
async fn who_asks_waits_until_let_in_and_then_gets_events() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    open(&gateway, json!({})).await;
    let answer = made(asks(&gateway, asked(&sink, json!({}))).await);
    assert_eq!((&answer["state"], &answer["challenge"]), (&json!("awaiting_approval"), &json!(CHALLENGE)));
    assert_eq!(answer["data"]["owner"], Value::Null);
    gateway.drain(gateway.instance(0)).await;
    happens(&gateway, json!({})).await;
    assert!(sink.challenges().is_empty() && sink.received().is_empty());

    let path = path_of(&answer);
    approve(&gateway, &path).await;
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sink.challenges().iter().map(value_of).collect::<Vec<_>>(), [CHALLENGE]);
    assert_eq!(state(&gateway, &path).await, "active");
    happens(&gateway, json!({})).await;
    let received = sink.received();
    assert_eq!(received.len(), 1);
    assert!(is_signed(&answer["secret"], &received[0]));
}

/// A trusted target makes nobody welcome.
#[tokio::test]
async fn nobody_is_let_in_for_asking() {
    let gateway = TestGateway::with_settings(&["a"], &[("TRUSTED_TARGETS", "*")]).await;
    gateway.create("/api/v1/event-types", json!({"ref": crate::EVENT_TYPE})).await;
    let sink = Sink::start().await;
    open(&gateway, json!({})).await;
    let answer = made(asks(&gateway, asked(&sink, json!({}))).await);
    assert_eq!(answer["state"], "awaiting_approval");
    let approved = approve(&gateway, &path_of(&answer)).await;
    assert_eq!((&approved["state"], &approved["cause"]), (&json!("active"), &json!("target_trusted")));
}

#[tokio::test]
async fn a_bounded_number_waits_and_each_that_leaves_makes_room() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    assert_eq!(open(&gateway, json!({"max_waiting": 2})).await["waiting"], json!(0));
    let ask = async |n: usize| asks(&gateway, asked(&sink, json!({"name": format!("listener {n}")}))).await;
    let first = made(ask(1).await);
    let second = made(ask(2).await);
    refused(&ask(3).await, 429, "too_many_waiting");
    assert_eq!(waiting(&gateway).await, json!(2));

    approve(&gateway, &path_of(&first)).await;
    assert_eq!(waiting(&gateway).await, json!(1));
    let third = made(ask(3).await);
    refused(&ask(4).await, 429, "too_many_waiting");
    done(&gateway, Method::POST, &format!("{}/reject", path_of(&second)), json!({})).await;
    assert_eq!(waiting(&gateway).await, json!(1));
    done(&gateway, Method::DELETE, &path_of(&third), json!({})).await;
    assert_eq!(waiting(&gateway).await, json!(0));
    made(ask(4).await);
    // One that never waited takes nothing from the number.
    done(&gateway, Method::DELETE, &path_of(&first), json!({})).await;
    assert_eq!(waiting(&gateway).await, json!(1));
}

/// Which events there are, and which hosts the operators named, is told to nobody.
#[tokio::test]
async fn a_stranger_is_not_told_what_there_is() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.create("/api/v1/event-types", json!({"ref": "invoice.paid"})).await;
    let rule = json!({"pattern": "*.denied.example", "description": "a rival"});
    gateway.create("/api/v1/egress-rules", rule).await;
    open(&gateway, json!({})).await;
    let told = async |more: Value| {
        let (status, answer) = asks(&gateway, asked(&sink, more)).await;
        (status.as_u16(), text(&answer["error"]["code"]), text(&answer["error"]["message"]))
    };
    let mut rules = Vec::new();
    for pattern in ["invoice.paid", "invoice.late", "ticket.nothing"] {
        let (status, code, message) = told(json!({"events": [pattern]})).await;
        assert_eq!((status, code.as_str()), (403, "registration_not_allowed"), "{message}");
        rules.push(message.replace(pattern, "…"));
    }
    rules.dedup();
    assert_eq!(rules.len(), 1, "{rules:?}");

    let mut rules = Vec::new();
    for url in
        ["https://10.0.0.1/x", "https://metadata.google.internal/x", "https://hooks.denied.example/x", "x://y.z/"]
    {
        rules.push(told(json!({"url": url})).await);
    }
    rules.dedup();
    assert_eq!(rules.len(), 1, "{rules:?}");
    assert_eq!((rules[0].0, rules[0].1.as_str()), (400, "invalid_target"));

    for (more, status, code) in [
        (json!({"payload": {"mode": "fields", "fields": {"ticket": ["id"]}}}), 400, "invalid_request"),
        (json!({"dialect": "our-own"}), 403, "registration_not_allowed"),
        (json!({"owner": "ann"}), 400, "invalid_request"),
    ] {
        let (got, said, message) = told(more).await;
        assert_eq!((got, said.as_str()), (status, code), "{message}");
    }
    assert_eq!(waiting(&gateway).await, json!(0));
}

#[tokio::test]
async fn asking_is_counted_by_address_and_by_tenant() {
    use hookport_tests::SenderRequest;

    let gateway = gateway().await;
    let ask = async |n: usize, path: &str| {
        let request = SenderRequest::json("{}").from(&format!("203.0.113.{n}"));
        management::handle(&gateway.instance(0).management, request.to(path)).await.status()
    };
    for path in [ASK, "/api/v1/tenants/nobody/registrations"] {
        let mut too_many = 0;
        for n in 0..70 {
            too_many += usize::from(ask(n, path).await == StatusCode::TOO_MANY_REQUESTS);
        }
        assert_eq!(too_many, 10, "{path}: one that is not there is limited like one that is");
    }
    gateway.advance(SignedDuration::from_mins(1));
    assert_eq!(ask(1, ASK).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_may_approve_says_who_may_ask() {
    let gateway = gateway().await;
    let reader = json!({"name": "t", "permissions": ["subscription:read"]});
    let reader = text(&gateway.create("/api/v1/api-tokens", reader).await["token"]);
    refused(&gateway.api(Method::GET, SETTINGS, &reader, None).await, 403, "forbidden");
    refused(&gateway.api(Method::PUT, SETTINGS, &reader, Some(json!({"mode": "ask"}))).await, 403, "forbidden");

    let closed = json!({"mode": "closed", "events": [], "hosts": [], "max_waiting": 20, "waiting": 0});
    assert_eq!(gateway.get(SETTINGS).await["data"], closed);
    refused(&call(&gateway, Method::PUT, SETTINGS, json!({"mode": "ask"})).await, 400, "invalid_request");
    let hosts = json!({"hosts": ["*.example.com"], "max_waiting": 5});
    let opened = json!({
        "mode": "ask", "events": ["ticket.*"], "hosts": ["*.example.com"], "max_waiting": 5, "waiting": 0,
    });
    assert_eq!(open(&gateway, hosts).await, opened);
    assert_eq!(gateway.get(SETTINGS).await["data"], opened);
    let sink = Sink::start().await;
    refused(&asks(&gateway, asked(&sink, json!({}))).await, 403, "registration_not_allowed");
}
