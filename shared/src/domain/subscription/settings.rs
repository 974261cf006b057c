//! What the owner of a subscription chooses.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dialect::DialectName;
use crate::dialect::proof::ProofStyle;
use crate::domain::event_facts::{EventFacts, Scope};
use crate::domain::event_type::{EventPattern, EventType};
use crate::domain::ordering::Ordering;
use crate::domain::owner::PermissionName;
use crate::domain::payload_filter::PayloadFilter;
use crate::domain::payload_mode::PayloadMode;
use crate::domain::rate_limit::RateLimit;
use crate::domain::response_rule::ResponseRule;
use crate::domain::retry::{RetryOn, RetrySchedule};
use crate::domain::static_headers::StaticHeaders;
use crate::domain::target::Target;
use crate::domain::target_url::TargetUrl;
use crate::domain::text::{Description, Name};

/// The most event patterns that one subscription may have.
pub const MAX_PATTERNS: usize = 50;
/// The most ids of entities that one subscription may be narrowed to.
pub const MAX_ENTITY_IDS: usize = 100;
/// The most attempts that one subscription may have under way at once.
pub const MAX_IN_FLIGHT: u8 = 50;
/// The longest that an attempt may take, in seconds.
pub const MAX_TIMEOUT_S: u8 = 30;
/// The most notes that one subscription may carry.
pub const MAX_METADATA: usize = 20;

/// The most headers of received requests that are passed on by name.
pub const MAX_FORWARDED: usize = 50;

/// Notes of its owner's: short texts by name, that mean nothing to the gateway.
pub type Metadata = BTreeMap<String, String>;

/// What the owner of a subscription chooses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Its name for people.
    pub name: Name,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Where deliveries go; of a service of the cloud, its endpoint.
    pub url: TargetUrl,
    /// What stands there: a web server, or a service of the cloud.
    #[serde(default, skip_serializing_if = "Target::is_https")]
    pub target: Target,
    /// The event types wanted.
    pub events: Vec<EventPattern>,
    /// Which events of these types are wanted.
    #[serde(default, skip_serializing_if = "EventFilter::is_empty")]
    pub filter: EventFilter,
    /// How much of an event is sent.
    #[serde(default)]
    pub payload: PayloadMode,
    /// How it looks on the wire.
    #[serde(default, skip_serializing_if = "DialectName::is_default")]
    pub dialect: DialectName,
    /// Dialects whose signatures stand beside its own, for a migration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_sign: Vec<DialectName>,
    /// How its target proves itself; as the dialect says when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofStyle>,
    /// In which order its deliveries are sent; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordering: Option<Ordering>,
    /// Headers of received requests that are passed on, by lower-case name; `*` is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forward_headers: Vec<String>,
    /// Headers beside the gateway's own.
    #[serde(default)]
    pub headers: StaticHeaders,
    /// The longest that an attempt may take, in seconds.
    pub timeout_s: u8,
    /// When failed attempts are made again.
    pub retry_schedule: RetrySchedule,
    /// Which failed attempts are made again.
    #[serde(default)]
    pub retry_on: RetryOn,
    /// How many attempts are made in which time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// How many attempts are under way at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_in_flight: Option<u8>,
    /// When the gateway switches it off; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_disable: Option<AutoDisable>,
    /// What an answer must be to count as a success, beyond a 2xx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_rule: Option<ResponseRule>,
    /// How much of each answer's body is kept, in bytes.
    pub kept_response_bytes: u16,
    /// The permission that its owner must hold where an event happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<PermissionName>,
    /// After how many days the target has to prove itself again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverify_days: Option<u16>,
    /// Notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: Metadata,
}

impl Settings {
    /// How long attempts may take when nothing else is said, in seconds.
    pub const DEFAULT_TIMEOUT_S: u8 = 15;
    /// How much of an answer's body is kept when nothing else is said, in bytes.
    pub const DEFAULT_KEPT_RESPONSE_BYTES: u16 = 1024;
    /// The most that may be kept of an answer's body, in bytes.
    pub const MAX_KEPT_RESPONSE_BYTES: u16 = 8192;

    /// The longest that an attempt may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s.into())
    }
}

/// When the gateway switches a failing subscription off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoDisable {
    /// After so many hours of nothing but failures (1 to 8,760).
    #[schema(minimum = 1, maximum = 8760)]
    pub after_hours: u16,
    /// After so many failed attempts in a row (1 to 50), once they span a quarter of an hour.
    #[schema(minimum = 1, maximum = 50)]
    pub after_failures: u8,
}

impl Default for AutoDisable {
    fn default() -> Self {
        Self { after_hours: 24, after_failures: 50 }
    }
}

/// Which events of its types a subscription wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EventFilter {
    /// Only events about entities of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_type: Option<String>,
    /// Only events at this scope or below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Only events about one of these entities; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entity_ids: Vec<String>,
    /// Only events whose JSON payload is like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<PayloadFilter>,
}

impl EventFilter {
    /// Tells whether everything passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Tells whether an event passes, its payload apart.
    ///
    /// An event that does not say what it is about passes only where nothing is asked for; the type of its entity is then
    /// the first word of its own type.
    #[must_use]
    pub fn admits(&self, event_type: &EventType, facts: Option<&EventFacts>) -> bool {
        let noun = event_type.as_str().split('.').next().unwrap_or_default();
        let entity_type = facts.and_then(|facts| facts.entity_type.as_deref()).unwrap_or(noun);
        let is_about = |wanted: &String| wanted.eq_ignore_ascii_case(entity_type);
        let scope = facts.and_then(|facts| facts.scope.as_ref());
        let is_at = |wanted: &Scope| scope.is_some_and(|scope| wanted.covers(scope));
        let id = facts.and_then(|facts| facts.entity_id.as_ref());
        self.object_type.as_ref().is_none_or(is_about)
            && self.scope.as_ref().is_none_or(is_at)
            && (self.entity_ids.is_empty() || id.is_some_and(|id| self.entity_ids.contains(id)))
    }
}
