//! The programs that get deployed, driven as Lambda drives them.
//!
//! Each is built, run as a process and handed events through the runtime API; its AWS calls go over HTTP to the
//! stand-ins. What the functions do in every case is the other suites' matter: here the artefacts are seen to work.

#[path = "lambda/deployment.rs"]
mod deployment;
#[path = "lambda/events.rs"]
mod events;
#[path = "lambda/queue.rs"]
mod queue;

use hookport::clock::Clock;
use hookport_local::cloud::{Cloud, Fault, FaultKind};
use hookport_local::template::Template;
use hookport_tests::SenderRequest;
use hookport_tests::gateway::{SECRET, text};
use hookport_tests::runtime_api::{InvocationError, LambdaProcess, binaries};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use self::deployment::{Deployment, SLUG, TENANT, answered, logical_id, variables};

/// GitHub's push, signed, under an id of its own.
fn push(delivery: &str) -> SenderRequest {
    SenderRequest::fixture("github-push").with("x-github-delivery", delivery).signed(SECRET)
}

/// The JSON that a sender is answered with, once its request is accepted.
fn accepted(answer: &Value) -> Value {
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(answer["headers"]["content-type"], "application/json");
    assert_eq!(answer["isBase64Encoded"], false);
    serde_json::from_str(answer["body"].as_str().expect("text")).expect("JSON")
}

/// The id of the event that is made from an accepted request.
fn event_id(accepted: &Value) -> String {
    text(&accepted["delivery_id"]).replace("ind_", "evt_")
}

fn all_worked() -> Value {
    json!({"batchItemFailures": []})
}

#[tokio::test]
async fn every_function_asks_for_work_once_it_has_started() {
    let deployment = Deployment::start().await;
    let functions = [
        ("receiver", &deployment.receiver),
        ("management", &deployment.management),
        ("dispatcher", &deployment.dispatcher),
        ("sweeper", &deployment.sweeper),
    ];
    for (name, process) in functions {
        println!("{name}: {:.1} ms from exec to first poll", process.started_in().as_secs_f64() * 1e3);
    }
    deployment.stop(&[]).await;
}

/// The deployed program has no code that makes the document, and serves it nevertheless.
#[tokio::test]
async fn the_deployed_api_describes_itself() {
    let deployment = Deployment::start().await;
    let (status, document) = deployment.api("GET", "/api/v1/openapi.json", None).await;
    let described: Value = serde_json::from_str(&management::openapi_json()).expect("a document");
    assert_eq!((status, document), (200, described));
    deployment.stop(&[]).await;
}

/// The main job on the deployed programs: configured over the API, taken in, fanned out, delivered with its signature.
#[tokio::test]
async fn a_signed_webhook_reaches_its_target_byte_for_byte() {
    let mut deployment = Deployment::start().await;
    deployment.github_webhook().await;
    let secret = deployment.subscribe_sink().await;
    let (one, two) = (push("one"), push("two"));

    let in_base64 = accepted(&deployment.post(&one).await);
    let event = events::as_text(events::by_slug(TENANT, SLUG, &two), &two);
    let in_text = accepted(&answered(deployment.receiver.invoke(event).await));
    assert_eq!(in_base64, json!({"delivery_id": in_base64["delivery_id"]}));
    let repeated = accepted(&deployment.post(&one).await);
    assert_eq!(repeated, json!({"delivery_id": in_base64["delivery_id"], "duplicate": true}));

    assert_eq!(deployment.dispatch().await, all_worked());
    let received = deployment.sink.received();
    let mut ids: Vec<_> = received.iter().map(|request| request.header("webhook-id").to_owned()).collect();
    let mut expected = [event_id(&in_base64), event_id(&in_text)];
    ids.sort();
    expected.sort();
    assert_eq!(ids, expected, "each of the two once, the repetition not at all");
    let verifier = Webhook::new(&secret).expect("a Standard Webhooks secret");
    for request in &received {
        assert_eq!(request.body, one.body);
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.header("hookport-event-type"), "github.push");
        assert_eq!(request.header("hookport-attempt"), "1");
        verifier.verify(&request.body, &request.headers).expect("a valid signature");
    }
    assert!(queue::take(&deployment.cloud, "InboundQueue").await.is_empty());

    let logs = deployment.stop(&[&one]).await;
    assert!(logs.receiver.contains("inbound.kept"), "{}", logs.receiver);
    assert!(logs.management.contains("request.answered"), "{}", logs.management);
    assert!(logs.dispatcher.contains("delivery.attempted"), "{}", logs.dispatcher);
}

