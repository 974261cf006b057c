//! Tokens of OAuth 2.0: fetched when they are needed, remembered, and fetched anew when a target refuses one.

use hookport_tests::sink::Reply;
use hookport_tests::{Sink, TestGateway};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{all_shown, gateway, happens, newest, only_attempt, publish, refused, replace, settings, subscribed, work};

const SECRET: &str = "s3cret of the client";

fn oauth2_at(token_url: &str) -> Value {
    let credential = json!({
        "type": "oauth2", "token_url": token_url, "client_id": "hookport", "client_secret": SECRET,
        "scopes": ["a", "b"],
    });
    json!({"credential": credential})
}

fn oauth2(server: &Sink) -> Value {
    oauth2_at(&server.url("/token"))
}

/// An answer that grants a token.
fn grants(token: &str, expires_in: u32) -> Reply {
    let body = json!({"access_token": token, "token_type": "bearer", "expires_in": expires_in});
    Reply::status(200).saying(body.to_string())
}

/// A target that has proven itself with a first token.
struct Scene {
    gateway: TestGateway,
    sink: Sink,
    server: Sink,
    made: Value,
}

impl Scene {
    async fn new(first: Reply) -> Self {
        let (gateway, sink, server) = (gateway().await, Sink::start().await, Sink::start().await);
        server.replies([first]);
        let made = subscribed(&gateway, &sink, oauth2(&server)).await;
        assert_eq!(sink.challenges().len(), 1);
        Self { gateway, sink, server, made }
    }

    /// What the target was shown, in order, challenges apart.
    fn shown(&self) -> Vec<String> {
        self.sink.received().iter().map(|request| request.header("authorization").to_owned()).collect()
    }

    fn fetches(&self) -> usize {
        self.server.received().len()
    }
}

#[tokio::test]
async fn one_token_serves_many_deliveries() {
    let scene = Scene::new(grants("t0ken-one", 3600)).await;
    assert_eq!(scene.sink.challenges()[0].header("authorization"), "Bearer t0ken-one");
    for _ in 0..12 {
        publish(&scene.gateway).await;
    }
    scene.gateway.drain(scene.gateway.instance(0)).await;
    assert_eq!(scene.shown(), vec!["Bearer t0ken-one"; 12]);

    let [asked] = &scene.server.received()[..] else { panic!("one fetch") };
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/token"));
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(asked.header("authorization"), "Basic aG9va3BvcnQ6czNjcmV0K29mK3RoZStjbGllbnQ=");
    assert_eq!(asked.body, "grant_type=client_credentials&scope=a+b");
    let shown = all_shown(&scene.gateway, &scene.made).await;
    assert!(!shown.contains(SECRET) && !shown.contains("t0ken-one"), "{shown}");
}

#[tokio::test]
async fn the_client_may_show_itself_in_the_body() {
    let (gateway, sink, server) = (gateway().await, Sink::start().await, Sink::start().await);
    server.replies([grants("first", 3600)]);
    let mut auth = oauth2(&server);
    auth["credential"]["auth_style"] = json!("body");
    subscribed(&gateway, &sink, auth).await;
    let asked = &server.received()[0];
    assert_eq!(asked.header("authorization"), "");
    let form = "grant_type=client_credentials&scope=a+b&client_id=hookport&client_secret=s3cret+of+the+client";
    assert_eq!(asked.body, form);
}

#[tokio::test]
async fn a_token_is_replaced_half_a_minute_before_its_end() {
    let scene = Scene::new(grants("first", 90)).await;
    scene.server.replies([grants("second", 90)]);
    scene.gateway.advance(SignedDuration::from_secs(59));
    happens(&scene.gateway).await;
    scene.gateway.advance(SignedDuration::from_secs(1));
    for _ in 0..12 {
        publish(&scene.gateway).await;
    }
    scene.gateway.drain(scene.gateway.instance(0)).await;
    let shown = scene.shown();
    assert_eq!((shown[0].as_str(), &shown[1..]), ("Bearer first", &vec!["Bearer second".to_owned(); 12][..]));
    assert_eq!(scene.fetches(), 2, "one fetch for all that wait");
}

#[tokio::test]
async fn a_remembered_token_that_is_refused_is_replaced_within_the_attempt() {
    let scene = Scene::new(grants("first", 3600)).await;
    scene.server.replies([grants("second", 3600)]);
    scene.sink.answers([401]);
    happens(&scene.gateway).await;
    assert_eq!(scene.shown(), ["Bearer first", "Bearer second"]);
    let requests = scene.sink.received();
    for header in ["webhook-id", "webhook-signature", "hookport-attempt", "hookport-delivery-id"] {
        assert_eq!(requests[0].header(header), requests[1].header(header), "{header}");
    }
    let attempt = only_attempt(&scene.gateway, &scene.made).await;
    assert_eq!((&attempt["outcome"], &attempt["status"]), (&json!("succeeded"), &json!(200)));
    assert_eq!(newest(&scene.gateway, &scene.made).await["state"], "delivered");
    happens(&scene.gateway).await;
    assert_eq!((scene.shown().len(), scene.shown()[2].as_str(), scene.fetches()), (3, "Bearer second", 2));
}

