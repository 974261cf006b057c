//! Scenarios in which deliveries keep an order: lining up, going on after a failure, resting during a pause.

use hookport_tests::Instance;
use hookport_tests::gateway::text;
use hookport_tests::sink::SinkRequest;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::play::{Play, every_call_in_every_way, every_call_in_some_way};
use super::world::{EVENT_TYPE, SUBSCRIPTIONS, World};

#[tokio::test]
async fn what_is_lined_up_is_delivered_once_whatever_call_fails() {
    every_call_in_some_way::<LiningUp>().await;
}

#[tokio::test]
async fn a_lane_goes_on_in_order_whatever_call_fails() {
    every_call_in_some_way::<GoingOn>().await;
}

#[tokio::test]
async fn resting_lanes_go_on_in_order_whatever_call_fails() {
    every_call_in_some_way::<Resting>().await;
}

/// A20: what is not sent is cancelled.
#[tokio::test]
async fn a20_deleting_a_subscription_ends_its_lanes_whatever_call_fails() {
    every_call_in_some_way::<Deleting>().await;
}

#[tokio::test]
#[ignore = "takes ten minutes"]
async fn lanes_hold_whatever_call_fails_in_whatever_way() {
    every_call_in_every_way::<LiningUp>().await;
    every_call_in_every_way::<GoingOn>().await;
    every_call_in_every_way::<Resting>().await;
    every_call_in_every_way::<Deleting>().await;
}

/// A subscription whose events about one entity are sent in order, and what was published for it.
struct Lanes {
    world: World,
    path: String,
    /// Entities and the ids of their events, in the order of their coming.
    events: Vec<(&'static str, String)>,
}

impl Lanes {
    async fn new() -> Self {
        let world = World::new().await;
        let ordering = json!({"ordering": {"by": "entity", "settle_seconds": 0}});
        let made = world.gateway.subscribe(&world.sink, &[EVENT_TYPE], ordering).await;
        let path = format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]));
        Self { world, path, events: Vec::new() }
    }

    /// An event about an entity is published, a moment after whatever was before, and nothing follows.
    async fn publish(&mut self, entity: &'static str) {
        let gateway = &self.world.gateway;
        gateway.advance(SignedDuration::from_millis(10));
        let body = json!({"type": EVENT_TYPE, "data": {}, "entity_type": "ticket", "entity_id": entity});
        let (status, answer) = gateway.api(Method::POST, "/api/v1/events", gateway.admin_token(), Some(body)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        self.events.push((entity, text(&answer["data"]["id"])));
    }

    /// The same, and the first instance works the queues.
    async fn happens(&mut self, entity: &'static str) {
        self.publish(entity).await;
        self.world.gateway.drain(self.world.gateway.instance(0)).await;
    }

    /// Everything was delivered, and nothing waits.
    async fn all_is_delivered(&self, what: &str) {
        let deliveries = self.world.deliveries().await;
        assert_eq!(deliveries.len(), self.events.len(), "{what}: {deliveries:?}");
        for delivery in &deliveries {
            assert_eq!(delivery["state"], "delivered", "{what}: {delivery}");
            let attempts = delivery["attempts"].as_array().expect("a list");
            let numbers: Vec<_> = attempts.iter().map(|attempt| attempt["n"].as_u64()).collect();
            let expected: Vec<_> = (1..=attempts.len() as u64).map(Some).collect();
            assert_eq!(numbers, expected, "{what}: each attempt is recorded once");
        }
        self.world.nothing_is_left(false, what).await;
    }

    /// The events of each entity came in their order, all attempts of one before the first of the next.
    fn order_was_kept(&self, what: &str) {
        let received = self.world.sink.received();
        for entity in ["x", "y"] {
            let of_lane: Vec<_> = self.events.iter().filter(|(of, _)| *of == entity).map(|(_, id)| id).collect();
            let mut came: Vec<_> = received.iter().map(event).filter(|id| of_lane.contains(&id)).collect();
            came.dedup();
            assert_eq!(came.iter().collect::<Vec<_>>(), of_lane, "{what}: {entity}");
        }
    }
}

fn event(request: &SinkRequest) -> String {
    request.header("webhook-id").to_owned()
}

/// Three events are published and come to stand in their lanes.
struct LiningUp(Lanes);

impl Play for LiningUp {
    const NAME: &'static str = "lining up";

    async fn set() -> Self {
        let mut lanes = Lanes::new().await;
        for entity in ["x", "y", "x"] {
            lanes.publish(entity).await;
        }
        Self(lanes)
    }

    fn world(&self) -> &World {
        &self.0.world
    }

    async fn play(&self) {
        let gateway = &self.world().gateway;
        gateway.drain(gateway.instance(0)).await;
    }

