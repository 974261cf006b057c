//! Whether a subscription gets events, and why.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether a subscription gets events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It registered itself: no challenge is sent until an admin lets it in.
    AwaitingApproval,
    /// Held by its owner: no challenge is sent until `trigger_challenge` is set.
    AwaitingChallenge,
    /// Its challenge is under way.
    PendingVerification,
    /// Its target did not answer the challenge as it should; a new one can be started.
    VerificationFailed,
    /// Events are delivered.
    Active,
    /// Paused by hand: events are kept for it.
    Paused,
    /// Switched off, by hand or by the gateway. Events make no attempts.
    Disabled,
}

impl State {
    /// The state as the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingApproval => "awaiting_approval",
            Self::AwaitingChallenge => "awaiting_challenge",
            Self::PendingVerification => "pending_verification",
            Self::VerificationFailed => "verification_failed",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
}

/// Why a subscription is in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It was made like this.
    Created,
    /// It registered itself.
    Registered,
    /// An admin let it in, and its target has to prove itself.
    Approved,
    /// Somebody asked for it.
    ByHand,
    /// The operator trusts the host of its target.
    TargetTrusted,
    /// A challenge was started.
    ChallengeStarted,
    /// The target answered the challenge.
    ChallengePassed,
    /// The target did not answer the challenge as it should.
    ChallengeFailed,
    /// Its URL was changed, and the new one has to prove itself.
    UrlChanged,
    /// Its secret was changed at once, and the new one has to prove itself.
    SecretChanged,
    /// The target answered 410.
    EndpointGone,
    /// As many attempts as it allows failed in a row.
    TooManyFailures,
    /// For as long as it allows, nothing but failures.
    FailingTooLong,
    /// Whether its owner may see the events could not be decided too often.
    TooManyPreconditionFailures,
    /// Its declaration was changed or taken away.
    Undeclared,
}

impl Cause {
    /// The cause as a sentence for people.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Created => "Made like this.",
            Self::Registered => "Registered itself; an admin has to let it in.",
            Self::Approved => "An admin let it in; the target has to echo a challenge.",
            Self::ByHand => "Asked for by hand.",
            Self::TargetTrusted => "The operator trusts the target's host, so that no challenge is needed.",
            Self::ChallengeStarted => "A challenge was sent; the target has to echo it.",
            Self::ChallengePassed => "The target answered the challenge.",
            Self::ChallengeFailed => "The target did not answer the challenge as it should.",
            Self::UrlChanged => "The URL was changed; the new one has to answer a challenge.",
            Self::SecretChanged => "The secret was changed; the target has to answer a challenge signed with it.",
            Self::EndpointGone => "The target answered 410 Gone.",
            Self::TooManyFailures => "Delivery suspended due to too many delivery failures.",
            Self::FailingTooLong => "Delivery suspended because the target has been failing for too long.",
            Self::TooManyPreconditionFailures => "Delivery suspended due to too many precondition failures.",
            Self::Undeclared => "Its declaration was changed or taken away.",
        }
    }
}

/// The state of a subscription, since when, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The state.
    pub state: State,
    /// Why it is in this state.
    pub cause: Cause,
    /// Since when.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
    /// What was kept while it was paused is being delivered; new events line up behind.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_draining: bool,
    /// It takes no events, and what was kept for it before is kept still: its lanes rest until it takes events again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_keeping: bool,
}

/// What becomes of an event that a subscription wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// It is delivered.
    Deliver,
    /// It is kept, to be delivered in order later.
    Hold,
    /// No attempt is made, now or later, unless somebody asks.
    Skip,
}
