//! The parts of a signature's row: which algorithm, when, over which digest, and what else must hold.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::domain::inbound_webhook::DEFAULT_TOLERANCE_S;
use crate::domain::key_path::KeyPath;
use crate::domain::refusal::Refusal;
use crate::scheme::algorithm::{Algorithm, Encoding, equal};
use crate::scheme::place::{Place, joined, parted};
use crate::scheme::view::{Absent, View};

/// The most things of one list that each must prove themselves.
const MAX_ELEMENTS: usize = 100;
/// The most digits of a time; far beyond any time there is.
const MAX_TIME_DIGITS: usize = 17;

/// One algorithm, or one by a text of the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Choice {
    /// Always this one.
    One(Algorithm),
    /// The one that a text of the request names.
    By {
        /// Where the text is.
        by: Place,
        /// The algorithms by that text.
        is: BTreeMap<String, Algorithm>,
    },
}

/// A list in the JSON body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Each {
    /// Where it is.
    pub json: KeyPath,
    /// The most elements that it may have; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<usize>,
}

impl Each {
    /// Its elements.
    ///
    /// # Errors
    /// When there is no list, an empty one, or one that is too long.
    pub fn elements<'v>(&self, view: &'v View<'_>) -> Result<&'v [Value], Absent> {
        let most = self.max.map_or(MAX_ELEMENTS, |most| most.min(MAX_ELEMENTS));
        match view.json().and_then(|json| self.json.at(json)) {
            None => Err(Absent::Missing),
            Some(Value::Array(elements)) if (1..=most).contains(&elements.len()) => Ok(elements),
            Some(_) => Err(Absent::Malformed),
        }
    }

    /// A path from the body's root into one element as a path that begins at the element, as text.
    #[must_use]
    pub fn within(&self, path: &KeyPath) -> Option<String> {
        let rest = path.as_str().strip_prefix(self.json.as_str())?.strip_prefix('[')?;
        let (index, rest) = rest.split_once(']')?;
        index.parse::<usize>().ok().map(|_| format!("${rest}"))
    }
}

/// When something was signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct SignedTime {
    /// Where the time is.
    pub place: Place,
    /// How it is written.
    pub format: TimeFormat,
    /// How far it may lie from now either way, in seconds.
    pub tolerance_s: u32,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeFormat {
    /// Whole seconds since the Unix epoch.
    Seconds,
    /// Whole milliseconds since the Unix epoch.
    Milliseconds,
    /// As RFC 3339 says.
    Rfc3339,
}

#[derive(Serialize, Deserialize)]
struct OfTime {
    format: TimeFormat,
    #[serde(default = "default_tolerance")]
    tolerance_seconds: u32,
}

fn default_tolerance() -> u32 {
    DEFAULT_TOLERANCE_S
}

impl TryFrom<Map<String, Value>> for SignedTime {
    type Error = String;

    fn try_from(members: Map<String, Value>) -> Result<Self, String> {
        let (own, place): (OfTime, _) = parted(members, &["format", "tolerance_seconds"])?;
        Ok(Self { place, format: own.format, tolerance_s: own.tolerance_seconds })
    }
}

impl From<SignedTime> for Map<String, Value> {
    fn from(time: SignedTime) -> Self {
        joined(&OfTime { format: time.format, tolerance_seconds: time.tolerance_s }, &time.place)
    }
}

impl TimeFormat {
    /// Reads a time.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Timestamp> {
        let number = || {
            let is_number = (1..=MAX_TIME_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<i64>().ok().filter(|_| is_number)
        };
        match self {
            Self::Seconds => Timestamp::from_second(number()?).ok(),
            Self::Milliseconds => Timestamp::from_millisecond(number()?).ok(),
            Self::Rfc3339 => text.parse().ok(),
        }
    }

    /// Writes a time.
    #[must_use]
    pub fn write(self, at: Timestamp) -> String {
        match self {
            Self::Seconds => at.as_second().to_string(),
            Self::Milliseconds => at.as_millisecond().to_string(),
            Self::Rfc3339 => format!("{at:.3}"),
        }
    }
}

