//! Owners of subscriptions: what they may see, and how much they may ask for.
//!
//! An owner is named by whoever makes subscriptions on its behalf. Only one that has quotas of its own, permissions or
//! subscriptions has a record; every other has the deployment's defaults.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::event_facts::{EventFacts, OwnerName, Scope};
use super::rate_limit::RateLimit;

/// The most permissions that one owner may hold.
pub const MAX_GRANTS: usize = 100;
/// The most scopes that one permission may be held at.
pub const MAX_GRANT_SCOPES: usize = 50;
/// How many events may be undecidable, since a subscription is in its state, before it is switched off.
pub const MAX_PRECONDITION_FAILURES: u32 = 50;

/// Why a text names no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 128 characters of A-Z, a-z, 0-9, _, -, . and :")]
pub struct PermissionNameError;

/// A named permission that owners may hold, such as `tickets.view`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_.:-]+$", example = "tickets.view")]
pub struct PermissionName(String);

impl TryFrom<String> for PermissionName {
    type Error = PermissionNameError;

    fn try_from(text: String) -> Result<Self, PermissionNameError> {
        let is_fine = |b: u8| b.is_ascii_alphanumeric() || b"_-.:".contains(&b);
        if (1..=128).contains(&text.len()) && text.bytes().all(is_fine) {
            Ok(Self(text))
        } else {
            Err(PermissionNameError)
        }
    }
}

/// How much one owner may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// The most subscriptions (1 to 100).
    #[schema(minimum = 1, maximum = 100)]
    pub max_subscriptions: u32,
    /// The most events published on its behalf in a minute (1 to 1,000).
    #[schema(minimum = 1, maximum = 1000)]
    pub max_events_per_minute: u32,
    /// The most subscriptions asked for in a minute (1 to 100).
    #[schema(minimum = 1, maximum = 100)]
    pub max_subscription_requests_per_minute: u32,
    /// The most subscriptions asked for in a day (1 to 10,000).
    #[schema(minimum = 1, maximum = 10000)]
    pub max_subscription_requests_per_day: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            max_subscriptions: 10,
            max_events_per_minute: 12,
            max_subscription_requests_per_minute: 10,
            max_subscription_requests_per_day: 20,
        }
    }
}

/// One minute and one day, as windows of a quota.
const MINUTE_S: u32 = 60;
const DAY_S: u32 = 86_400;

impl Quotas {
    /// Names the member that is out of its range, if one is.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        [
            (self.max_subscriptions, 100, "max_subscriptions: must be 1 to 100"),
            (self.max_events_per_minute, 1_000, "max_events_per_minute: must be 1 to 1000"),
            (self.max_subscription_requests_per_minute, 100, "max_subscription_requests_per_minute: must be 1 to 100"),
            (self.max_subscription_requests_per_day, 10_000, "max_subscription_requests_per_day: must be 1 to 10000"),
        ]
        .into_iter()
        .find_map(|(value, most, rule)| (!(1..=most).contains(&value)).then_some(rule))
    }

    /// Events in a minute.
    #[must_use]
    pub fn events(&self) -> RateLimit {
        RateLimit { requests: self.max_events_per_minute, window_s: MINUTE_S }
    }

    /// Requests for subscriptions in a minute.
    #[must_use]
    pub fn requests(&self) -> RateLimit {
        RateLimit { requests: self.max_subscription_requests_per_minute, window_s: MINUTE_S }
    }

    /// Requests for subscriptions in a day.
    #[must_use]
    pub fn requests_per_day(&self) -> RateLimit {
        RateLimit { requests: self.max_subscription_requests_per_day, window_s: DAY_S }
    }
}

/// What one owner holds: permissions, each at some scopes and below them; an empty list of scopes is everywhere.
pub type Grants = BTreeMap<PermissionName, Vec<Scope>>;

/// The record of an owner.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OwnerRecord {
    /// Its own quotas; the defaults when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotas: Option<Quotas>,
    /// What it may see; `None`: nobody has said, so nothing can be decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Grants>,
}

impl OwnerRecord {
    /// The quotas that hold for it.
    #[must_use]
    pub fn effective_quotas(&self) -> Quotas {
        self.quotas.unwrap_or_default()
    }
}

/// Whether a principal may see an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permitted {
    /// It may.
    Granted,
    /// It may not. Nothing is said and nothing counted.
    Denied,
    /// It cannot be decided: nobody has said what the principal may do, or the event does not say where it happened.
    Undecidable,
}

/// Decides whether everybody concerned holds `permission` where an event happened: the owner, and the principal that
/// caused the event, if it names one.
///
/// `record` gives what is known of a principal. The first one that may not decides; one that cannot be decided on comes
/// before one that may.
#[must_use]
pub fn permitted<'a>(
    permission: &PermissionName,
    owner: Option<&OwnerName>,
    facts: Option<&EventFacts>,
    record: impl Fn(&OwnerName) -> Option<&'a OwnerRecord>,
) -> Permitted {
    let Some(owner) = owner else { return Permitted::Undecidable };
    let initiator = facts.and_then(|facts| facts.initiator.as_ref());
    let scope = facts.and_then(|facts| facts.scope.as_ref());
    let judged = [Some(owner), initiator].into_iter().flatten().map(|principal| {
        let Some(grants) = record(principal).and_then(|record| record.grants.as_ref()) else {
            return Permitted::Undecidable;
        };
        match (grants.get(permission), scope) {
            (None, _) => Permitted::Denied,
            (Some(scopes), _) if scopes.is_empty() => Permitted::Granted,
            (Some(_), None) => Permitted::Undecidable,
            (Some(scopes), Some(scope)) if scopes.iter().any(|held| held.covers(scope)) => Permitted::Granted,
            (Some(_), Some(_)) => Permitted::Denied,
        }
    });
    judged.fold(Permitted::Granted, |worst, one| match (worst, one) {
        (Permitted::Denied, _) | (_, Permitted::Denied) => Permitted::Denied,
        (Permitted::Undecidable, _) | (_, Permitted::Undecidable) => Permitted::Undecidable,
        (Permitted::Granted, Permitted::Granted) => Permitted::Granted,
    })
}
