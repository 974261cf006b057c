//! C8, where subscriptions play the part of rules: each gets an event once, whatever comes again and whatever fails.

use bytes::Bytes;
use hookport::aws::lambda::Received;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::{Settings, Subscription};
use hookport::domain::target_url::TargetUrl;
use hookport::domain::text::TenantSlug;
use hookport::store::Changed;
use hookport_local::template::local_queue_url;
use hookport_tests::gateway::{SECRET, TENANT, TestGateway, text};
use hookport_tests::sink::SinkRequest;
use hookport_tests::{SenderRequest, Sink};
use http::{Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{URL, kept, list, put};

/// The events of pushes, and their deliveries: neither challenges nor what the gateway tells of itself.
const PUSHES: &str = "/api/v1/events?type=github.push";
const DELIVERIES_OF_PUSHES: &str = "/api/v1/deliveries?event_type=github.push";

/// The texts of the messages that wait in the inbound queue. Nobody else gets them for a while then.
async fn taken(gateway: &TestGateway) -> Vec<String> {
    let body = json!({"QueueUrl": local_queue_url("InboundQueue"), "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0});
    let request = Request::post("http://sqs.local/")
        .header("x-amz-target", "AmazonSQS.ReceiveMessage")
        .header("content-type", "application/x-amz-json-1.0")
        .body(Bytes::from(body.to_string()))
        .expect("a request");
    let answer = gateway.cloud.handle("test", request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
    let answer: Value = serde_json::from_slice(answer.body()).expect("JSON");
    answer["Messages"].as_array().into_iter().flatten().map(|message| text(&message["Body"])).collect()
}

/// Where the events of pushes went, in order. Who asked for all events gets what the gateway tells of itself as well.
fn paths(sink: &Sink) -> Vec<String> {
    let is_push = |request: &SinkRequest| request.header("hookport-event-type") == "github.push";
    let mut paths: Vec<String> = sink.received().into_iter().filter(is_push).map(|request| request.path).collect();
    paths.sort();
    paths
}

fn push() -> SenderRequest {
    SenderRequest::fixture("github-push").signed(SECRET)
}

/// C8: however often the message of a request comes, and wherever, each subscription gets its event once.
#[tokio::test]
async fn c8_a_message_that_comes_again_delivers_nothing_again() {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    let (sink, failing) = (Sink::start().await, Sink::start().await);
    gateway.webhook("github", json!({})).await;
    gateway.webhook("stripe", json!({"event_type": "stripe.charge"})).await;
    for (path, events) in [("/exact", "github.push"), ("/all", "*"), ("/none", "stripe.*")] {
        gateway.subscribe(&sink, &[events], json!({"url": sink.url(path)})).await;
    }
    failing.answers([500; 20]);
    gateway.subscribe(&failing, &["github.*"], json!({"retry_schedule": "none"})).await;
    kept(&gateway, URL, &push()).await;
    let [message] = &taken(&gateway).await[..] else { panic!("one message") };
    let work = async |n: usize, receive_count: u32| {
        let instance = gateway.instance(n);
        let message = Received { message_id: format!("{n}/{receive_count}"), body: message.clone(), receive_count };
        let failed = instance.dispatcher.clone().handle(vec![message], instance.dispatcher_deadline()).await;
        assert!(failed.is_empty(), "{failed:?}");
    };
    tokio::join!(work(0, 1), work(1, 1));
    // A queue may count wrong, and may send a message that was deleted.
    work(1, 1).await;
    work(0, 2).await;
    gateway.settle(gateway.instance(0)).await;
    work(0, 1).await;
    work(1, 3).await;
    gateway.settle(gateway.instance(1)).await;
    assert_eq!(paths(&sink), ["/all", "/exact"]);
    assert_eq!(failing.received().len(), 1);
    assert_eq!(list(&gateway, PUSHES).await.len(), 1);
    assert_eq!(list(&gateway, DELIVERIES_OF_PUSHES).await.len(), 3);
}

/// C8: what is wrong with one subscription stops no other: an answer, a closed port, a secret that does not open.
#[tokio::test]
async fn c8_one_subscription_that_fails_stops_no_other() {
    let gateway = TestGateway::new().await;
    let (sink, failing) = (Sink::start().await, Sink::start().await);
    let gone = Sink::start().await.url("/hook");
    let webhook = gateway.webhook("github", json!({})).await;
    let wanted = ["github.*"];
    let first = gateway.subscribe(&sink, &wanted, json!({"url": sink.url("/first")})).await;
    failing.answers([500; 20]);
    gateway.subscribe(&failing, &wanted, json!({})).await;

    // One whose target proved itself and is gone now: what is stored is changed by hand, so that nobody asks again.
    let moved = gateway.subscribe(&sink, &wanted, json!({"url": sink.url("/moved")})).await;
    let before = stored(&gateway, &moved).await;
    let url = TargetUrl::try_from(gone).expect("a URL");
    let settings = Settings { url, ..before.settings.clone() };
    let after = Subscription { settings, ..before.changed(gateway.clock.now()) };
    let store = &gateway.instance(0).management_app.store;
    assert_eq!(store.change_subscription(&before, &after).await.expect("stored"), Changed::Yes);

    // A copy under another id: the secret in it is sealed for the original and opens for nobody else.
    let broken = Subscription { id: SubscriptionId::new(gateway.clock.now(), 7), ..stored(&gateway, &first).await };
    store.create_subscription(&broken, None).await.expect("stored");
    gateway.subscribe(&sink, &wanted, json!({"url": sink.url("/last")})).await;

    kept(&gateway, URL, &push()).await;
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(paths(&sink), ["/first", "/last"]);
    assert_eq!(failing.received().len(), 1);
    let received = gateway.get(&format!("/api/v1/inbound-webhooks/{webhook}/deliveries")).await;
    assert_eq!(received["data"][0]["status"], json!("dispatched"), "the others wait on their own");
    let mut codes: Vec<Value> = list(&gateway, DELIVERIES_OF_PUSHES).await.iter().map(first_code).collect();
    codes.sort_by_key(Value::to_string);
    assert_eq!(json!(codes), json!(["connect_failed", "secret_unusable", null, null, null]));
}

/// A subscription as it is stored, from the answer to its creation.
async fn stored(gateway: &TestGateway, made: &Value) -> Subscription {
    let tenant = TenantSlug::try_from(TENANT.to_owned()).expect("a slug");
    let id = text(&made["data"]["id"]).parse().expect("an id");
    let found = gateway.instance(0).management_app.store.subscription(&tenant, id).await;
    found.expect("read").expect("a subscription")
}

/// Why the first attempt of a delivery got no answer, if it got none.
fn first_code(delivery: &Value) -> Value {
    delivery["attempts"][0]["error_code"].clone()
}

/// C8: nothing is sent for a tenant that is switched off, and nothing is lost of what comes when it is on.
#[tokio::test]
async fn c8_no_subscription_of_a_tenant_that_is_switched_off_gets_anything() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    for (is_on, received) in [(true, 1), (false, 1), (true, 2)] {
        put(&gateway, "/api/v1/tenants/default", json!({"outbound_enabled": is_on})).await;
        gateway.advance(SignedDuration::from_secs(6));
        kept(&gateway, URL, &push()).await;
        gateway.advance(SignedDuration::from_secs(1));
        gateway.drain(gateway.instance(0)).await;
        assert_eq!(sink.received().len(), received, "{is_on}");
    }
    assert_eq!(list(&gateway, PUSHES).await.len(), 3, "each is an event all the same");
}
