//! Lanes: how deliveries that keep an order come to stand in one, and how its work is brought on.
//!
//! A note comes first, then the lane's task is asked for, then the delivery is put. A lane whose first note is there has a
//! task that will find it, whoever dies in between; a note without its delivery leads to one that the lane's work makes.

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use crate::app::App;
use crate::aws::table::TableError;
use crate::domain::delivery::{Delivery, LONGEST_QUEUE_DELAY};
use crate::domain::id::SubscriptionId;
use crate::domain::ordering::LaneKey;
use crate::domain::task::Task;
use crate::domain::text::TenantSlug;
use crate::upkeep::hint_task;

fn task_of(delivery: &Delivery) -> Option<Task> {
    delivery.lane.map(|lane| Task::Lane(delivery.subscription_id, lane))
}

/// Lets a delivery stand in its lane, whose work is due at `due`. The delivery itself is put after that. Doing it again
/// changes nothing.
///
/// # Errors
/// When the table cannot be reached.
pub async fn line_up(app: &App, delivery: &Delivery, due: Timestamp) -> Result<(), TableError> {
    let (Some(lane), Some(task)) = (delivery.lane, task_of(delivery)) else { return Ok(()) };
    app.store.note_in_lane(delivery, lane).await?;
    // After the note: a look at the lane that begins later than this sees it, and one that is under way is made again.
    app.store.ask_task(&delivery.tenant, &task, due).await
}

/// Brings the dispatcher to the lane of a delivery at `due`, if the queue takes the message in time.
pub async fn hint(app: &App, delivery: &Delivery, due: Timestamp) {
    let Some(task) = task_of(delivery) else { return };
    let delay = due.duration_since(app.clock.now()).clamp(SignedDuration::ZERO, LONGEST_QUEUE_DELAY);
    hint_task(app, &delivery.tenant, &task, delay).await;
}

/// Lets the dispatcher look at a lane at once.
///
/// # Errors
/// When the table cannot be reached.
pub async fn start(
    app: &App,
    tenant: &TenantSlug,
    subscription: SubscriptionId,
    lane: LaneKey,
) -> Result<(), TableError> {
    let task = Task::Lane(subscription, lane);
    app.store.ask_task(tenant, &task, app.clock.now()).await?;
    hint_task(app, tenant, &task, SignedDuration::ZERO).await;
    Ok(())
}

/// Lets the next of a lane go, because this delivery was ended by somebody else than the lane's work. The lane has a due
/// time of its own; this only saves waiting for it.
pub async fn wake(app: &App, delivery: &Delivery) {
    let Some(lane) = delivery.lane else { return };
    if let Err(error) = start(app, &delivery.tenant, delivery.subscription_id, lane).await {
        warn!(tenant = %delivery.tenant, delivery.id = %delivery.id, %error, "lane.not_woken");
    }
}