#[tokio::test]
async fn a_request_is_sent_again_once_at_most() {
    let scene = Scene::new(grants("first", 3600)).await;
    scene.server.replies([grants("second", 3600), grants("third", 3600)]);
    scene.sink.answers([401, 401]);
    happens(&scene.gateway).await;
    assert_eq!(scene.shown(), ["Bearer first", "Bearer second"]);
    assert_eq!(only_attempt(&scene.gateway, &scene.made).await["status"], json!(401));
    // The token that was refused is not used again.
    scene.gateway.advance(SignedDuration::from_secs(7));
    work(&scene.gateway).await;
    assert_eq!(scene.shown(), ["Bearer first", "Bearer second", "Bearer third"]);
    assert_eq!(newest(&scene.gateway, &scene.made).await["state"], "delivered");
}

#[tokio::test]
async fn a_token_fetched_for_the_attempt_is_not_replaced_within_it() {
    // Tokens that end at once are fetched for each attempt.
    let scene = Scene::new(grants("first", 10)).await;
    scene.server.replies([grants("second", 10), grants("third", 10)]);
    scene.sink.answers([401]);
    happens(&scene.gateway).await;
    assert_eq!(scene.shown(), ["Bearer second"]);
    let attempt = only_attempt(&scene.gateway, &scene.made).await;
    assert_eq!((&attempt["outcome"], &attempt["status"]), (&json!("failed"), &json!(401)));
    scene.gateway.advance(SignedDuration::from_secs(7));
    work(&scene.gateway).await;
    assert_eq!(scene.shown(), ["Bearer second", "Bearer third"]);
    assert_eq!(newest(&scene.gateway, &scene.made).await["state"], "delivered");
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_the_attempt_is_made_again() {
    let scene = Scene::new(grants("first", 10)).await;
    let refusal = json!({"error": "invalid_client", "error_description": SECRET}).to_string();
    for (answer, code, message) in [
        (Reply::status(503), "oauth2_unavailable", "the token endpoint answered 503"),
        (Reply::status(401).saying(refusal), "oauth2_refused", "the token endpoint answered 401 (invalid_client)"),
        (Reply::status(200).saying("{}"), "oauth2_refused", "the token endpoint granted no bearer token"),
    ] {
        scene.sink.forget();
        scene.server.replies([answer, grants("another", 10)]);
        happens(&scene.gateway).await;
        let attempt = only_attempt(&scene.gateway, &scene.made).await;
        assert_eq!((&attempt["error_code"], &attempt["error_message"]), (&json!(code), &json!(message)));
        assert_eq!(newest(&scene.gateway, &scene.made).await["state"], "pending");
        assert_eq!(scene.shown(), Vec::<String>::new(), "the target was not asked");
        scene.gateway.advance(SignedDuration::from_secs(7));
        work(&scene.gateway).await;
        assert_eq!(scene.shown(), ["Bearer another"]);
        assert_eq!(newest(&scene.gateway, &scene.made).await["state"], "delivered");
    }
    assert!(!all_shown(&scene.gateway, &scene.made).await.contains(SECRET));
}

/// The guard stands before the token endpoint as well: it is asked by another name than the target here.
#[tokio::test]
async fn a_token_endpoint_that_is_denied_later_is_not_asked() {
    let (gateway, sink, server) = (gateway().await, Sink::start().await, Sink::start().await);
    server.replies([grants("first", 10)]);
    let token_url = server.url("/token").replace("127.0.0.1", "localhost");
    let made = subscribed(&gateway, &sink, oauth2_at(&token_url)).await;
    let rule = json!({"pattern": "localhost", "description": "tests"});
    gateway.create("/api/v1/egress-rules", rule).await;
    gateway.advance(SignedDuration::from_secs(61));
    happens(&gateway).await;
    let attempt = only_attempt(&gateway, &made).await;
    assert_eq!(attempt["error_code"], "oauth2_unavailable");
    assert!(attempt["error_message"].to_string().contains("deny list"), "{attempt}");
    assert_eq!(newest(&gateway, &made).await["state"], "exhausted");
    assert_eq!((server.received().len(), sink.received().len()), (1, 0));
}

#[tokio::test]
async fn another_client_gets_a_token_of_its_own() {
    let scene = Scene::new(grants("first", 3600)).await;
    scene.server.replies([grants("second", 3600)]);
    let mut auth = oauth2(&scene.server);
    auth["credential"]["client_id"] = json!("another");
    auth["credential"]["client_secret"] = json!("(hidden)");
    let (status, answer) = replace(&scene.gateway, &scene.made, &settings(&scene.sink, &auth)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "the first client's secret is not for another: {answer}");
    auth["credential"]["client_secret"] = json!("another secret");
    let (status, answer) = replace(&scene.gateway, &scene.made, &settings(&scene.sink, &auth)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    happens(&scene.gateway).await;
    assert_eq!(scene.shown(), ["Bearer second"]);

    // What was not changed keeps its token.
    auth["credential"]["client_secret"] = json!("(hidden)");
    let (status, answer) = replace(&scene.gateway, &scene.made, &settings(&scene.sink, &auth)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    happens(&scene.gateway).await;
    assert_eq!((scene.shown()[1].as_str(), scene.fetches()), ("Bearer second", 2));
}

/// The client's secret is not sent to a server that somebody else named.
#[tokio::test]
async fn a_hidden_secret_is_not_sent_to_another_token_endpoint() {
    let scene = Scene::new(grants("first", 3600)).await;
    let other = Sink::start().await;
    let mut auth = oauth2(&other);
    auth["credential"]["client_secret"] = json!("(hidden)");
    let answer = replace(&scene.gateway, &scene.made, &settings(&scene.sink, &auth)).await;
    refused(&answer, "auth.credential.client_secret");
    assert!(other.received().is_empty());
}
