//! The main job, end to end: a real sender's request in, a signed delivery out.

use hookport_tests::gateway::{SECRET, TestGateway, answer, text};
use hookport_tests::{SenderRequest, Sink, senders};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

const URL: &str = "/api/inbound/default/github";

/// Makes an event type that no webhook makes events of.
async fn known(gateway: &TestGateway, event_type: &str) {
    gateway.create("/api/v1/event-types", json!({"ref": event_type})).await;
}

/// C2, D1 (HMAC): every sender's raw request is accepted as it is and reaches the target byte for byte.
#[tokio::test]
async fn c2_d1_a_real_senders_request_is_accepted_as_it_is_and_delivered_byte_for_byte() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    for name in senders::ALL {
        let request = SenderRequest::fixture(name).signed(SECRET);
        let response = gateway.send(gateway.instance(0), URL, &request).await;
        assert_eq!(response.status(), StatusCode::OK, "{name}");
        gateway.drain(gateway.instance(0)).await;
        let received = sink.received();
        assert_eq!(received.last().map(|r| &r.body), Some(&request.body), "{name}");
        let content_type = request.headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
        assert_eq!(received.last().map(|r| r.header("content-type")), Some(content_type), "{name}");
        sink.forget();
    }
}

/// B1: the signature is that of the exact bytes on the wire, checked by an independent implementation.
#[tokio::test]
async fn b1_a_delivery_is_signed_over_the_bytes_on_the_wire() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    gateway.webhook("github", json!({})).await;
    let subscription = gateway.subscribe(&sink, &["github.push"], json!({})).await;
    known(&gateway, "other.thing").await;
    let other = gateway.subscribe(&sink, &["other.thing"], json!({})).await;
    let request = SenderRequest::fixture("github-push").signed(SECRET);
    gateway.send(gateway.instance(0), URL, &request).await;
    gateway.drain(gateway.instance(0)).await;

    let [delivery] = &sink.received()[..] else { panic!("one delivery") };
    // The verifier wants a fresh timestamp by the system's clock, which a test's clock is not.
    let timestamp = delivery.header("webhook-timestamp").parse().expect("seconds");
    let sign = |secret: &Value| {
        let verifier = Webhook::new(&text(secret)).expect("a Standard Webhooks secret");
        verifier.sign(delivery.header("webhook-id"), timestamp, &delivery.body).expect("signed")
    };
    assert_eq!(delivery.header("webhook-signature"), sign(&subscription["secret"]));
    assert_ne!(delivery.header("webhook-signature"), sign(&other["secret"]));
    assert_eq!(delivery.header("hookport-event-type"), "github.push");
    assert_eq!(timestamp, gateway.clock.now().as_second());
}

/// B2: no matching subscription, nothing; a wildcard, everything; each match once.
#[tokio::test]
async fn b2_an_event_goes_to_the_subscriptions_that_match_and_to_no_other() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    gateway.webhook("github", json!({})).await;
    known(&gateway, "stripe.payment_succeeded").await;
    known(&gateway, "github.ping").await;
    let subscribe = async |path: &str, events: &[&str]| {
        gateway.subscribe(&sink, events, json!({"url": sink.url(path)})).await;
    };
    subscribe("/exact", &["github.push"]).await;
    subscribe("/noun", &["github.*"]).await;
    subscribe("/all", &["*"]).await;
    subscribe("/twice-matched", &["github.push", "*"]).await;
    subscribe("/other", &["stripe.*", "github.ping"]).await;
    // A wildcard takes in what was told of the others.
    let told: Vec<_> = sink.received().into_iter().map(|r| r.header("hookport-event-type").to_owned()).collect();
    assert!(told.iter().all(|event_type| event_type == "subscription.activated"), "{told:?}");
    sink.forget();
    gateway.send(gateway.instance(0), URL, &SenderRequest::fixture("github-push").signed(SECRET)).await;
    gateway.drain(gateway.instance(0)).await;
    let mut paths: Vec<_> = sink.received().into_iter().map(|r| r.path).collect();
    paths.sort();
    assert_eq!(paths, ["/all", "/exact", "/noun", "/twice-matched"]);
}

#[tokio::test]
async fn an_event_that_nobody_wants_ends_without_a_delivery() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    gateway.send(gateway.instance(0), URL, &SenderRequest::fixture("github-push").signed(SECRET)).await;
    gateway.drain(gateway.instance(0)).await;
    let deliveries = gateway.get(&format!("/api/v1/inbound-webhooks/{webhook}/deliveries")).await;
    assert_eq!(deliveries["data"][0]["status"], "dispatched");
    assert_eq!(gateway.get("/api/v1/deliveries").await["data"], json!([]));
}

