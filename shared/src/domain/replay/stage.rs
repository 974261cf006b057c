//! How far a replay has come.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Pace;
use crate::domain::id::{DeliveryId, EventId, SubscriptionId};

/// Where the planning goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPlace {
    /// The partition of events, as the store names it.
    pub partition: String,
    /// The last event of it that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EventId>,
}

/// How far a replay has come, with what is needed to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Stage {
    /// Events are looked at.
    Planning {
        /// Where it goes on; absent at the beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<EventPlace>,
    },
    /// All events were looked at, and it waits to be started.
    Planned,
    /// Items are sent.
    Sending {
        /// The last item that is settled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<DeliveryId>,
        /// What may be sent, where a rate was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pace: Option<Pace>,
        /// The subscription that takes nothing now, and that the next item is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting_for: Option<SubscriptionId>,
    },
    /// Somebody put an end to it, and what was under way is yet to be counted.
    Cancelling {
        /// The last item that is settled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<DeliveryId>,
    },
    /// All items are settled.
    Done,
    /// Somebody put an end to it.
    Cancelled,
}

/// How far a replay has come, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    /// Events are looked at.
    Planning,
    /// All events were looked at, and it waits to be started.
    Planned,
    /// Items are sent.
    Sending,
    /// Somebody put an end to it, and what was under way is yet to be counted.
    Cancelling,
    /// All items are settled.
    Done,
    /// Somebody put an end to it.
    Cancelled,
}

impl StageName {
    /// The name as the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Cancelling => "cancelling",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Stage {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> StageName {
        match self {
            Self::Planning { .. } => StageName::Planning,
            Self::Planned => StageName::Planned,
            Self::Sending { .. } => StageName::Sending,
            Self::Cancelling { .. } => StageName::Cancelling,
            Self::Done => StageName::Done,
            Self::Cancelled => StageName::Cancelled,
        }
    }

    /// Tells whether nothing will happen any more.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Cancelled)
    }

    /// The subscription that it waits for.
    #[must_use]
    pub fn waiting_for(&self) -> Option<SubscriptionId> {
        match self {
            Self::Sending { waiting_for, .. } => *waiting_for,
            _ => None,
        }
    }
}
