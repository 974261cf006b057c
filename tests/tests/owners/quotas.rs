//! A18: the quotas of owners as administrators read, set and reset them.

use hookport_tests::Sink;
use hookport_tests::gateway::text;
use hookport_tests::inbound::list;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{OWNERS, call, delete, gateway, put, refused, token};

/// The members of quotas: name, default, most.
const MEMBERS: [(&str, u32, u32); 4] = [
    ("max_subscriptions", 10, 100),
    ("max_events_per_minute", 12, 1_000),
    ("max_subscription_requests_per_minute", 10, 100),
    ("max_subscription_requests_per_day", 20, 10_000),
];

/// The defaults with one member changed.
fn with(name: &str, value: Value) -> Value {
    let mut quotas: Value = MEMBERS.iter().map(|(name, default, _)| ((*name).to_owned(), json!(default))).collect();
    quotas[name] = value;
    quotas
}

/// A18: each of the four has its range, and nothing is taken that is not whole.
#[tokio::test]
async fn a18_quotas_have_ranges() {
    let gateway = gateway().await;
    let path = format!("{OWNERS}/ann/quotas");
    for (name, default, most) in MEMBERS {
        for fine in [1, most] {
            let set = put(&gateway, &path, with(name, json!(fine))).await;
            assert_eq!((&set["quotas"][name], &set["has_own_quotas"]), (&json!(fine), &json!(true)));
        }
        let wrong = [json!(0), json!(most + 1), json!(-1), json!(1.5), json!("5"), json!([default]), Value::Null];
        for value in wrong {
            let answer = call(&gateway, Method::PUT, &path, Some(with(name, value.clone()))).await;
            let message = refused(&answer, 400, "invalid_request");
            assert!(message.contains(name) || !value.is_u64(), "{name} {value}: {message}");
        }
        let mut missing = with(name, Value::Null);
        missing.as_object_mut().expect("an object").remove(name);
        refused(&call(&gateway, Method::PUT, &path, Some(missing)).await, 400, "invalid_request");
    }
    let more = with("max_tickets", json!(1));
    refused(&call(&gateway, Method::PUT, &path, Some(more)).await, 400, "invalid_request");
    let last = gateway.get(&format!("{OWNERS}/ann")).await["data"]["quotas"].clone();
    assert_eq!(last, with("max_subscription_requests_per_day", json!(10_000)), "what was refused changed nothing");
}

/// A18: whoever nothing is known of has the defaults, before and after; what may be seen stays apart.
#[tokio::test]
async fn a18_quotas_are_the_defaults_until_set_and_after_being_reset() {
    let gateway = gateway().await;
    let ann = format!("{OWNERS}/ann@example.com");
    let defaults = with("max_subscriptions", json!(10));
    let shown = async || gateway.get(&ann).await["data"].clone();
    let nothing = json!({
        "name": "ann@example.com",
        "quotas": defaults,
        "has_own_quotas": false,
        "grants": null,
        "subscriptions": 0,
    });
    assert_eq!(shown().await, nothing);
    assert_eq!(list(&gateway, OWNERS).await, [] as [Value; 0], "looking makes no owner");

    let own = with("max_subscriptions", json!(3));
    put(&gateway, &format!("{ann}/quotas"), own.clone()).await;
    let grants = json!({"tickets.view": ["acme"]});
    let granted = put(&gateway, &format!("{ann}/permissions"), json!({"grants": grants})).await;
    assert_eq!((&granted["quotas"], &granted["grants"]), (&own, &grants));
    for _ in 0..2 {
        delete(&gateway, &format!("{ann}/quotas")).await;
        let reset = shown().await;
        assert_eq!((&reset["quotas"], &reset["has_own_quotas"]), (&defaults, &json!(false)));
        assert_eq!(reset["grants"], grants);
    }
    put(&gateway, &format!("{ann}/quotas"), own.clone()).await;
    delete(&gateway, &format!("{ann}/permissions")).await;
    let cleared = shown().await;
    assert_eq!((&cleared["quotas"], &cleared["grants"]), (&own, &Value::Null));
}

/// A18, defect 4: what was set is what counts.
#[tokio::test]
async fn a18_defect_4_the_quota_of_events_that_was_set_is_held_against_them() {
    let gateway = gateway().await;
    put(&gateway, &format!("{OWNERS}/ann/quotas"), with("max_events_per_minute", json!(3))).await;
    let event = |owner: &str| json!({"type": "ticket.updated", "data": {}, "owner": owner});
    for _ in 0..3 {
        let (status, answer) = call(&gateway, Method::POST, crate::EVENTS, Some(event("ann"))).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    }
    refused(&call(&gateway, Method::POST, crate::EVENTS, Some(event("ann"))).await, 429, "rate_limit_exceeded");
    let (status, _) = call(&gateway, Method::POST, crate::EVENTS, Some(event("bob"))).await;
    assert_eq!(status, StatusCode::ACCEPTED);
}

/// A18: owners are listed by name, page by page, and read and changed only with the permission.
#[tokio::test]
async fn a18_owners_are_listed_by_name_to_those_who_may_read_them() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    for name in ["eve", "bob"] {
        put(&gateway, &format!("{OWNERS}/{name}/permissions"), json!({"grants": {}})).await;
    }
    gateway.ask_for_subscription(&sink, &["ticket.updated"], json!({"owner": "joe"})).await;
    let (mut names, mut path) = (Vec::new(), format!("{OWNERS}?limit=1"));
    for _ in 0..3 {
        let page = gateway.get(&path).await;
        assert_eq!(page["data"].as_array().map(Vec::len), Some(1), "{page}");
        names.push(text(&page["data"][0]["name"]));
        let Some(cursor) = page["meta"]["next_cursor"].as_str() else { break };
        path = format!("{OWNERS}?limit=1&cursor={cursor}");
    }
    assert_eq!(names, ["bob", "eve", "joe"]);

    let reader = token(&gateway, Value::Null, &["owner:read"]).await;
    let stranger = token(&gateway, Value::Null, &["subscription:read"]).await;
    let one = format!("{OWNERS}/bob");
    let (status, _) = gateway.api(Method::GET, &one, &reader, None).await;
    assert_eq!(status, StatusCode::OK);
    let changes = [
        (Method::PUT, format!("{one}/quotas"), Some(with("max_subscriptions", json!(1)))),
        (Method::DELETE, format!("{one}/quotas"), None),
        (Method::PUT, format!("{one}/permissions"), Some(json!({"grants": {}}))),
        (Method::DELETE, format!("{one}/permissions"), None),
        (Method::DELETE, one.clone(), None),
    ];
    for (method, path, body) in changes {
        refused(&gateway.api(method, &path, &reader, body).await, 403, "forbidden");
    }
    for path in [OWNERS, one.as_str()] {
        refused(&gateway.api(Method::GET, path, &stranger, None).await, 403, "forbidden");
    }
    for name in ["a%20b", "a%23b", "a%2Fb", "%2A"] {
        refused(&call(&gateway, Method::GET, &format!("{OWNERS}/{name}"), None).await, 400, "invalid_id");
    }
}
