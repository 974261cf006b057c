//! Tokens that act for one owner: they reach what is that owner's, and cannot reach around what it may see.

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, text};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    DELIVERIES, EVENTS, OWNERS, SUBSCRIPTIONS, TOKENS, call, deliveries, gateway, happens, path, publish, put, refused,
    replace, token,
};

/// All that a token of an owner can hold.
const OF_OWNERS: [&str; 9] = [
    "subscription:create",
    "subscription:read",
    "subscription:update",
    "subscription:delete",
    "subscription:test",
    "delivery:read",
    "delivery:retry",
    "event:publish",
    "event_type:read",
];

async fn of(gateway: &TestGateway, sink: &Sink, owner: Value) -> Value {
    gateway.subscribe(sink, &["ticket.updated"], json!({"owner": owner})).await
}

/// The ids of what is in a list, as the holder of a token sees it.
async fn ids(gateway: &TestGateway, token: &str, path: &str) -> Vec<Value> {
    let (status, page) = gateway.api(Method::GET, path, token, None).await;
    assert_eq!(status, StatusCode::OK, "{path}: {page}");
    page["data"].as_array().expect("a list").iter().map(|item| item["id"].clone()).collect()
}

/// B16: what others have, or nobody, is not there for it, and stays as it is.
#[tokio::test]
async fn b16_a_token_of_an_owner_reaches_that_owners_subscriptions_alone() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let ann = token(&gateway, json!("ann"), &OF_OWNERS).await;
    let own = of(&gateway, &sink, json!("ann")).await;
    let others = [of(&gateway, &sink, json!("bob")).await, of(&gateway, &sink, Value::Null).await];
    for more in ["", "?owner=ann", "?owner=bob"] {
        let expected = if more == "?owner=bob" { Vec::new() } else { vec![own["data"]["id"].clone()] };
        assert_eq!(ids(&gateway, &ann, &format!("{SUBSCRIPTIONS}{more}")).await, expected, "{more}");
    }
    let settings = json!({"name": "mine", "url": sink.url("/mine"), "events": ["ticket.updated"]});
    for other in &others {
        let path = path(other);
        let before = gateway.get(&path).await;
        let calls = [
            (Method::GET, String::new(), None),
            (Method::PATCH, String::new(), Some(json!({"trigger_challenge": true}))),
            (Method::DELETE, String::new(), None),
            (Method::POST, "/rotate-secret".to_owned(), Some(json!({}))),
            (Method::POST, "/pause".to_owned(), None),
            (Method::POST, "/resume".to_owned(), None),
            (Method::POST, "/disable".to_owned(), None),
            (Method::POST, "/enable".to_owned(), None),
            (Method::POST, "/test".to_owned(), None),
            (Method::POST, "/cancel-retries".to_owned(), None),
            (Method::GET, "/attempts".to_owned(), None),
            (Method::GET, "/health".to_owned(), None),
            (Method::GET, "/analytics".to_owned(), None),
            (Method::GET, "/deliveries".to_owned(), None),
        ];
        for (method, more, body) in calls {
            let answer = gateway.api(method, &format!("{path}{more}"), &ann, body).await;
            refused(&answer, 404, "subscription_not_found");
        }
        refused(&replace(&gateway, other, &ann, &settings).await, 404, "subscription_not_found");
        assert_eq!(gateway.get(&path).await, before);
    }
    let (status, answer) = replace(&gateway, &own, &ann, &settings).await;
    assert_eq!((status, &answer["data"]["owner"]), (StatusCode::OK, &json!("ann")), "{answer}");
    let (status, _) = gateway.api(Method::DELETE, &path(&own), &ann, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(ids(&gateway, &ann, SUBSCRIPTIONS).await, [] as [Value; 0]);
}

