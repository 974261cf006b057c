//! An event as the dispatcher works with it.

use std::cell::OnceCell;

use bytes::Bytes;
use hookport::domain::event_facts::EventFacts;
use hookport::domain::event_type::EventType;
use hookport::domain::id::EventId;
use hookport::domain::ordering::{LaneKey, Ordering};
use hookport::domain::payload_mode::{Content, filterable};
use hookport::domain::subscription::Subscription;
use hookport::domain::text::TenantSlug;
use hookport::store::KeptRequest;
use serde_json::Value;

use crate::Trouble;

/// An event, as targets get it.
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) tenant: TenantSlug,
    pub(crate) event_type: EventType,
    pub(crate) content_type: Option<String>,
    pub(crate) payload: Bytes,
    pub(crate) facts: Option<EventFacts>,
    /// The path of the URL that it was received at.
    pub(crate) path: String,
    /// The headers of the original request that are kept.
    pub(crate) headers: Vec<(String, String)>,
    /// Whether the original request had proven where it came from.
    pub(crate) is_verified: bool,
}

impl Event {
    pub(crate) fn new(
        tenant: TenantSlug,
        id: EventId,
        event_type: EventType,
        request: &KeptRequest,
    ) -> Result<Self, Trouble> {
        let (mut head, payload) = request.unpack()?;
        let facts = head.facts.take();
        let content_type = head.header("content-type").map(ToOwned::to_owned);
        let (path, headers, is_verified) = (head.path, head.headers, head.verified);
        Ok(Self { id, tenant, event_type, content_type, payload, facts, path, headers, is_verified })
    }

    /// The lane that its delivery stands in. A payload that is no JSON has nothing at any path.
    pub(crate) fn lane(&self, ordering: &Ordering) -> LaneKey {
        ordering.lane(self.facts.as_ref(), || {
            let whole: Value = serde_json::from_slice(&self.payload).ok()?;
            Some(filterable(self.facts.as_ref(), &whole).clone())
        })
    }

    /// The event as a payload mode takes it.
    pub(crate) fn content(&self) -> Content<'_> {
        Content {
            id: self.id,
            event_type: &self.event_type,
            occurred_at: self.id.created_at(),
            facts: self.facts.as_ref(),
            body: &self.payload,
            content_type: self.content_type.as_deref(),
        }
    }
}

/// The payload of an event as JSON, read when the first filter asks for it.
pub(crate) struct Json<'a> {
    event: &'a Event,
    value: OnceCell<Option<Value>>,
}

impl<'a> Json<'a> {
    pub(crate) fn of(event: &'a Event) -> Self {
        Self { event, value: OnceCell::new() }
    }

    /// Tells whether the payload passes a subscription's filter. What is no JSON passes none.
    pub(crate) fn passes(&self, subscription: &Subscription) -> bool {
        let Some(filter) = &subscription.settings.filter.payload else { return true };
        let value = self.value.get_or_init(|| serde_json::from_slice(&self.event.payload).ok());
        value.as_ref().is_some_and(|whole| filter.matches(filterable(self.event.facts.as_ref(), whole)))
    }
}
