//! Publishing: keeps an event that a caller made, in the way of a request that came to a webhook.
//!
//! With a key: claim, then the row under the claimed id, then the hint. Once [`publish`] has answered, the event is
//! kept and is sent to whoever wants it, whatever fails afterwards; if it cannot be kept, nothing of it is sent.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::to_raw_value;
use tracing::info;

use crate::app::App;
use crate::aws::table::TableError;
use crate::domain::event_facts::EventFacts;
use crate::domain::event_type::EventType;
use crate::domain::id::{EventId, InboundDeliveryId, InboundWebhookId, ScheduleId};
use crate::domain::idempotency::{Claim, IdempotencyKey};
use crate::domain::inbound_delivery::{InboundDelivery, RequestHead, row_expires_at};
use crate::domain::payload_mode::Envelope;
use crate::domain::text::TenantSlug;
use crate::inbound::hint;
use crate::message::InboundMessage;
use crate::store::{Claimed, Kept, KeptRequest, Writer};

/// The version that rows of published events carry, where others carry that of their webhook.
pub const PUBLISHED_VERSION: u64 = 1;

/// The version that rows of scheduled events carry.
pub const SCHEDULED_VERSION: u64 = 2;

/// What publishers are answered with: kept, and sent later.
const ACCEPTED: u16 = 202;

/// An event to be published.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Whose it is.
    pub tenant: TenantSlug,
    /// What happened.
    pub event_type: EventType,
    /// What it says of itself.
    pub facts: EventFacts,
    /// Its payload.
    pub data: Value,
    /// Values that it has overwritten.
    pub previous: Option<Value>,
    /// What it has changed.
    pub changes: Option<Value>,
    /// What its receivers are asked to do.
    pub instructions: Option<Value>,
    /// When it happened; when it was accepted if absent.
    pub occurred_at: Option<Timestamp>,
    /// What tells it from others: an event with the same key is the same one.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// What came of publishing an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is kept.
    New(EventId),
    /// An event with the same key was kept before, under this id; that one stays as it is.
    Duplicate(EventId),
}

impl Published {
    /// The id that the event is kept under.
    #[must_use]
    pub fn id(self) -> EventId {
        match self {
            Self::New(id) | Self::Duplicate(id) => id,
        }
    }

    /// Tells whether it was kept before.
    #[must_use]
    pub fn is_duplicate(self) -> bool {
        matches!(self, Self::Duplicate(_))
    }
}

/// Keeps an event, unless one with the same key was kept within the last `window_s` seconds, and hints at it.
///
/// # Errors
/// When the table cannot be reached. It may have been kept then; only a key makes trying again safe.
pub async fn publish(app: &App, new: NewEvent, window_s: u32) -> Result<Published, TableError> {
    let now = app.clock.now();
    let draw = || InboundDeliveryId::new(now, InboundWebhookId::NONE, app.random.bits());
    let own_id = draw();
    let claimed = match &new.idempotency_key {
        None => Claimed::Ours,
        Some(key) => {
            let claim = Claim::new(own_id, now, window_s);
            app.store.claim_key(&new.tenant, InboundWebhookId::NONE, key, &claim).await?
        }
    };
    let mut id = match claimed {
        Claimed::Ours => own_id,
        Claimed::Theirs(claim) => claim.delivery_id,
    };
    let writer = Writer::new(app.random.bits());
    let expires_at = row_expires_at(now, window_s);
    let published = loop {
        let request = request(&new, id)?;
        match app.store.keep_inbound(&row(&new, id, now), Some(&request), writer, expires_at).await? {
            // Ours, or that of a winner who died between its claim and its row.
            Kept::New => {
                hint(app, InboundMessage::carrying(new.tenant.clone(), id, &new.event_type, &request)).await;
                break Published::New(id.into());
            }
            Kept::Exists if new.idempotency_key.is_some() => break Published::Duplicate(id.into()),
            // Another event of this millisecond drew the same id.
            Kept::Exists => id = draw(),
        }
    };
    info!(
        tenant = %new.tenant,
        event.id = %published.id(),
        event.r#type = %new.event_type,
        duplicate = published.is_duplicate(),
        "event.published"
    );
    Ok(published)
}

/// Keeps the event of a schedule under `id`, unless it is kept already, and hints at it. One write.
///
/// # Errors
/// When the table cannot be reached. It may have been kept then; keeping it again changes nothing.
pub async fn publish_scheduled(
    app: &App,
    schedule: ScheduleId,
    new: &NewEvent,
    id: InboundDeliveryId,
) -> Result<Kept, TableError> {
    let request = request_at(new, id, schedule_path(schedule))?;
    // Nobody was answered.
    let row = row(new, id, app.clock.now());
    let row = InboundDelivery { webhook_version: SCHEDULED_VERSION, response_status: 0, ..row };
    let expires_at = row_expires_at(row.received_at(), 0);
    let kept = app.store.keep_inbound(&row, Some(&request), Writer::new(app.random.bits()), expires_at).await?;
    if kept == Kept::New {
        hint(app, InboundMessage::carrying(new.tenant.clone(), id, &new.event_type, &request)).await;
    }
    info!(
        tenant = %new.tenant,
        event.id = %EventId::from(id),
        event.r#type = %new.event_type,
        schedule.id = %schedule,
        duplicate = kept == Kept::Exists,
        "event.scheduled"
    );
    Ok(kept)
}

