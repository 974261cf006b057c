//! Circuit breakers: a host that keeps failing is left alone for a while.
//!
//! There is one for each tenant and host, so no tenant can open it for another. It opens at the fifth failure in a row
//! and stays open for 1 minute; then one attempt is let through as a probe. If that fails, it opens again for 5, then
//! 15, then 30 minutes, and for 30 from then on. A success closes it and starts the ladder anew.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::target_url::TargetUrl;

#[cfg(test)]
mod tests;

/// The number of failures in a row that opens a breaker.
pub const FAILURES_TO_OPEN: u32 = 5;

/// For how long a breaker is open, by how many times it has opened since the last success. The last one stays.
const WINDOWS: [SignedDuration; 4] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_mins(30),
];

/// A host and its port as one text: lower case, the port always there, an IPv6 address in brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort(String);

impl HostPort {
    /// Where a URL leads. The URL is in its normal form, so spelling makes no difference.
    #[must_use]
    pub fn of(url: &TargetUrl) -> Self {
        Self(format!("{}:{}", url.host(), url.port()))
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an attempt says of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It answered, and not with an error of its own.
    Alive,
    /// It did not answer, or with an error of its own.
    Trouble,
    /// Nothing: it was not asked.
    Unknown,
}

impl Seen {
    /// What an answer with this status says. Refusing a request takes a host that works.
    #[must_use]
    pub fn of_answer(status: u16) -> Self {
        if status >= 500 { Self::Trouble } else { Self::Alive }
    }

    /// What the lack of an answer says. When the guard refused the address for good, the host was not asked.
    #[must_use]
    pub fn of_silence(is_permanent: bool) -> Self {
        if is_permanent { Self::Unknown } else { Self::Trouble }
    }
}

/// Whether an attempt may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admits {
    /// Yes.
    Go,
    /// As the probe, by whoever claims it.
    Probe,
    /// Not before this time.
    Wait(Timestamp),
}

/// What is known of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// How many failures there were in a row.
    pub failures: u32,
    /// How many times it opened in a row: the step of the ladder, 0 while it is closed.
    pub opened: u32,
    /// Until when it is, or was, open.
    pub open_until: Option<Timestamp>,
    /// Until when the probe may take.
    pub probe_until: Option<Timestamp>,
    /// Since when it has been so: the last opening, or the first failure of the row.
    pub since: Timestamp,
}

impl Breaker {
    /// The breaker of a host that nothing is known against.
    #[must_use]
    pub fn clear(now: Timestamp) -> Self {
        Self { failures: 0, opened: 0, open_until: None, probe_until: None, since: now }
    }

    /// Tells whether nothing is known against the host.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.failures == 0 && self.opened == 0
    }

    /// Whether an attempt may be made at `now`.
    #[must_use]
    pub fn admits(&self, now: Timestamp) -> Admits {
        let Some(until) = self.open_until else { return Admits::Go };
        match self.probe_until {
            _ if now < until => Admits::Wait(until),
            // A probe whose sender died is followed by another.
            Some(probe_until) if now < probe_until => Admits::Wait(probe_until),
            _ => Admits::Probe,
        }
    }

    /// The breaker while the probe is under way, which takes until `until` at most.
    #[must_use]
    pub fn probing(self, until: Timestamp) -> Self {
        Self { probe_until: Some(until), ..self }
    }

    /// The breaker after its probe was not made.
    #[must_use]
    pub fn without_probe(self) -> Self {
        Self { probe_until: None, ..self }
    }

    /// The breaker after a failure at `now`. A failure in the open window is that of an attempt under way when it
    /// opened, and changes nothing.
    #[must_use]
    pub fn after_failure(self, now: Timestamp) -> Self {
        let failures = self.failures.saturating_add(1);
        match self.open_until {
            Some(until) if now < until => self,
            None if failures < FAILURES_TO_OPEN => {
                let since = if self.failures == 0 { now } else { self.since };
                Self { failures, since, ..self }
            }
            Some(_) | None => {
                let opened = self.opened.saturating_add(1);
                Self { failures, opened, open_until: Some(now + window(opened)), probe_until: None, since: now }
            }
        }
    }

    /// The breaker after a success at `now`: clear.
    #[must_use]
    pub fn after_success(self, now: Timestamp) -> Self {
        if self.is_clear() { self } else { Self::clear(now) }
    }

    /// The breaker as an instance sees it whose own last success was at `alive_at` and was not written down: failures
    /// from before are not in a row with those to come, and an opening from before is over.
    #[must_use]
    pub fn seen_alive(self, alive_at: Timestamp) -> Self {
        if alive_at > self.since { self.after_success(alive_at) } else { self }
    }
}

/// For how long a breaker is open that opens for the `opened`-th time in a row.
fn window(opened: u32) -> SignedDuration {
    let step = usize::try_from(opened).unwrap_or(usize::MAX).clamp(1, WINDOWS.len());
    WINDOWS[step - 1]
}
