//! What an attempt carries to a service.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hookport::domain::id::{DeliveryId, SubscriptionId};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

/// What an attempt carries to a service. All but the attributes is the same at every attempt.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The idempotency key: the same at every attempt, and another one for a delivery that repeats this one.
    pub delivery_id: DeliveryId,
    /// To whom.
    pub subscription_id: SubscriptionId,
    /// What receivers know the event by, `webhook-id`.
    pub id: String,
    /// The type of the event.
    pub event_type: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The entity that it is about.
    pub entity: Option<String>,
    /// What the payload mode and the dialect made of it.
    pub body: Bytes,
    /// What the body is.
    pub content_type: String,
    /// What a request would say in headers, the most important first.
    pub attributes: Vec<(String, String)>,
    /// How long the attempt may take.
    pub timeout: Duration,
}

/// What services are sent that take nothing but JSON, or know no attributes. It is the same at every attempt, so that
/// whoever compares what was sent before sees a repetition.
#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    r#type: &'a str,
    timestamp: Timestamp,
    delivery_id: DeliveryId,
    subscription_id: SubscriptionId,
    content_type: &'a str,
    /// The body, if it is JSON: byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
}

impl Parcel {
    /// The parcel as one JSON object.
    pub(crate) fn envelope(&self) -> String {
        let data = serde_json::from_slice::<&RawValue>(&self.body).ok();
        let envelope = Envelope {
            id: &self.id,
            r#type: &self.event_type,
            timestamp: self.occurred_at,
            delivery_id: self.delivery_id,
            subscription_id: self.subscription_id,
            content_type: &self.content_type,
            data,
            data_base64: (data.is_none() && !self.body.is_empty()).then(|| STANDARD.encode(&self.body)),
        };
        serde_json::to_string(&envelope).expect("texts, times and what was read as JSON are JSON")
    }
}
