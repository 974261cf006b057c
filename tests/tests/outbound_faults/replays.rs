//! Scenarios in which a subscription is recovered: planned and sent, in any order and in that of the events.

use std::collections::HashSet;

use hookport_tests::Instance;
use hookport_tests::gateway::text;
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::play::{Play, every_call_in_every_way, every_call_in_some_way};
use super::world::{EVENT_TYPE, SUBSCRIPTIONS, World, values_of};

#[tokio::test]
async fn what_was_missed_is_sent_once_and_counted_exactly_whatever_call_fails() {
    every_call_in_some_way::<Recovering<false>>().await;
}

#[tokio::test]
async fn what_was_missed_is_sent_once_in_turn_and_counted_exactly_whatever_call_fails() {
    every_call_in_some_way::<Recovering<true>>().await;
}

#[tokio::test]
#[ignore = "takes ten minutes"]
async fn recovering_holds_whatever_call_fails_in_whatever_way() {
    every_call_in_every_way::<Recovering<false>>().await;
    every_call_in_every_way::<Recovering<true>>().await;
}

/// How many events were missed.
const MISSED: usize = 2;

/// A subscription that was disabled while events came is recovered.
pub struct Recovering<const BY_TIME: bool> {
    world: World,
    path: String,
    since: String,
    events: HashSet<String>,
}

impl<const BY_TIME: bool> Recovering<BY_TIME> {
    async fn recover(&self, instance: &Instance) -> StatusCode {
        let order = if BY_TIME { "by_time" } else { "none" };
        let body = json!({"since": self.since, "order": order});
        self.world.post(instance, &format!("{}/recover", self.path), body).await
    }

    async fn replays(&self) -> Vec<Value> {
        self.world.gateway.get("/api/v1/replays?limit=100").await["data"].as_array().expect("a list").clone()
    }
}

impl<const BY_TIME: bool> Play for Recovering<BY_TIME> {
    const NAME: &'static str = if BY_TIME { "recovering in turn" } else { "recovering" };

    async fn set() -> Self {
        let world = World::new().await;
        let gateway = &world.gateway;
        let made = gateway.subscribe(&world.sink, &[EVENT_TYPE], json!({})).await;
        let path = format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]));
        let a = gateway.instance(0);
        assert_eq!(world.post(a, &format!("{path}/disable"), json!({})).await, StatusCode::OK);
        gateway.drain(a).await;
        let since = gateway.clock.now().to_string();
        let mut events = HashSet::new();
        for _ in 0..MISSED {
            gateway.advance(SignedDuration::from_secs(1));
            events.insert(world.publish().await.to_string());
            gateway.drain(a).await;
        }
        assert_eq!(world.post(a, &format!("{path}/enable"), json!({})).await, StatusCode::OK);
        gateway.drain(a).await;
        assert!(world.sink.received().is_empty());
        world.answers.borrow_mut().clear();
        Self { world, path, since, events }
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn play(&self) {
        let gateway = &self.world.gateway;
        self.recover(gateway.instance(0)).await;
        gateway.advance(SignedDuration::from_secs(5));
        gateway.drain(gateway.instance(0)).await;
    }

    /// Whoever was not answered asks again. What is there already is then not missing.
    async fn again(&self, restarted: &Instance) {
        if self.world.successes().is_empty() {
            assert_eq!(self.recover(restarted).await, StatusCode::ACCEPTED);
        }
    }

    async fn check(&self, what: &str) {
        let received = self.world.sink.received();
        assert_eq!(values_of(&received, "webhook-id"), self.events, "{what}: each that was missed, and no other");
        let deliveries = self.world.deliveries().await;
        assert_eq!(deliveries.len(), MISSED, "{what}: {deliveries:?}");
        for delivery in &deliveries {
            assert_eq!(delivery["state"], "delivered", "{what}: {delivery}");
        }
        let mut all_sent = 0;
        let replays = self.replays().await;
        for replay in &replays {
            assert_eq!(replay["state"], "done", "{what}: {replay}");
            let counts = &replay["counts"];
            let skipped: u64 = counts["skipped"].as_object().expect("reasons").values().filter_map(Value::as_u64).sum();
            let sent = counts["sent"].as_u64().expect("a number");
            assert_eq!(counts["matched"], sent + skipped, "{what}: {replay}");
            all_sent += sent;
        }
        assert_eq!(all_sent, MISSED as u64, "{what}: each is counted once: {replays:?}");
        self.world.nothing_is_left(false, what).await;
    }
}
