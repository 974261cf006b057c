//! How a target proves that it wants what a subscription sends it.

use std::fmt;
use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::id::{EventId, InboundDeliveryId, InboundWebhookId, SubscriptionId};
use crate::random::Random;

/// How many characters a challenge of a listener's own may have.
pub const SUPPLIED_CHALLENGE_CHARS: RangeInclusive<usize> = 16..=128;

/// A text that is no challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 16 to 128 letters, digits, - and _")]
pub struct ChallengeError;

/// What a target has to echo: 64 hex characters, or what the listener supplied. Never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge(String);

impl Challenge {
    /// 32 random bytes.
    #[must_use]
    pub fn new(random: &Random) -> Self {
        Self(hex::encode(random.bytes::<32>()))
    }

    /// The listener's own: 16 to 128 letters, digits, `-` and `_`, which stand in any URL or body as they are.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn supplied(text: String) -> Result<Self, ChallengeError> {
        let is_fine = SUPPLIED_CHALLENGE_CHARS.contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if is_fine { Ok(Self(text)) } else { Err(ChallengeError) }
    }

    /// The text, to be sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenge(…)")
    }
}

/// What a challenge is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The subscription gets no events before.
    #[default]
    Activation,
    /// An active subscription proves itself again, as its settings ask.
    Renewal,
    /// A new secret proves itself while the old one still signs.
    Rotation,
}

/// How far a challenge has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerificationStatus {
    /// None was started.
    #[default]
    NotStarted,
    /// It is under way.
    Pending,
    /// It was answered.
    Passed,
    /// It was not answered as it should be.
    Failed,
}

/// The newest challenge of a subscription, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// How far it has come.
    pub status: VerificationStatus,
    /// What it is for.
    pub purpose: Purpose,
    /// What is to be echoed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
    /// When it was started.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::optional", default)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::optional", default)]
    pub ended_at: Option<Timestamp>,
    /// Why it failed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When the target proved itself last.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::optional", default)]
    pub verified_at: Option<Timestamp>,
}

impl Verification {
    pub(super) fn started(&self, purpose: Purpose, challenge: Challenge, now: Timestamp) -> Self {
        Self {
            status: VerificationStatus::Pending,
            purpose,
            challenge: Some(challenge),
            started_at: Some(now),
            ended_at: None,
            failure: None,
            verified_at: self.verified_at,
        }
    }

    pub(super) fn passed(&self, now: Timestamp) -> Self {
        Self {
            status: VerificationStatus::Passed,
            ended_at: Some(now),
            verified_at: Some(now),
            failure: None,
            ..self.clone()
        }
    }

    pub(super) fn failed(&self, reason: String, now: Timestamp) -> Self {
        Self { status: VerificationStatus::Failed, ended_at: Some(now), failure: Some(reason), ..self.clone() }
    }

    /// The id under which the challenge is delivered: another one for each challenge, always the same for one.
    ///
    /// `None` when none was started.
    #[must_use]
    pub fn event_id(&self, subscription: SubscriptionId) -> Option<EventId> {
        let (challenge, started_at) = (self.challenge.as_ref()?, self.started_at?);
        let id = InboundDeliveryId::derived(
            started_at,
            InboundWebhookId::NONE,
            &[&subscription.to_bytes(), challenge.as_str().as_bytes()],
        );
        Some(id.into())
    }
}
