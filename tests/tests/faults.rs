//! The promises under every fault: each AWS call of one webhook's way fails in each way, once, and everything holds.
//!
//! The calls are not listed by hand: a first run records them, and the scenario is then replayed once for each call and
//! each kind of fault, with two instances on one store. Afterwards the other instance sweeps until all is quiet.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use hookport_local::cloud::{Call, Fault, FaultKind};
use hookport_tests::gateway::{Instance, SECRET, TestGateway, answer, merge, text};
use hookport_tests::issuer::Issuer;
use hookport_tests::schemes::{self, Scheme};
use hookport_tests::{SenderRequest, Sink};
use http::{Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const URL: &str = "/api/inbound/default/github";

const KINDS: [FaultKind; 9] = [
    FaultKind::Before,
    FaultKind::After,
    FaultKind::TimeOut { effect: false },
    FaultKind::TimeOut { effect: true },
    FaultKind::Throttle,
    FaultKind::Pause { effect: false },
    FaultKind::Pause { effect: true },
    FaultKind::Crash { effect: false },
    FaultKind::Crash { effect: true },
];

/// What is played.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    /// Whether the request carries an idempotency key.
    keyed: bool,
    /// Whether the sender comes again, to the other instance, also after a 2xx.
    sender_retries: bool,
    /// How often the SDK makes one call.
    aws_attempts: &'static str,
    /// How the target answers first.
    first_answer: u16,
    /// How the sender proves itself, by its place in the list of all schemes, with every limit on; GitHub's signature
    /// and the webhook's own limit alone without it.
    scheme: Option<usize>,
}

/// A gateway with a webhook and one subscription, ready for the scenario, with cold caches.
struct Stage {
    gateway: TestGateway,
    /// Two that know nothing: those of the gateway itself have sent the subscription's challenge.
    instances: [Instance; 2],
    sink: Sink,
    webhook: String,
    scenario: Scenario,
    scheme: Option<Scheme>,
}

impl Stage {
    async fn set(scenario: Scenario) -> Self {
        let scheme = match scenario.scheme {
            Some(place) => Some(schemes::all(&Arc::new(Issuer::start().await)).swap_remove(place)),
            None => None,
        };
        // A limit this low asks the table for each request.
        let limit = if scheme.is_some() { "9" } else { "0" };
        let settings = [
            ("AWS_MAX_ATTEMPTS", scenario.aws_attempts),
            ("RATE_PER_SOURCE", limit),
            ("RATE_PER_TENANT", limit),
            ("RATE_GLOBAL", limit),
        ];
        let gateway = TestGateway::with_settings(&["a", "b"], &settings).await;
        let sink = Sink::start().await;
        if scenario.first_answer != 200 {
            sink.answers([scenario.first_answer]);
        }
        let source = json!({"type": "header", "value": "X-GitHub-Delivery"});
        let source = if scenario.keyed { source } else { Value::Null };
        let mut webhook = json!({"idempotency_source": source});
        if let Some(scheme) = &scheme {
            merge(&mut webhook, scheme.settings.clone());
            merge(&mut webhook, json!({"rate_limit": {"requests": 9, "window_seconds": 60}}));
        }
        let webhook = gateway.webhook("github", webhook).await;
        gateway.subscribe(&sink, &["github.*"], json!({})).await;
        let instances = [gateway.fresh("a"), gateway.fresh("b")];
        Self { gateway, instances, sink, webhook, scenario, scheme }
    }

    async fn send(&self, instance: usize) -> Response<Bytes> {
        let request = SenderRequest::fixture("github-ping");
        let (request, url) = match &self.scheme {
            Some(scheme) => (scheme.prove(request, self.gateway.clock.now()), format!("{URL}{}", scheme.query)),
            None => (request.signed(SECRET), URL.to_owned()),
        };
        self.gateway.send(&self.instances[instance], &url, &request).await
    }

    /// The request comes to `a`, and `a` works the queue.
    async fn play(&self) -> Vec<Response<Bytes>> {
        let mut responses = vec![self.send(0).await];
        if self.scenario.sender_retries {
            responses.push(self.send(1).await);
        }
        self.gateway.drain(&self.instances[0]).await;
        responses
    }

    /// Plays with a fault. A call that is held is released only after the other instance, and the sender when it comes
    /// again, have gone on past every lease.
    async fn play_with(&self, fault: Fault) -> Vec<Response<Bytes>> {
        let held = matches!(fault.kind, FaultKind::Pause { .. });
        self.gateway.cloud.faults().set(fault);
        if !held {
            return self.play().await;
        }
        let elsewhere = async {
            self.gateway.cloud.faults().paused().await;
            let mut responses = Vec::new();
            if self.scenario.sender_retries {
                responses.push(self.send(1).await);
            }
            self.gateway.advance(SignedDuration::from_mins(10));
            self.gateway.settle(&self.instances[1]).await;
            self.gateway.cloud.faults().release();
            responses
        };
        let (mut responses, more) = tokio::join!(self.play(), elsewhere);
        responses.extend(more);
        responses
    }

