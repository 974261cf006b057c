//! Inbound deliveries: one received request and what became of it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::event_facts::EventFacts;
use super::event_type::EventType;
use super::id::{EventId, InboundDeliveryId, InboundWebhookId, SubscriptionId, WebhookKeyId};
use super::inbound_webhook::Auth;
use super::stats::GATEWAY_VERSION;
use super::text::TenantSlug;
use super::time::later;
use crate::vault::Sealed;

/// How long after arrival the sweeper takes up a request that nobody has finished.
///
/// Longer than a dispatcher's lease, so that a first attempt in flight is never mistaken for lost work.
pub const FIRST_SWEEP_AFTER: SignedDuration = SignedDuration::from_secs(120);
/// How often lost work is taken up again before it is marked stuck and an alarm is raised.
pub const MAX_REDRIVES: u32 = 30;
/// How long a body is kept, in days.
pub const BODY_DAYS: i64 = 30;
/// How many breaches of a schema are kept of one request.
pub const MAX_VIOLATIONS: usize = 20;

/// How far the handling of a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DispatchStatus {
    /// Kept; the event has not gone to every subscription yet.
    Pending,
    /// The event has gone to every subscription; each delivery now has its own life.
    Dispatched,
    /// Refused after it was received, such as JSON that does not parse.
    Failed,
    /// A repetition of an earlier request; nothing was done.
    Duplicate,
    /// Taken up again too often without an end; someone must look.
    Stuck,
    /// No event: the sender asked whether the URL is ours, and was answered.
    Handshake,
}

/// One received request and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct InboundDelivery {
    /// Its id; carries the time of arrival.
    pub id: InboundDeliveryId,
    /// Whose it is.
    pub tenant: TenantSlug,
    /// The webhook it came to.
    pub webhook_id: InboundWebhookId,
    /// The version of the webhook that judged it.
    pub webhook_version: u64,
    /// The type of the event made from it.
    pub event_type: EventType,
    /// The sender's idempotency key, if there was one.
    pub idempotency_key: Option<String>,
    /// How far its handling has come.
    pub status: DispatchStatus,
    /// The first delivery with the same key, when this one repeats it.
    pub duplicate_of: Option<InboundDeliveryId>,
    /// The status that the sender was answered with.
    pub response_status: u16,
    /// From arrival to the write of this row, in milliseconds.
    pub latency_ms: u32,
    /// The stable code of the error, if it was refused.
    pub error: Option<String>,
    /// Where its body is not what the schema of the event type asks for, if it was refused for that.
    pub violations: Vec<Violation>,
    /// The delivery that it replays, if it is a replay.
    pub replay_of: Option<InboundDeliveryId>,
    /// Whether it was made by a person to try the webhook out.
    pub is_test: bool,
    /// The key that it came in by, if the webhook's URL ends in one.
    pub key_id: Option<WebhookKeyId>,
    /// The subscriptions that the event went to, once dispatched.
    pub subscriptions: Vec<SubscriptionId>,
    /// When the sweeper takes it up, while it is pending.
    pub due_at: Option<Timestamp>,
    /// How often it was taken up again.
    pub redrives: u32,
    /// Which handshake it is, if it is no event.
    pub handshake: Option<HandshakeNote>,
}

/// What is remembered of a handshake.
#[derive(Clone, Debug, PartialEq)]
pub struct HandshakeNote {
    /// Its name, as its preset has it.
    pub name: String,
    /// The secret that it brought, until the webhook has it.
    pub learned: Option<Sealed>,
}

impl InboundDelivery {
    /// The row of an event that no request led to, pending from birth. Nobody was answered, so there is no status of an
    /// answer.
    #[must_use]
    pub fn without_request(
        id: InboundDeliveryId,
        tenant: TenantSlug,
        webhook_id: InboundWebhookId,
        event_type: EventType,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            tenant,
            webhook_id,
            webhook_version: GATEWAY_VERSION,
            event_type,
            idempotency_key: None,
            status: DispatchStatus::Pending,
            duplicate_of: None,
            response_status: 0,
            latency_ms: 0,
            error: None,
            violations: Vec::new(),
            replay_of: None,
            is_test: false,
            key_id: None,
            subscriptions: Vec::new(),
            due_at: Some(later(now, FIRST_SWEEP_AFTER)),
            redrives: 0,
            handshake: None,
        }
    }

    /// When the request arrived.
    #[must_use]
    pub fn received_at(&self) -> Timestamp {
        self.id.created_at()
    }

    /// The event made from it, unless it was refused or a repetition.
    #[must_use]
    pub fn event_id(&self) -> Option<EventId> {
        match self.status {
            _ if self.handshake.is_some() => None,
            DispatchStatus::Pending | DispatchStatus::Dispatched | DispatchStatus::Stuck => Some(self.id.into()),
            DispatchStatus::Failed | DispatchStatus::Duplicate | DispatchStatus::Handshake => None,
        }
    }
}

