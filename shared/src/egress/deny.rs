//! The operator's list of hosts that nothing is sent to.
//!
//! It fails closed: where there is a list and it is not known, nothing is sent. A list that was known less than five
//! minutes ago still counts, so that a short failure of the store stops nothing.

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::error::EgressError;
use super::resolve::literal;
use crate::clock::Clock;
use crate::domain::address;
use crate::domain::host_pattern::HostPattern;

/// How long the list is used without asking for a newer one.
const LIFE: SignedDuration = SignedDuration::from_secs(60);
/// How long the list is used when no newer one is to be had.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_secs(300);
/// How long the known list is used after a failure before the next try.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The longest that loading may take.
const LOAD_TIMEOUT: Duration = Duration::from_secs(2);

/// Any error of a source.
pub type BoxError = Box<dyn StdError + Send + Sync>;
/// The list while it is being loaded.
pub type DenyLoading = Pin<Box<dyn Future<Output = Result<Vec<DenyRule>, BoxError>> + Send>>;
/// Loads the list.
pub type DenySource = Arc<dyn Fn() -> DenyLoading + Send + Sync>;

/// Hosts that nothing is sent to, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenyRule {
    /// Which hosts: their names and the text of their addresses are held against it.
    pub pattern: HostPattern,
    /// Why, for the owner of a target.
    pub description: String,
}

/// The operator's deny list, loaded when it is needed. Clones share what they know.
#[derive(Clone)]
pub struct DenyList(Option<Arc<Listed>>);

struct Listed {
    source: DenySource,
    clock: Clock,
    /// Held while loading, so that the list is loaded once, however many ask for it.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Option<Known>,
    failed_at: Option<Timestamp>,
    /// How many loads failed. Whoever waited for one that failed shares its failure.
    failures: u64,
}

struct Known {
    rules: Arc<[DenyRule]>,
    asked_at: Timestamp,
}

impl DenyList {
    /// No list: nothing is denied.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// The list that `source` loads.
    #[must_use]
    pub fn new(source: DenySource, clock: Clock) -> Self {
        let (turn, state) = (tokio::sync::Mutex::default(), Mutex::default());
        Self(Some(Arc::new(Listed { source, clock, turn, state })))
    }

    /// The rules that count now. The same rules are the same allocation.
    pub(super) async fn rules(&self) -> Result<Arc<[DenyRule]>, EgressError> {
        match &self.0 {
            Some(listed) => listed.rules().await,
            None => Ok(Arc::default()),
        }
    }
}

impl fmt::Debug for DenyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "DenyList(from a source)" } else { "DenyList(none)" })
    }
}

impl Listed {
    async fn rules(&self) -> Result<Arc<[DenyRule]>, EgressError> {
        let failures = match self.usable() {
            Ok(rules) => return Ok(rules),
            Err(failures) => failures,
        };
        let _turn = self.turn.lock().await;
        match self.usable() {
            Ok(rules) => return Ok(rules),
            Err(by_now) if by_now != failures => return Err(EgressError::DenyListUnavailable),
            Err(_) => {}
        }
        let asked_at = self.clock.now();
        match timeout(LOAD_TIMEOUT, (self.source)()).await {
            Ok(Ok(rules)) => Ok(self.learn(rules, asked_at)),
            Ok(Err(error)) => self.go_on_without(&error.to_string(), asked_at),
            Err(elapsed) => self.go_on_without(&elapsed.to_string(), asked_at),
        }
    }

    /// The rules when they need not be loaded now, or how many loads have failed.
    fn usable(&self) -> Result<Arc<[DenyRule]>, u64> {
        let now = self.clock.now();
        let state = self.lock();
        let failed_lately = state.failed_at.is_some_and(|at| now.duration_since(at) < PAUSE);
        state.younger_than(if failed_lately { LONGEST_LIFE } else { LIFE }, now).ok_or(state.failures)
    }

    fn learn(&self, rules: Vec<DenyRule>, asked_at: Timestamp) -> Arc<[DenyRule]> {
        let mut state = self.lock();
        let rules = match &state.known {
            Some(known) if *known.rules == *rules => Arc::clone(&known.rules),
            _ => Arc::from(rules),
        };
        state.known = Some(Known { rules: Arc::clone(&rules), asked_at });
        state.failed_at = None;
        rules
    }

    fn go_on_without(&self, why: &str, now: Timestamp) -> Result<Arc<[DenyRule]>, EgressError> {
        let mut state = self.lock();
        state.failures += 1;
        state.failed_at = Some(now);
        let known = state.younger_than(LONGEST_LIFE, now);
        tracing::warn!(why, known = known.is_some(), "deny_list.unavailable");
        known.ok_or(EgressError::DenyListUnavailable)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked left the state as it was before or after, never between.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn younger_than(&self, age: SignedDuration, now: Timestamp) -> Option<Arc<[DenyRule]>> {
        let known = self.known.as_ref().filter(|known| now.duration_since(known.asked_at) < age)?;
        Some(Arc::clone(&known.rules))
    }
}

/// Finds the rule that denies a host, which is a name or an address, in brackets when it is IPv6.
pub(super) fn by_host<'a>(rules: &'a [DenyRule], host: &str) -> Option<&'a DenyRule> {
    match literal(host) {
        Some(address) => by_address(rules, address),
        None => by_text(rules, host),
    }
}

/// Finds the rule that denies an address, in whatever form it is written.
pub(super) fn by_address(rules: &[DenyRule], address: IpAddr) -> Option<&DenyRule> {
    if rules.is_empty() {
        return None;
    }
    address::meanings(address).iter().find_map(|meaning| by_text(rules, &meaning.to_string()))
}

fn by_text<'a>(rules: &'a [DenyRule], text: &str) -> Option<&'a DenyRule> {
    rules.iter().find(|rule| rule.pattern.matches(text))
}
