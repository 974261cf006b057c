//! The watch over inbound webhooks: silence that is told of, and webhooks that are switched off.

use hookport::aws::lambda::Deadline;
use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::gateway::{SECRET, TestGateway, merge, text};
use hookport_tests::{SenderRequest, Sink};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const WEBHOOKS: &str = "/api/v1/inbound-webhooks";
const SILENT: &str = "inbound_webhook.silent";
const AUTO_DISABLED: &str = "inbound_webhook.auto_disabled";

/// A gateway, and a target that gets what the watch tells.
struct Stage {
    gateway: TestGateway,
    sink: Sink,
}

impl Stage {
    async fn set() -> Self {
        Self::with_instances(&["a"]).await
    }

    async fn with_instances(names: &[&str]) -> Self {
        let gateway = TestGateway::with_instances(names).await;
        let sink = Sink::start().await;
        gateway.subscribe(&sink, &["inbound_webhook.*"], json!({})).await;
        Self { gateway, sink }
    }

    /// Sends a body that is signed as it should be.
    async fn send(&self, slug: &str, body: &'static str, expected: u16) {
        self.gateway.advance(SignedDuration::from_secs(6));
        let request = SenderRequest::json(body).signed(SECRET);
        let url = format!("/api/inbound/default/{slug}");
        let response = self.gateway.send(self.gateway.instance(0), &url, &request).await;
        assert_eq!(response.status().as_u16(), expected, "{body}");
    }

    /// Lets the next round of the watch be due, makes it, and delivers what it tells.
    async fn round(&self) {
        self.gateway.advance(SignedDuration::from_mins(10));
        self.sweep().await;
    }

    async fn sweep(&self) {
        self.gateway.tick(self.gateway.instance(0)).await;
        self.gateway.drain(self.gateway.instance(0)).await;
    }

    /// What was told so far, of one type.
    fn told(&self, event_type: &str) -> Vec<Value> {
        let received = self.sink.received();
        let wanted = received.iter().filter(|request| request.header("hookport-event-type") == event_type);
        wanted.map(|request| serde_json::from_slice(&request.body).expect("a JSON event")).collect()
    }

    async fn shown(&self, webhook: &str) -> Value {
        self.gateway.get(&format!("{WEBHOOKS}/{webhook}")).await["data"].clone()
    }

