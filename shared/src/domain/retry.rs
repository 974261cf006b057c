//! Retries: which failed attempts are made again, and how long to wait before each.

use std::fmt;

use jiff::SignedDuration;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

#[cfg(test)]
mod tests;

/// The most waits of a schedule.
pub const MAX_WAITS: usize = 15;
/// The longest wait, in seconds: 7 days.
pub const MAX_WAIT_S: u32 = 604_800;
/// The most entries of a [`RetryOn`].
pub const MAX_RETRY_ON: usize = 20;
/// The waits between the three challenges that a target is sent.
pub const CHALLENGE_WAITS: [SignedDuration; 2] = [SignedDuration::from_secs(30); 2];

const STANDARD_S: [u32; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
const FIVE_TRIES_S: [u32; 4] = [60, 300, 900, 1_800];
const ALGA_S: [u32; 4] = [60, 300, 1_800, 7_200];
const JITTER: f64 = 0.2;
const PRESETS: [&str; 4] = ["standard", "five-tries", "alga", "none"];

/// Why something says nothing about retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RetryError {
    /// Not the name of a schedule.
    #[error("must be standard, five-tries, alga, none, or a list of waits in whole seconds")]
    Preset,
    /// Waits that are none, too many, or out of range.
    #[error("must have 1 to 15 waits of 1 to 604800 whole seconds")]
    Waits,
    /// Not a kind of failure.
    #[error("must have 3xx, 4xx, 5xx, network, or statuses of 300 to 599, and at most 20 of them")]
    RetryOn,
}

/// When failed attempts of a delivery are made again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RetrySchedule {
    /// Ten attempts over three days: after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, each ±20 %.
    #[default]
    Standard,
    /// Five attempts: after 1, 5, 15 and 30 minutes, without jitter.
    FiveTries,
    /// Five attempts: after 1, 5, 30 and 120 minutes, without jitter.
    Alga,
    /// One attempt.
    None,
    /// One attempt, and one more after each of these waits, each ±20 %.
    Custom(Waits),
}

/// 1 to 15 waits of 1 to 604,800 seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits(Vec<u32>);

impl TryFrom<Vec<u32>> for Waits {
    type Error = RetryError;

    fn try_from(seconds: Vec<u32>) -> Result<Self, RetryError> {
        let are_right =
            (1..=MAX_WAITS).contains(&seconds.len()) && seconds.iter().all(|s| (1..=MAX_WAIT_S).contains(s));
        if are_right { Ok(Self(seconds)) } else { Err(RetryError::Waits) }
    }
}

impl RetrySchedule {
    fn seconds(&self) -> &[u32] {
        match self {
            Self::Standard => &STANDARD_S,
            Self::FiveTries => &FIVE_TRIES_S,
            Self::Alga => &ALGA_S,
            Self::None => &[],
            Self::Custom(waits) => &waits.0,
        }
    }

    /// The wait after failed attempt `attempt` (the first is 1), or `None` when it was the last one.
    ///
    /// `jitter` in `0.0..1.0` picks the place within ±20 %, for schedules that have jitter.
    #[must_use]
    pub fn wait_after(&self, attempt: u32, jitter: f64) -> Option<SignedDuration> {
        let index = usize::try_from(attempt.checked_sub(1)?).ok()?;
        let seconds = *self.seconds().get(index)?;
        let spread = match self {
            Self::Standard | Self::Custom(_) => 1.0 + JITTER * (2.0 * jitter.clamp(0.0, 1.0) - 1.0),
            Self::FiveTries | Self::Alga | Self::None => 1.0,
        };
        SignedDuration::try_from_secs_f64(f64::from(seconds) * spread).ok()
    }
}

/// The wait after challenge `attempt` (the first is 1), or `None` when it was the last one.
#[must_use]
pub fn challenge_wait_after(attempt: u32) -> Option<SignedDuration> {
    CHALLENGE_WAITS.get(usize::try_from(attempt.checked_sub(1)?).ok()?).copied()
}

impl Serialize for RetrySchedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let preset = match self {
            Self::Standard => "standard",
            Self::FiveTries => "five-tries",
            Self::Alga => "alga",
            Self::None => "none",
            Self::Custom(waits) => return waits.0.serialize(serializer),
        };
        serializer.serialize_str(preset)
    }
}

