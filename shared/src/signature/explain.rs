//! Explaining a signature: whether a request would be believed under a secret, and if not, why.
//!
//! It answers whoever holds the secret already; it never says the secret nor what the signature should have been.

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::claim::{
    HUB_HEADERS, Standard, Tag, Timing, hex_tag, hub_tag, is_made_with_either, seconds, standard_tags, timing, value,
};
use super::standard::key_bytes;

#[cfg(test)]
mod tests;

/// The id, time and signature headers of Standard Webhooks, and those of before they were standard.
const STANDARD_HEADERS: [[&str; 3]; 2] =
    [["webhook-id", "webhook-timestamp", "webhook-signature"], ["svix-id", "svix-timestamp", "svix-signature"]];
/// The most headers with `t=…,v1=…` that are judged; each costs reading the body.
const MAX_TIMESTAMPED: usize = 4;
/// The most parts of a `t=…,v1=…` value that are looked at.
const MAX_PARTS: usize = 10;

/// A request, and the secret that it is said to be signed with.
#[derive(Clone, Copy)]
pub struct Claimed<'a> {
    /// The secret, as it was shown when it was made.
    pub secret: &'a SecretString,
    /// The headers of the request.
    pub headers: &'a HeaderMap,
    /// The body, as it came.
    pub body: &'a [u8],
    /// How far a signed time may lie from now.
    pub tolerance: SignedDuration,
    /// The time to compare with.
    pub now: Timestamp,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// A signature is right.
    Valid {
        /// How it is written: `standard`, `hub` or `timestamped`.
        scheme: &'static str,
    },
    /// None is.
    Invalid {
        /// Why not. With several schemes, what is said of the first.
        reason: Reason,
    },
}

/// Why no signature is right. What is said of the time is said of a signature that is right otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No header holds a signature of a known scheme.
    #[error("No header holds a signature of a known scheme.")]
    SignatureMissing,
    /// A scheme that signs a time comes without one.
    #[error("The signature comes without the time that it signs.")]
    TimestampMissing,
    /// The time is no number of seconds.
    #[error("The signed time is not a number of seconds since 1970.")]
    TimestampMalformed,
    /// The time is too long ago.
    #[error("The signature is right, but its time is {by_s} s older than is allowed.")]
    TimestampTooOld {
        /// Seconds beyond the tolerance.
        by_s: u64,
    },
    /// The time is yet to come.
    #[error("The signature is right, but its time is {by_s} s further in the future than is allowed.")]
    TimestampInFuture {
        /// Seconds beyond the tolerance.
        by_s: u64,
    },
    /// A standard signature comes without the id that it signs.
    #[error("The signature comes without the id that it signs.")]
    IdMissing,
    /// The signature cannot be read.
    #[error("The signature is not written as its scheme writes it.")]
    SignatureMalformed,
    /// The signature is well formed and wrong.
    #[error("The signature was not made over this body with this secret.")]
    SignatureMismatch,
    /// The secret is empty, or has no base64 after `whsec_`.
    #[error("The secret is empty, or is not base64 after whsec_.")]
    SecretMalformed,
}

impl Reason {
    /// The stable name of the reason, for the API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SignatureMissing => "signature_missing",
            Self::TimestampMissing => "timestamp_missing",
            Self::TimestampMalformed => "timestamp_malformed",
            Self::TimestampTooOld { .. } => "timestamp_too_old",
            Self::TimestampInFuture { .. } => "timestamp_in_future",
            Self::IdMissing => "id_missing",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureMismatch => "signature_mismatch",
            Self::SecretMalformed => "secret_malformed",
        }
    }
}

/// Judges every scheme that the headers speak of; one right signature is enough.
#[must_use]
pub fn explain(claimed: &Claimed<'_>) -> Verified {
    if claimed.secret.expose_secret().is_empty() {
        return Verified::Invalid { reason: Reason::SecretMalformed };
    }
    let mut first = None;
    for (scheme, judge) in SCHEMES {
        match judge(claimed) {
            Some(Ok(())) => return Verified::Valid { scheme },
            Some(Err(reason)) => first = first.or(Some(reason)),
            None => {}
        }
    }
    Verified::Invalid { reason: first.unwrap_or(Reason::SignatureMissing) }
}

