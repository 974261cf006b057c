//! B22: declared subscriptions, applied again and again: nothing changes, something changes, something comes back.

use hookport_tests::gateway::{SECRET, TestGateway, merge, text};
use hookport_tests::inbound::{URL, list};
use hookport_tests::{SenderRequest, Sink};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";
const DECLARE: &str = "/api/v1/subscriptions/declare";

/// A gateway with a webhook whose events are `github.push`.
async fn stage() -> (TestGateway, Sink) {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    (gateway, Sink::start().await)
}

/// A declaration of this name; its deliveries go to a path of the same name.
fn entry(sink: &Sink, name: &str, more: Value) -> Value {
    let mut entry = json!({"name": name, "url": sink.url(&format!("/{name}")), "events": ["github.push"]});
    merge(&mut entry, more);
    entry
}

async fn post(gateway: &TestGateway, token: &str, body: Value) -> (StatusCode, Value) {
    gateway.api(Method::POST, DECLARE, token, Some(body)).await
}

/// Declares the set `nightly`, lets its targets prove themselves, and gives what was done.
async fn declared(gateway: &TestGateway, subscriptions: &[Value]) -> Value {
    let body = json!({"set": "nightly", "subscriptions": subscriptions});
    let (status, answer) = post(gateway, gateway.admin_token(), body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    gateway.drain(gateway.instance(0)).await;
    gateway.advance(SignedDuration::from_secs(1));
    answer["data"].clone()
}

/// The message of a refusal of the set `nightly` with these declarations.
async fn refused(gateway: &TestGateway, subscriptions: Value) -> String {
    let body = json!({"set": "nightly", "subscriptions": subscriptions});
    let (status, answer) = post(gateway, gateway.admin_token(), body).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")), "{answer}");
    text(&answer["error"]["message"])
}

/// The ids in a part of an outcome.
fn ids(part: &Value) -> Vec<String> {
    part.as_array().expect("a list").iter().map(|item| text(&item["id"])).collect()
}

async fn shown(gateway: &TestGateway, id: &str) -> Value {
    gateway.get(&format!("{SUBSCRIPTIONS}/{id}")).await["data"].clone()
}

/// The state of a subscription and why it is in it.
async fn state(gateway: &TestGateway, id: &str) -> (String, String) {
    let shown = shown(gateway, id).await;
    (text(&shown["state"]), text(&shown["cause"]))
}

fn is(state: &str, cause: &str) -> (String, String) {
    (state.to_owned(), cause.to_owned())
}

async fn push(gateway: &TestGateway, body: &str) {
    let request = SenderRequest::json(body.to_owned()).signed(SECRET);
    let response = gateway.send(gateway.instance(0), URL, &request).await;
    assert_eq!(response.status(), StatusCode::OK);
    gateway.drain(gateway.instance(0)).await;
}

/// The paths that deliveries went to since the last look.
fn reached(sink: &Sink) -> Vec<String> {
    let mut paths: Vec<_> = sink.received().into_iter().map(|request| request.path).collect();
    sink.forget();
    paths.sort();
    paths
}

#[tokio::test]
async fn b22_what_is_declared_is_made_proves_itself_and_gets_events() {
    let (gateway, sink) = stage().await;
    let done =
        declared(&gateway, &[entry(&sink, "one", json!({})), entry(&sink, "two", json!({"owner": "ann"}))]).await;
    assert_eq!((&done["kept"], &done["deactivated"]), (&json!([]), &json!([])));
    let [one, two] = &ids(&done["created"])[..] else { panic!("two are made") };
    for (made, name) in done["created"].as_array().expect("a list").iter().zip(["one", "two"]) {
        assert_eq!(made["name"], name);
        assert!(text(&made["secret"]).starts_with("whsec_"), "{made}");
    }
    assert_ne!(done["created"][0]["secret"], done["created"][1]["secret"]);
    assert_eq!(state(&gateway, one).await, is("active", "challenge_passed"));
    let two = shown(&gateway, two).await;
    assert_eq!((&two["declared"], &two["owner"]), (&json!("nightly"), &json!("ann")));
    push(&gateway, "{}").await;
    assert_eq!(reached(&sink), ["/one", "/two"]);
}

#[tokio::test]
async fn b22_declaring_the_same_again_changes_nothing() {
    let (gateway, sink) = stage().await;
    let both = [entry(&sink, "one", json!({})), entry(&sink, "two", json!({"metadata": {"a": "1", "b": "2"}}))];
    let made = ids(&declared(&gateway, &both).await["created"]);
    let before = list(&gateway, SUBSCRIPTIONS).await;
    let challenges = sink.challenges().len();

    let again = declared(&gateway, &both).await;
    assert_eq!(again, json!({"created": [], "kept": made, "deactivated": []}));
    let reordered = [both[1].clone(), both[0].clone()];
    assert_eq!(declared(&gateway, &reordered).await["kept"], json!([made[1], made[0]]));
    assert_eq!(list(&gateway, SUBSCRIPTIONS).await, before, "no version was raised");
    assert_eq!(sink.challenges().len(), challenges);
}

#[tokio::test]
async fn b22_a_changed_entry_gives_way_to_a_new_one_and_its_history_is_kept() {
    let (gateway, sink) = stage().await;
    let other = entry(&sink, "other", json!({}));
    let first = declared(&gateway, &[entry(&sink, "old", json!({})), other.clone()]).await;
    let [old, kept] = &ids(&first["created"])[..] else { panic!("two are made") };
    push(&gateway, r#"{"n":1}"#).await;
    assert_eq!(reached(&sink), ["/old", "/other"]);
    let history = list(&gateway, &format!("{SUBSCRIPTIONS}/{old}/deliveries")).await;
    assert!(history.iter().any(|delivery| delivery["event_type"] == "github.push"), "{history:?}");

    let second = declared(&gateway, &[entry(&sink, "new", json!({})), other]).await;
    assert_eq!(second["kept"], json!([kept]));
    assert_eq!(second["deactivated"], json!([{"id": old, "name": "old"}]));
    let [new] = &ids(&second["created"])[..] else { panic!("one is made") };
    assert_eq!(state(&gateway, old).await, is("disabled", "undeclared"));
    assert_eq!(state(&gateway, new).await, is("active", "challenge_passed"));
    assert_eq!(list(&gateway, &format!("{SUBSCRIPTIONS}/{old}/deliveries")).await, history);
    push(&gateway, r#"{"n":2}"#).await;
    assert_eq!(reached(&sink), ["/new", "/other"]);
}

#[tokio::test]
async fn b22_any_parameter_that_changes_makes_a_new_subscription() {
    let (gateway, sink) = stage().await;
    let mut id = ids(&declared(&gateway, &[entry(&sink, "one", json!({}))]).await["created"]).remove(0);
    for more in [
        json!({"events": ["github.*"]}),
        json!({"owner": "ann"}),
        json!({"timeout_seconds": 5}),
        json!({"auto_disable": {"after_hours": 1, "after_failures": 5}}),
        json!({"trigger_challenge": false}),
    ] {
        let done = declared(&gateway, &[entry(&sink, "one", more.clone())]).await;
        assert_eq!(ids(&done["deactivated"]), [id], "{more}");
        id = ids(&done["created"]).remove(0);
    }
    assert_eq!(state(&gateway, &id).await, is("awaiting_challenge", "created"), "it is held");
}

#[tokio::test]
async fn b22_an_entry_that_is_put_back_is_a_new_subscription() {
    let (gateway, sink) = stage().await;
    let one = [entry(&sink, "one", json!({}))];
    let first = ids(&declared(&gateway, &one).await["created"]).remove(0);
    let gone = declared(&gateway, &[]).await;
    assert_eq!(ids(&gone["deactivated"]), std::slice::from_ref(&first));
    assert_eq!(declared(&gateway, &[]).await["deactivated"], json!([]), "it is deactivated once");

    let second = ids(&declared(&gateway, &one).await["created"]).remove(0);
    assert_ne!(first, second);
    assert_eq!(state(&gateway, &first).await, is("disabled", "undeclared"));
    assert_eq!(declared(&gateway, &one).await, json!({"created": [], "kept": [second], "deactivated": []}));
    push(&gateway, "{}").await;
    assert_eq!(reached(&sink), ["/one"], "the old one is not revived");
}

/// B22: what the gateway or an admin switched off still is what was declared, and stays off.
#[tokio::test]
async fn b22_what_was_switched_off_stays_off_when_the_file_is_applied_again() {
    let (gateway, sink) = stage().await;
    let both = [entry(&sink, "gone", json!({})), entry(&sink, "by-hand", json!({"events": ["subscription.expired"]}))];
    let made = ids(&declared(&gateway, &both).await["created"]);
    sink.answers([410]);
    push(&gateway, "{}").await;
    let path = format!("{SUBSCRIPTIONS}/{}/disable", made[1]);
    let (status, answer) = gateway.api(Method::POST, &path, gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    for _ in 0..2 {
        assert_eq!(state(&gateway, &made[0]).await, is("disabled", "endpoint_gone"));
        assert_eq!(state(&gateway, &made[1]).await, is("disabled", "by_hand"));
        assert_eq!(declared(&gateway, &both).await, json!({"created": [], "kept": made, "deactivated": []}));
    }

    // Once the declaration is gone as well, putting it back makes a new one.
    declared(&gateway, &[]).await;
    assert_eq!(state(&gateway, &made[0]).await, is("disabled", "undeclared"));
    assert_eq!(ids(&declared(&gateway, &both).await["created"]).len(), 2);
}

#[tokio::test]
async fn b22_equal_entries_are_as_many_subscriptions() {
    let (gateway, sink) = stage().await;
    let one = entry(&sink, "one", json!({}));
    let made = ids(&declared(&gateway, &[one.clone(), one.clone()]).await["created"]);
    assert_eq!(made.len(), 2);
    push(&gateway, r#"{"n":1}"#).await;
    assert_eq!(reached(&sink), ["/one", "/one"]);
    let less = declared(&gateway, &[one]).await;
    assert_eq!((ids(&less["deactivated"]).len(), less["kept"].as_array().map(Vec::len)), (1, Some(1)));
    push(&gateway, r#"{"n":2}"#).await;
    assert_eq!(reached(&sink), ["/one"]);
}

#[tokio::test]
async fn other_sets_and_what_was_made_by_hand_are_left_alone() {
    let (gateway, sink) = stage().await;
    gateway.subscribe(&sink, &["github.push"], json!({"url": sink.url("/by-hand")})).await;
    declared(&gateway, &[entry(&sink, "one", json!({}))]).await;
    let daily = json!({"set": "daily", "subscriptions": [entry(&sink, "one", json!({}))]});
    let (status, answer) = post(&gateway, gateway.admin_token(), daily).await;
    assert_eq!((status, ids(&answer["data"]["created"]).len()), (StatusCode::OK, 1), "{answer}");
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(ids(&declared(&gateway, &[]).await["deactivated"]).len(), 1);
    push(&gateway, "{}").await;
    assert_eq!(reached(&sink), ["/by-hand", "/one"]);
}

#[tokio::test]
async fn a_dry_run_tells_and_changes_nothing() {
    let (gateway, sink) = stage().await;
    let made = ids(&declared(&gateway, &[entry(&sink, "old", json!({}))]).await["created"]);
    let before = list(&gateway, SUBSCRIPTIONS).await;
    let body = json!({"set": "nightly", "subscriptions": [entry(&sink, "new", json!({}))], "dry_run": true});
    let (status, answer) = post(&gateway, gateway.admin_token(), body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let expected = json!({"created": [{"name": "new"}], "kept": [], "deactivated": [{"id": made[0], "name": "old"}]});
    assert_eq!(answer["data"], expected);
    assert_eq!(list(&gateway, SUBSCRIPTIONS).await, before);
}

#[tokio::test]
async fn a_wrong_entry_is_named_and_nothing_is_done() {
    let (gateway, sink) = stage().await;
    declared(&gateway, &[entry(&sink, "old", json!({}))]).await;
    let before = list(&gateway, SUBSCRIPTIONS).await;
    for (more, expected) in [
        (json!({"url": null}), "subscriptions[1]: missing field `url`"),
        (json!({"url": "ftp://example.com/x"}), "subscriptions[1].url: "),
        (json!({"name": ""}), "subscriptions[1].name: must have 1 to 255 characters"),
        (json!({"events": ["nobody.knows"]}), "subscriptions[1].events: nobody.knows: "),
        (json!({"events": []}), "subscriptions[1].events: "),
        (json!({"timeout_seconds": 31}), "subscriptions[1].timeout_seconds: "),
        (json!({"permission": "tickets.read"}), "subscriptions[1].permission: needs an owner"),
        (json!({"secret": "0123456789abcdef"}), "subscriptions[1].secret: "),
        (json!({"colour": "red"}), "subscriptions[1].colour: unknown field"),
    ] {
        let wrong = json!([entry(&sink, "new", json!({})), entry(&sink, "wrong", more)]);
        let message = refused(&gateway, wrong).await;
        assert!(message.starts_with(expected), "{message}");
    }
    assert!(refused(&gateway, json!(["x"])).await.starts_with("subscriptions[0]: "));
    let many: Vec<_> = (0..501).map(|_| json!({})).collect();
    assert_eq!(refused(&gateway, json!(many)).await, "subscriptions: must have at most 500 entries");
    let (status, answer) = post(&gateway, gateway.admin_token(), json!({"set": "Nightly!", "subscriptions": []})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text(&answer["error"]["message"]).starts_with("set: must have 1 to 64 characters"), "{answer}");
    assert_eq!(list(&gateway, SUBSCRIPTIONS).await, before);
}

#[tokio::test]
async fn what_is_kept_is_not_judged_again() {
    let (gateway, sink) = stage().await;
    let made = gateway.create("/api/v1/event-types", json!({"ref": "invoice.paid"})).await;
    let one = [entry(&sink, "one", json!({"events": ["invoice.paid"]}))];
    let kept = ids(&declared(&gateway, &one).await["created"]);
    let path = format!("/api/v1/event-types/{}", text(&made["data"]["id"]));
    let (status, answer) = gateway.api(Method::DELETE, &path, gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
    assert_eq!(declared(&gateway, &one).await["kept"], json!(kept));
}

#[tokio::test]
async fn declaring_needs_both_permissions_and_no_owner() {
    let (gateway, _) = stage().await;
    let both = json!(["subscription:create", "subscription:update"]);
    for (token, expected) in [
        (json!({"permissions": ["subscription:create"]}), StatusCode::FORBIDDEN),
        (json!({"permissions": ["subscription:update"]}), StatusCode::FORBIDDEN),
        (json!({"permissions": both, "owner": "ann"}), StatusCode::FORBIDDEN),
        (json!({"permissions": both}), StatusCode::OK),
    ] {
        let mut body = json!({"name": "test"});
        merge(&mut body, token.clone());
        let made = gateway.create("/api/v1/api-tokens", body).await;
        let (status, answer) =
            post(&gateway, &text(&made["token"]), json!({"set": "nightly", "subscriptions": []})).await;
        assert_eq!(status, expected, "{token}: {answer}");
    }
}
