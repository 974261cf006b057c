//! How a subscription is doing by its newest attempts, and when it is switched off for that.
//!
//! Tests and challenges say nothing here. Attempts whose sender died say nothing of the target, and what is not yet
//! finished is left out, so that it neither counts nor stands in the way.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::attempt::{Answer, Attempt, Outcome};
use super::delivery::{Delivery, DeliveryState};
use super::subscription::{AutoDisable, Cause, State};

#[cfg(test)]
mod tests;

/// How many finished attempts are looked at.
pub const NEWEST: usize = 50;
/// How long a row of failures must last before their number counts: a short outage of a busy target is no reason.
pub const LEAST_SPAN: SignedDuration = SignedDuration::from_mins(15);
/// How many attempts must have failed before their age counts: one failure and then silence is no reason.
const LEAST_FAILURES: usize = 2;
/// The most characters of an answer that are shown to people.
const MAX_MESSAGE_CHARS: usize = 500;
/// The members of an answer that hold words for people, the best first.
const MESSAGE_MEMBERS: [&str; 4] = ["message", "error", "detail", "title"];

/// How a subscription is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionHealthState {
    /// Its newest attempt succeeded, or there was none.
    Healthy,
    /// Its newest attempt failed.
    Failing,
    /// It is paused or switched off.
    Disabled,
    /// Its target has not proven itself.
    Unverified,
}

/// What a target answered last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LastResponse {
    /// The HTTP status.
    pub status: u16,
    /// Its words for people: `message`, `error`, `detail` or `title` of a JSON object, else the beginning of its body.
    #[schema(example = "no such contact")]
    pub message: Option<String>,
}

impl LastResponse {
    /// The newest answer among these attempts, oldest first.
    #[must_use]
    pub fn of(attempts: &[Attempt]) -> Option<Self> {
        attempts.iter().rev().find_map(|attempt| answer_of(attempt).map(Self::new))
    }

    fn new(answer: &Answer) -> Self {
        Self { status: answer.status, message: message(answer) }
    }
}

fn answer_of(attempt: &Attempt) -> Option<&Answer> {
    match &attempt.outcome {
        Outcome::Answered(answer) => Some(answer),
        Outcome::Failed { .. } | Outcome::Unknown => None,
    }
}

/// What an answer says to people, if it says anything.
fn message(answer: &Answer) -> Option<String> {
    let body = answer.body.as_deref()?.trim();
    if let Ok(Value::Object(members)) = serde_json::from_str(body)
        && let Some(words) = MESSAGE_MEMBERS.iter().find_map(|name| words(members.get(*name)?))
    {
        return Some(cut(words, false));
    }
    (!body.is_empty()).then(|| cut(body, answer.is_cut))
}

/// The text that a member is, or has as its own `message`.
fn words(member: &Value) -> Option<&str> {
    let text = member.as_str().or_else(|| member.get("message")?.as_str())?.trim();
    (!text.is_empty()).then_some(text)
}

fn cut(text: &str, goes_on: bool) -> String {
    match text.char_indices().nth(MAX_MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None if goes_on => format!("{text}…"),
        None => text.to_owned(),
    }
}

/// An attempt of which it is known whether the target took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// Whether the target took it.
    pub is_success: bool,
}

/// Tells whether a delivery says something of how its subscription is doing.
#[must_use]
pub fn counts(delivery: &Delivery) -> bool {
    delivery.kind.is_of_event()
}

/// The finished attempts of these deliveries, newest first.
#[must_use]
pub fn finished(deliveries: &[Delivery]) -> Vec<Finished> {
    let mut all: Vec<_> = deliveries.iter().filter(|delivery| counts(delivery)).flat_map(finished_of).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.started_at));
    all
}

/// The finished attempts of one delivery. What the target told later decides about its newest one.
pub(super) fn finished_of(delivery: &Delivery) -> impl Iterator<Item = Finished> + '_ {
    let newest = delivery.attempts.last().map(|attempt| attempt.n);
    delivery.attempts.iter().filter_map(move |attempt| {
        let was_taken = match &attempt.outcome {
            Outcome::Unknown => return None,
            outcome => outcome.is_success(),
        };
        let is_success = match delivery.state {
            DeliveryState::InProgress { .. } if was_taken => return None,
            DeliveryState::Exhausted { .. } if Some(attempt.n) == newest => false,
            _ => was_taken,
        };
        Some(Finished { started_at: attempt.started_at, duration_ms: attempt.duration_ms, is_success })
    })
}

/// The finished attempts of these deliveries as [`verdict`] takes them, newest first.
#[must_use]
pub fn outcomes(deliveries: &[Delivery]) -> Vec<(Timestamp, bool)> {
    finished(deliveries).into_iter().map(|attempt| (attempt.started_at, attempt.is_success)).collect()
}

