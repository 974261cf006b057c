//! Scenarios in which a target proves itself: made, failing, held and released.

use std::collections::HashMap;

use hookport_tests::gateway::text;
use hookport_tests::sink::Reply;
use hookport_tests::{Instance, Sink, TestGateway};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::play::Play;
use super::world::{EVENT_TYPE, SUBSCRIPTIONS, World, values_of};

fn wanted(sink: &Sink) -> Value {
    json!({"name": "sink", "url": sink.url("/hook"), "events": [EVENT_TYPE]})
}

/// One subscription, as it was made.
async fn asked_for(gateway: &TestGateway, sink: &Sink, more: Value) -> String {
    text(&gateway.ask_for_subscription(sink, &[EVENT_TYPE], more).await["data"]["id"])
}

/// Each subscription is active, was challenged in one cycle, and gets an event once.
async fn all_are_active(world: &World, what: &str) {
    let subscriptions = world.subscriptions().await;
    let mut cycles = HashMap::<String, Vec<String>>::new();
    for challenge in world.sink.challenges() {
        let cycle = cycles.entry(challenge.header("hookport-subscription-id").to_owned()).or_default();
        cycle.push(challenge.header("webhook-id").to_owned());
    }
    for subscription in &subscriptions {
        assert_eq!(subscription["state"], "active", "{what}: {subscription}");
        assert_eq!(subscription["verification"]["status"], "passed", "{what}: {subscription}");
        let cycle = cycles.get(&text(&subscription["id"])).unwrap_or_else(|| panic!("{what}: never challenged"));
        assert!(cycle.iter().all(|id| *id == cycle[0]), "{what}: two challenges under way: {cycle:?}");
    }
    let received = world.publish_and_settle().await;
    assert_eq!(received.len(), subscriptions.len(), "{what}: each subscription got the event once");
    assert_eq!(values_of(&received, "hookport-subscription-id").len(), subscriptions.len(), "{what}");
    world.nothing_is_left(false, what).await;
}

/// A subscription is made, challenged and active.
pub struct Creation {
    world: World,
}

impl Play for Creation {
    const NAME: &'static str = "creation";

    async fn set() -> Self {
        Self { world: World::new().await }
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn play(&self) {
        let a = self.world.gateway.instance(0);
        self.world.post(a, SUBSCRIPTIONS, wanted(&self.world.sink)).await;
        self.world.gateway.drain(a).await;
    }

    async fn again(&self, restarted: &Instance) {
        if self.world.successes().is_empty() {
            let status = self.world.post(restarted, SUBSCRIPTIONS, wanted(&self.world.sink)).await;
            assert_eq!(status, StatusCode::CREATED);
        }
    }

    /// Who was answered 503 may have made one all the same, and another by asking again. Each of them proves itself.
    async fn check(&self, what: &str) {
        let all = self.world.subscriptions().await;
        let made = self.world.successes();
        assert_eq!(made.len(), 1, "{what}");
        assert!(all.iter().any(|found| found["id"] == made[0]["data"]["id"]), "{what}: a 201 is kept");
        assert!(all.len() <= 2, "{what}: {all:?}");
        all_are_active(&self.world, what).await;
    }
}

/// A target fails its challenge three times.
pub struct Failure {
    world: World,
}

impl Play for Failure {
    const NAME: &'static str = "failed challenge";

    async fn set() -> Self {
        let world = World::new().await;
        world.sink.answers_challenges([
            Reply::status(500),
            Reply::status(200).saying(r#"{"challenge":"something else"}"#),
            Reply::status(204).saying(""),
        ]);
        asked_for(&world.gateway, &world.sink, json!({})).await;
        Self { world }
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn play(&self) {
        let gateway = &self.world.gateway;
        gateway.drain(gateway.instance(0)).await;
        for _ in 0..2 {
            gateway.advance(SignedDuration::from_secs(30));
            gateway.drain(gateway.instance(0)).await;
        }
    }

    async fn again(&self, _: &Instance) {}

    async fn check(&self, what: &str) {
        let challenges = self.world.sink.challenges();
        assert!(challenges.len() <= 3, "{what}: a fourth request");
        assert!(values_of(&challenges, "webhook-id").len() <= 1, "{what}: two challenges under way");
        let subscriptions = self.world.subscriptions().await;
        assert_eq!(subscriptions.len(), 1, "{what}");
        assert_eq!(subscriptions[0]["state"], "verification_failed", "{what}: {}", subscriptions[0]);
        assert_eq!(subscriptions[0]["verification"]["status"], "failed", "{what}");
        let received = self.world.publish_and_settle().await;
        assert!(received.is_empty(), "{what}: an event for a target that is not proven");
        self.world.nothing_is_left(true, what).await;
    }
}

/// A held subscription is released.
pub struct Release {
    world: World,
    path: String,
}

impl Release {
    async fn release(&self, instance: &Instance) -> StatusCode {
        self.world.call(instance, Method::PATCH, &self.path, json!({"trigger_challenge": true})).await
    }
}

impl Play for Release {
    const NAME: &'static str = "release";

    async fn set() -> Self {
        let world = World::new().await;
        let id = asked_for(&world.gateway, &world.sink, json!({"trigger_challenge": false})).await;
        world.gateway.drain(world.gateway.instance(0)).await;
        assert!(world.sink.challenges().is_empty(), "it is held");
        Self { world, path: format!("{SUBSCRIPTIONS}/{id}") }
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn play(&self) {
        let a = self.world.gateway.instance(0);
        self.release(a).await;
        self.world.gateway.drain(a).await;
    }

    async fn meanwhile(&self) {
        self.release(self.world.gateway.instance(1)).await;
    }

    async fn again(&self, restarted: &Instance) {
        if self.world.successes().is_empty() {
            assert_eq!(self.release(restarted).await, StatusCode::OK);
        }
    }

    async fn check(&self, what: &str) {
        assert_eq!(self.world.subscriptions().await.len(), 1, "{what}");
        all_are_active(&self.world, what).await;
    }
}
