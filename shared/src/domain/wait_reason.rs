//! Why an attempt is put off without being made.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why an attempt is put off. Waiting for any of these spends no attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// The target's host failed several times in a row and is left alone for a while.
    CircuitOpen,
    /// The subscription's rate is used up.
    RateLimited,
    /// The subscription has as many deliveries in flight as it may.
    ConcurrencyLimited,
    /// The target asked to be left alone for a while.
    SlowedDown,
    /// The tenant's events are not sent out at present.
    OutboundDisabled,
}
