//! What services are asked, and what their answers mean. Nothing is sent: each request is held against what the
//! service's API reference says, and answered as that says. SQS runs against the stand-in as well, in the suite
//! `service_targets` of the crate `hookport-tests`; the other six were not run against anything.

#[path = "requests/answers.rs"]
mod answers;
#[path = "requests/shapes.rs"]
mod not_run_against_the_service;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hookport::aws::clients::{AwsClients, AwsCredentials, AwsSettings};
use hookport::aws::in_process::{self, NoAnswer};
use hookport::domain::id::{DeliveryId, SubscriptionId};
use hookport::domain::target::Target;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use targets::{Parcel, Sent, TargetError, Targets};
use url::form_urlencoded;

/// The delivery of every parcel.
const DELIVERY_AT: i64 = 1_790_000_000;

/// What a service answers.
#[derive(Clone)]
struct Canned {
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: String,
}

fn says(status: u16, body: impl ToString) -> Canned {
    Canned { status, headers: &[], body: body.to_string() }
}

/// An error as services with JSON say it.
fn refuses(status: u16, code: &str) -> Canned {
    says(status, json!({"__type": code, "message": "arn:aws:iam::123456789012:role/secret may not"}))
}

/// A service that answers every call alike, and what it was asked.
struct Service {
    targets: Targets,
    asked: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Service {
    fn answering(answer: Result<Canned, NoAnswer>) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let transport = in_process::transport(move |request| {
            seen.lock().expect("nobody panicked").push(request);
            let answer = answer.clone();
            Box::pin(async move {
                answer.map(|canned| {
                    let mut response = Response::builder().status(canned.status);
                    for (name, value) in canned.headers {
                        response = response.header(*name, *value);
                    }
                    response.body(Bytes::from(canned.body)).expect("an answer")
                })
            })
        });
        let settings = AwsSettings {
            region: "us-east-1".to_owned(),
            endpoint_url: None,
            credentials: AwsCredentials {
                access_key_id: "AKIDEXAMPLE".to_owned(),
                secret_access_key: "key".to_owned().into(),
                session_token: None,
            },
            max_attempts: 3,
            initial_backoff: Duration::from_millis(1),
            report_capacity: false,
        };
        Self { targets: Targets::new(&AwsClients::new(&settings, transport)), asked }
    }

    async fn send(&self, target: Value, parcel: &Parcel) -> Result<Sent, TargetError> {
        let target: Target = serde_json::from_value(target).expect("a target");
        self.targets.send(&target, parcel).await
    }

    /// How many calls were made.
    fn calls(&self) -> usize {
        self.asked.lock().expect("nobody panicked").len()
    }

    /// The one call that was made: signed for the region, from the settings' own credentials.
    #[track_caller]
    fn asked(&self, signed_for: &str) -> Request<Bytes> {
        let mut asked = self.asked.lock().expect("nobody panicked");
        assert_eq!(asked.len(), 1, "a call is made once");
        let request = asked.remove(0);
        let signature = header(&request, "authorization");
        assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signature}");
        assert!(signature.contains(&format!("/eu-central-1/{signed_for}/aws4_request")), "{signature}");
        request
    }
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn body(request: &Request<Bytes>) -> Value {
    serde_json::from_slice(request.body()).expect("JSON")
}

fn form(request: &Request<Bytes>) -> BTreeMap<String, String> {
    form_urlencoded::parse(request.body()).into_owned().collect()
}

fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:eu-central-1:123456789012:{resource}")
}

fn subscription() -> SubscriptionId {
    SubscriptionId::new(at(DELIVERY_AT - 60), 7)
}

fn delivery() -> DeliveryId {
    DeliveryId::new(at(DELIVERY_AT), subscription(), 9)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// What an attempt carries; the body's number is larger than a double holds.
fn parcel() -> Parcel {
    let attributes = [("webhook-id", "evt_1"), ("hookport-attempt", "2"), ("x-team", "orders")];
    Parcel {
        delivery_id: delivery(),
        subscription_id: subscription(),
        id: "evt_1".to_owned(),
        event_type: "order.placed".to_owned(),
        occurred_at: at(DELIVERY_AT),
        entity: Some("order/42".to_owned()),
        body: Bytes::from_static(b"{\"n\": 12345678901234567890123}"),
        content_type: "application/json".to_owned(),
        attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        timeout: Duration::from_secs(5),
    }
}

/// The envelope of [`parcel`], as text: its data is there byte for byte.
fn envelope() -> String {
    format!(
        "{{\"id\":\"evt_1\",\"type\":\"order.placed\",\"timestamp\":\"{}\",\"delivery_id\":\"{}\",\
         \"subscription_id\":\"{}\",\"content_type\":\"application/json\",\
         \"data\":{{\"n\": 12345678901234567890123}}}}",
        at(DELIVERY_AT),
        delivery(),
        subscription(),
    )
}
