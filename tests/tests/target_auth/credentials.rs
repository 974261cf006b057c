//! Credentials that do not change: where they stand, and where they never do.

use hookport_tests::Sink;
use hookport_tests::sink::{Reply, SinkRequest};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{all_shown, gateway, happens, newest, only_attempt, path, refused, replace, settings, subscribed};

const SECRET: &str = "sesame-open";

fn basic() -> Value {
    json!({"credential": {"type": "basic", "username": "hook port", "password": SECRET}})
}

fn bearer(token: &str) -> Value {
    json!({"credential": {"type": "bearer", "token": token}})
}

fn api_key(place: &str, name: &str) -> Value {
    json!({"credential": {"type": "api_key", "in": place, "name": name, "value": SECRET}})
}

#[tokio::test]
async fn each_credential_arrives_in_its_place() {
    let gateway = gateway().await;
    let basic_value = "Basic aG9vayBwb3J0OnNlc2FtZS1vcGVu";
    for (auth, header, value, at) in [
        (basic(), "authorization", basic_value, "/hook"),
        (bearer(SECRET), "authorization", "Bearer sesame-open", "/hook"),
        (api_key("header", "X-Api-Key"), "x-api-key", SECRET, "/hook"),
        (api_key("header", "Authorization"), "authorization", SECRET, "/hook"),
        (api_key("query", "api_key"), "authorization", "", "/hook?api_key=sesame-open"),
    ] {
        let sink = Sink::start().await;
        let made = subscribed(&gateway, &sink, auth).await;
        happens(&gateway).await;
        let requests: Vec<SinkRequest> = sink.challenges().into_iter().chain(sink.received()).collect();
        assert_eq!(requests.len(), 2, "a challenge and an event");
        for request in &requests {
            assert_eq!((request.header(header), request.path.as_str()), (value, at));
        }
        assert!(!all_shown(&gateway, &made).await.contains(SECRET));
    }
}

/// The key is in the URL that is called, and in none that is shown.
#[tokio::test]
async fn a_key_in_the_query_is_in_no_url_that_is_shown() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = subscribed(&gateway, &sink, api_key("query", "api_key")).await;
    happens(&gateway).await;
    let [request] = &sink.received()[..] else { panic!("one request") };
    assert_eq!(request.path, "/hook?api_key=sesame-open");
    assert_eq!(only_attempt(&gateway, &made).await["url"], json!(sink.url("/hook")));
    assert!(!all_shown(&gateway, &made).await.contains(SECRET));
}

/// A target that repeats what it was sent does not bring the secret into the history.
#[tokio::test]
async fn an_answer_that_repeats_the_secret_is_kept_without_it() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = subscribed(&gateway, &sink, bearer(SECRET)).await;
    let echo = Reply::status(500).saying("no user with Bearer sesame-open").with("location", "/login?t=sesame-open");
    sink.replies([echo]);
    happens(&gateway).await;
    let attempt = only_attempt(&gateway, &made).await;
    assert_eq!(attempt["response_body"], json!("no user with Bearer (hidden)"));
    assert_eq!(attempt["response_headers"]["location"], json!("(hidden)"));
    assert!(!all_shown(&gateway, &made).await.contains(SECRET));
}

#[tokio::test]
async fn what_is_shown_can_be_sent_back() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = subscribed(&gateway, &sink, basic()).await;
    let shown = gateway.get(&path(&made)).await["data"]["auth"].clone();
    let credential = json!({"type": "basic", "username": "hook port", "password": "(hidden)"});
    assert_eq!(shown, json!({"credential": credential, "mtls": null}));

    let (status, answer) = replace(&gateway, &made, &settings(&sink, &shown)).await;
    assert_eq!((status, &answer["data"]["auth"]), (StatusCode::OK, &shown), "{answer}");
    happens(&gateway).await;
    assert_eq!(sink.received()[0].header("authorization"), "Basic aG9vayBwb3J0OnNlc2FtZS1vcGVu");

    let (status, answer) = replace(&gateway, &made, &settings(&sink, &bearer("another-one"))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    happens(&gateway).await;
    assert_eq!(sink.received()[1].header("authorization"), "Bearer another-one");

    let (status, answer) = replace(&gateway, &made, &settings(&sink, &Value::Null)).await;
    assert_eq!((status, &answer["data"]["auth"]), (StatusCode::OK, &Value::Null), "{answer}");
    happens(&gateway).await;
    assert_eq!(sink.received()[2].header("authorization"), "");
    assert_eq!(newest(&gateway, &made).await["state"], "delivered");
}

/// Whoever may change a subscription cannot have its secret sent to a server of their own.
/// Many programs escape the `/` of a token that they repeat as JSON.
#[tokio::test]
async fn an_answer_that_repeats_the_secret_as_json_is_kept_without_it() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = subscribed(&gateway, &sink, bearer("sesame/open+now")).await;
    sink.replies([Reply::status(500).saying(r#"{"authorization":"Bearer sesame\/open\u002bnow"}"#)]);
    happens(&gateway).await;
    let attempt = only_attempt(&gateway, &made).await;
    assert_eq!(attempt["response_body"], json!(r#"{"authorization":"Bearer (hidden)"}"#));
}

#[tokio::test]
async fn a_hidden_secret_is_not_sent_to_another_host() {
    let gateway = gateway().await;
    let (sink, other) = (Sink::start().await, Sink::start().await);
    let made = subscribed(&gateway, &sink, bearer(SECRET)).await;
    let answer = replace(&gateway, &made, &settings(&other, &bearer("(hidden)"))).await;
    refused(&answer, "auth.credential.token");
    happens(&gateway).await;
    assert_eq!((sink.received().len(), other.received().len(), other.challenges().len()), (1, 0, 0));

    let answer = replace(&gateway, &made, &settings(&other, &bearer("a-new-one"))).await;
    assert_eq!(answer.0, StatusCode::OK, "{}", answer.1);
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(other.challenges()[0].header("authorization"), "Bearer a-new-one");
}
