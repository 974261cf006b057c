//! Publishes the events of schedules.

use jiff::Timestamp;

use crate::app::App;
use crate::aws::table::TableError;
use crate::domain::id::{EventId, InboundDeliveryId, InboundWebhookId};
use crate::domain::schedule::Schedule;
use crate::publish::{NewEvent, publish_scheduled};
use crate::store::Kept;

/// Publishes the event of one of a schedule's times, unless it was published before. One write.
///
/// # Errors
/// When the table cannot be reached. It may have been published then; doing it again changes nothing.
pub async fn publish_time(app: &App, schedule: &Schedule, time: Timestamp) -> Result<EventId, TableError> {
    let (schedule_id, second) = (schedule.id.to_bytes(), time.as_second().to_be_bytes());
    let id = InboundDeliveryId::derived(time, InboundWebhookId::NONE, &[&schedule_id, &second]);
    publish_scheduled(app, schedule.id, &event(schedule), id).await?;
    Ok(id.into())
}

/// Publishes an event of a schedule now, beside those of its times.
///
/// # Errors
/// When the table cannot be reached. It may have been published then.
pub async fn publish_now(app: &App, schedule: &Schedule) -> Result<EventId, TableError> {
    let new = event(schedule);
    loop {
        let id = InboundDeliveryId::new(app.clock.now(), InboundWebhookId::NONE, app.random.bits());
        // Another event of this millisecond may have drawn the same id.
        if publish_scheduled(app, schedule.id, &new, id).await? == Kept::New {
            return Ok(id.into());
        }
    }
}

/// What a schedule publishes; it happens when its id says.
fn event(schedule: &Schedule) -> NewEvent {
    let settings = &schedule.settings;
    NewEvent {
        tenant: schedule.tenant.clone(),
        event_type: settings.event_type.clone(),
        facts: settings.facts.clone(),
        data: settings.data.clone(),
        previous: None,
        changes: None,
        instructions: None,
        occurred_at: None,
        idempotency_key: None,
    }
}
