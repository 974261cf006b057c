//! The keys of the outbound side: subscriptions, their owners, and what is sent.

use jiff::Timestamp;

use super::ROW_SHARDS;
use crate::aws::table::Key;
use crate::dialect::DialectName;
use crate::domain::breaker::HostPort;
use crate::domain::event_facts::OwnerName;
use crate::domain::id::{DeliveryId, Handle, SigningKeyId, SubscriptionId};
use crate::domain::task::Task;
use crate::domain::text::TenantSlug;

/// The partition of a tenant's subscriptions.
#[must_use]
pub fn subscriptions(tenant: &TenantSlug) -> String {
    format!("{tenant}/subscriptions")
}

/// One subscription.
#[must_use]
pub fn subscription(tenant: &TenantSlug, id: SubscriptionId) -> Key {
    Key::new(subscriptions(tenant), id.suffix())
}

/// The partition that remembers deleted subscriptions for as long as they have rows.
#[must_use]
pub fn retired_subscriptions(tenant: &TenantSlug) -> String {
    format!("{tenant}/retired-subscriptions")
}

/// The memory of one deleted subscription.
#[must_use]
pub fn retired_subscription(tenant: &TenantSlug, id: SubscriptionId) -> Key {
    Key::new(retired_subscriptions(tenant), id.suffix())
}

/// The subscriptions that want events of a pattern.
#[must_use]
pub fn subscribed(tenant: &TenantSlug, pattern: &str) -> String {
    format!("{tenant}/subscribed/{pattern}")
}

/// One subscription among those of a pattern.
#[must_use]
pub fn subscribed_to(tenant: &TenantSlug, pattern: &str, id: SubscriptionId) -> Key {
    Key::new(subscribed(tenant, pattern), id.suffix())
}

/// The subscriptions of an owner.
#[must_use]
pub fn owned(tenant: &TenantSlug, owner: &OwnerName) -> String {
    format!("{tenant}/owned/{owner}")
}

/// One subscription among those of its owner.
#[must_use]
pub fn owned_by(tenant: &TenantSlug, owner: &OwnerName, id: SubscriptionId) -> Key {
    Key::new(owned(tenant, owner), id.suffix())
}

/// The partition of a tenant's owners of subscriptions.
#[must_use]
pub fn owners(tenant: &TenantSlug) -> String {
    format!("{tenant}/owners")
}

/// One owner.
#[must_use]
pub fn owner(tenant: &TenantSlug, name: &OwnerName) -> Key {
    Key::new(owners(tenant), name.as_str())
}

/// The partition of a tenant's own dialects.
#[must_use]
pub fn dialects(tenant: &TenantSlug) -> String {
    format!("{tenant}/dialects")
}

/// One dialect of a tenant's own.
#[must_use]
pub fn dialect(tenant: &TenantSlug, name: &DialectName) -> Key {
    Key::new(dialects(tenant), name.as_str())
}

/// The partition of the keys that sign for a tenant.
#[must_use]
pub fn signing_keys(tenant: &TenantSlug) -> String {
    format!("{tenant}/signing-keys")
}

/// One key that signs for a tenant.
#[must_use]
pub fn signing_key(tenant: &TenantSlug, id: SigningKeyId) -> Key {
    Key::new(signing_keys(tenant), id.suffix())
}

/// Which key signs for a tenant now.
#[must_use]
pub fn current_signing_key(tenant: &TenantSlug) -> Key {
    Key::new(format!("{tenant}/signing-key"), "current")
}

/// The hosts that nothing is sent to, by the operators' word.
#[must_use]
pub fn deny_rules() -> Key {
    Key::new("*egress", "deny-rules")
}

/// When a task is due.
#[must_use]
pub fn task(tenant: &TenantSlug, task: &Task) -> Key {
    match task {
        Task::Upkeep(id) => Key::new(format!("{tenant}/upkeep"), id.suffix()),
        task => Key::new(format!("{tenant}/task/{task}"), "task"),
    }
}

/// What is kept for a subscription, in order.
#[must_use]
pub fn held(tenant: &TenantSlug, id: SubscriptionId) -> String {
    format!("{tenant}/held/{}", id.suffix())
}

/// One delivery that is kept.
#[must_use]
pub fn held_delivery(tenant: &TenantSlug, subscription: SubscriptionId, id: DeliveryId) -> Key {
    Key::new(held(tenant, subscription), id.suffix())
}

/// How often it could not be decided whether a subscription's owner may see an event, since it is in its state.
#[must_use]
pub fn undecided(tenant: &TenantSlug, id: SubscriptionId, since: Timestamp) -> Key {
    Key::new(format!("{tenant}/undecided/{}", id.suffix()), since.as_millisecond().to_string())
}

/// Whose delivery a target tells about.
#[must_use]
pub fn delivery_by_id(id: DeliveryId) -> Key {
    Key::new(format!("#delivery/{}", id.suffix()), "delivery")
}

/// A partition of a subscription's deliveries.
#[must_use]
pub fn deliveries(tenant: &TenantSlug, handle: Handle, shard: u8) -> String {
    format!("{tenant}/out/{handle}/{shard}")
}

/// One delivery with its attempts.
#[must_use]
pub fn delivery(tenant: &TenantSlug, id: DeliveryId) -> Key {
    Key::new(deliveries(tenant, id.handle(), id.shard(ROW_SHARDS)), id.suffix())
}

/// What is known of a host that deliveries go to.
#[must_use]
pub fn breaker(tenant: &TenantSlug, host_port: &HostPort) -> Key {
    Key::partition(format!("{tenant}/breaker/{host_port}"))
}

/// One of the deliveries that a subscription may have in flight at a time.
#[must_use]
pub fn slot(tenant: &TenantSlug, subscription: SubscriptionId, n: u8) -> Key {
    Key::partition(format!("{tenant}/slot/{}/{n}", subscription.suffix()))
}
