//! The numbers of a replay.

use std::ops::Add;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Standing;
use crate::domain::delivery::DeliveryState;

/// The numbers of a replay, up to the place where it stands.
///
/// Once it is done, `sent` and all of `skipped` together are `matched`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Events that were looked at: those of the stretch of time that the filter takes in by type and webhook, and that
    /// one of the subscriptions that are named, if any are, could want.
    pub events: u64,
    /// Items that were planned: one event for one subscription each.
    pub matched: u64,
    /// What was seen and not planned.
    pub left_out: LeftOut,
    /// Items that were sent: their deliveries are made.
    pub sent: u64,
    /// Items that were planned and not sent.
    pub skipped: Skipped,
}

/// Why something is not part of the plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftOut {
    /// It was delivered, and that is not asked for.
    pub delivered: u64,
    /// It failed, and that, or for this cause, is not asked for.
    pub failed: u64,
    /// It is under way or kept, and goes out by itself.
    pub in_progress: u64,
    /// The payload of the event is no longer kept.
    pub body_expired: u64,
    /// The subscription is gone.
    pub subscription_deleted: u64,
}

/// Why something that was planned was not sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Skipped {
    /// It was delivered since it was planned.
    pub delivered: u64,
    /// It failed since it was planned.
    pub failed: u64,
    /// It is under way since it was planned, not by this replay.
    pub in_progress: u64,
    /// The payload of the event is no longer kept.
    pub body_expired: u64,
    /// The subscription is gone.
    pub subscription_deleted: u64,
}

impl LeftOut {
    /// Counts something that stands there already.
    pub fn note(&mut self, standing: Standing) {
        match standing {
            // Nobody knows whether it was wanted.
            Standing::Missing => {}
            Standing::Failed => self.failed += 1,
            Standing::Delivered => self.delivered += 1,
            Standing::Underway => self.in_progress += 1,
        }
    }
}

impl Skipped {
    /// Counts an item whose delivery is there and is not the replay's.
    pub fn note(&mut self, state: &DeliveryState) {
        match state {
            DeliveryState::Delivered { .. } => self.delivered += 1,
            DeliveryState::Exhausted { .. } | DeliveryState::Cancelled { .. } => self.failed += 1,
            DeliveryState::Pending { .. }
            | DeliveryState::Held
            | DeliveryState::Attempting { .. }
            | DeliveryState::InProgress { .. } => self.in_progress += 1,
        }
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.delivered + self.failed + self.in_progress + self.body_expired + self.subscription_deleted
    }
}

impl Counts {
    /// What became of items so far: sent and skipped ones.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.sent + self.skipped.total()
    }

    /// How much of what was planned is settled, in whole percent. All of nothing is 100.
    #[must_use]
    pub fn percent(&self) -> u8 {
        let percent = (self.settled() * 100).checked_div(self.matched).unwrap_or(100);
        u8::try_from(percent.min(100)).unwrap_or(100)
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            events: self.events + more.events,
            matched: self.matched + more.matched,
            left_out: self.left_out + more.left_out,
            sent: self.sent + more.sent,
            skipped: self.skipped + more.skipped,
        }
    }
}

impl Add for LeftOut {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            delivered: self.delivered + more.delivered,
            failed: self.failed + more.failed,
            in_progress: self.in_progress + more.in_progress,
            body_expired: self.body_expired + more.body_expired,
            subscription_deleted: self.subscription_deleted + more.subscription_deleted,
        }
    }
}

impl Add for Skipped {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            delivered: self.delivered + more.delivered,
            failed: self.failed + more.failed,
            in_progress: self.in_progress + more.in_progress,
            body_expired: self.body_expired + more.body_expired,
            subscription_deleted: self.subscription_deleted + more.subscription_deleted,
        }
    }
}