    /// A restart: new instances with empty caches, and everything that is due is done.
    async fn recover(&self) {
        self.gateway.cloud.faults().clear();
        let restarted = self.gateway.fresh("c");
        self.gateway.settle(&restarted).await;
    }

    async fn rows(&self) -> Vec<Value> {
        let list = format!("/api/v1/inbound-webhooks/{}/deliveries?limit=100", self.webhook);
        self.gateway.get(&list).await["data"].as_array().cloned().unwrap_or_default()
    }

    async fn check(&self, responses: &[Response<Bytes>], what: &str) {
        let kept: HashSet<String> =
            responses.iter().filter(|r| r.status().is_success()).map(|r| text(&answer(r)["delivery_id"])).collect();
        for response in responses.iter().filter(|r| !r.status().is_success()) {
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{what}: a sender is asked to come again");
        }
        let rows = self.rows().await;
        let (duplicates, originals): (Vec<_>, Vec<_>) = rows.iter().partition(|r| r["status"] == "duplicate");
        let ids: HashSet<String> = originals.iter().map(|r| text(&r["id"])).collect();
        assert!(kept.is_subset(&ids), "{what}: every 2xx names a row: {kept:?} in {ids:?}");
        if self.scenario.keyed {
            assert!(ids.len() <= 1, "{what}: one row per key: {ids:?}");
        }
        for row in &originals {
            assert_eq!(row["status"], "dispatched", "{what}: nothing is left pending or stuck");
        }
        for row in &duplicates {
            assert!(ids.contains(&text(&row["duplicate_of"])), "{what}: a duplicate points at a row");
        }

        let deliveries = self.gateway.get("/api/v1/deliveries?kind=event&limit=100").await;
        let deliveries = deliveries["data"].as_array().cloned().unwrap_or_default();
        assert_eq!(deliveries.len(), ids.len(), "{what}: one delivery row for each event");
        for delivery in &deliveries {
            assert_eq!(delivery["state"], "delivered", "{what}: {delivery}");
        }
        let mut by_event = BTreeMap::<String, Vec<String>>::new();
        for request in self.sink.received() {
            let attempts = by_event.entry(request.header("webhook-id").to_owned()).or_default();
            attempts.push(request.header("hookport-attempt").to_owned());
        }
        assert_eq!(by_event.len(), ids.len(), "{what}: each event reached the target under one webhook-id");
        for attempts in by_event.values() {
            let distinct: HashSet<_> = attempts.iter().collect();
            assert_eq!(distinct.len(), attempts.len(), "{what}: no attempt was sent twice: {attempts:?}");
        }
    }
}

/// The calls of the scenario without any fault.
async fn calls_of(scenario: Scenario) -> Vec<Call> {
    let stage = Stage::set(scenario).await;
    stage.gateway.cloud.meter().record();
    let responses = stage.play().await;
    let calls = stage.gateway.cloud.meter().take_journal();
    assert!(responses.iter().all(|r| r.status() == StatusCode::OK));
    stage.recover().await;
    stage.check(&responses, "no fault").await;
    calls
}

async fn every_call_in_every_way(scenario: Scenario) {
    let calls = calls_of(scenario).await;
    let by_product = calls.iter().filter(|c| c.instance == "a").count();
    assert!(by_product >= 10, "the list holds the whole way: {calls:#?}");
    let mut struck = 0;
    for (index, call) in calls.iter().enumerate() {
        for kind in KINDS {
            let what = format!("{scenario:?}, call {} {call:?}, {kind:?}", index + 1);
            let stage = Stage::set(scenario).await;
            let responses = stage.play_with(Fault::new(kind).nth(index + 1)).await;
            struck += stage.gateway.cloud.faults().hit();
            stage.recover().await;
            stage.check(&responses, &what).await;
        }
    }
    assert!(struck >= calls.len() * KINDS.len(), "every fault struck: {struck}");
    println!("{scenario:?}: {} calls, {} replays, all promises held", calls.len(), calls.len() * KINDS.len());
}

const PLAIN: Scenario =
    Scenario { keyed: true, sender_retries: false, aws_attempts: "1", first_answer: 200, scheme: None };

/// What is different under another scheme is how a request is taken: the calls until its answer, on cold caches. What
/// becomes of it is the same.
async fn under_schemes(places: impl Iterator<Item = usize>) {
    for place in places {
        let scenario = Scenario { scheme: Some(place), ..PLAIN };
        let stage = Stage::set(scenario).await;
        stage.gateway.cloud.meter().record();
        assert_eq!(stage.send(0).await.status(), StatusCode::OK, "{scenario:?}");
        let calls = stage.gateway.cloud.meter().take_journal();
        assert!(
            calls.iter().filter(|call| call.operation == "UpdateItem").count() == 4,
            "every limit asks: {calls:#?}"
        );
        for (index, call) in calls.iter().enumerate() {
            // A read has no effect that could be half done.
            let is_read = ["GetItem", "GetSecretValue"].contains(&call.operation.as_str());
            for kind in if is_read { &KINDS[..1] } else { &KINDS } {
                let what = format!("{scenario:?}, call {} {call:?}, {kind:?}", index + 1);
                let stage = Stage::set(scenario).await;
                let responses = stage.play_with(Fault::new(*kind).nth(index + 1)).await;
                assert!(stage.gateway.cloud.faults().hit() > 0, "{what}: the fault struck");
                stage.recover().await;
                stage.check(&responses, &what).await;
            }
        }
    }
}

