//! What the end of an attempt means: success, patience, another attempt, or none.
//!
//! It judges one attempt and knows nothing of the schedule: whether another attempt is left is for [`super::retry`].

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::{SignedDuration, Timestamp};

use super::response_rule::ResponseRule;
use super::retry::{FailureClass, RetryOn, asks_for_patience};

#[cfg(test)]
mod tests;

/// The longest wait that a target may ask for.
pub const LONGEST_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Headers by which a target says that it answers later, through a callback.
const CALLBACKS: [&str; 2] = ["hookport-callback", "x-tmi-callback"];

/// How an attempt ended.
#[derive(Clone, Copy)]
pub enum Answer<'a> {
    /// The target answered.
    Response {
        /// The HTTP status.
        status: u16,
        /// The headers.
        headers: &'a HeaderMap,
        /// As much of the body as was read.
        body: &'a [u8],
    },
    /// No answer came.
    None {
        /// Whether trying again cannot help.
        permanent: bool,
    },
}

/// What a subscription makes of answers.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// Which failures are tried again.
    pub retry_on: &'a RetryOn,
    /// What a 2xx must be beside that.
    pub rule: Option<&'a ResponseRule>,
}

/// What the end of an attempt means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The target has the event.
    Delivered,
    /// The target took the event in and says later what became of it.
    InProgress,
    /// The target wants no more events.
    Gone,
    /// The attempt failed.
    Failed {
        /// Whether it is worth another attempt, if the schedule has one left.
        retry: bool,
        /// The wait that the target asked for.
        not_before: Option<SignedDuration>,
        /// Whether the target asked to be sent less.
        slow_down: bool,
    },
}

/// Judges the end of an attempt.
///
/// Why a 2xx failed is said by [`ResponseRule::broken_by`].
#[must_use]
pub fn judge(answer: &Answer<'_>, policy: &Policy<'_>, now: Timestamp) -> Verdict {
    let (status, headers, body) = match *answer {
        Answer::Response { status, headers, body } => (status, headers, body),
        Answer::None { permanent } => {
            let retry = !permanent && policy.retry_on.retries(FailureClass::Network, None);
            return Verdict::Failed { retry, not_before: None, slow_down: false };
        }
    };
    match status {
        200..=299 if policy.rule.is_none_or(|rule| rule.broken_by(status, body).is_none()) => {
            if answers_later(headers) { Verdict::InProgress } else { Verdict::Delivered }
        }
        410 => Verdict::Gone,
        _ => {
            let not_before = retry_after(headers, now);
            Verdict::Failed {
                retry: policy.retry_on.retries(FailureClass::of(status), Some(status)),
                not_before,
                slow_down: asks_for_patience(status) || not_before.is_some(),
            }
        }
    }
}

fn answers_later(headers: &HeaderMap) -> bool {
    CALLBACKS.iter().any(|name| {
        headers.get_all(*name).iter().any(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"async"))
    })
}

/// The wait that an answer asks for: whole seconds or a date, at most a day. What is neither says nothing.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit ask for more than a day.
        text.parse::<i64>().map_or(LONGEST_RETRY_AFTER, SignedDuration::from_secs)
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        // Only dates at the end of the year 9999 are not timestamps.
        Timestamp::try_from(date).map_or(LONGEST_RETRY_AFTER, |date| date.duration_since(now))
    };
    Some(wait.clamp(SignedDuration::ZERO, LONGEST_RETRY_AFTER))
}
