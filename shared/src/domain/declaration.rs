//! Declared subscriptions: what has to be done so that a set of them is as a file says.
//!
//! All parameters of a declaration together are its identity, so a changed declaration is another one. What is no
//! longer declared is switched off and kept with its history; it is never taken up again, not even when its declaration
//! is put back. What was switched off for any other reason still is what its declaration made, and stays as it is.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::id::SubscriptionId;
use super::subscription::{Cause, State, Subscription};

#[cfg(test)]
mod tests;

/// The most subscriptions that one set may declare.
pub const MAX_DECLARATIONS: usize = 500;

/// The members for which null says something else than nothing: it is kept.
const TELLING_NULLS: [&str; 1] = ["auto_disable"];

/// A text that cannot be the name of a set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 64 characters of a-z, 0-9, _ and -")]
pub struct SetNameError;

/// The name of a set of declarations.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^[a-z0-9_-]+$", max_length = 64, example = "nightly-sync")]
pub struct SetName(String);

impl TryFrom<String> for SetName {
    type Error = SetNameError;

    fn try_from(text: String) -> Result<Self, SetNameError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) { Ok(Self(text)) } else { Err(SetNameError) }
    }
}

impl SetName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value whose members stand in the order of their names, whatever order they came in.
#[derive(Serialize)]
#[serde(untagged)]
enum Canonical<'v> {
    Members(BTreeMap<&'v str, Canonical<'v>>),
    Items(Vec<Canonical<'v>>),
    Plain(&'v Value),
}

impl<'v> Canonical<'v> {
    fn of(value: &'v Value) -> Self {
        match value {
            Value::Object(members) => {
                Self::Members(members.iter().map(|(name, value)| (name.as_str(), Self::of(value))).collect())
            }
            Value::Array(items) => Self::Items(items.iter().map(Self::of).collect()),
            plain => Self::Plain(plain),
        }
    }
}

/// The identity of a declaration: the SHA-256 of all its parameters as JSON, in hex.
///
/// The order of its members does not matter, and a member that is null is one that is absent, but for `auto_disable`,
/// where null says "never". Within members every null counts, for a filter may ask for one.
///
/// # Panics
/// Never: a declaration is plain data.
#[must_use]
pub fn fingerprint(declaration: &Map<String, Value>) -> String {
    let says = |name: &str, value: &Value| !value.is_null() || TELLING_NULLS.contains(&name);
    let said = declaration.iter().filter(|(name, value)| says(name, value));
    let canonical = Canonical::Members(said.map(|(name, value)| (name.as_str(), Canonical::of(value))).collect());
    let json = serde_json::to_vec(&canonical).expect("JSON can be written as JSON");
    hex::encode(Sha256::digest(json))
}

/// Tells whether a subscription was switched off because its declaration went away.
#[must_use]
pub fn is_undeclared(subscription: &Subscription) -> bool {
    let status = subscription.status;
    status.state == State::Disabled && status.cause == Cause::Undeclared
}

/// A subscription that was made from a declaration of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Existing<'s> {
    /// Its id.
    pub id: SubscriptionId,
    /// The identity of the declaration.
    pub fingerprint: &'s str,
    /// Whether it was switched off because its declaration went away.
    pub is_undeclared: bool,
}

impl<'s> Existing<'s> {
    /// The subscription as one of the set, if it is one.
    #[must_use]
    pub fn of(subscription: &'s Subscription, set: &SetName) -> Option<Self> {
        let declared = subscription.declared.as_ref().filter(|declared| declared.set == set.as_str())?;
        Some(Self {
            id: subscription.id,
            fingerprint: &declared.fingerprint,
            is_undeclared: is_undeclared(subscription),
        })
    }
}

/// What has to be done so that a set is as it is declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is as it should be, in the order of the declarations.
    pub keep: Vec<SubscriptionId>,
    /// The declarations, by their numbers from 0, of which subscriptions are to be made.
    pub create: Vec<usize>,
    /// What is no longer declared, oldest first.
    pub deactivate: Vec<SubscriptionId>,
}

/// Compares what is there with the identities of what is wanted. Equal ones are as many subscriptions as there are.
#[must_use]
pub fn plan(existing: &[Existing<'_>], wanted: &[String]) -> Plan {
    let mut left: Vec<&Existing<'_>> = existing.iter().filter(|known| !known.is_undeclared).collect();
    left.sort_by_key(|known| known.id);
    let mut plan = Plan::default();
    for (number, fingerprint) in wanted.iter().enumerate() {
        // Of several alike the newest goes on: an older one may have been undeclared and then enabled by hand.
        match left.iter().rposition(|known| known.fingerprint == fingerprint) {
            Some(at) => plan.keep.push(left.remove(at).id),
            None => plan.create.push(number),
        }
    }
    plan.deactivate = left.into_iter().map(|known| known.id).collect();
    plan
}