/// What stands for the path in the requests of scheduled events.
const SCHEDULES: &str = "/api/v1/schedules/";

fn schedule_path(schedule: ScheduleId) -> String {
    format!("{SCHEDULES}{schedule}")
}

/// The schedule that an event came from, by its request.
#[must_use]
pub fn schedule_of(head: &RequestHead) -> Option<ScheduleId> {
    head.path.strip_prefix(SCHEDULES)?.parse().ok()
}

/// What is stored of an event that is kept under `id`: its body is the envelope that is sent, with that id in it.
fn request(new: &NewEvent, id: InboundDeliveryId) -> Result<KeptRequest, TableError> {
    request_at(new, id, "/api/v1/events".to_owned())
}

fn request_at(new: &NewEvent, id: InboundDeliveryId, path: String) -> Result<KeptRequest, TableError> {
    let raw = |value: &Value| to_raw_value(value).map_err(|e| TableError::Corrupt(e.into()));
    let optional = |value: &Option<Value>| value.as_ref().map(raw).transpose();
    let data = raw(&new.data)?;
    let (previous, changes) = (optional(&new.previous)?, optional(&new.changes)?);
    let instructions = optional(&new.instructions)?;
    let envelope = Envelope {
        id: id.into(),
        event_type: &new.event_type,
        timestamp: new.occurred_at.unwrap_or_else(|| id.created_at()),
        facts: &new.facts,
        data: &data,
        previous: previous.as_deref(),
        changes: changes.as_deref(),
        instructions: instructions.as_deref(),
    };
    let head = RequestHead {
        verified: false,
        method: "POST".to_owned(),
        path,
        source_ip: None,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        // Also when it says nothing: that they are there tells a published event from a received one.
        facts: Some(new.facts.clone()),
    };
    KeptRequest::pack(&head, &envelope.to_bytes())
}

/// The row of an event that is kept under `id`, pending from birth.
fn row(new: &NewEvent, id: InboundDeliveryId, now: Timestamp) -> InboundDelivery {
    let webhook = InboundWebhookId::NONE;
    InboundDelivery {
        webhook_version: PUBLISHED_VERSION,
        idempotency_key: new.idempotency_key.as_ref().map(ToString::to_string),
        response_status: ACCEPTED,
        ..InboundDelivery::without_request(id, new.tenant.clone(), webhook, new.event_type.clone(), now)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::inbound_delivery::{DispatchStatus, FIRST_SWEEP_AFTER};

    fn event() -> NewEvent {
        NewEvent {
            tenant: TenantSlug::try_from("acme".to_owned()).unwrap(),
            event_type: EventType::try_from("invoice.paid".to_owned()).unwrap(),
            facts: EventFacts { entity_id: Some("42".to_owned()), ..EventFacts::default() },
            data: json!({"total": 7}),
            previous: None,
            changes: None,
            instructions: None,
            occurred_at: None,
            idempotency_key: None,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn stored(new: &NewEvent, id: InboundDeliveryId) -> (RequestHead, Value) {
        let (head, body) = request(new, id).and_then(|request| request.unpack()).unwrap();
        (head, serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn the_body_names_the_id_that_it_is_kept_under() {
        let id = InboundDeliveryId::new(at(1_000), InboundWebhookId::NONE, 7);
        let (head, body) = stored(&event(), id);
        assert_eq!(body["id"], EventId::from(id).to_string());
        assert_eq!(body["data"], json!({"total": 7}));
        assert_eq!(body["entity_id"], "42");
        assert_eq!(head.facts, Some(event().facts));
        assert_eq!(head.header("content-type"), Some("application/json"));
    }

    #[test]
    fn an_event_happened_when_its_publisher_says_or_else_when_its_id_was_made() {
        let id = InboundDeliveryId::new(at(1_000), InboundWebhookId::NONE, 7);
        let when = |new: &NewEvent| stored(new, id).1["timestamp"].as_str().and_then(|text| text.parse().ok());
        assert_eq!(when(&event()), Some(at(1_000)));
        assert_eq!(when(&NewEvent { occurred_at: Some(at(900)), ..event() }), Some(at(900)));
    }

    /// B15: whoever dies after the row leaves it to the sweeper.
    #[test]
    fn b15_a_published_event_is_pending_and_due_from_birth() {
        let id = InboundDeliveryId::new(at(900), InboundWebhookId::NONE, 7);
        let row = row(&event(), id, at(1_000));
        assert_eq!(row.status, DispatchStatus::Pending);
        assert_eq!(row.due_at, Some(at(1_000) + FIRST_SWEEP_AFTER), "counted from now, also under an older id");
        assert_eq!((row.webhook_id, row.webhook_version), (InboundWebhookId::NONE, PUBLISHED_VERSION));
    }
}