    async fn change(&self, webhook: &str, slug: &str, more: Value) {
        let mut body = json!({"name": slug, "slug": slug, "event_type": "github.push"});
        merge(&mut body, more);
        let path = format!("{WEBHOOKS}/{webhook}");
        let (status, answer) = self.gateway.api(Method::PUT, &path, self.gateway.admin_token(), Some(body)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
}

#[tokio::test]
async fn silence_is_told_once_when_it_is_too_long() {
    let stage = Stage::set().await;
    let webhook = stage.gateway.webhook("github", json!({"silence_alarm_hours": 2})).await;
    stage.send("github", "{}", 200).await;
    let since = stage.gateway.clock.now();
    stage.gateway.advance(SignedDuration::from_mins(109));
    stage.round().await;
    assert_eq!(stage.told(SILENT), [] as [Value; 0], "a minute is left");
    for _ in 0..3 {
        stage.round().await;
    }
    let expected = json!({
        "type": SILENT,
        "webhook_id": webhook,
        "name": "github",
        "since": since.to_string(),
        "silence_alarm_hours": 2,
    });
    assert_eq!(stage.told(SILENT), [expected]);
}

#[tokio::test]
async fn a_new_silence_is_told_of_again() {
    let stage = Stage::set().await;
    stage.gateway.webhook("github", json!({"silence_alarm_hours": 1})).await;
    stage.gateway.advance(SignedDuration::from_hours(1));
    stage.round().await;
    assert_eq!(stage.told(SILENT).len(), 1, "it was never used");
    stage.send("github", "{", 400).await;
    stage.round().await;
    assert_eq!(stage.told(SILENT).len(), 1, "a sender that sends nonsense is not silent");
    stage.gateway.advance(SignedDuration::from_hours(1));
    stage.round().await;
    assert_eq!(stage.told(SILENT).len(), 2);
}

#[tokio::test]
async fn what_is_told_is_no_request_and_so_ends_no_silence() {
    let stage = Stage::set().await;
    let webhook = stage.gateway.webhook("github", json!({"silence_alarm_hours": 1})).await;
    for _ in 0..5 {
        stage.gateway.advance(SignedDuration::from_hours(1));
        stage.round().await;
    }
    assert_eq!(stage.told(SILENT).len(), 1);
    let stats = stage.gateway.get(&format!("{WEBHOOKS}/{webhook}/stats")).await;
    assert_eq!((&stats["data"]["total_events"], &stats["data"]["last_used_at"]), (&json!(0), &json!(null)));
    let rows = stage.gateway.get(&format!("{WEBHOOKS}/{webhook}/deliveries")).await;
    assert_eq!((&rows["data"][0]["webhook_version"], &rows["data"][0]["status"]), (&json!(0), &json!("dispatched")));
    assert_eq!(rows["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn tests_of_a_webhook_end_no_silence() {
    let stage = Stage::set().await;
    let webhook = stage.gateway.webhook("github", json!({"silence_alarm_hours": 1})).await;
    stage.gateway.advance(SignedDuration::from_mins(55));
    let path = format!("{WEBHOOKS}/{webhook}/test");
    let made = stage.gateway.api(Method::POST, &path, stage.gateway.admin_token(), Some(json!({"body": {}}))).await;
    assert_eq!(made.0, StatusCode::ACCEPTED, "{}", made.1);
    stage.round().await;
    assert_eq!(stage.told(SILENT).len(), 1);
}

#[tokio::test]
async fn a_round_is_made_every_ten_minutes_however_often_is_swept() {
    let stage = Stage::set().await;
    stage.gateway.webhook("github", json!({"silence_alarm_hours": 1})).await;
    stage.gateway.advance(SignedDuration::from_mins(55));
    stage.sweep().await;
    for _ in 0..9 {
        stage.gateway.advance(SignedDuration::from_mins(1));
        stage.sweep().await;
    }
    assert_eq!(stage.told(SILENT), [] as [Value; 0], "silent for four minutes, and no round was due");
    stage.gateway.advance(SignedDuration::from_mins(1));
    stage.sweep().await;
    assert_eq!(stage.told(SILENT).len(), 1);
}

#[tokio::test]
async fn a_sweep_without_time_leaves_the_round_to_the_next() {
    let stage = Stage::set().await;
    stage.gateway.webhook("github", json!({"silence_alarm_hours": 1})).await;
    stage.gateway.advance(SignedDuration::from_hours(1));
    let now = stage.gateway.clock.now();
    stage.gateway.instance(0).sweeper.run(Deadline(now)).await.expect("a sweep that does nothing");
    stage.gateway.drain(stage.gateway.instance(0)).await;
    assert_eq!(stage.told(SILENT), [] as [Value; 0]);
    stage.sweep().await;
    assert_eq!(stage.told(SILENT).len(), 1);
}

#[tokio::test]
async fn two_sweepers_at_once_tell_once() {
    let stage = Stage::with_instances(&["a", "b"]).await;
    stage.gateway.webhook("quiet", json!({"silence_alarm_hours": 1})).await;
    stage.gateway.webhook("broken", json!({"disable_after_failures": 1})).await;
    stage.send("broken", "{", 400).await;
    stage.gateway.advance(SignedDuration::from_hours(1));
    tokio::join!(stage.gateway.tick(stage.gateway.instance(0)), stage.gateway.tick(stage.gateway.instance(1)));
    stage.gateway.drain(stage.gateway.instance(0)).await;
    assert_eq!((stage.told(SILENT).len(), stage.told(AUTO_DISABLED).len()), (1, 1));
}

#[tokio::test]
async fn more_webhooks_than_a_page_holds_are_all_watched() {
    let stage = Stage::set().await;
    for n in 0..105 {
        stage.gateway.webhook(&format!("w{n}"), json!({"silence_alarm_hours": 1})).await;
    }
    stage.gateway.advance(SignedDuration::from_hours(1));
    stage.round().await;
    assert_eq!(stage.told(SILENT).len(), 105);
}

#[tokio::test]
async fn what_is_no_longer_watched_or_no_longer_there_is_left_alone() {
    let stage = Stage::set().await;
    let watched = json!({"silence_alarm_hours": 1});
    let changed = stage.gateway.webhook("changed", watched.clone()).await;
    let deleted = stage.gateway.webhook("deleted", watched.clone()).await;
    let off = stage.gateway.webhook("off", watched.clone()).await;
    stage.change(&changed, "changed", json!({})).await;
    stage.change(&off, "off", json!({"silence_alarm_hours": 1, "is_active": false})).await;
    let path = format!("{WEBHOOKS}/{deleted}");
    let gone = stage.gateway.api(Method::DELETE, &path, stage.gateway.admin_token(), None).await;
    assert_eq!(gone.0, StatusCode::NO_CONTENT);
    stage.gateway.advance(SignedDuration::from_hours(9));
    stage.round().await;
    assert_eq!(stage.told(SILENT), [] as [Value; 0]);
    stage.change(&changed, "changed", watched).await;
    stage.gateway.advance(SignedDuration::from_hours(1));
    stage.round().await;
    assert_eq!(stage.told(SILENT).len(), 1, "it is watched again");
}

#[tokio::test]
async fn the_silence_of_a_tenant_that_takes_nothing_in_is_no_news() {
    let stage = Stage::set().await;
    stage.gateway.webhook("github", json!({"silence_alarm_hours": 1})).await;
    for (is_on, expected) in [(false, 0), (true, 1)] {
        let body = json!({"inbound_enabled": is_on});
        let path = "/api/v1/tenants/default";
        let turned = stage.gateway.api(Method::PUT, path, stage.gateway.admin_token(), Some(body)).await;
        assert_eq!(turned.0, StatusCode::OK, "{}", turned.1);
        stage.gateway.advance(SignedDuration::from_hours(1));
        stage.round().await;
        assert_eq!(stage.told(SILENT).len(), expected);
    }
}

#[tokio::test]
async fn a_webhook_whose_requests_keep_failing_is_switched_off_and_told_of() {
    let stage = Stage::set().await;
    let webhook = stage.gateway.webhook("github", json!({"disable_after_failures": 3})).await;
    stage.send("github", "{}", 200).await;
    for _ in 0..2 {
        stage.send("github", "{", 400).await;
    }
    stage.round().await;
    assert_eq!(stage.shown(&webhook).await["is_active"], json!(true), "two of three");
    stage.send("github", "{", 400).await;
    stage.round().await;
    let now = stage.gateway.clock.now().to_string();
    let shown = stage.shown(&webhook).await;
    let state = (&shown["is_active"], &shown["auto_disabled_at"], &shown["version"]);
    assert_eq!(state, (&json!(false), &json!(now), &json!(2)));
    stage.send("github", "{}", 401).await;
    for _ in 0..3 {
        stage.round().await;
    }
    let expected = json!({
        "type": AUTO_DISABLED,
        "webhook_id": webhook,
        "name": "github",
        "since": now,
        "failures": 3,
    });
    assert_eq!(stage.told(AUTO_DISABLED), [expected]);
}

#[tokio::test]
async fn a_webhook_that_is_on_again_starts_anew() {
    let stage = Stage::set().await;
    let rule = json!({"disable_after_failures": 10});
    let webhook = stage.gateway.webhook("github", rule.clone()).await;
    for _ in 0..10 {
        stage.send("github", "{", 400).await;
    }
    stage.round().await;
    stage.change(&webhook, "github", rule).await;
    for _ in 0..9 {
        stage.send("github", "{", 400).await;
    }
    stage.round().await;
    assert_eq!(stage.shown(&webhook).await["is_active"], json!(true), "nine failures of this version");
    stage.send("github", "{", 400).await;
    stage.round().await;
    assert_eq!(stage.shown(&webhook).await["is_active"], json!(false));
    assert_eq!(stage.told(AUTO_DISABLED).len(), 2);
}

#[tokio::test]
async fn strangers_and_tests_switch_nothing_off() {
    let stage = Stage::set().await;
    let webhook = stage.gateway.webhook("github", json!({"disable_after_failures": 2})).await;
    let forged = SenderRequest::json("{").signed("a secret of nobody's");
    let path = format!("{WEBHOOKS}/{webhook}/test");
    let broken = json!({"body_text": "{", "content_type": "application/json"});
    for _ in 0..5 {
        let response = stage.gateway.send(stage.gateway.instance(0), "/api/inbound/default/github", &forged).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let made = stage.gateway.api(Method::POST, &path, stage.gateway.admin_token(), Some(broken.clone())).await;
        assert_eq!((made.0, &made.1["data"]["status"]), (StatusCode::ACCEPTED, &json!("failed")), "{}", made.1);
    }
    stage.send("github", "{", 400).await;
    stage.round().await;
    assert_eq!(stage.shown(&webhook).await["is_active"], json!(true));
    stage.send("github", "{", 400).await;
    stage.round().await;
    assert_eq!(stage.shown(&webhook).await["is_active"], json!(false));
}

/// What the watch counts is not lost when the rows expire, although nobody looks.
#[tokio::test]
async fn watched_requests_are_counted_before_they_expire() {
    let stage = Stage::set().await;
    let watched = stage.gateway.webhook("watched", json!({"silence_alarm_hours": 8_760})).await;
    let other = stage.gateway.webhook("other", json!({})).await;
    for slug in ["watched", "other"] {
        stage.send(slug, "{}", 200).await;
    }
    stage.gateway.drain(stage.gateway.instance(0)).await;
    stage.round().await;
    stage.gateway.advance(SignedDuration::from_hours(24 * 40));
    stage.gateway.cloud.dynamodb().sweep_ttl().expect("swept");
    for (webhook, expected) in [(watched, 1), (other, 0)] {
        let stats = stage.gateway.get(&format!("{WEBHOOKS}/{webhook}/stats")).await;
        assert_eq!(stats["data"]["total_events"], json!(expected));
    }
}

/// A stage on which a round has something of each kind to do. Gives the webhook that is to be switched off.
async fn stage_of_a_round() -> (Stage, String) {
    let stage = Stage::with_instances(&["a", "b"]).await;
    stage.gateway.webhook("quiet", json!({"silence_alarm_hours": 1})).await;
    let broken = stage.gateway.webhook("broken", json!({"disable_after_failures": 2})).await;
    for _ in 0..2 {
        stage.send("broken", "{", 400).await;
    }
    stage.gateway.advance(SignedDuration::from_hours(1));
    (stage, broken)
}

/// Whichever call of a round fails, and however, what is to be told is told once in the end.
#[tokio::test]
async fn a_round_is_made_up_for_whichever_of_its_calls_fails() {
    let (stage, _) = stage_of_a_round().await;
    stage.gateway.cloud.meter().record();
    stage.gateway.tick(stage.gateway.instance(0)).await;
    let calls = stage.gateway.cloud.meter().take_journal();
    assert!(calls.iter().any(|call| call.operation == "TransactWriteItems"), "{calls:#?}");
    let kinds = [FaultKind::Before, FaultKind::After, FaultKind::Crash { effect: true }];
    for nth in 1..=calls.len() {
        // A read has no effect that could be half done: it can only fail.
        let is_read = ["GetItem", "Query", "BatchGetItem"].contains(&calls[nth - 1].operation.as_str());
        for kind in &kinds[..if is_read { 1 } else { kinds.len() }] {
            let what = format!("call {nth} {:?}, {kind:?}", calls[nth - 1]);
            let (stage, broken) = stage_of_a_round().await;
            let gateway = &stage.gateway;
            gateway.cloud.faults().set(Fault::new(*kind).nth(nth).by("a"));
            // It may end with the trouble that it is given.
            let _ = gateway.instance(0).sweeper.run(gateway.instance(0).sweeper_deadline()).await;
            gateway.cloud.faults().clear();
            for _ in 0..2 {
                gateway.advance(SignedDuration::from_mins(11));
                gateway.tick(gateway.instance(1)).await;
                gateway.drain(gateway.instance(1)).await;
            }
            let names = |event_type| stage.told(event_type).iter().map(|e| text(&e["name"])).collect::<Vec<_>>();
            assert_eq!(names(SILENT), ["quiet"], "{what}");
            assert_eq!(names(AUTO_DISABLED), ["broken"], "{what}");
            assert_eq!(stage.shown(&broken).await["is_active"], json!(false), "{what}");
        }
    }
}
