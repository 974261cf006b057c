//! Changes of subscriptions, with what has to follow them: challenges, announcements, what was kept.
//!
//! What follows is asked for first, due a little later, then the change is made, then a message brings the dispatcher at
//! once. Whoever dies in between leaves work that the sweeper finds, and upkeep that finds nothing to do does no harm.

use jiff::SignedDuration;
use tracing::warn;

use crate::app::App;
use crate::aws::table::TableError;
use crate::domain::audit::AuditRecord;
use crate::domain::id::SubscriptionId;
use crate::domain::subscription::Subscription;
use crate::domain::task::Task;
use crate::domain::text::TenantSlug;
use crate::domain::time::later;
use crate::message::Message;
use crate::store::{Changed, RegisterError, Registering, SubscriptionCreateError};

/// How long after a change the sweeper takes up what should follow it.
pub const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// Stores a new subscription, and lets upkeep follow.
///
/// # Errors
/// As [`crate::store::Store::create_subscription`].
pub async fn create(app: &App, subscription: &Subscription, most: Option<u32>) -> Result<(), SubscriptionCreateError> {
    ask(app, subscription).await?;
    app.store.create_subscription(subscription, most).await?;
    hint(app, &subscription.tenant, subscription.id).await;
    Ok(())
}

/// Stores a subscription that registers itself, and lets upkeep follow.
///
/// # Errors
/// As [`crate::store::Store::register`].
pub async fn register(app: &App, registering: &Registering<'_>) -> Result<(), RegisterError> {
    let subscription = registering.subscription;
    ask(app, subscription).await?;
    app.store.register(registering).await?;
    hint(app, &subscription.tenant, subscription.id).await;
    Ok(())
}

/// Replaces a subscription unless someone was faster, and lets upkeep follow.
///
/// # Errors
/// When the table cannot be reached.
pub async fn change(app: &App, before: &Subscription, after: &Subscription) -> Result<Changed, TableError> {
    ask(app, after).await?;
    let changed = app.store.change_subscription(before, after).await?;
    if changed == Changed::Yes {
        hint(app, &after.tenant, after.id).await;
    }
    Ok(changed)
}

/// As [`change`], with the record of who did it.
///
/// # Errors
/// When the table cannot be reached.
pub async fn change_audited(
    app: &App,
    before: &Subscription,
    after: &Subscription,
    record: &AuditRecord,
) -> Result<Changed, TableError> {
    ask(app, after).await?;
    let changed = app.store.change_subscription_audited(before, after, record).await?;
    if changed == Changed::Yes {
        hint(app, &after.tenant, after.id).await;
    }
    Ok(changed)
}

/// As [`delete`], with the record of who did it.
///
/// # Errors
/// When the table cannot be reached.
pub async fn delete_audited(app: &App, known: &Subscription, record: &AuditRecord) -> Result<Changed, TableError> {
    ask(app, known).await?;
    let deleted = app.store.delete_subscription_audited(known, app.clock.now(), record).await?;
    if deleted == Changed::Yes {
        hint(app, &known.tenant, known.id).await;
    }
    Ok(deleted)
}

/// Deletes a subscription unless someone was faster, and lets upkeep end what was kept for it.
///
/// # Errors
/// When the table cannot be reached.
pub async fn delete(app: &App, known: &Subscription) -> Result<Changed, TableError> {
    ask(app, known).await?;
    let deleted = app.store.delete_subscription(known, app.clock.now()).await?;
    if deleted == Changed::Yes {
        hint(app, &known.tenant, known.id).await;
    }
    Ok(deleted)
}

async fn ask(app: &App, subscription: &Subscription) -> Result<(), TableError> {
    app.store.ask_task(&subscription.tenant, &Task::Upkeep(subscription.id), later(app.clock.now(), GRACE)).await
}

/// Brings the dispatcher to a subscription at once, if the queue takes the message in time.
pub async fn hint(app: &App, tenant: &TenantSlug, id: SubscriptionId) {
    hint_task(app, tenant, &Task::Upkeep(id), SignedDuration::ZERO).await;
}

/// Asks for a task, and brings the dispatcher to it at once. Should that message be lost, the sweeper takes it up a
/// little later.
///
/// # Errors
/// When the table cannot be reached.
pub async fn start_task(app: &App, tenant: &TenantSlug, task: &Task) -> Result<(), TableError> {
    app.store.ask_task(tenant, task, later(app.clock.now(), GRACE)).await?;
    hint_task(app, tenant, task, SignedDuration::ZERO).await;
    Ok(())
}

/// Brings the dispatcher to a task after `delay`, if the queue takes the message in time.
pub async fn hint_task(app: &App, tenant: &TenantSlug, task: &Task, delay: SignedDuration) {
    let body = Message::of_task(tenant.clone(), task.clone()).encode();
    if let Err(code) = app.outbound_queue.hint(body, delay).await {
        warn!(%tenant, %task, code, "task.hint_lost");
    }
}
