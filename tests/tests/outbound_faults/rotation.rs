//! The scenario in which a subscription gets another secret.

use hookport_tests::Instance;
use hookport_tests::gateway::text;
use hookport_tests::sink::SinkRequest;
use http::StatusCode;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use super::play::Play;
use super::world::{EVENT_TYPE, SUBSCRIPTIONS, World, values_of};

/// The secret that takes the place of the first one.
const NEW: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// An active subscription gets another secret, which its target proves while the old one still signs.
pub struct Rotation {
    world: World,
    path: String,
    version: Value,
}

impl Rotation {
    async fn rotate(&self, instance: &Instance) -> StatusCode {
        let body = json!({"secret": NEW, "overlap_hours": 24});
        self.world.post(instance, &format!("{}/rotate-secret", self.path), body).await
    }
}

/// Tells whether one of the signatures of a request was made with the new secret.
fn is_signed_with_new(request: &SinkRequest) -> bool {
    let oracle = Webhook::new(NEW).expect("a secret");
    let at = request.header("webhook-timestamp").parse().expect("seconds");
    let expected = oracle.sign(request.header("webhook-id"), at, &request.body).expect("a signature");
    request.header("webhook-signature").split(' ').any(|signature| signature == expected)
}

impl Play for Rotation {
    const NAME: &'static str = "rotation";

    async fn set() -> Self {
        let world = World::new().await;
        let made = world.gateway.subscribe(&world.sink, &[EVENT_TYPE], json!({})).await;
        let path = format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]));
        let version = world.gateway.get(&path).await["data"]["version"].clone();
        assert_eq!(world.sink.challenges().len(), 1, "it has proven itself with its first secret");
        Self { world, path, version }
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn play(&self) {
        let a = self.world.gateway.instance(0);
        self.rotate(a).await;
        self.world.gateway.drain(a).await;
    }

    /// Who was answered 503 looks whether it was done: doing it twice would end the overlap with the first secret.
    async fn again(&self, restarted: &Instance) {
        let found = self.world.gateway.get(&self.path).await;
        if found["data"]["version"] == self.version {
            assert_eq!(self.rotate(restarted).await, StatusCode::OK);
        }
    }

    async fn check(&self, what: &str) {
        let found = self.world.gateway.get(&self.path).await["data"].clone();
        assert_eq!(found["state"], "active", "{what}: {found}");
        assert_eq!(found["verification"]["purpose"], "rotation", "{what}: {found}");
        assert_eq!(found["verification"]["status"], "passed", "{what}: {found}");
        assert!(found["previous_secret_until"].is_string(), "{what}: both secrets sign: {found}");
        let challenges = self.world.sink.challenges().split_off(1);
        assert_eq!(values_of(&challenges, "webhook-id").len(), 1, "{what}: one challenge for the new secret");
        assert!(challenges.iter().all(is_signed_with_new), "{what}: it is the new secret that is proven");
        let received = self.world.publish_and_settle().await;
        assert_eq!(received.len(), 1, "{what}: the event came once");
        assert!(received.iter().all(is_signed_with_new), "{what}: the new secret signs");
        self.world.nothing_is_left(false, what).await;
    }
}
