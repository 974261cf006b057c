//! The scenario in which a listener registers itself and is let in.

use hookport_tests::Instance;
use hookport_tests::gateway::text;
use hookport_tests::sink::SinkRequest;
use http::header::AUTHORIZATION;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use super::play::Play;
use super::world::{EVENT_TYPE, SUBSCRIPTIONS, World, values_of};

const TOKENS: &str = "/api/v1/registration-tokens";
const CHALLENGE: &str = "the-listener-alone-knows-this";

/// A listener uses a token that is good for one use; an admin lets its subscription in.
pub struct Registration {
    world: World,
    token: String,
    token_path: String,
}

impl Registration {
    async fn register(&self, instance: &Instance) -> StatusCode {
        let body = json!({
            "name": "listener",
            "url": self.world.sink.url("/hook"),
            "events": [EVENT_TYPE],
            "challenge": CHALLENGE,
        });
        let bearer = (AUTHORIZATION.as_str(), format!("Bearer {}", self.token));
        let path = "/api/v1/registrations";
        let answer = self.world.ask(instance, Method::POST, path, &[bearer], body.to_string()).await;
        let status = answer.0;
        self.world.answers.borrow_mut().push(answer);
        status
    }

    /// The answers that registered, which are alike.
    fn registered(&self) -> Vec<Value> {
        let mut answers = self.world.successes();
        answers.retain(|answer| answer["secret"].is_string());
        answers
    }

    fn path(&self) -> Option<String> {
        self.registered().first().map(|answer| format!("{SUBSCRIPTIONS}/{}", text(&answer["data"]["id"])))
    }

    async fn approve(&self, instance: &Instance) -> StatusCode {
        let path = self.path().expect("it was registered");
        self.world.post(instance, &format!("{path}/approve"), json!({})).await
    }

    /// How often something was recorded.
    async fn recorded(&self, action: &str) -> usize {
        let found = self.world.gateway.get(&format!("/api/v1/audit?limit=100&action={action}")).await;
        found["data"].as_array().expect("a list").len()
    }
}

fn is_signed(secret: &Value, request: &SinkRequest) -> bool {
    let oracle = Webhook::new(&text(secret)).expect("a secret");
    let at = request.header("webhook-timestamp").parse().expect("seconds");
    let expected = oracle.sign(request.header("webhook-id"), at, &request.body).expect("a signature");
    request.header("webhook-signature").split(' ').any(|signature| signature == expected)
}

impl Play for Registration {
    const NAME: &'static str = "registration";

    async fn set() -> Self {
        let world = World::new().await;
        let made = world.gateway.create(TOKENS, json!({"name": "listener", "events": [EVENT_TYPE]})).await;
        let token_path = format!("{TOKENS}/{}", text(&made["data"]["id"]));
        Self { world, token: text(&made["token"]), token_path }
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn play(&self) {
        let a = self.world.gateway.instance(0);
        if self.register(a).await == StatusCode::CREATED {
            self.world.gateway.drain(a).await;
            self.approve(a).await;
            self.world.gateway.drain(a).await;
        }
    }

    /// The listener asks again for the answer that it has lost; the admin looks whether it waits.
    async fn again(&self, restarted: &Instance) {
        let token = self.world.gateway.get(&self.token_path).await["data"].clone();
        let made = self.world.subscriptions().await.len();
        assert_eq!(token["uses"], json!(made), "the token is used exactly when the subscription exists");
        if self.registered().is_empty() {
            assert_eq!(self.register(restarted).await, StatusCode::CREATED);
        }
        let found = self.world.gateway.get(&self.path().expect("it was registered")).await;
        if found["data"]["state"] == "awaiting_approval" {
            assert_eq!(self.approve(restarted).await, StatusCode::OK);
        }
    }

    async fn check(&self, what: &str) {
        let subscriptions = self.world.subscriptions().await;
        assert_eq!(subscriptions.len(), 1, "{what}: {subscriptions:?}");
        assert_eq!(subscriptions[0]["state"], "active", "{what}: {subscriptions:?}");
        let token = self.world.gateway.get(&self.token_path).await["data"].clone();
        assert_eq!((&token["uses"], &token["state"]), (&json!(1), &json!("used")), "{what}: {token}");
        for (action, times) in [("registration.used", 1), ("subscription.approved", 1)] {
            assert_eq!(self.recorded(action).await, times, "{what}: {action}");
        }
        let settings = self.world.gateway.get("/api/v1/registration-settings").await;
        assert_eq!(settings["data"]["waiting"], json!(0), "{what}: {settings}");

        let challenges = self.world.sink.challenges();
        assert_eq!(values_of(&challenges, "webhook-id").len(), 1, "{what}: one challenge");
        let received = self.world.publish_and_settle().await;
        assert_eq!(received.len(), 1, "{what}: the event came once");
        for answer in self.registered() {
            assert_eq!(answer["data"]["id"], subscriptions[0]["id"], "{what}: one subscription");
            assert!(is_signed(&answer["secret"], &received[0]), "{what}: the secret that was answered signs");
            assert!(challenges.iter().all(|one| is_signed(&answer["secret"], one)), "{what}: of the challenge too");
        }
        self.world.nothing_is_left(false, what).await;
    }
}
