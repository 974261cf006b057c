//! Sends saved events again, each as a new event.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use tracing::info;

use crate::app::App;
use crate::aws::table::TableError;
use crate::domain::bookmark::Bookmark;
use crate::domain::event_type::EventType;
use crate::domain::id::{EventId, InboundDeliveryId, InboundWebhookId, SubscriptionId};
use crate::domain::inbound_delivery::{DispatchStatus, InboundDelivery, row_expires_at};
use crate::domain::payload_mode::Envelope;
use crate::inbound::hint;
use crate::message::InboundMessage;
use crate::publish::PUBLISHED_VERSION;
use crate::store::{Kept, KeptRequest, Writer};

/// Publishes a saved event as a new one. It goes to whoever wants it; or nowhere by itself, when it is for one
/// subscription `only`, to which the caller makes a delivery.
///
/// # Errors
/// When the table cannot be reached. It may have been published then.
pub async fn send(
    app: &App,
    bookmark: &Bookmark,
    request: &KeptRequest,
    only: Option<SubscriptionId>,
) -> Result<EventId, TableError> {
    let writer = Writer::new(app.random.bits());
    let id = loop {
        let now = app.clock.now();
        let id = InboundDeliveryId::new(now, InboundWebhookId::NONE, app.random.bits());
        let request = as_event(request, id, &bookmark.event_type)?;
        let row = row(bookmark, id, only, now);
        // Another event of this millisecond may have drawn the same id.
        if app.store.keep_inbound(&row, Some(&request), writer, row_expires_at(now, 0)).await? == Kept::New {
            if only.is_none() {
                hint(app, InboundMessage::carrying(row.tenant, id, &row.event_type, &request)).await;
            }
            break EventId::from(id);
        }
    };
    info!(
        tenant = %bookmark.tenant,
        bookmark.id = %bookmark.id,
        event.id = %id,
        event.r#type = %bookmark.event_type,
        subscription.id = only.map(tracing::field::display),
        "bookmark.sent"
    );
    Ok(id)
}

/// The row of the new event: dispatched from birth when it is for one subscription only.
fn row(bookmark: &Bookmark, id: InboundDeliveryId, only: Option<SubscriptionId>, now: Timestamp) -> InboundDelivery {
    let (tenant, event_type) = (bookmark.tenant.clone(), bookmark.event_type.clone());
    let pending = InboundDelivery {
        webhook_version: PUBLISHED_VERSION,
        ..InboundDelivery::without_request(id, tenant, InboundWebhookId::NONE, event_type, now)
    };
    match only {
        None => pending,
        Some(subscription) => InboundDelivery {
            status: DispatchStatus::Dispatched,
            subscriptions: vec![subscription],
            due_at: None,
            ..pending
        },
    }
}

/// What the envelope of a published event holds beside its facts.
#[derive(Deserialize)]
struct Enveloped {
    data: Box<RawValue>,
    #[serde(default)]
    previous: Option<Box<RawValue>>,
    #[serde(default)]
    changes: Option<Box<RawValue>>,
    #[serde(default)]
    instructions: Option<Box<RawValue>>,
}

/// The saved request as that of the event `id`: the envelope of a published event names its event and its time, a
/// received body stays as it is.
fn as_event(saved: &KeptRequest, id: InboundDeliveryId, event_type: &EventType) -> Result<KeptRequest, TableError> {
    let (mut head, body) = saved.unpack()?;
    if head.facts.is_some() {
        // It is published anew, whatever it came from.
        "/api/v1/events".clone_into(&mut head.path);
    }
    let Some(facts) = &head.facts else { return Ok(saved.clone()) };
    let told: Enveloped = serde_json::from_slice(&body).map_err(|error| TableError::Corrupt(error.into()))?;
    let envelope = Envelope {
        id: id.into(),
        event_type,
        timestamp: id.created_at(),
        facts,
        data: &told.data,
        previous: told.previous.as_deref(),
        changes: told.changes.as_deref(),
        instructions: told.instructions.as_deref(),
    };
    KeptRequest::pack(&head, &envelope.to_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::event_facts::EventFacts;
    use crate::domain::inbound_delivery::RequestHead;

    fn saved(facts: Option<EventFacts>, body: &str) -> KeptRequest {
        let head = RequestHead {
            verified: false,
            method: "POST".to_owned(),
            path: "/api/v1/events".to_owned(),
            source_ip: None,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            facts,
        };
        KeptRequest::pack(&head, body.as_bytes()).unwrap()
    }

    fn id() -> InboundDeliveryId {
        InboundDeliveryId::new(Timestamp::from_second(1_000).unwrap(), InboundWebhookId::NONE, 7)
    }

    fn event_type() -> EventType {
        EventType::try_from("invoice.paid".to_owned()).unwrap()
    }

    #[test]
    fn a_received_body_stays_as_it_is() {
        let saved = saved(None, r#"{"id":"evt_of_the_sender"}"#);
        assert_eq!(as_event(&saved, id(), &event_type()).unwrap(), saved);
    }

    #[test]
    fn an_envelope_names_its_new_event_and_keeps_digits_and_facts() {
        let facts = EventFacts { entity_id: Some("42".to_owned()), ..EventFacts::default() };
        let body = r#"{"id":"evt_old","type":"invoice.paid","timestamp":"2020-01-01T00:00:00Z","entity_id":"42",
            "data":{"total":1.10,"n":12345678901234567890123},"changes":null}"#;
        let (head, body) = as_event(&saved(Some(facts.clone()), body), id(), &event_type()).unwrap().unpack().unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        let json: Value = serde_json::from_str(text).unwrap();
        assert!(text.contains(r#"{"total":1.10,"n":12345678901234567890123}"#), "{text}");
        assert_eq!((&json["id"], &json["entity_id"]), (&json!(EventId::from(id())), &json!("42")));
        assert_eq!(json["timestamp"], "1970-01-01T00:16:40Z");
        assert_eq!(head.facts, Some(facts));
    }
}
