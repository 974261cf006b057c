//! What there is to say in one attempt, before a dialect writes it down.

use std::cell::OnceCell;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::event_facts::EventFacts;
use crate::domain::id::{DeliveryId, SubscriptionId};
use crate::domain::text::TenantSlug;

/// What there is to say in one attempt.
pub struct Message<'a> {
    /// The id that stays the same for all attempts.
    pub id: &'a str,
    /// The type of the event.
    pub event_type: &'a str,
    /// When the event was accepted; an envelope may say that it happened at another time.
    pub accepted_at: Timestamp,
    /// When the attempt is made.
    pub at: Timestamp,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The subscription.
    pub subscription_id: SubscriptionId,
    /// The tenant.
    pub tenant: &'a TenantSlug,
    /// The path of the URL that it was received at; none for what was published.
    pub path: Option<&'a str>,
    /// What the event says of itself, if it was published.
    pub facts: Option<&'a EventFacts>,
    /// The body as the subscription's payload mode renders it.
    pub payload: &'a Bytes,
    /// The content type of the payload.
    pub content_type: Option<&'a str>,
    /// Whether the payload is an envelope with the event's data in it.
    pub is_envelope: bool,
    /// The payload as JSON, once it was asked for.
    pub json: OnceCell<Option<Value>>,
}

#[derive(Deserialize)]
struct Enveloped<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(default)]
    timestamp: Option<Timestamp>,
}

impl Message<'_> {
    /// The data of the event as JSON; `None` when it is no JSON.
    #[must_use]
    pub fn data(&self) -> Option<&Value> {
        let whole = self.json.get_or_init(|| serde_json::from_slice(self.payload).ok()).as_ref()?;
        if self.is_envelope { Some(whole.get("data").unwrap_or(whole)) } else { Some(whole) }
    }

    fn enveloped(&self) -> Option<Enveloped<'_>> {
        if self.is_envelope { serde_json::from_slice(self.payload).ok() } else { None }
    }

    /// When the event happened: as its publisher said, or else when it was accepted.
    pub(super) fn occurred_at(&self) -> Timestamp {
        self.enveloped().and_then(|enveloped| enveloped.timestamp).unwrap_or(self.accepted_at)
    }

    /// The data of the event as it was written, and its content type.
    pub(super) fn data_bytes(&self) -> (Bytes, Option<&str>) {
        match self.enveloped() {
            Some(enveloped) => (self.payload.slice_ref(enveloped.data.get().as_bytes()), Some("application/json")),
            None => (self.payload.clone(), self.content_type),
        }
    }

    pub(super) fn entity_type(&self) -> Option<&str> {
        self.facts?.entity_type.as_deref()
    }

    pub(super) fn entity_id(&self) -> Option<&str> {
        self.facts?.entity_id.as_deref()
    }

    pub(super) fn scope(&self) -> String {
        self.facts.and_then(|facts| facts.scope.as_ref()).map(ToString::to_string).unwrap_or_default()
    }

    /// The entity with its type before it; empty when it is about none.
    pub(super) fn subject(&self) -> String {
        match (self.entity_type(), self.entity_id()) {
            (Some(entity_type), Some(id)) => format!("{entity_type}/{id}"),
            (None, Some(id)) => id.to_owned(),
            (_, None) => String::new(),
        }
    }

    /// Where it came from, as a path.
    pub(super) fn source(&self) -> String {
        match self.path {
            Some(path) => path.to_owned(),
            None => format!("/hookport/{}", self.tenant),
        }
    }
}