/// B16: the same for deliveries and for sending events once more.
#[tokio::test]
async fn b16_a_token_of_an_owner_reaches_that_owners_deliveries_alone() {
    let gateway = gateway().await;
    let (sink, failing) = (Sink::start().await, Sink::start().await);
    let ann = token(&gateway, json!("ann"), &OF_OWNERS).await;
    let early = happens(&gateway).await;
    let own = of(&gateway, &sink, json!("ann")).await;
    let other = of(&gateway, &failing, json!("bob")).await;
    failing.answers([500; 9]);
    let event = happens(&gateway).await;
    let (of_own, of_other) = (deliveries(&gateway, &own).await, deliveries(&gateway, &other).await);
    let ([mine], [theirs]) = (&of_own[..], &of_other[..]) else { panic!("one delivery each") };
    assert_eq!(ids(&gateway, &ann, &format!("{DELIVERIES}?kind=event")).await, [mine["id"].clone()]);
    assert_eq!(ids(&gateway, &ann, &format!("{EVENTS}/{event}/deliveries")).await, [mine["id"].clone()]);
    let of_bob = format!("{DELIVERIES}?subscription_id={}", text(&other["data"]["id"]));
    refused(&gateway.api(Method::GET, &of_bob, &ann, None).await, 404, "subscription_not_found");

    let one = format!("{DELIVERIES}/{}", text(&theirs["id"]));
    for (method, more) in [(Method::GET, ""), (Method::POST, "/retry"), (Method::POST, "/cancel")] {
        let answer = gateway.api(method, &format!("{one}{more}"), &ann, None).await;
        refused(&answer, 404, "delivery_not_found");
    }
    let resend = async |event: &str, to: &Value| {
        let body = json!({"subscription_id": to["data"]["id"]});
        gateway.api(Method::POST, &format!("{EVENTS}/{event}/resend"), &ann, Some(body)).await
    };
    refused(&resend(&event, &other).await, 404, "subscription_not_found");
    refused(&resend(&early, &own).await, 404, "event_not_found");
    let (status, answer) = resend(&event, &own).await;
    assert_eq!((status, &answer["data"]["repeats"]), (StatusCode::ACCEPTED, &mine["id"]), "{answer}");
    gateway.drain(gateway.instance(0)).await;
    assert_eq!((sink.received().len(), failing.received().len()), (2, 1));
    assert_eq!(&gateway.get(&one).await["data"], theirs);
}

/// B16: it makes subscriptions and publishes on behalf of its owner, whoever is named.
#[tokio::test]
async fn b16_a_token_of_an_owner_names_no_other_owner() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let ann = token(&gateway, json!("ann"), &OF_OWNERS).await;
    let subscribe = async |owner: Value| {
        let body = json!({"name": "x", "url": sink.url("/"), "events": ["ticket.updated"], "owner": owner});
        gateway.api(Method::POST, SUBSCRIPTIONS, &ann, Some(body)).await
    };
    let publish = async |owner: Value| {
        let body = json!({"type": "ticket.updated", "data": {}, "owner": owner});
        gateway.api(Method::POST, EVENTS, &ann, Some(body)).await
    };
    refused(&subscribe(json!("bob")).await, 403, "forbidden");
    refused(&publish(json!("bob")).await, 400, "invalid_request");
    for named in [Value::Null, json!("ann")] {
        let (status, made) = subscribe(named.clone()).await;
        assert_eq!((status, &made["data"]["owner"]), (StatusCode::CREATED, &json!("ann")), "{made}");
        let (status, told) = publish(named).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{told}");
        let kept = gateway.get(&format!("{EVENTS}/{}", text(&told["data"]["id"]))).await;
        assert_eq!(kept["data"]["facts"]["owner"], "ann");
    }
    assert_eq!(gateway.get(&format!("{OWNERS}/bob")).await["data"]["subscriptions"], 0);
    let declared = json!({"set": "s", "subscriptions": []});
    let answer = gateway.api(Method::POST, &format!("{SUBSCRIPTIONS}/declare"), &ann, Some(declared)).await;
    refused(&answer, 403, "forbidden");
}

/// B16: it holds nothing that would reach beyond its owner.
#[tokio::test]
async fn b16_a_token_of_an_owner_holds_nothing_that_reaches_further() {
    let gateway = gateway().await;
    let ask = async |permissions: Value| {
        let body = json!({"name": "t", "owner": "ann", "permissions": permissions});
        call(&gateway, Method::POST, TOKENS, Some(body)).await
    };
    for permission in OF_OWNERS {
        let (status, made) = ask(json!([permission])).await;
        assert_eq!((status, &made["data"]["owner"]), (StatusCode::CREATED, &json!("ann")), "{permission}: {made}");
    }
    let beyond = [
        "owner:read",
        "owner:update",
        "api_token:create",
        "api_token:read",
        "api_token:delete",
        "event:read",
        "event_type:create",
        "event_type:update",
        "inbound_webhook:read",
        "inbound_webhook:create",
        "egress_rule:read",
        "tenant:read",
    ];
    for permission in beyond {
        let message = refused(&ask(json!(["subscription:read", permission])).await, 400, "invalid_request");
        assert!(message.contains(permission), "{permission}: {message}");
    }
    let ann = token(&gateway, json!("ann"), &OF_OWNERS).await;
    for path in [TOKENS, OWNERS, EVENTS, "/api/v1/owners/ann", "/api/v1/inbound-webhooks", "/api/v1/egress-rules"] {
        refused(&gateway.api(Method::GET, path, &ann, None).await, 403, "forbidden");
    }
}