/// One place of a body that is not what a schema asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Violation {
    /// The place, as a JSON Pointer; empty for the whole body.
    #[schema(example = "/customer/email")]
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

/// A stretch of time, both ends included; an end that is not given is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// Its first instant.
    pub from: Option<Timestamp>,
    /// Its last instant.
    pub to: Option<Timestamp>,
}

impl Period {
    /// Tells whether `at` is before it.
    #[must_use]
    pub fn is_after(&self, at: Timestamp) -> bool {
        self.from.is_some_and(|from| at < from)
    }

    /// Tells whether `at` is in it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        !self.is_after(at) && self.to.is_none_or(|to| at <= to)
    }
}

/// The request itself: what was received, byte for byte, with headers fit to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHead {
    /// The HTTP method.
    pub method: String,
    /// The path without its query string and without a key.
    pub path: String,
    /// The address that the request came from, as the platform saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// Header names in lower case with their values, credentials and signatures left out.
    pub headers: Vec<(String, String)>,
    /// What a published event says of itself; absent where a request came to a webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<EventFacts>,
    /// Whether the request had proven where it came from, beyond knowing the URL.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
}

impl RequestHead {
    /// The value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Header names that never reach storage, because they carry credentials.
const SECRET_HEADERS: [&str; 6] =
    ["authorization", "cookie", "set-cookie", "proxy-authorization", "x-api-key", "x-amz-security-token"];

/// Header names that say something of the connection and nothing of the message.
const HOP_HEADERS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Tells whether a header (lower-case name) of a request to a webhook with this `auth` is kept.
#[must_use]
pub fn may_keep_header(name: &str, auth: &Auth) -> bool {
    // A signature that nobody asks for today may open the webhook tomorrow.
    let is_signature = name.contains("signature");
    !is_signature && !SECRET_HEADERS.contains(&name) && !HOP_HEADERS.contains(&name) && !auth.is_credential_header(name)
}

/// From when on the body of a request is gone, whether its row is still there or not.
#[must_use]
pub fn body_expires_at(id: InboundDeliveryId) -> Timestamp {
    later(id.created_at(), SignedDuration::from_hours(24 * BODY_DAYS))
}

/// How long the row of a request lives: the body's 30 days, or the idempotency window where that is longer.
#[must_use]
pub fn row_expires_at(received_at: Timestamp, idempotency_window_s: u32) -> Timestamp {
    let days = SignedDuration::from_hours(24 * BODY_DAYS);
    let window = SignedDuration::from_secs(idempotency_window_s.into()) + SignedDuration::from_hours(24);
    later(received_at, days.max(window))
}

/// What the sweeper does with a pending thing that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redrive {
    /// Push its due time to `due_at`, count, and send its message again.
    Again {
        /// The next time to look.
        due_at: Timestamp,
    },
    /// Give up and raise the alarm.
    Stuck,
}

/// Decides what to do with work that was taken up `redrives` times already.
///
/// The waits double from two minutes to an hour: 30 of them span more than a day.
#[must_use]
pub fn redrive(redrives: u32, now: Timestamp) -> Redrive {
    if redrives >= MAX_REDRIVES {
        return Redrive::Stuck;
    }
    let wait = FIRST_SWEEP_AFTER.saturating_mul(1 << redrives.min(5)).min(SignedDuration::from_hours(1));
    Redrive::Again { due_at: later(now, wait) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_includes_both_of_its_ends() {
        let at = |s: i64| Timestamp::from_second(s).expect("a time");
        let period = Period { from: Some(at(10)), to: Some(at(20)) };
        let inside: Vec<i64> = (0..30).filter(|s| period.contains(at(*s))).collect();
        assert_eq!(inside, (10..=20).collect::<Vec<_>>());
        assert!(period.is_after(at(9)) && !period.is_after(at(21)), "what is too late is not too early");
        assert!(Period::default().contains(Timestamp::MIN) && Period::default().contains(Timestamp::MAX));
    }
}