    async fn again(&self, _: &Instance) {}

    /// An event that is lined up late goes when it comes, so nothing is said of the order here.
    async fn check(&self, what: &str) {
        self.0.all_is_delivered(what).await;
    }
}

/// The first of a lane has failed, two wait behind it, and its next attempt falls due.
struct GoingOn(Lanes);

impl Play for GoingOn {
    const NAME: &'static str = "going on in a lane";

    async fn set() -> Self {
        let mut lanes = Lanes::new().await;
        lanes.world.sink.answers([500]);
        for entity in ["x", "x", "x", "y"] {
            lanes.happens(entity).await;
        }
        assert_eq!(lanes.world.sink.received().len(), 2, "the first of each lane was sent");
        Self(lanes)
    }

    fn world(&self) -> &World {
        &self.0.world
    }

    async fn play(&self) {
        let gateway = &self.world().gateway;
        gateway.advance(SignedDuration::from_secs(7));
        gateway.drain(gateway.instance(0)).await;
    }

    async fn again(&self, _: &Instance) {}

    async fn check(&self, what: &str) {
        self.0.all_is_delivered(what).await;
        self.0.order_was_kept(what);
    }
}

/// Two events stand in a lane that rests during a pause, and the subscription is resumed.
struct Resting(Lanes);

impl Resting {
    async fn resume(&self, instance: &Instance) -> StatusCode {
        self.world().post(instance, &format!("{}/resume", self.0.path), json!({})).await
    }
}

impl Play for Resting {
    const NAME: &'static str = "resting lanes";

    async fn set() -> Self {
        let mut lanes = Lanes::new().await;
        let a = lanes.world.gateway.instance(0);
        let status = lanes.world.post(a, &format!("{}/pause", lanes.path), json!({})).await;
        assert_eq!(status, StatusCode::OK);
        lanes.world.gateway.drain(a).await;
        for entity in ["x", "y", "x"] {
            lanes.happens(entity).await;
        }
        assert!(lanes.world.sink.received().is_empty(), "nothing is sent during a pause");
        lanes.world.answers.borrow_mut().clear();
        Self(lanes)
    }

    fn world(&self) -> &World {
        &self.0.world
    }

    async fn play(&self) {
        let a = self.world().gateway.instance(0);
        self.resume(a).await;
        self.world().gateway.drain(a).await;
    }

    async fn again(&self, restarted: &Instance) {
        if self.world().successes().is_empty() {
            assert_eq!(self.resume(restarted).await, StatusCode::OK);
        }
    }

    async fn check(&self, what: &str) {
        let found = self.world().gateway.get(&self.0.path).await["data"].clone();
        assert_eq!((&found["state"], &found["is_draining"]), (&json!("active"), &json!(false)), "{what}: {found}");
        self.0.all_is_delivered(what).await;
        self.0.order_was_kept(what);
    }
}

/// A subscription is deleted while two events stand in a lane of it.
struct Deleting(Lanes);

impl Deleting {
    async fn delete(&self, instance: &Instance) -> StatusCode {
        self.world().call(instance, Method::DELETE, &self.0.path, Value::Null).await
    }
}

impl Play for Deleting {
    const NAME: &'static str = "deleting lanes";

    async fn set() -> Self {
        let mut lanes = Lanes::new().await;
        lanes.world.sink.answers([500]);
        for entity in ["x", "x"] {
            lanes.happens(entity).await;
        }
        Self(lanes)
    }

    fn world(&self) -> &World {
        &self.0.world
    }

    async fn play(&self) {
        let a = self.world().gateway.instance(0);
        self.delete(a).await;
        self.world().gateway.drain(a).await;
    }

    /// Who was answered 503 deletes it again; that it is gone by now says that it was done.
    async fn again(&self, restarted: &Instance) {
        if self.world().successes().is_empty() {
            let status = self.delete(restarted).await;
            assert!(matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_FOUND), "{status}");
            self.world().answers.borrow_mut().retain(|(status, _)| *status != StatusCode::NOT_FOUND);
        }
    }

    async fn check(&self, what: &str) {
        let deliveries = self.world().deliveries().await;
        assert_eq!(deliveries.len(), 2, "{what}: {deliveries:?}");
        for delivery in &deliveries {
            // While the call that deletes it is held, what waits for its next attempt is delivered.
            let state = text(&delivery["state"]);
            assert!(["cancelled", "delivered"].contains(&state.as_str()), "{what}: {delivery}");
        }
        self.0.world.nothing_is_left(false, what).await;
        let came: Vec<_> = self.world().sink.received().iter().map(event).collect();
        assert!(came.is_sorted_by_key(|id| self.0.events.iter().position(|(_, of)| of == id)), "{what}: {came:?}");
    }
}