#[tokio::test]
async fn a_subscription_gets_no_event_that_was_accepted_before_it_was_made() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    gateway.webhook("github", json!({})).await;
    gateway.send(gateway.instance(0), URL, &SenderRequest::fixture("github-push").signed(SECRET)).await;
    // The event is dispatched by the sweeper, when the subscription has long been active.
    gateway.cloud.sqs().lose_everything();
    gateway.advance(SignedDuration::from_secs(1));
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    assert_eq!(gateway.get("/api/v1/events?type=github.*").await["data"][0]["status"], "pending");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(gateway.get("/api/v1/events?type=github.*").await["data"][0]["status"], "dispatched");
    assert!(sink.received().is_empty());
}

#[tokio::test]
async fn a_subscription_gets_every_event_that_is_accepted_after_it_was_made() {
    let gateway = TestGateway::new().await;
    let (first, second) = (Sink::start().await, Sink::start().await);
    gateway.webhook("github", json!({})).await;
    gateway.subscribe(&first, &["github.*"], json!({})).await;
    for (n, made) in [&first, &second].into_iter().enumerate() {
        if n == 1 {
            // The dispatcher knows the list without it from a moment ago.
            gateway.subscribe(made, &["github.*"], json!({})).await;
        }
        let request = SenderRequest::json(format!(r#"{{"n":{n}}}"#)).signed(SECRET);
        gateway.send(gateway.instance(0), URL, &request).await;
        gateway.drain(gateway.instance(0)).await;
    }
    assert_eq!((first.received().len(), second.received().len()), (2, 1));
}

/// B3: a failed attempt is kept with its cause and made again in time; then the delivery is done.
#[tokio::test]
async fn b3_a_failing_target_is_tried_again_after_five_seconds_with_the_same_webhook_id() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    sink.answers([500]);
    gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let instance = gateway.instance(0);
    gateway.send(instance, URL, &SenderRequest::fixture("github-ping").signed(SECRET)).await;
    gateway.drain(instance).await;

    let deliveries = gateway.get("/api/v1/deliveries?kind=event").await;
    let delivery = &deliveries["data"][0];
    assert_eq!(delivery["state"], "pending");
    assert_eq!(delivery["attempts"][0]["status"], 500);
    assert_eq!(delivery["attempts"][0]["response_body"], "seen");
    assert!(text(&delivery["next_attempt_at"]) > gateway.clock.now().to_string());
    gateway.advance(SignedDuration::from_secs(3));
    gateway.drain(instance).await;
    assert_eq!(sink.received().len(), 1, "not before its time");

    gateway.advance(SignedDuration::from_secs(4));
    gateway.drain(instance).await;
    let received = sink.received();
    let attempts: Vec<_> = received.iter().map(|r| r.header("hookport-attempt")).collect();
    assert_eq!(attempts, ["1", "2"]);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_ne!(received[0].header("webhook-signature"), received[1].header("webhook-signature"), "signed afresh");
    let delivery = gateway.get(&format!("/api/v1/deliveries/{}", text(&delivery["id"]))).await;
    assert_eq!(delivery["data"]["state"], "delivered");
}

#[tokio::test]
async fn a_connection_that_is_refused_is_tried_again_too() {
    let gateway = TestGateway::new().await;
    let gone = Sink::start().await;
    gateway.webhook("github", json!({})).await;
    gateway.subscribe(&gone, &["github.*"], json!({})).await;
    drop(gone);
    // The instance that sent the challenge may have kept a connection.
    let other = gateway.fresh("b");
    gateway.send(&other, URL, &SenderRequest::json("{}").signed(SECRET)).await;
    gateway.drain(&other).await;
    let delivery = &gateway.get("/api/v1/deliveries?kind=event").await["data"][0];
    assert_eq!(delivery["state"], "pending");
    assert_eq!(delivery["attempts"][0]["error_code"], "connect_failed");
}

#[tokio::test]
async fn a_long_wait_is_ended_by_the_sweeper_alone() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    sink.answers([500, 500, 500, 500]);
    gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({"retry_schedule": "five-tries"})).await;
    let instance = gateway.instance(0);
    gateway.send(instance, URL, &SenderRequest::json("{}").signed(SECRET)).await;
    gateway.drain(instance).await;
    for minutes in [1, 5, 15] {
        gateway.advance(SignedDuration::from_mins(minutes));
        gateway.drain(instance).await;
    }
    assert_eq!(sink.received().len(), 4, "up to 15 minutes the queue brings an attempt in time");
    gateway.advance(SignedDuration::from_mins(29));
    gateway.tick(instance).await;
    gateway.drain(instance).await;
    assert_eq!(sink.received().len(), 4);
    gateway.advance(SignedDuration::from_mins(1));
    gateway.tick(instance).await;
    gateway.drain(instance).await;
    assert_eq!(sink.received().len(), 5, "30 minutes are the sweeper's");
}