/// B16: what its owner must be permitted is not the owner's to say. A token that was bound to an owner could take the
/// permission off by leaving it out of a replacement.
#[tokio::test]
async fn b16_a_token_of_an_owner_cannot_take_the_permission_off() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    put(&gateway, &format!("{OWNERS}/ann/permissions"), json!({"grants": {}})).await;
    let more = json!({"owner": "ann", "permission": "tickets.view"});
    let made = gateway.subscribe(&sink, &["ticket.updated"], more).await;
    let ann = token(&gateway, json!("ann"), &OF_OWNERS).await;
    for permission in [None, Some(Value::Null), Some(json!("projects.view"))] {
        let mut settings = json!({"name": "mine", "url": sink.url("/hook"), "events": ["ticket.updated"]});
        if let Some(permission) = permission {
            settings["permission"] = permission;
        }
        let (status, answer) = replace(&gateway, &made, &ann, &settings).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let shown = gateway.get(&path(&made)).await["data"].clone();
        assert_eq!((&shown["name"], &shown["permission"]), (&json!("mine"), &json!("tickets.view")));
        happens(&gateway).await;
        assert!(sink.received().is_empty());
    }
    let settings = json!({"name": "free", "url": sink.url("/hook"), "events": ["ticket.updated"]});
    let (status, answer) = replace(&gateway, &made, gateway.admin_token(), &settings).await;
    assert_eq!((status, &answer["data"]["permission"]), (StatusCode::OK, &Value::Null), "an administrator can");
    happens(&gateway).await;
    assert_eq!(sink.received().len(), 1);
}

/// B16: an event of one owner is for that one and for whoever is nobody's; it went to every owner that asked for its
/// type.
#[tokio::test]
async fn b16_an_event_of_one_owner_reaches_no_other() {
    let gateway = gateway().await;
    let [ann, bob, nobody] = [Sink::start().await, Sink::start().await, Sink::start().await];
    let made = of(&gateway, &ann, json!("ann")).await;
    of(&gateway, &bob, json!("bob")).await;
    of(&gateway, &nobody, Value::Null).await;
    publish(&gateway, json!("bob")).await;
    gateway.drain(gateway.instance(0)).await;
    let counts = || [&ann, &bob, &nobody].map(|sink| sink.received().len());
    assert_eq!(counts(), [0, 1, 1]);
    assert_eq!(deliveries(&gateway, &made).await, [] as [Value; 0], "nor is there a delivery");
    happens(&gateway).await;
    assert_eq!(counts(), [1, 2, 2], "one of nobody's is for all");
}

/// B16: nor does what the gateway tells of its subscriptions.
#[tokio::test]
async fn b16_what_is_told_of_one_owners_subscription_reaches_no_other() {
    let gateway = gateway().await;
    let [ann, nobody, bob] = [Sink::start().await, Sink::start().await, Sink::start().await];
    for (sink, owner) in [(&ann, json!("ann")), (&nobody, Value::Null)] {
        gateway.subscribe(sink, &["subscription.activated"], json!({"owner": owner})).await;
    }
    gateway.advance(SignedDuration::from_secs(1));
    let made = of(&gateway, &bob, json!("bob")).await;
    gateway.settle(gateway.instance(0)).await;
    let hears = |sink: &Sink| {
        let told =
            |body: &[u8]| serde_json::from_slice::<Value>(body).expect("JSON")["data"]["subscription_id"].clone();
        sink.received().iter().any(|request| told(&request.body) == made["data"]["id"])
    };
    assert!(hears(&nobody) && !hears(&ann));
}

/// B16: an owner that has more than a page of subscriptions, which declarations can make, sees the deliveries of each.
#[tokio::test]
async fn b16_a_token_of_an_owner_sees_the_deliveries_of_the_oldest_of_many_subscriptions() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let oldest = of(&gateway, &sink, json!("ann")).await;
    happens(&gateway).await;
    gateway.advance(SignedDuration::from_secs(1));
    let url = sink.url("/hook");
    let held = |n: u32| {
        let name = format!("held {n}");
        json!({"name": name, "url": url, "events": ["ticket.updated"], "owner": "ann", "trigger_challenge": false})
    };
    let set = json!({"set": "many", "subscriptions": (0..100).map(held).collect::<Vec<_>>()});
    let (status, made) = call(&gateway, Method::POST, &format!("{SUBSCRIPTIONS}/declare"), Some(set)).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let ann = token(&gateway, json!("ann"), &OF_OWNERS).await;
    let of_oldest = format!("{DELIVERIES}?kind=event&subscription_id={}", text(&oldest["data"]["id"]));
    assert_eq!(ids(&gateway, &ann, &of_oldest).await.len(), 1);
    assert_eq!(ids(&gateway, &ann, &format!("{DELIVERIES}?kind=event")).await.len(), 1);
}