impl SignedTime {
    /// Judges a time that proved to be the sender's.
    ///
    /// # Errors
    /// When it is too far away.
    pub fn judge(&self, signed: Timestamp, now: Timestamp) -> Result<(), Refusal> {
        let age_ms = now.as_millisecond() - signed.as_millisecond();
        let most_ms = i64::from(self.tolerance_s) * 1_000;
        match age_ms {
            age if age > most_ms => Err(Refusal::SignatureStale),
            age if age < -most_ms => Err(Refusal::SignatureFuture),
            _ => Ok(()),
        }
    }
}

/// A digest of the body at a place that is signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct BodyDigest {
    /// Where it is.
    pub place: Place,
    /// How it is written; SHA-256 in any case.
    pub encoding: Encoding,
    /// Whether it may be absent.
    pub required: Required,
}

/// When a digest of the body may be absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Required {
    /// Never.
    #[default]
    Always,
    /// When the body is a form, which is signed in another way.
    UnlessForm,
}

#[derive(Serialize, Deserialize)]
struct OfDigest {
    hash: DigestHash,
    encoding: Encoding,
    #[serde(default)]
    required: Required,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DigestHash {
    Sha256,
}

impl TryFrom<Map<String, Value>> for BodyDigest {
    type Error = String;

    fn try_from(members: Map<String, Value>) -> Result<Self, String> {
        let (own, place): (OfDigest, _) = parted(members, &["hash", "encoding", "required"])?;
        Ok(Self { place, encoding: own.encoding, required: own.required })
    }
}

impl From<BodyDigest> for Map<String, Value> {
    fn from(digest: BodyDigest) -> Self {
        let own = OfDigest { hash: DigestHash::Sha256, encoding: digest.encoding, required: digest.required };
        joined(&own, &digest.place)
    }
}

impl BodyDigest {
    /// Judges the digest of a request whose signature is right.
    ///
    /// # Errors
    /// When it is not there, or not that of the body.
    pub fn judge(&self, view: &View<'_>) -> Result<(), Refusal> {
        match self.place.text(view) {
            Ok(text) => {
                let digest = self.encoding.decode(&text).ok_or(Refusal::SignatureMalformed)?;
                let is_right = equal(&digest, &Sha256::digest(view.request().body));
                if is_right { Ok(()) } else { Err(Refusal::SignatureMismatch) }
            }
            Err(Absent::Missing) if self.required == Required::UnlessForm && view.is_form() => Ok(()),
            Err(absent) => Err(part_refusal(absent)),
        }
    }
}

/// A text of the request that must be a setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct Pinned {
    /// Where the text is.
    pub place: Place,
    /// The setting.
    pub setting: String,
}

#[derive(Serialize, Deserialize)]
struct OfPinned {
    setting: String,
}

impl TryFrom<Map<String, Value>> for Pinned {
    type Error = String;

    fn try_from(members: Map<String, Value>) -> Result<Self, String> {
        let (own, place): (OfPinned, _) = parted(members, &["setting"])?;
        Ok(Self { place, setting: own.setting })
    }
}

impl From<Pinned> for Map<String, Value> {
    fn from(pinned: Pinned) -> Self {
        joined(&OfPinned { setting: pinned.setting }, &pinned.place)
    }
}

/// One place, or several.
pub(super) mod one_or_many {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Place;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        Many(Vec<Place>),
        One(Place),
    }

    pub fn serialize<S: Serializer>(places: &[Place], serializer: S) -> Result<S::Ok, S::Error> {
        match places {
            [place] => place.serialize(serializer),
            places => places.serialize(serializer),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Place>, D::Error> {
        Ok(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(place) => vec![place],
            OneOrMany::Many(places) => places,
        })
    }
}

/// What a missing or malformed part of a signature is called.
pub(in crate::scheme) fn part_refusal(absent: Absent) -> Refusal {
    match absent {
        Absent::Missing => Refusal::SignaturePartMissing,
        Absent::Malformed => Refusal::SignatureMalformed,
    }
}