/// How many schemes there are.
const SCHEMES: usize = 11;

#[tokio::test]
async fn the_list_of_schemes_is_played_whole() {
    assert_eq!(schemes::all(&Arc::new(Issuer::start().await)).len(), SCHEMES);
}

#[tokio::test]
async fn a_2xx_is_kept_under_every_scheme_with_limits_on_first_half() {
    under_schemes(0..SCHEMES / 2).await;
}

#[tokio::test]
async fn a_2xx_is_kept_under_every_scheme_with_limits_on_second_half() {
    under_schemes(SCHEMES / 2..SCHEMES).await;
}

/// D6: whatever dies at whichever call.
#[tokio::test]
async fn a_2xx_is_kept_and_delivered_whatever_call_fails() {
    every_call_in_every_way(PLAIN).await;
}

/// D6, D7, defect 25: the sender comes again after it, and is never kept waiting.
#[tokio::test]
async fn a_sender_that_comes_again_is_dispatched_once_whatever_call_fails() {
    every_call_in_every_way(Scenario { sender_retries: true, ..PLAIN }).await;
}

#[tokio::test]
async fn a_retry_inside_the_sdk_that_meets_its_own_write_has_won() {
    every_call_in_every_way(Scenario { aws_attempts: "3", ..PLAIN }).await;
}

#[tokio::test]
async fn a_request_without_a_key_is_kept_and_delivered_whatever_call_fails() {
    every_call_in_every_way(Scenario { keyed: false, ..PLAIN }).await;
}

/// The way of a delivery that fails first: its second attempt is claimed, read, sent and recorded.
#[tokio::test]
async fn a_second_attempt_is_made_once_whatever_call_fails() {
    let scenario = Scenario { first_answer: 500, ..PLAIN };
    let stage = Stage::set(scenario).await;
    stage.play().await;
    stage.gateway.advance(SignedDuration::from_secs(7));
    stage.gateway.cloud.meter().record();
    stage.gateway.drain(&stage.instances[0]).await;
    let calls = stage.gateway.cloud.meter().take_journal();
    assert!(calls.iter().any(|c| c.operation == "UpdateItem"), "{calls:#?}");
    for (index, call) in calls.iter().enumerate() {
        for kind in KINDS {
            let what = format!("second attempt, call {} {call:?}, {kind:?}", index + 1);
            let stage = Stage::set(scenario).await;
            let responses = stage.play().await;
            stage.gateway.advance(SignedDuration::from_secs(7));
            stage.gateway.cloud.faults().set(Fault::new(kind).nth(index + 1));
            let elsewhere = async {
                if matches!(kind, FaultKind::Pause { .. }) {
                    stage.gateway.cloud.faults().paused().await;
                    stage.gateway.advance(SignedDuration::from_mins(10));
                    stage.gateway.settle(&stage.instances[1]).await;
                    stage.gateway.cloud.faults().release();
                }
            };
            tokio::join!(stage.gateway.drain(&stage.instances[0]), elsewhere);
            assert!(stage.gateway.cloud.faults().hit() > 0, "{what}: the fault struck");
            stage.recover().await;
            stage.check(&responses, &what).await;
        }
    }
}

/// Losing every queue message, at any time, loses nothing.
#[tokio::test]
async fn losing_every_queue_message_loses_nothing() {
    let stage = Stage::set(Scenario { keyed: false, ..PLAIN }).await;
    let instance = &stage.instances[0];
    let mut responses = Vec::new();
    for n in 0..40 {
        responses.push(stage.send(n % 2).await);
        // Some were begun, some never seen; the messages of both are gone.
        if n % 7 == 0 {
            stage.gateway.drain(instance).await;
        }
        stage.gateway.cloud.sqs().lose_everything();
    }
    stage.sink.answers([500, 500, 500, 500, 500]);
    let (mut quiet, mut round) = (0, 0);
    while quiet < 20 {
        let swept = stage.gateway.tick(instance).await;
        round += 1;
        if round <= 6 && round % 2 == 0 {
            stage.gateway.cloud.sqs().lose_everything();
        }
        stage.gateway.drain(instance).await;
        quiet = if swept.redriven == 0 { quiet + 1 } else { 0 };
        stage.gateway.advance(SignedDuration::from_mins(7));
    }
    assert_eq!(stage.sink.received().len(), 45);
    stage.check(&responses, "every message lost").await;
}
