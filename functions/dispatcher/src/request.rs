//! What is sent to a target, and what is kept of its answer.

use std::time::Duration;

use bytes::Bytes;
use hookport::domain::attempt::{Answer, Outcome};
use hookport::domain::delivery::{Delivery, DeliveryKind};
use hookport::domain::subscription::{Purpose, Subscription};
use hookport::egress::{self, EgressError, OutgoingRequest, OutgoingResponse, Timeouts};
use hookport::signature::challenge::{MAX_ANSWER_BYTES, challenge_body};
use hookport::signature::standard::SigningKeys;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use serde_json::json;

use crate::event::Event;

const AGENT: HeaderValue = HeaderValue::from_static(egress::AGENT);
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const EVENT_TYPE: HeaderName = HeaderName::from_static("hookport-event-type");
const DELIVERY_ID: HeaderName = HeaderName::from_static("hookport-delivery-id");
const SUBSCRIPTION_ID: HeaderName = HeaderName::from_static("hookport-subscription-id");
const ATTEMPT: HeaderName = HeaderName::from_static("hookport-attempt");

/// How long a challenge may take: to the answer's head, and in all.
const CHALLENGE_TIMEOUTS: Timeouts = Timeouts { head: Duration::from_secs(5), total: Duration::from_secs(10) };

/// The headers of an answer that are kept: they say who answered, and what it asks for.
const TELLING: [&str; 8] = [
    "content-type",
    "retry-after",
    "location",
    "server",
    "www-authenticate",
    "x-request-id",
    "x-amzn-requestid",
    "cf-ray",
];
/// The longest value of a header that is kept, in bytes.
const MAX_KEPT_HEADER_BYTES: usize = 128;

/// What an attempt carries, before it is signed.
pub(crate) struct Parcel {
    body: Bytes,
    content_type: HeaderValue,
    /// What the signature and `webhook-id` name it by.
    id: String,
    event_type: String,
}

impl Parcel {
    /// An event as the subscription wants it.
    pub(crate) fn of_event(event: &Event, subscription: &Subscription) -> Self {
        let (body, content_type) = subscription.settings.payload.render(&event.content());
        let content_type = content_type.as_deref().and_then(|text| HeaderValue::from_str(text).ok());
        Self {
            body,
            content_type: content_type.unwrap_or(OCTETS),
            id: event.id.to_string(),
            event_type: event.event_type.to_string(),
        }
    }

    /// The challenge that the subscription's target has to echo; `None` when none is under way.
    pub(crate) fn of_challenge(delivery: &Delivery, subscription: &Subscription) -> Option<Self> {
        let challenge = subscription.verification.challenge.as_ref()?;
        Some(Self {
            body: challenge_body(challenge.as_str()),
            content_type: JSON,
            id: delivery.event_id.to_string(),
            event_type: "webhook.challenge".to_owned(),
        })
    }

    /// A try by hand.
    pub(crate) fn of_test(delivery: &Delivery, subscription: &Subscription) -> Self {
        let body = json!({
            "type": "test",
            "subscription_id": subscription.id,
            "timestamp": delivery.event_id.created_at().to_string(),
            "message": "This is a test of the subscription. Nothing happened.",
        });
        Self {
            body: body.to_string().into(),
            content_type: JSON,
            id: delivery.event_id.to_string(),
            event_type: delivery.event_type.to_string(),
        }
    }

    /// The request of attempt `n`, signed anew.
    pub(crate) fn request(
        self,
        delivery: &Delivery,
        n: u32,
        subscription: &Subscription,
        keys: &SigningKeys,
        at: Timestamp,
    ) -> OutgoingRequest {
        let is_challenge = delivery.kind == DeliveryKind::Challenge;
        let signature = if is_challenge && subscription.verification.purpose == Purpose::Rotation {
            // The new secret has to be proven, not the one that still signs beside it.
            keys.current().sign(&self.id, at, &self.body)
        } else {
            keys.sign(&self.id, at, &self.body)
        };
        let settings = &subscription.settings;
        let mut headers: HeaderMap = settings.headers.iter().collect();
        headers.entry(USER_AGENT).or_insert(AGENT);
        // What the gateway says is put in last, so that nothing can stand in its place.
        headers.insert(CONTENT_TYPE, self.content_type);
        headers.insert(WEBHOOK_TIMESTAMP, HeaderValue::from(at.as_second()));
        headers.insert(ATTEMPT, HeaderValue::from(n));
        let texts = [
            (WEBHOOK_ID, self.id),
            (WEBHOOK_SIGNATURE, signature),
            (EVENT_TYPE, self.event_type),
            (DELIVERY_ID, delivery.id.to_string()),
            (SUBSCRIPTION_ID, subscription.id.to_string()),
        ];
        for (name, text) in texts {
            headers.insert(name, HeaderValue::try_from(text).expect("ids, types and base64 are header text"));
        }
        let timeout = settings.timeout();
        OutgoingRequest {
            method: Method::POST,
            url: settings.url.clone(),
            headers,
            body: self.body,
            timeouts: Some(if is_challenge { CHALLENGE_TIMEOUTS } else { Timeouts { head: timeout, total: timeout } }),
            max_response_bytes: is_challenge.then_some(MAX_ANSWER_BYTES),
        }
    }
}

/// What is kept of an answer: the first `most` bytes of its body. `fault` says why it counts as a failure although its
/// status is a success.
pub(crate) fn kept(response: &OutgoingResponse, most: usize, fault: Option<String>) -> Outcome {
    let beginning = &response.body[..response.body.len().min(most)];
    let body = String::from_utf8_lossy(beginning);
    let headers = TELLING.iter().filter_map(|name| {
        let value = response.headers.get(*name)?.to_str().ok()?;
        let end = value.floor_char_boundary(MAX_KEPT_HEADER_BYTES);
        Some(((*name).to_owned(), value[..end].to_owned()))
    });
    Outcome::Answered(Answer {
        status: response.status.as_u16(),
        headers: headers.collect(),
        body: (!body.is_empty()).then(|| body.into_owned()),
        is_cut: response.truncated || response.body.len() > most,
        fault,
    })
}

/// What is kept of an answer to a challenge: nothing that was echoed.
pub(crate) fn kept_of_challenge(response: &OutgoingResponse, fault: Option<String>) -> Outcome {
    Outcome::Answered(Answer { status: response.status.as_u16(), fault, ..Answer::default() })
}

/// Why no answer came.
pub(crate) fn failed(error: &EgressError) -> Outcome {
    Outcome::Failed { code: error.code().to_owned(), message: error.to_string(), permanent: error.is_permanent() }
}