impl<'de> Deserialize<'de> for RetrySchedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrList;

        impl<'de> Visitor<'de> for TextOrList {
            type Value = RetrySchedule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a schedule or a list of waits in whole seconds")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RetrySchedule, E> {
                match text {
                    "standard" => Ok(RetrySchedule::Standard),
                    "five-tries" => Ok(RetrySchedule::FiveTries),
                    "alga" => Ok(RetrySchedule::Alga),
                    "none" => Ok(RetrySchedule::None),
                    _ => Err(E::custom(RetryError::Preset)),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RetrySchedule, A::Error> {
                let mut seconds = Vec::new();
                while let Some(wait) = list.next_element::<u32>()? {
                    seconds.push(wait);
                }
                Waits::try_from(seconds).map(RetrySchedule::Custom).map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_any(TextOrList)
    }
}

impl PartialSchema for RetrySchedule {
    fn schema() -> RefOr<Schema> {
        let preset = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(PRESETS));
        let wait = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MAX_WAIT_S));
        let waits = ArrayBuilder::new()
            .items(wait)
            .min_items(Some(1))
            .max_items(Some(MAX_WAITS))
            .description(Some("The wait before each further attempt, in seconds, ±20 %"));
        OneOfBuilder::new()
            .item(preset)
            .item(Schema::Array(waits.build()))
            .description(Some("When failed attempts of a delivery are made again"))
            .into()
    }
}

impl ToSchema for RetrySchedule {}

/// A class of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// A redirect, which is never followed.
    Redirect,
    /// The target says that the request is at fault.
    Client,
    /// The target says that it is at fault, or nothing that can be understood.
    Server,
    /// No answer came.
    Network,
}

impl FailureClass {
    const EVERY: [Self; 4] = [Self::Redirect, Self::Client, Self::Server, Self::Network];

    /// The class of an answer that counts as a failure.
    #[must_use]
    pub fn of(status: u16) -> Self {
        match status {
            300..=399 => Self::Redirect,
            400..=499 => Self::Client,
            _ => Self::Server,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Redirect => "3xx",
            Self::Client => "4xx",
            Self::Server => "5xx",
            Self::Network => "network",
        }
    }
}

/// Tells whether a status asks for patience: it is always tried again, and the target is sent less.
#[must_use]
pub fn asks_for_patience(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// Which failed attempts are made again, beside those whose answer asks for patience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct RetryOn(Vec<Failure>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Class(FailureClass),
    Status(u16),
}

impl Default for RetryOn {
    fn default() -> Self {
        Self(FailureClass::EVERY.map(Failure::Class).to_vec())
    }
}

impl RetryOn {
    /// Tells whether a failure is tried again: by its class, or by the status of the answer, if one came.
    #[must_use]
    pub fn retries(&self, class: FailureClass, status: Option<u16>) -> bool {
        let is_meant = |failure: &Failure| match failure {
            Failure::Class(wanted) => *wanted == class,
            Failure::Status(wanted) => Some(*wanted) == status,
        };
        status.is_some_and(asks_for_patience) || self.0.iter().any(is_meant)
    }
}

impl TryFrom<Vec<String>> for RetryOn {
    type Error = RetryError;

    fn try_from(texts: Vec<String>) -> Result<Self, RetryError> {
        if texts.len() > MAX_RETRY_ON {
            return Err(RetryError::RetryOn);
        }
        texts.iter().map(|text| failure(text).ok_or(RetryError::RetryOn)).collect::<Result<Vec<_>, _>>().map(Self)
    }
}

fn failure(text: &str) -> Option<Failure> {
    if let Some(class) = FailureClass::EVERY.into_iter().find(|class| class.as_str() == text) {
        return Some(Failure::Class(class));
    }
    let is_number = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
    let status = text.parse::<u16>().ok().filter(|status| is_number && (300..=599).contains(status))?;
    Some(Failure::Status(status))
}

impl From<RetryOn> for Vec<String> {
    fn from(on: RetryOn) -> Self {
        let text = |failure| match failure {
            Failure::Class(class) => class.as_str().to_owned(),
            Failure::Status(status) => status.to_string(),
        };
        on.0.into_iter().map(text).collect()
    }
}

impl PartialSchema for RetryOn {
    fn schema() -> RefOr<Schema> {
        let failure = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^([345]xx|network|[345][0-9]{2})$"));
        let failures = ArrayBuilder::new()
            .items(failure)
            .max_items(Some(MAX_RETRY_ON))
            .description(Some("Which failed attempts are made again; 429, 502, 503 and 504 always are"))
            .examples([serde_json::json!(["5xx", "network", "409"])]);
        RefOr::T(Schema::Array(failures.build()))
    }
}

impl ToSchema for RetryOn {}
