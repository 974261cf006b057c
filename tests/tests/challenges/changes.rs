//! Replacing settings: the version that a change is made for, and a URL that has to prove itself.

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, answer};
use hookport_tests::inbound::list;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    BETWEEN_TRIES, SUBSCRIPTIONS, active, asked, call, delivered, done, failing, gateway_of, header, held, numbers,
    path_of, refused, replaced, replacement, settings, shown, signature, state, three_tries, trigger,
};

/// The states of the deliveries of events to a subscription, the oldest first.
async fn states_of_events(gateway: &TestGateway) -> Vec<Value> {
    let mut events = list(gateway, "/api/v1/deliveries?kind=event&limit=100").await;
    events.retain(|delivery| delivery["event_type"] == "github.push");
    events.iter().rev().map(|delivery| delivery["state"].clone()).collect()
}

#[tokio::test]
async fn a_replacement_names_the_version_that_it_was_made_for() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = held(&gateway, &sink).await;
    let path = path_of(&made);
    assert_eq!(made["data"]["version"], 1);
    let more = json!({"name": "another", "timeout_seconds": 7, "metadata": {"team": "four"}});
    refused(&call(&gateway, Method::PUT, &path, settings(&sink, more.clone())).await, 428, "if_match_required");
    refused(&replaced(&gateway, &path, 2, &settings(&sink, more.clone())).await, 412, "version_mismatch");
    let response = asked(&gateway, 0, replacement(&gateway, &path, 1, &settings(&sink, more.clone()))).await;
    assert_eq!((response.status(), header(&response, "etag").as_str()), (StatusCode::OK, "\"2\""));
    let now = answer(&response)["data"].clone();
    assert_eq!((&now["version"], &now["name"], &now["timeout_seconds"]), (&json!(2), &json!("another"), &json!(7)));
    assert_eq!(now, shown(&gateway, &path).await);
    let message = refused(&replaced(&gateway, &path, 1, &settings(&sink, more)).await, 412, "version_mismatch");
    assert!(message.contains('2'), "it says which one it is by now: {message}");

    let (_, plain) = replaced(&gateway, &path, 2, &settings(&sink, json!({}))).await;
    assert_eq!(plain["data"]["timeout_seconds"], 15, "what is left out gets its default");
    assert_eq!(plain["data"]["metadata"], json!({}));
    for (member, value) in [
        ("owner", json!("ann")),
        ("secret", json!("a secret of my own")),
        ("trigger_challenge", json!(true)),
        ("state", json!("active")),
    ] {
        let mut body = settings(&sink, json!({}));
        body[member] = value;
        refused(&replaced(&gateway, &path, 3, &body).await, 400, "invalid_request");
    }
    let unknown = format!("{SUBSCRIPTIONS}/sub_01m5w3rm008000000400000003");
    refused(&replaced(&gateway, &unknown, 1, &settings(&sink, json!({}))).await, 404, "subscription_not_found");
    assert_eq!(shown(&gateway, &path).await, plain["data"]);
}

/// A hidden header keeps its value when it is sent back as it was shown.
#[tokio::test]
async fn a12_a_hidden_header_that_is_sent_back_keeps_its_value() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let made = active(&gateway, &sink, json!({"headers": {"x-api-key": "sesame"}})).await;
    let path = path_of(&made);
    let now = shown(&gateway, &path).await;
    let version = now["version"].as_u64().expect("a number");
    let again = settings(&sink, json!({"name": "another", "headers": now["headers"]}));
    assert_eq!(replaced(&gateway, &path, version, &again).await.0, StatusCode::OK);
    delivered(&gateway, 1).await;
    assert_eq!(sink.received()[0].header("x-api-key"), "sesame");
    assert_eq!(state(&gateway, &path).await, "active", "nothing but the URL asks for a challenge");
    assert_eq!(sink.challenges().len(), 1);
}

/// A1: another URL is challenged at once; what comes meanwhile is kept and then delivered there, in order and once.
#[tokio::test]
async fn a1_another_url_proves_itself_and_then_gets_what_came_meanwhile() {
    let gateway = gateway_of(&["a", "b"]).await;
    let (old, new) = (Sink::start().await, Sink::start().await);
    new.answers_challenges(failing(1));
    let made = active(&gateway, &old, json!({})).await;
    let path = path_of(&made);
    delivered(&gateway, 1).await;
    let version = shown(&gateway, &path).await["version"].as_u64().expect("a number");
    let (status, moved) = replaced(&gateway, &path, version, &settings(&new, json!({}))).await;
    assert_eq!(status, StatusCode::OK, "{moved}");
    assert_eq!(
        (&moved["data"]["state"], &moved["data"]["cause"]),
        (&json!("pending_verification"), &json!("url_changed"))
    );
    gateway.drain(gateway.instance(0)).await;
    assert_eq!((old.challenges().len(), new.challenges().len()), (1, 1));
    delivered(&gateway, 2).await;
    delivered(&gateway, 3).await;
    assert_eq!(states_of_events(&gateway).await, ["delivered", "held", "held"]);
    assert!(new.received().is_empty());

    gateway.advance(BETWEEN_TRIES);
    tokio::join!(gateway.drain(gateway.instance(0)), gateway.drain(gateway.instance(1)));
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(state(&gateway, &path).await, "active");
    delivered(&gateway, 4).await;
    gateway.settle(gateway.instance(1)).await;
    assert_eq!((numbers(&old), numbers(&new)), (vec![1], vec![2, 3, 4]));
    assert_eq!(states_of_events(&gateway).await, ["delivered"; 4]);
    for request in new.received() {
        assert_eq!(request.header("webhook-signature"), signature(&made["secret"], &request), "the secret stays");
    }
}