/// Judges one scheme; `None` when the headers do not speak of it.
type Judge = fn(&Claimed<'_>) -> Option<Result<(), Reason>>;

const SCHEMES: [(&str, Judge); 3] = [("standard", standard), ("hub", hub), ("timestamped", timestamped)];

fn standard(claimed: &Claimed<'_>) -> Option<Result<(), Reason>> {
    let names = STANDARD_HEADERS.into_iter().find(|[.., signature]| claimed.headers.contains_key(*signature))?;
    Some(judge_standard(claimed, names))
}

fn judge_standard(claimed: &Claimed<'_>, [id, time, signature]: [&str; 3]) -> Result<(), Reason> {
    let claim = Standard {
        id: value(claimed.headers, id).ok_or(Reason::IdMissing)?,
        time: value(claimed.headers, time).ok_or(Reason::TimestampMissing)?,
        tags: standard_tags(claimed.headers, signature),
    };
    let signed_s = seconds(claim.time).ok_or(Reason::TimestampMalformed)?;
    if claim.tags.is_empty() {
        return Err(Reason::SignatureMalformed);
    }
    key_bytes(claimed.secret).map_err(|_| Reason::SecretMalformed)?;
    if !claim.is_made_with(claimed.secret, claimed.body) {
        return Err(Reason::SignatureMismatch);
    }
    timely(claimed, signed_s)
}

fn hub(claimed: &Claimed<'_>) -> Option<Result<(), Reason>> {
    let values = HUB_HEADERS.into_iter().filter_map(|name| {
        let value = claimed.headers.get(name)?;
        // The other scheme is also written under these names.
        Parts::read(&HeaderName::from_static(name), value).is_none().then_some(value)
    });
    let tags: Vec<Option<Tag>> = values.map(|value| hub_tag(value.as_bytes())).collect();
    if tags.is_empty() {
        return None;
    }
    let tags: Vec<Tag> = tags.into_iter().flatten().collect();
    Some(judge_tags(claimed, &[claimed.body], &tags))
}

fn timestamped(claimed: &Claimed<'_>) -> Option<Result<(), Reason>> {
    let all = claimed.headers.iter().filter_map(|(name, value)| Parts::read(name, value));
    let mut first = None;
    for parts in all.take(MAX_TIMESTAMPED) {
        match parts.judge(claimed) {
            Ok(()) => return Some(Ok(())),
            Err(reason) => first = first.or(Some(Err(reason))),
        }
    }
    first
}

/// The parts of a `t=<unix seconds>,v1=<hex>` value, in any order and with spaces around them.
struct Parts<'h> {
    times: Vec<&'h [u8]>,
    tags: Vec<&'h [u8]>,
}

impl<'h> Parts<'h> {
    /// `None` when the value does not look like one. Half of it is enough under a name that speaks of a signature.
    fn read(name: &HeaderName, value: &'h HeaderValue) -> Option<Self> {
        let parts = || value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).take(MAX_PARTS);
        let times: Vec<_> = parts().filter_map(|part| part.strip_prefix(b"t=")).collect();
        let tags: Vec<_> = parts().filter_map(|part| part.strip_prefix(b"v1=")).collect();
        let is_half = !times.is_empty() || !tags.is_empty();
        let is_whole = !times.is_empty() && !tags.is_empty();
        (is_whole || (is_half && name.as_str().contains("signature"))).then_some(Self { times, tags })
    }

    fn judge(&self, claimed: &Claimed<'_>) -> Result<(), Reason> {
        let time = match self.times[..] {
            [] => return Err(Reason::TimestampMissing),
            [time] => time,
            // Nobody knows which of them counts.
            _ => return Err(Reason::SignatureMalformed),
        };
        let signed_s = seconds(time).ok_or(Reason::TimestampMalformed)?;
        let tags: Vec<Tag> = self.tags.iter().filter_map(|tag| hex_tag(tag)).collect();
        judge_tags(claimed, &[time, b".", claimed.body], &tags)?;
        timely(claimed, signed_s)
    }
}

fn judge_tags(claimed: &Claimed<'_>, content: &[&[u8]], tags: &[Tag]) -> Result<(), Reason> {
    if tags.is_empty() {
        Err(Reason::SignatureMalformed)
    } else if is_made_with_either(claimed.secret, content, tags) {
        Ok(())
    } else {
        Err(Reason::SignatureMismatch)
    }
}

fn timely(claimed: &Claimed<'_>, signed_s: i64) -> Result<(), Reason> {
    match timing(signed_s, claimed.now, claimed.tolerance) {
        Timing::Timely => Ok(()),
        Timing::TooOld { by_s } => Err(Reason::TimestampTooOld { by_s }),
        Timing::InFuture { by_s } => Err(Reason::TimestampInFuture { by_s }),
    }
}