/// B15: what is not stored is not sent; what is stored is sent although its message was lost.
#[tokio::test]
async fn b15_an_event_is_sent_exactly_when_it_was_stored() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let instance = gateway.instance(0);
    gateway.send(instance, URL, &SenderRequest::json(r#"{"n":1}"#).signed(SECRET)).await;
    gateway.cloud.sqs().lose_everything();
    gateway.drain(instance).await;
    assert!(sink.received().is_empty());
    gateway.advance(SignedDuration::from_secs(121));
    gateway.tick(instance).await;
    gateway.drain(instance).await;
    assert_eq!(sink.received().len(), 1);
}

/// D6: a request is stored before anything is done with it, and a sender that comes again is not kept waiting.
#[tokio::test]
async fn d6_a_kept_request_is_visible_as_pending_until_the_sweeper_ends_it() {
    let gateway = TestGateway::new().await;
    let source = json!({"idempotency_source": {"type": "header", "value": "X-GitHub-Delivery"}});
    let webhook = gateway.webhook("github", source).await;
    let instance = gateway.instance(0);
    let request = SenderRequest::fixture("github-push").signed(SECRET);
    let first = gateway.send(instance, URL, &request).await;
    gateway.cloud.sqs().lose_everything();
    let list = format!("/api/v1/inbound-webhooks/{webhook}/deliveries");
    let row = &gateway.get(&list).await["data"][0];
    assert_eq!((&row["status"], &row["response_status"]), (&json!("pending"), &json!(200)));
    assert_eq!(row["id"], answer(&first)["delivery_id"]);

    gateway.advance(SignedDuration::from_millis(1));
    let again = gateway.send(instance, URL, &request).await;
    assert_eq!((again.status(), &answer(&again)["duplicate"]), (StatusCode::OK, &json!(true)));
    gateway.advance(SignedDuration::from_secs(121));
    gateway.tick(instance).await;
    gateway.drain(instance).await;
    let rows = gateway.get(&list).await;
    let statuses: Vec<_> = rows["data"].as_array().into_iter().flatten().map(|r| &r["status"]).collect();
    assert_eq!(statuses, ["duplicate", "dispatched"]);
}

/// C1 in part: a key URL works with its key alone, and an unknown key is a 404.
#[tokio::test]
async fn a_key_url_needs_nothing_but_its_key() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let made = gateway.create("/api/v1/inbound-webhooks", json!({"name": "Key", "auth_type": "none"})).await;
    let event_type = text(&made["data"]["event_type"]);
    gateway.subscribe(&sink, &[event_type.as_str()], json!({})).await;
    let key = text(&made["data"]["webhook_key"]);
    assert!(key.starts_with("wh_") && key.len() == 35, "wh_ and 32 characters");
    let path = format!("/api/v1/webhooks/{key}");
    let response =
        gateway.send(gateway.instance(0), &path, &SenderRequest::fixture("stripe-payment-intent-succeeded")).await;
    assert_eq!(response.status(), StatusCode::OK);
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 1);
    assert!(!format!("{:?}", sink.received()).contains(&key), "the key goes nowhere");

    let unknown =
        gateway.send(gateway.instance(0), &path.replace(&key[3..9], "aaaaaa"), &SenderRequest::json("{}")).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
}

/// Defect 29: the request is shown as it was received, without what must not be kept.
#[tokio::test]
async fn a_kept_request_is_shown_byte_for_byte_without_credentials() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let large = "x".repeat(900 * 1024);
    for body in [String::new(), r#"{"a":1}"#.to_owned(), large] {
        let request = SenderRequest { body: body.clone().into(), ..SenderRequest::json("") };
        let request =
            request.with("content-type", "text/plain").with("authorization", "Bearer sesame").with("cookie", "c=1");
        let response = gateway.send(gateway.instance(0), URL, &request.signed(SECRET)).await;
        let id = text(&answer(&response)["delivery_id"]);
        let shown = gateway.get(&format!("/api/v1/inbound-webhooks/{webhook}/deliveries/{id}")).await;
        let received = &shown["data"]["request"];
        assert_eq!(received["body"], json!(body));
        let kept = json!({"name": "content-type", "value": "text/plain"});
        assert!(received["headers"].as_array().is_some_and(|all| all.contains(&kept)), "{}", received["headers"]);
        for secret in ["sesame", "c=1", "sha256="] {
            assert!(!received["headers"].to_string().contains(secret), "{secret}");
        }
    }
}

/// Deleting a subscription ends its deliveries; nothing is sent to it any more.
#[tokio::test]
async fn a_deleted_subscription_gets_nothing_more() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    sink.answers([500]);
    gateway.webhook("github", json!({})).await;
    let subscription = gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let instance = gateway.instance(0);
    gateway.send(instance, URL, &SenderRequest::json("{}").signed(SECRET)).await;
    gateway.drain(instance).await;
    let path = format!("/api/v1/subscriptions/{}", text(&subscription["data"]["id"]));
    let (status, _) = gateway.api(Method::DELETE, &path, gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    gateway.settle(instance).await;
    assert_eq!(sink.received().len(), 1);
    let delivery = &gateway.get("/api/v1/deliveries?kind=event").await["data"][0];
    assert_eq!(
        (&delivery["state"], &delivery["attempts"][1]["error_code"]),
        (&json!("exhausted"), &json!("subscription_deleted"))
    );
}
