//! What a scenario is played in: a gateway of two instances, a sink, and what callers were answered.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use bytes::Bytes;
use hookport::domain::id::EventId;
use hookport::domain::task::Task;
use hookport::domain::text::TenantSlug;
use hookport::store::{DUE_SHARDS, DueThing};
use hookport_tests::gateway::{TENANT, text};
use hookport_tests::sink::SinkRequest;
use hookport_tests::{Instance, Sink, TestGateway};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// The one type of event that is published.
pub const EVENT_TYPE: &str = "ticket.created";
/// Where subscriptions are made and found.
pub const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";

/// A gateway of two instances, a sink, and what callers were answered.
pub struct World {
    pub gateway: TestGateway,
    pub sink: Sink,
    /// What the admin API answered, in order.
    pub answers: RefCell<Vec<(StatusCode, Value)>>,
    /// Whether a call was held for longer than any silence is borne.
    pub was_held_long: Cell<bool>,
}

impl World {
    /// A gateway that knows the event type.
    pub async fn new() -> Self {
        let gateway = TestGateway::with_instances(&["a", "b"]).await;
        gateway.create("/api/v1/event-types", json!({"ref": EVENT_TYPE})).await;
        let sink = Sink::start().await;
        Self { gateway, sink, answers: RefCell::default(), was_held_long: Cell::new(false) }
    }

    /// Asks the API of one instance, without a note of the answer.
    pub async fn ask(
        &self,
        instance: &Instance,
        method: Method,
        path: &str,
        headers: &[(&str, String)],
        body: String,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Bytes::from(body)).expect("a request");
        let response = management::handle(&instance.management, request).await;
        (response.status(), serde_json::from_slice(response.body()).unwrap_or_default())
    }

    /// Posts to the admin API of one instance and notes the answer.
    pub async fn post(&self, instance: &Instance, path: &str, body: Value) -> StatusCode {
        self.call(instance, Method::POST, path, body).await
    }

    /// Calls the admin API of one instance and notes the answer.
    pub async fn call(&self, instance: &Instance, method: Method, path: &str, body: Value) -> StatusCode {
        let bearer = (AUTHORIZATION.as_str(), format!("Bearer {}", self.gateway.admin_token()));
        let (status, answer) = self.ask(instance, method, path, &[bearer], body.to_string()).await;
        self.answers.borrow_mut().push((status, answer));
        status
    }

    /// The bodies of the successes that were noted.
    pub fn successes(&self) -> Vec<Value> {
        let answers = self.answers.borrow();
        answers.iter().filter(|(status, _)| status.is_success()).map(|(_, answer)| answer.clone()).collect()
    }

    /// Publishes an event where nothing fails, and gives its id.
    pub async fn publish(&self) -> EventId {
        let body = json!({"type": EVENT_TYPE, "data": {"ticket": 42}});
        let token = self.gateway.admin_token();
        let (status, answer) = self.gateway.api(Method::POST, "/api/v1/events", token, Some(body)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        text(&answer["data"]["id"]).parse().expect("the id of an event")
    }

    /// Publishes an event where nothing fails, and gives what the sink got of it.
    pub async fn publish_and_settle(&self) -> Vec<SinkRequest> {
        let id = self.publish().await.to_string();
        self.gateway.settle(self.gateway.instance(0)).await;
        let mut received = self.sink.received();
        received.retain(|request| request.header("webhook-id") == id);
        received
    }

    /// The deliveries of events of the one type.
    pub async fn deliveries(&self) -> Vec<Value> {
        let path = format!("/api/v1/deliveries?limit=100&kind=event&event_type={EVENT_TYPE}");
        self.gateway.get(&path).await["data"].as_array().expect("a list").clone()
    }

    /// All subscriptions.
    pub async fn subscriptions(&self) -> Vec<Value> {
        self.gateway.get(&format!("{SUBSCRIPTIONS}?limit=100")).await["data"].as_array().expect("a list").clone()
    }

    /// Management calls that fail answer 503, so that callers ask again.
    pub fn refusals_ask_to_come_again(&self, what: &str) {
        for (status, answer) in self.answers.borrow().iter().filter(|(status, _)| !status.is_success()) {
            assert_eq!(*status, StatusCode::SERVICE_UNAVAILABLE, "{what}: {answer}");
            assert_eq!(answer["error"]["code"], "unavailable", "{what}: {answer}");
        }
    }

    /// No attempt, of a challenge or of an event, reached the sink twice.
    pub fn no_attempt_was_sent_twice(&self, what: &str) {
        let mut seen = HashSet::new();
        for request in self.sink.received().iter().chain(&self.sink.challenges()) {
            let name =
                ["webhook-id", "hookport-subscription-id", "hookport-attempt"].map(|h| request.header(h).to_owned());
            assert!(seen.insert(name.clone()), "{what}: sent twice: {name:?}");
        }
    }

    /// Nothing waits for its time or for a sender that died; upkeep only where a subscription has an end.
    pub async fn nothing_is_left(&self, may_have_upkeep: bool, what: &str) {
        let store = &self.gateway.instance(0).management_app.store;
        let in_a_year = self.gateway.clock.now().saturating_add(SignedDuration::from_hours(24 * 365));
        let in_a_year = in_a_year.expect("a time in range");
        for shard in 0..DUE_SHARDS {
            for due in store.due(shard, in_a_year, 100).await.expect("the index answers") {
                match store.due_thing(&due, in_a_year).await.expect("the table answers") {
                    None => {}
                    Some(DueThing::Task(_)) if may_have_upkeep => {}
                    // What failed is watched until it is over for a while; that is no delivery.
                    Some(DueThing::Task(due)) if matches!(due.task, Task::Issue(_)) => {}
                    Some(thing) => panic!("{what}: left behind: {thing:?}"),
                }
            }
        }
    }
}

/// The one tenant.
pub fn tenant() -> TenantSlug {
    TenantSlug::try_from(TENANT.to_owned()).expect("a slug")
}

/// Different values of a header.
pub fn values_of(requests: &[SinkRequest], header: &str) -> HashSet<String> {
    requests.iter().map(|request| request.header(header).to_owned()).collect()
}
