//! Scenarios in which an event is on its way: published with a key, answered for later, held and released.

use std::cell::RefCell;
use std::collections::HashSet;

use hookport_tests::Instance;
use hookport_tests::gateway::text;
use hookport_tests::senders::hmac_sha256;
use hookport_tests::sink::Reply;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::play::Play;
use super::world::{EVENT_TYPE, SUBSCRIPTIONS, World, values_of};

/// A subscription that is active, as it was made.
async fn subscribed(world: &World) -> Value {
    world.gateway.subscribe(&world.sink, &[EVENT_TYPE], json!({})).await
}

/// An event is published with a key, and its publisher comes again.
pub struct Publishing {
    world: World,
}

impl Publishing {
    async fn publish(&self, instance: &Instance) -> StatusCode {
        let body = json!({"type": EVENT_TYPE, "data": {"ticket": 42}, "idempotency_key": "ticket-42"});
        self.world.post(instance, "/api/v1/events", body).await
    }
}

impl Play for Publishing {
    const NAME: &'static str = "publishing";

    async fn set() -> Self {
        let world = World::new().await;
        subscribed(&world).await;
        Self { world }
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn play(&self) {
        let gateway = &self.world.gateway;
        self.publish(gateway.instance(0)).await;
        self.publish(gateway.instance(1)).await;
        gateway.drain(gateway.instance(0)).await;
    }

    async fn meanwhile(&self) {
        self.publish(self.world.gateway.instance(1)).await;
    }

    async fn again(&self, restarted: &Instance) {
        if self.world.successes().is_empty() {
            assert_eq!(self.publish(restarted).await, StatusCode::ACCEPTED);
        }
    }

    async fn check(&self, what: &str) {
        let accepted = self.world.successes();
        let id = text(&accepted[0]["data"]["id"]);
        assert!(accepted.iter().all(|answer| answer["data"]["id"] == id), "{what}: one event per key: {accepted:?}");
        let first_ones = accepted.iter().filter(|answer| answer["data"]["duplicate"] == false).count();
        assert!(first_ones <= 1, "{what}: one of them was the first: {accepted:?}");
        let deliveries = self.world.deliveries().await;
        assert_eq!(deliveries.len(), 1, "{what}: {deliveries:?}");
        assert_eq!(deliveries[0]["event_id"], id, "{what}");
        assert_eq!(deliveries[0]["state"], "delivered", "{what}: {}", deliveries[0]);
        assert_eq!(values_of(&self.world.sink.received(), "webhook-id"), HashSet::from([id]), "{what}");
        self.world.nothing_is_left(false, what).await;
    }
}

/// A target takes an event and tells later that it is done.
pub struct Callback {
    world: World,
    secret: String,
    /// What the target was answered.
    told: RefCell<Vec<(StatusCode, Value)>>,
}

impl Callback {
    /// The target tells that it is done, if it has got anything.
    async fn tell(&self, instance: &Instance) {
        let received = self.world.sink.received();
        let Some(first) = received.first() else { return };
        let path = format!("/webhook-deliveries/{}/status", first.header("hookport-delivery-id"));
        let body = json!({"status": "completed", "status_message": "done"}).to_string();
        let signature = format!("sha256={}", hex::encode(hmac_sha256(&self.secret, body.as_bytes())));
        let headers = [("x-webhook-signature", signature)];
        let answer = self.world.ask(instance, Method::POST, &path, &headers, body).await;
        self.told.borrow_mut().push(answer);
    }

    /// Whether it need not tell again.
    fn is_done(&self) -> bool {
        let told = self.told.borrow();
        told.iter().any(|(status, answer)| status.is_success() || answer["error"]["code"] == "delivery_ended")
    }
}

impl Play for Callback {
    const NAME: &'static str = "callback";

    async fn set() -> Self {
        let world = World::new().await;
        let secret = text(&subscribed(&world).await["secret"]);
        world.sink.replies([Reply::status(202).with("hookport-callback", "async")]);
        world.publish().await;
        Self { world, secret, told: RefCell::default() }
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn play(&self) {
        let a = self.world.gateway.instance(0);
        self.world.gateway.drain(a).await;
        self.tell(a).await;
    }

    /// It tells again until it is heard, for less time than its silence is borne. Meanwhile leases run out: if nobody
    /// knows of its first answer, the next attempt is answered at once, and there is nothing left to tell.
    async fn again(&self, restarted: &Instance) {
        let gateway = &self.world.gateway;
        for _ in 0..6 {
            gateway.drain(restarted).await;
            self.tell(restarted).await;
            let deliveries = self.world.deliveries().await;
            if self.is_done() || deliveries.iter().any(|delivery| delivery["state"] == "delivered") {
                return;
            }
            gateway.advance(SignedDuration::from_mins(2));
            gateway.tick(restarted).await;
        }
        panic!("the target is never heard: {:?}", self.told.borrow());
    }

    async fn check(&self, what: &str) {
        for (status, answer) in self.told.borrow().iter() {
            let is_known = matches!(
                *status,
                StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT | StatusCode::NOT_FOUND
            );
            assert!(is_known, "{what}: {status} {answer}");
        }
        let deliveries = self.world.deliveries().await;
        assert_eq!(deliveries.len(), 1, "{what}: {deliveries:?}");
        let was_taken = self.told.borrow().iter().any(|(status, _)| status.is_success());
        let state = text(&deliveries[0]["state"]);
        match state.as_str() {
            "delivered" => {}
            // It could not be heard within 15 minutes, and nobody told it otherwise.
            "exhausted" if self.world.was_held_long.get() && !was_taken => {}
            _ => panic!("{what}: {}", deliveries[0]),
        }
        assert_eq!(values_of(&self.world.sink.received(), "webhook-id").len(), 1, "{what}");
        self.world.nothing_is_left(false, what).await;
    }
}

/// Two events come while a subscription is paused, and it is resumed.
pub struct Pausing {
    world: World,
    path: String,
}

impl Pausing {
    async fn resume(&self, instance: &Instance) -> StatusCode {
        self.world.post(instance, &format!("{}/resume", self.path), json!({})).await
    }
}

impl Play for Pausing {
    const NAME: &'static str = "pausing";

    async fn set() -> Self {
        let world = World::new().await;
        let path = format!("{SUBSCRIPTIONS}/{}", text(&subscribed(&world).await["data"]["id"]));
        let a = world.gateway.instance(0);
        assert_eq!(world.post(a, &format!("{path}/pause"), json!({})).await, StatusCode::OK);
        world.gateway.drain(a).await;
        world.publish().await;
        world.publish().await;
        world.answers.borrow_mut().clear();
        Self { world, path }
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn play(&self) {
        let a = self.world.gateway.instance(0);
        self.world.gateway.drain(a).await;
        self.resume(a).await;
        self.world.gateway.drain(a).await;
    }

    async fn again(&self, restarted: &Instance) {
        if self.world.successes().is_empty() {
            assert_eq!(self.resume(restarted).await, StatusCode::OK);
        }
    }

    async fn check(&self, what: &str) {
        let found = self.world.gateway.get(&self.path).await["data"].clone();
        assert_eq!((&found["state"], &found["is_draining"]), (&json!("active"), &json!(false)), "{what}: {found}");
        let deliveries = self.world.deliveries().await;
        assert_eq!(deliveries.len(), 2, "{what}: {deliveries:?}");
        for delivery in &deliveries {
            assert_eq!(delivery["state"], "delivered", "{what}: {delivery}");
        }
        assert_eq!(values_of(&self.world.sink.received(), "webhook-id").len(), 2, "{what}: both came");
        self.world.nothing_is_left(false, what).await;
    }
}