/// What was kept for a URL that never proved itself goes to the one that does.
#[tokio::test]
async fn a7_what_was_kept_outlives_a_url_that_failed() {
    let gateway = gateway_of(&["a"]).await;
    let (old, new) = (Sink::start().await, Sink::start().await);
    new.answers_challenges(failing(3));
    let path = path_of(&active(&gateway, &old, json!({})).await);
    let version = shown(&gateway, &path).await["version"].as_u64().expect("a number");
    replaced(&gateway, &path, version, &settings(&new, json!({}))).await;
    delivered(&gateway, 1).await;
    three_tries(&gateway).await;
    let failed = shown(&gateway, &path).await;
    assert_eq!((&failed["state"], &failed["expires_at"]), (&json!("verification_failed"), &Value::Null));
    delivered(&gateway, 2).await;

    let version = failed["version"].as_u64().expect("a number");
    let (_, back) = replaced(&gateway, &path, version, &settings(&old, json!({}))).await;
    assert_eq!(back["data"]["state"], "pending_verification");
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(state(&gateway, &path).await, "active");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!((numbers(&old), numbers(&new)), (vec![1], Vec::new()), "what came after it had failed makes no attempt");
}

/// The same URL, written otherwise, has proven itself already.
#[tokio::test]
async fn a_url_in_another_spelling_is_no_other_url() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    let version = shown(&gateway, &path).await["version"].as_u64().expect("a number");
    let spelled = settings(&sink, json!({"url": sink.url("/hook").replace("http://", "HTTP://")}));
    let (_, now) = replaced(&gateway, &path, version, &spelled).await;
    assert_eq!((&now["data"]["state"], &now["data"]["url"]), (&json!("active"), &json!(sink.url("/hook"))));
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sink.challenges().len(), 1);
}

/// A3: another URL of a held subscription waits with it; the challenge goes to the newest.
#[tokio::test]
async fn a3_another_url_of_a_held_subscription_is_not_challenged_before_that_is_asked_for() {
    let gateway = gateway_of(&["a"]).await;
    let (old, new) = (Sink::start().await, Sink::start().await);
    let path = path_of(&held(&gateway, &old).await);
    let (_, moved) = replaced(&gateway, &path, 1, &settings(&new, json!({}))).await;
    assert_eq!(moved["data"]["state"], "awaiting_challenge");
    gateway.settle(gateway.instance(0)).await;
    assert!(new.challenges().is_empty());
    done(&gateway, Method::PATCH, &path, trigger()).await;
    gateway.drain(gateway.instance(0)).await;
    assert_eq!((old.challenges().len(), new.challenges().len()), (0, 1));
    assert_eq!(state(&gateway, &path).await, "active");
}

/// Another URL of a paused subscription is challenged when it is resumed, and gets what was kept once it has answered.
#[tokio::test]
async fn a1_another_url_of_a_paused_subscription_is_challenged_when_it_is_resumed() {
    let gateway = gateway_of(&["a"]).await;
    let (old, new) = (Sink::start().await, Sink::start().await);
    let path = path_of(&active(&gateway, &old, json!({})).await);
    done(&gateway, Method::POST, &format!("{path}/pause"), json!({})).await;
    delivered(&gateway, 1).await;
    let version = shown(&gateway, &path).await["version"].as_u64().expect("a number");
    let (_, moved) = replaced(&gateway, &path, version, &settings(&new, json!({}))).await;
    assert_eq!(moved["data"]["state"], "paused");
    gateway.settle(gateway.instance(0)).await;
    assert!(new.challenges().is_empty());
    let resumed = done(&gateway, Method::POST, &format!("{path}/resume"), json!({})).await;
    assert_eq!(resumed["data"]["state"], "pending_verification");
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(state(&gateway, &path).await, "active");
    assert_eq!((new.challenges().len(), numbers(&new), numbers(&old)), (1, vec![1], Vec::new()));
}

/// Events that a subscription no longer names do not come any more, and those that it names from now on do.
#[tokio::test]
async fn b2_other_events_hold_from_the_change_on() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    let path = path_of(&active(&gateway, &sink, json!({})).await);
    let mut version = shown(&gateway, &path).await["version"].as_u64().expect("a number");
    for (n, events) in [(1, "delivery.exhausted"), (2, "github.*"), (3, "subscription.expired"), (4, "github.push")] {
        let body = settings(&sink, json!({"events": [events]}));
        let (status, answer) = replaced(&gateway, &path, version, &body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        version += 1;
        delivered(&gateway, n).await;
    }
    assert_eq!(numbers(&sink), [2, 4]);
}

/// A host that the operator trusts proves nothing for the one that comes after it.
#[tokio::test]
async fn a_url_does_not_inherit_the_proof_of_a_trusted_one_before_it() {
    let gateway = TestGateway::with_settings(&["a"], &[("TRUSTED_TARGETS", "hooks.example.com")]).await;
    gateway.webhook("github", json!({})).await;
    let sink = Sink::start().await;
    let path = path_of(&held(&gateway, &sink).await);
    let trusted = settings(&sink, json!({"url": "https://hooks.example.com/x"}));
    let (status, answer) = replaced(&gateway, &path, 1, &trusted).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["data"]["verification"]["status"], "not_started");
    assert_eq!(replaced(&gateway, &path, 2, &settings(&sink, json!({}))).await.0, StatusCode::OK);
    for operation in ["disable", "enable"] {
        done(&gateway, Method::POST, &format!("{path}/{operation}"), json!({})).await;
    }
    assert_eq!(state(&gateway, &path).await, "pending_verification");
    sink.answers_challenges(failing(3));
    delivered(&gateway, 1).await;
    assert!(sink.received().is_empty(), "nothing before it has answered");
    assert_eq!(sink.challenges().len(), 1);
}