#[tokio::test]
async fn a_stranger_gets_one_answer_whatever_is_wrong() {
    let deployment = Deployment::start().await;
    deployment.github_webhook().await;
    let good = push("one");
    let wrong = good.clone().with("x-hub-signature-256", &format!("sha256={}", "0".repeat(64)));
    let attempts = [
        ("wrong signature", events::by_slug(TENANT, SLUG, &wrong)),
        ("no signature", events::by_slug(TENANT, SLUG, &SenderRequest::fixture("github-push"))),
        ("unknown slug", events::by_slug(TENANT, "gitlab", &good)),
        ("unknown tenant", events::by_slug("nobody", SLUG, &good)),
    ];
    let refused = json!({"statusCode": 401, "headers": {}, "body": "", "isBase64Encoded": false});
    for (what, event) in attempts {
        assert_eq!(answered(deployment.receiver.invoke(event).await), refused, "{what}");
    }
    assert!(queue::take(&deployment.cloud, "InboundQueue").await.is_empty());
    let logs = deployment.stop(&[&good]).await;
    assert!(logs.receiver.contains("signature_mismatch"), "the log says why: {}", logs.receiver);
}

/// C10 in part: the key, the secrets and the body are in no log of a deployed function.
#[tokio::test]
async fn a_url_with_a_key_needs_no_signature() {
    let mut deployment = Deployment::start().await;
    let key = deployment.key_webhook().await;
    deployment.subscribe_sink().await;
    let request = SenderRequest::fixture("github-push");

    let answer = accepted(&answered(deployment.receiver.invoke(events::by_key(&key, &request)).await));
    let unknown = format!("wh_{}", "0".repeat(32));
    let refused = answered(deployment.receiver.invoke(events::by_key(&unknown, &request)).await);
    assert_eq!((&refused["statusCode"], &refused["body"]), (&json!(404), &json!(r#"{"error":"not_found"}"#)));

    assert_eq!(deployment.dispatch().await, all_worked());
    let [delivery] = &deployment.sink.received()[..] else { panic!("one delivery") };
    assert_eq!(delivery.header("webhook-id"), event_id(&answer));
    assert_eq!(delivery.body, request.body);
    deployment.stop(&[&request]).await;
}

#[tokio::test]
async fn junk_in_a_batch_holds_no_other_message_up() {
    let mut deployment = Deployment::start().await;
    deployment.github_webhook().await;
    deployment.subscribe_sink().await;
    queue::send(&deployment.cloud, "InboundQueue", r#"{"outbound":"not really"}"#).await;
    accepted(&deployment.post(&push("one")).await);
    queue::send(&deployment.cloud, "InboundQueue", "no JSON at all").await;

    let messages = queue::take(&deployment.cloud, "InboundQueue").await;
    assert_eq!(messages.len(), 3);
    let answer = answered(deployment.dispatcher.invoke(events::inbound(&messages)).await);
    assert_eq!(answer, all_worked(), "what can never be read must not come again");
    assert_eq!(deployment.sink.received().len(), 1);
    let logs = deployment.stop(&[&push("one")]).await;
    assert_eq!(logs.dispatcher.matches("message.unreadable").count(), 2, "{}", logs.dispatcher);
}

#[tokio::test]
async fn a_message_that_fails_is_named_alone_and_succeeds_when_it_comes_again() {
    let mut deployment = Deployment::start().await;
    deployment.github_webhook().await;
    deployment.subscribe_sink().await;
    for delivery in ["one", "two"] {
        accepted(&deployment.post(&push(delivery)).await);
    }
    let messages = queue::take(&deployment.cloud, "InboundQueue").await;
    assert_eq!(messages.len(), 2);

    // Whichever of the two creates its delivery first meets a throttled table.
    deployment.cloud.faults().set(Fault::new(FaultKind::Throttle).by("dispatcher").on("PutItem"));
    let answer = answered(deployment.dispatcher.invoke(events::inbound(&messages)).await);
    let [failure] = &answer["batchItemFailures"].as_array().expect("a list")[..] else { panic!("{answer}") };
    let failed = messages.into_iter().find(|message| failure["itemIdentifier"] == *message.message_id);
    let failed = failed.expect("one of the batch");
    assert_eq!(deployment.sink.received().len(), 1, "the other one was delivered");

    let answer = answered(deployment.dispatcher.invoke(events::inbound(&[failed.again()])).await);
    assert_eq!(answer, all_worked());
    let received = deployment.sink.received();
    assert_eq!(received.len(), 2);
    assert_ne!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    let logs = deployment.stop(&[&push("one")]).await;
    assert!(logs.dispatcher.contains("message.failed"), "{}", logs.dispatcher);
}

#[tokio::test]
async fn a_sweep_brings_a_failed_delivery_back_for_its_second_attempt() {
    let mut deployment = Deployment::start().await;
    deployment.github_webhook().await;
    deployment.subscribe_sink().await;
    deployment.sink.answers([500]);
    accepted(&deployment.post(&push("one")).await);
    assert_eq!(deployment.dispatch().await, all_worked(), "a failed attempt is no failed message");
    assert_eq!(deployment.sink.received().len(), 1);

    assert_eq!(queue::let_time_pass(&deployment.cloud).await, 1, "one delivery waits");
    assert_eq!(answered(deployment.sweeper.invoke(events::schedule()).await), Value::Null);
    let messages = queue::take(&deployment.cloud, "OutboundQueue").await;
    assert!(!messages.is_empty(), "the sweeper sent a message");
    let answer = answered(deployment.dispatcher.invoke(events::outbound(&messages)).await);
    assert_eq!(answer, all_worked());

    let [first, second] = &deployment.sink.received()[..] else { panic!("two attempts") };
    assert_eq!(first.header("hookport-attempt"), "1");
    assert_eq!(second.header("hookport-attempt"), "2");
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(first.body, second.body);
    let (status, shown) = deployment.api("GET", "/api/v1/deliveries", None).await;
    let deliveries = shown["data"].as_array().expect("a list");
    let delivery = deliveries.iter().find(|delivery| delivery["kind"] == "event").expect("the event's");
    assert_eq!((status, &delivery["state"]), (200, &json!("delivered")), "{shown}");
    assert_eq!((&delivery["attempts"][0]["status"], &delivery["attempts"][1]["status"]), (&json!(500), &json!(200)));
    assert_eq!(queue::let_time_pass(&deployment.cloud).await, 0, "nothing waits any more");
    let logs = deployment.stop(&[&push("one")]).await;
    assert!(logs.sweeper.contains("sweep.done"), "{}", logs.sweeper);
}

#[tokio::test]
async fn a_sweep_of_nothing_reads_each_shard_of_the_index_once() {
    let deployment = Deployment::start().await;
    let before = deployment.cloud.meter().snapshot();
    assert_eq!(answered(deployment.sweeper.invoke(events::schedule()).await), Value::Null);
    let swept = deployment.cloud.meter().snapshot().since(&before);
    let queries = swept.only(|call| (call.instance.as_str(), call.operation.as_str()) == ("sweeper", "Query"));
    // The watch over webhooks asks whether a round is due, begins it, finds nobody on its list and ends it.
    let watch = swept.only(|call| call.instance == "sweeper").calls() - queue::SHARDS;
    assert_eq!((queries.calls(), watch), (queue::SHARDS + 1, 3), "{swept}");
    deployment.stop(&[]).await;
}

#[tokio::test]
async fn a_failed_sweep_is_reported_to_the_platform_and_the_next_one_works() {
    let deployment = Deployment::start().await;
    deployment.cloud.faults().set(Fault::new(FaultKind::Throttle).by("sweeper").on("Query").sticky());
    let failed = deployment.sweeper.invoke(events::schedule()).await;
    assert!(matches!(failed, Err(InvocationError::Function(_))), "{failed:?}");
    deployment.cloud.faults().clear();
    assert_eq!(answered(deployment.sweeper.invoke(events::schedule()).await), Value::Null);
    deployment.stop(&[]).await;
}

#[tokio::test]
async fn a_function_without_its_settings_refuses_to_start_and_names_what_is_missing() {
    let programs = binaries();
    let template = Template::embedded().expect("the template can be honoured");
    let cloud = Cloud::open(None, &template, Clock::system()).await.expect("the stand-ins open");
    let all = [
        ("receiver", &programs.receiver),
        ("management", &programs.management),
        ("dispatcher", &programs.dispatcher),
        ("sweeper", &programs.sweeper),
    ];
    for (name, program) in all {
        let function = template.function(logical_id(name)).expect("the template has the function");
        let mut vars = variables(&cloud, &template, name);
        vars.remove("KEYRING_SECRET_ID");
        match LambdaProcess::start(program, function, &vars).await {
            Err(InvocationError::Ended { log }) => assert!(log.contains("KEYRING_SECRET_ID"), "{name}: {log}"),
            Err(other) => panic!("{name}: {other}"),
            Ok(_) => panic!("{name} started"),
        }
    }
}
