//! What a replay sends, and where.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::delivery::{Delivery, DeliveryState};
use crate::domain::event_type::{EventPattern, EventType};
use crate::domain::id::{InboundWebhookId, SubscriptionId};
use crate::domain::inbound_delivery::InboundDelivery;
use crate::domain::issue::{IssueCause, cause_of, cause_of_end};
use crate::domain::own_event::is_own;
use crate::domain::subscription::EventFilter;

/// Where events go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Routing {
    /// To the subscriptions that they went to; and to those that are named, where they want them.
    #[default]
    SameTargets,
    /// To the subscriptions that want them today, also where these are younger than the event.
    Current,
}

/// What is sent, by what became of it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// No attempt was made: the subscription was disabled, or has not wanted it then.
    Missing,
    /// Attempts were made, and it ended without success.
    Failed,
    /// It was delivered.
    Delivered,
}

/// In which order items are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplayOrder {
    /// In none: many at once.
    #[default]
    None,
    /// In the order of the events: each is attempted before the next one to its subscription.
    ByTime,
}

/// Which events, for whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplayFilter {
    /// Only events of these types; empty: all but those that the gateway tells of itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_types: Vec<EventPattern>,
    /// Only events from this webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<InboundWebhookId>,
    /// Only these subscriptions; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscription_ids: Vec<SubscriptionId>,
    /// Only events like this.
    #[serde(default, skip_serializing_if = "EventFilter::is_empty")]
    pub event: EventFilter,
    /// Only what failed for this cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<IssueCause>,
}

/// What is sent where, how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// The time of the first event.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
    /// The time of the last event.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub until: Timestamp,
    /// Where events go.
    pub routing: Routing,
    /// What is sent of them.
    pub which: BTreeSet<Which>,
    /// Which events, for whom.
    #[serde(default)]
    pub filter: ReplayFilter,
    /// In which order.
    pub order: ReplayOrder,
    /// How many in a second; any number when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_second: Option<u16>,
}

/// What became of an event for a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No attempt was made, and none will be.
    Missing,
    /// It ended without success.
    Failed,
    /// It was delivered.
    Delivered,
    /// It is under way, or kept.
    Underway,
}

impl Standing {
    /// What became of an event whose own delivery to the subscription is this one, if there is one.
    #[must_use]
    pub fn of(delivery: Option<&Delivery>) -> Self {
        let Some(delivery) = delivery else { return Self::Missing };
        match delivery.state {
            DeliveryState::Delivered { .. } => Self::Delivered,
            DeliveryState::Exhausted { .. } => Self::Failed,
            DeliveryState::Cancelled { .. } if delivery.attempts.is_empty() => Self::Missing,
            DeliveryState::Cancelled { .. } => Self::Failed,
            DeliveryState::Pending { .. }
            | DeliveryState::Held
            | DeliveryState::Attempting { .. }
            | DeliveryState::InProgress { .. } => Self::Underway,
        }
    }
}

impl ReplayFilter {
    /// Tells whether events of a type are looked at.
    ///
    /// What the gateway tells of itself has to be asked for, by its type or by naming a subscription that wants it.
    #[must_use]
    pub fn takes_type(&self, event_type: &EventType) -> bool {
        let asks = |pattern: &EventPattern| *pattern != EventPattern::All && pattern.matches(event_type);
        if is_own(event_type) && self.subscription_ids.is_empty() {
            return self.event_types.iter().any(asks);
        }
        self.event_types.is_empty() || self.event_types.iter().any(|pattern| pattern.matches(event_type))
    }
}

impl Selection {
    /// Tells whether a row is that of an event that is looked at, by what the row says.
    #[must_use]
    pub fn takes_event(&self, row: &InboundDelivery) -> bool {
        let at = row.received_at();
        row.event_id().is_some()
            && self.since <= at
            && at <= self.until
            && self.filter.webhook_id.is_none_or(|id| id == row.webhook_id)
            && self.filter.takes_type(&row.event_type)
    }

    /// Tells whether a subscription may get anything.
    #[must_use]
    pub fn takes_subscription(&self, id: SubscriptionId) -> bool {
        let named = &self.filter.subscription_ids;
        id != SubscriptionId::PINNED && (named.is_empty() || named.contains(&id))
    }

    /// Tells whether something that stands like this is sent.
    #[must_use]
    pub fn takes(&self, standing: Standing, delivery: Option<&Delivery>) -> bool {
        let which = match standing {
            Standing::Missing => Which::Missing,
            Standing::Failed => Which::Failed,
            Standing::Delivered => Which::Delivered,
            Standing::Underway => return false,
        };
        self.which.contains(&which)
            && match (&self.filter.cause, delivery) {
                (None, _) => true,
                (Some(wanted), Some(delivery)) if which == Which::Failed => cause(delivery).as_ref() == Some(wanted),
                (Some(_), _) => false,
            }
    }
}

/// Why a delivery ended without success.
fn cause(delivery: &Delivery) -> Option<IssueCause> {
    // One that was cancelled failed for the reason of its last attempt.
    cause_of_end(delivery).or_else(|| delivery.attempts.last().and_then(|last| cause_of(&last.outcome)))
}
