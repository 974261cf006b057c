//! Subscriptions: who wants which events where.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event_type::{EventPattern, EventType};
use super::id::SubscriptionId;
use super::retry::RetrySchedule;
use super::target_url::TargetUrl;
use super::text::{Description, Name, TenantSlug};
use crate::vault::Sealed;

/// The most event patterns that one subscription may have.
pub const MAX_PATTERNS: usize = 50;

/// Who wants which events where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Whose it is.
    pub tenant: TenantSlug,
    /// Its name for people.
    pub name: Name,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Where deliveries go.
    pub url: TargetUrl,
    /// The event types wanted.
    pub events: Vec<EventPattern>,
    /// When failed attempts are made again.
    pub retry_schedule: RetrySchedule,
    /// The signing secret, sealed.
    pub secret: Sealed,
    /// When it was made; older events are not for it.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
}

impl Subscription {
    /// Tells whether an event of this type, accepted at this time, is for the subscription.
    #[must_use]
    pub fn wants(&self, event_type: &EventType, accepted_at: Timestamp) -> bool {
        self.created_at <= accepted_at && self.events.iter().any(|pattern| pattern.matches(event_type))
    }
}
