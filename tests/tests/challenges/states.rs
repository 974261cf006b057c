//! Defect 10: no state, cause or stage is shown that the API's own document does not list.

use std::collections::BTreeSet;

use hookport_tests::Sink;
use hookport_tests::gateway::text;
use http::Method;
use serde_json::{Value, json};

use crate::{
    SUBSCRIPTIONS, call, done, failing, gateway_of, path_of, refused, replaced, settings, shown, three_tries, trigger,
};

/// The values that a document lists for a schema, wherever in it they stand.
fn listed(document: &Value, schema: &Value) -> BTreeSet<String> {
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().filter(|value| value.is_string()).map(text).collect();
    }
    if let Some(place) = schema["$ref"].as_str() {
        return listed(document, document.pointer(place.trim_start_matches('#')).expect("a schema that is there"));
    }
    let parts: Vec<&Value> = match schema {
        Value::Object(members) => members.values().collect(),
        Value::Array(parts) => parts.iter().collect(),
        _ => Vec::new(),
    };
    parts.into_iter().flat_map(|part| listed(document, part)).collect()
}

/// Defect 10: the six states are those of the document, and so are the causes and stages on the way through them.
#[tokio::test]
async fn defect_10_every_state_that_is_shown_is_listed() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges(failing(3));
    let body = settings(&sink, json!({"trigger_challenge": false}));
    let made = gateway.create(SUBSCRIPTIONS, body).await;
    let path = path_of(&made);
    let mut views = vec![made["data"].clone()];
    let by_hand = async |verb: &str| {
        let answer = done(&gateway, Method::POST, &format!("{path}/{verb}"), json!({})).await;
        gateway.drain(gateway.instance(0)).await;
        answer["data"].clone()
    };
    for _ in 0..2 {
        views.push(done(&gateway, Method::PATCH, &path, trigger()).await["data"].clone());
        three_tries(&gateway).await;
        views.push(shown(&gateway, &path).await);
    }
    for verb in ["pause", "resume", "disable", "enable"] {
        views.push(by_hand(verb).await);
        views.push(shown(&gateway, &path).await);
    }
    let version = views.last().and_then(|view| view["version"].as_u64()).expect("a version");
    let moved = settings(&sink, json!({"url": sink.url("/new")}));
    views.push(replaced(&gateway, &path, version, &moved).await.1["data"].clone());
    three_tries(&gateway).await;
    let rotate = format!("{path}/rotate-secret");
    views.push(done(&gateway, Method::POST, &rotate, json!({"overlap_hours": 0})).await["data"].clone());
    three_tries(&gateway).await;
    views.push(done(&gateway, Method::POST, &rotate, json!({})).await["data"].clone());

    let document = gateway.get("/api/v1/openapi.json").await;
    let schemas = &document["components"]["schemas"];
    let seen = |of: &dyn Fn(&Value) -> String| -> BTreeSet<String> { views.iter().map(of).collect() };
    let states = seen(&|view| text(&view["state"]));
    let all = ["active", "awaiting_challenge", "disabled", "paused", "pending_verification", "verification_failed"];
    assert_eq!(states, BTreeSet::from(all.map(str::to_owned)), "the way leads through all of them");
    let mut published = listed(&document, &schemas["SubscriptionView"]["properties"]["state"]);
    assert!(published.remove("awaiting_approval"), "what registers itself has a suite of its own");
    assert_eq!(states, published);
    let causes = seen(&|view| text(&view["cause"]));
    let published = listed(&document, &schemas["SubscriptionView"]["properties"]["cause"]);
    assert!(causes.is_subset(&published), "{causes:?} in {published:?}");
    for (member, count) in [("status", 4), ("purpose", 2)] {
        let seen = seen(&|view| text(&view["verification"][member]));
        let published = listed(&document, &schemas["VerificationView"]["properties"][member]);
        assert!(seen.is_subset(&published), "{seen:?} in {published:?}");
        assert_eq!(seen.len(), count, "{seen:?}");
    }
}

/// Defect 10: the states can be asked for, each by its name, and no other.
#[tokio::test]
async fn defect_10_subscriptions_are_listed_by_the_states_that_are_shown() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = gateway.create(SUBSCRIPTIONS, settings(&sink, json!({"trigger_challenge": false}))).await;
    for state in [
        "active",
        "awaiting_approval",
        "awaiting_challenge",
        "disabled",
        "paused",
        "pending_verification",
        "verification_failed",
    ] {
        let found = gateway.get(&format!("{SUBSCRIPTIONS}?state={state}")).await;
        let expected = if state == "awaiting_challenge" { vec![made["data"].clone()] } else { Vec::new() };
        assert_eq!(found["data"], json!(expected), "{state}");
    }
    for other in ["inactive", "pending_delete", "pending_challenge", ""] {
        let answer = call(&gateway, Method::GET, &format!("{SUBSCRIPTIONS}?state={other}"), Value::Null).await;
        refused(&answer, 400, "invalid_request");
    }
}

/// Each change by hand has the states that it starts from; asking for what is so already changes nothing.
#[tokio::test]
async fn each_change_by_hand_is_refused_where_it_makes_no_sense() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = gateway.create(SUBSCRIPTIONS, settings(&sink, json!({"trigger_challenge": false}))).await;
    let path = path_of(&made);
    let tell = async |verb: &str| call(&gateway, Method::POST, &format!("{path}/{verb}"), json!({})).await;
    let refuses = async |verbs: &[&str], state: &str| {
        for verb in verbs.iter().copied() {
            let message = refused(&tell(verb).await, 409, "subscription_state");
            assert!(message.contains(state), "{verb}: {message}");
        }
    };
    refuses(&["pause", "resume", "enable", "test"], "awaiting_challenge").await;
    sink.answers_challenges(failing(3));
    done(&gateway, Method::PATCH, &path, trigger()).await;
    refuses(&["pause", "resume", "enable", "test"], "pending_verification").await;
    three_tries(&gateway).await;
    refuses(&["pause", "resume", "enable", "test"], "verification_failed").await;
    done(&gateway, Method::PATCH, &path, trigger()).await;
    gateway.drain(gateway.instance(0)).await;
    for (verb, again, refusing) in
        [("pause", "pause", "enable"), ("resume", "resume", ""), ("disable", "disable", "resume")]
    {
        done(&gateway, Method::POST, &format!("{path}/{verb}"), json!({})).await;
        gateway.drain(gateway.instance(0)).await;
        let before = shown(&gateway, &path).await;
        assert_eq!(done(&gateway, Method::POST, &format!("{path}/{again}"), json!({})).await["data"], before);
        if !refusing.is_empty() {
            refuses(&[refusing, "test"], &text(&before["state"])).await;
        }
    }
    refuses(&["pause"], "disabled").await;
    assert_eq!(done(&gateway, Method::POST, &format!("{path}/enable"), json!({})).await["data"]["state"], "active");
}
