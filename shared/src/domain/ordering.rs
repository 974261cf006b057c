//! Ordering: deliveries of one subscription that are sent one after another, lane by lane.
//!
//! Events with the same key stand in one lane. The next of a lane is sent once the one before it has ended; what fails
//! holds back its own lane and no other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::event_facts::EventFacts;
use super::key_path::KeyPath;

/// The longest time that an event may be kept until older ones can no longer come, in seconds.
pub const MAX_SETTLE_S: u16 = 900;
/// How long an event is kept until older ones can no longer come, when nothing else is said, in seconds.
pub const DEFAULT_SETTLE_S: u16 = 2;

/// What events have in common that are sent in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderBy {
    /// Nothing: all events of the subscription are sent in order.
    Subscription,
    /// The entity that they are about: its type and id. Events about none stand in one lane.
    Entity,
    /// The value at a path of the JSON payload, such as `$.customer.id`. Events without one stand in one lane.
    #[schema(value_type = String)]
    Path(KeyPath),
}

/// The order that a subscription asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ordering {
    /// What events have in common that are sent in order.
    pub by: OrderBy,
    /// How old an event is before it is sent, in seconds, so that older ones that are late still come before it.
    pub settle_s: u16,
}

impl Ordering {
    /// The lane of an event.
    ///
    /// `payload` gives the part of its body that paths are read in, and is asked only when a path is.
    #[must_use]
    pub fn lane(&self, facts: Option<&EventFacts>, payload: impl FnOnce() -> Option<Value>) -> LaneKey {
        match &self.by {
            OrderBy::Subscription => LaneKey::of(""),
            OrderBy::Entity => {
                let entity_type = facts.and_then(|facts| facts.entity_type.as_deref()).unwrap_or_default();
                let id = facts.and_then(|facts| facts.entity_id.as_deref()).unwrap_or_default();
                LaneKey::of(&format!("{}:{entity_type}{id}", entity_type.len()))
            }
            OrderBy::Path(path) => {
                let found = payload().and_then(|payload| path.at(&payload).map(Value::to_string));
                LaneKey::of(&found.unwrap_or_default())
            }
        }
    }
}

/// The name of a lane: 64 bits of the hash of what its events have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneKey(u64);

impl LaneKey {
    /// The lane of the events that have this in common.
    #[must_use]
    pub fn of(common: &str) -> Self {
        let digest = Sha256::digest(common.as_bytes());
        Self(u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes")))
    }

    /// 16 bytes, the last of which spread lanes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        u128::from(self.0).to_be_bytes()
    }
}

impl fmt::Display for LaneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for LaneKey {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ordering(by: OrderBy) -> Ordering {
        Ordering { by, settle_s: DEFAULT_SETTLE_S }
    }

    #[test]
    fn events_about_one_entity_stand_in_one_lane() {
        let by_entity = ordering(OrderBy::Entity);
        let about = |entity_type: &str, id: &str| {
            let facts = EventFacts {
                entity_type: Some(entity_type.to_owned()),
                entity_id: Some(id.to_owned()),
                ..EventFacts::default()
            };
            by_entity.lane(Some(&facts), || None)
        };
        assert_eq!(about("ticket", "42"), about("ticket", "42"));
        assert_ne!(about("ticket", "42"), about("client", "42"), "defect 33: types are told apart");
        assert_ne!(about("ab", "c"), about("a", "bc"));
        assert_eq!(by_entity.lane(None, || None), by_entity.lane(Some(&EventFacts::default()), || None));
    }

    #[test]
    fn events_with_one_value_at_the_path_stand_in_one_lane() {
        let by_path = ordering(OrderBy::Path(KeyPath::try_from("$.customer.id".to_owned()).expect("a path")));
        let with = |payload: Value| by_path.lane(None, || Some(payload));
        assert_eq!(with(json!({"customer": {"id": 7}, "n": 1})), with(json!({"customer": {"id": 7}, "n": 2})));
        assert_ne!(with(json!({"customer": {"id": 7}})), with(json!({"customer": {"id": "7"}})));
        assert_eq!(with(json!({})), by_path.lane(None, || None), "what has none stands in one lane");
    }

    #[test]
    fn a_lane_reads_back_from_its_text() {
        let lane = LaneKey::of("x");
        assert_eq!(lane.to_string().parse(), Ok(lane));
    }
}