/// How long attempts took, in milliseconds; null without any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttemptLatency {
    /// Half of the attempts took at most this long.
    pub p50: Option<u32>,
    /// Nineteen of twenty took at most this long.
    pub p95: Option<u32>,
    /// Ninety-nine of a hundred took at most this long.
    pub p99: Option<u32>,
}

impl AttemptLatency {
    fn of(finished: &[Finished]) -> Self {
        let mut sorted: Vec<u32> = finished.iter().map(|attempt| attempt.duration_ms).collect();
        sorted.sort_unstable();
        let p = |percent| percentile(&sorted, percent);
        Self { p50: p(50), p95: p(95), p99: p(99) }
    }
}

/// The least of the sorted values that so many of a hundred do not exceed.
pub(super) fn percentile(sorted: &[u32], percent: usize) -> Option<u32> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// How a subscription is doing, in numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionHealth {
    /// How it is doing.
    pub state: SubscriptionHealthState,
    /// Which part of its newest finished attempts succeeded; 1 without any.
    pub success_rate: f64,
    /// When the newest of them that succeeded began.
    pub last_success_at: Option<Timestamp>,
    /// When the newest of them that failed began.
    pub last_failure_at: Option<Timestamp>,
    /// How many of them failed since the newest success.
    pub consecutive_failures: usize,
    /// How long they took.
    pub latency_ms: AttemptLatency,
    /// When the next attempt is due.
    pub next_attempt_at: Option<Timestamp>,
    /// How many deliveries are under way: waiting, being attempted, or worked on by the target.
    pub pending: usize,
    /// How many deliveries are kept for it.
    pub held: usize,
    /// What the target answered last.
    pub last_response: Option<LastResponse>,
}

impl SubscriptionHealth {
    /// Judges a subscription that is in `state` by its newest deliveries.
    #[must_use]
    pub fn of(state: State, deliveries: &[Delivery]) -> Self {
        let mut newest = finished(deliveries);
        newest.truncate(NEWEST);
        let first = |is_success| newest.iter().find(|a| a.is_success == is_success).map(|a| a.started_at);
        let successes = newest.iter().filter(|attempt| attempt.is_success).count();
        let consecutive_failures = newest.iter().take_while(|attempt| !attempt.is_success).count();
        let counted = || deliveries.iter().filter(|delivery| counts(delivery));
        let next = |delivery: &Delivery| match delivery.state {
            DeliveryState::Pending { next_attempt_at, .. } => Some(next_attempt_at),
            _ => None,
        };
        let is_held = |delivery: &&Delivery| delivery.state == DeliveryState::Held;
        let is_pending = |delivery: &&Delivery| !is_held(delivery) && !delivery.state.is_final();
        let answered = counted().flat_map(|delivery| &delivery.attempts);
        let last = answered.filter_map(|a| Some((a.started_at, answer_of(a)?))).max_by_key(|(at, _)| *at);
        Self {
            state: match state {
                State::Active if consecutive_failures > 0 => SubscriptionHealthState::Failing,
                State::Active => SubscriptionHealthState::Healthy,
                State::Paused | State::Disabled => SubscriptionHealthState::Disabled,
                State::AwaitingApproval
                | State::AwaitingChallenge
                | State::PendingVerification
                | State::VerificationFailed => SubscriptionHealthState::Unverified,
            },
            success_rate: if newest.is_empty() { 1.0 } else { successes as f64 / newest.len() as f64 },
            last_success_at: first(true),
            last_failure_at: first(false),
            consecutive_failures,
            latency_ms: AttemptLatency::of(&newest),
            next_attempt_at: counted().filter_map(next).min(),
            pending: counted().filter(is_pending).count(),
            held: counted().filter(is_held).count(),
            last_response: last.map(|(_, answer)| LastResponse::new(answer)),
        }
    }
}

/// Decides whether a subscription is to be switched off, and why.
///
/// `finished` holds when its finished attempts began and whether they succeeded, newest first. Attempts before `since`,
/// when it began to take events, do not count.
#[must_use]
pub fn verdict(rule: &AutoDisable, finished: &[(Timestamp, bool)], since: Timestamp, now: Timestamp) -> Option<Cause> {
    let is_failure = |(started_at, is_success): &&(Timestamp, bool)| !is_success && *started_at >= since;
    let failures: Vec<Timestamp> = finished.iter().take_while(is_failure).map(|(at, _)| *at).collect();
    let (newest, oldest) = (failures.first()?, failures.last()?);
    if failures.len() >= usize::from(rule.after_failures) && newest.duration_since(*oldest) >= LEAST_SPAN {
        return Some(Cause::TooManyFailures);
    }
    let too_long = SignedDuration::from_hours(rule.after_hours.into());
    let fails_too_long = failures.len() >= LEAST_FAILURES && now.duration_since(*oldest) >= too_long;
    fails_too_long.then_some(Cause::FailingTooLong)
}
