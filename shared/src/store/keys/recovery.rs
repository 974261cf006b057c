//! The keys of what sends events again and in order: lanes, replays, issues, bookmarks, schedules.

use super::ROW_SHARDS;
use crate::aws::table::Key;
use crate::domain::id::{BookmarkId, DeliveryId, Handle, IssueId, ReplayId, ScheduleId, SubscriptionId};
use crate::domain::issue::IssueCause;
use crate::domain::ordering::LaneKey;
use crate::domain::text::TenantSlug;

/// The partition of the list of a tenant's issues. What they count stands elsewhere, because that is written often.
#[must_use]
pub fn issues(tenant: &TenantSlug) -> String {
    format!("{tenant}/issues")
}

/// One issue in the list.
#[must_use]
pub fn issue_in_list(tenant: &TenantSlug, id: IssueId) -> Key {
    Key::new(issues(tenant), id.suffix())
}

/// What is counted of the failures of a subscription with one cause.
#[must_use]
pub fn issue(tenant: &TenantSlug, subscription: SubscriptionId, cause: &IssueCause) -> Key {
    Key::new(format!("{tenant}/issue/{}", subscription.suffix()), cause.as_str())
}

/// The partition of a tenant's schedules.
#[must_use]
pub fn schedules(tenant: &TenantSlug) -> String {
    format!("{tenant}/schedules")
}

/// One schedule.
#[must_use]
pub fn schedule(tenant: &TenantSlug, id: ScheduleId) -> Key {
    Key::new(schedules(tenant), id.suffix())
}

/// How many schedules a tenant has.
#[must_use]
pub fn number_of_schedules(tenant: &TenantSlug) -> Key {
    Key::new(format!("{tenant}/number"), "schedules")
}

/// How far a schedule was worked off.
#[must_use]
pub fn schedule_progress(tenant: &TenantSlug, id: ScheduleId) -> Key {
    Key::new(format!("{tenant}/schedule/{}", id.suffix()), "progress")
}

/// The partition of a tenant's bookmarks.
#[must_use]
pub fn bookmarks(tenant: &TenantSlug) -> String {
    format!("{tenant}/bookmarks")
}

/// One bookmark.
#[must_use]
pub fn bookmark(tenant: &TenantSlug, id: BookmarkId) -> Key {
    Key::new(bookmarks(tenant), id.suffix())
}

/// How many bookmarks a tenant has.
#[must_use]
pub fn number_of_bookmarks(tenant: &TenantSlug) -> Key {
    Key::new(format!("{tenant}/number"), "bookmarks")
}

/// What stands in the lanes of a subscription, lane by lane, each in order.
#[must_use]
pub fn lanes(tenant: &TenantSlug, subscription: SubscriptionId) -> String {
    format!("{tenant}/lanes/{}", subscription.suffix())
}

/// One delivery that stands in a lane.
#[must_use]
pub fn in_lane(tenant: &TenantSlug, subscription: SubscriptionId, lane: LaneKey, id: DeliveryId) -> Key {
    Key::new(lanes(tenant, subscription), format!("{lane}/{}", id.suffix()))
}

/// The partition of a tenant's replays.
#[must_use]
pub fn replays(tenant: &TenantSlug) -> String {
    format!("{tenant}/replays")
}

/// One replay.
#[must_use]
pub fn replay(tenant: &TenantSlug, id: ReplayId) -> Key {
    Key::new(replays(tenant), id.suffix())
}

/// What a replay sends, in the order of its events.
#[must_use]
pub fn replay_items(tenant: &TenantSlug, id: ReplayId) -> String {
    format!("{tenant}/replay-items/{}", id.suffix())
}

/// One item of a replay, by the id of the event's own delivery.
#[must_use]
pub fn replay_item(tenant: &TenantSlug, id: ReplayId, first: DeliveryId) -> Key {
    Key::new(replay_items(tenant, id), first.suffix())
}

/// The names of the partitions of the events of a webhook, as [`events_at`] takes them.
pub fn event_partitions(handle: Handle) -> impl Iterator<Item = String> {
    (0..ROW_SHARDS).map(move |shard| format!("{handle}/{shard}"))
}

/// The partition of events with this name.
#[must_use]
pub fn events_at(tenant: &TenantSlug, partition: &str) -> String {
    format!("{tenant}/in/{partition}")
}
