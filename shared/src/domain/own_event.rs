//! Events that the gateway tells of itself: what became of subscriptions and deliveries.
//!
//! They are kept and delivered like any other. Their ids follow from what they tell, so telling it again makes no second
//! one. None of them leads to another: what goes wrong with their own deliveries is not told.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::delivery::Delivery;
use super::event_facts::{EventFacts, OwnerName};
use super::event_type::EventType;
use super::id::{InboundDeliveryId, InboundWebhookId};
use super::inbound_delivery::InboundDelivery;
use super::issue::{Issue, IssueState};
use super::subscription::{State, Subscription};
use super::text::TenantSlug;

/// What the gateway tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnEventType {
    /// The type of the event.
    pub name: &'static str,
    /// When it is told.
    pub description: &'static str,
}

impl OwnEventType {
    /// The type that such events have.
    ///
    /// # Panics
    /// Never: the names of these types are well formed.
    #[must_use]
    pub fn event_type(self) -> EventType {
        EventType::try_from(self.name.to_owned()).expect("it is words joined by a dot")
    }
}

/// A subscription waits for an admin.
pub const REGISTERED: OwnEventType = OwnEventType {
    name: "subscription.registered",
    description: "A listener registered itself; its subscription waits until an admin lets it in, at most until \
                  `expires_at`.",
};
/// A subscription takes events from now on.
pub const ACTIVATED: OwnEventType =
    OwnEventType { name: "subscription.activated", description: "A subscription takes events from now on." };
/// A subscription takes no events any more.
pub const DEACTIVATED: OwnEventType = OwnEventType {
    name: "subscription.deactivated",
    description: "A subscription was paused or switched off, by hand or by the gateway; `cause` says why.",
};
/// A challenge was not answered.
pub const CHALLENGE_FAILED: OwnEventType = OwnEventType {
    name: "subscription.challenge_failed",
    description: "The target of a subscription did not answer its challenge as it should.",
};
/// A subscription will be deleted.
pub const EXPIRING: OwnEventType = OwnEventType {
    name: "subscription.expiring",
    description: "A subscription whose target never proved itself will be deleted at `expires_at`.",
};
/// A subscription was deleted.
pub const EXPIRED: OwnEventType = OwnEventType {
    name: "subscription.expired",
    description: "A subscription whose target never proved itself was deleted.",
};
/// A delivery ended without success.
pub const EXHAUSTED: OwnEventType = OwnEventType {
    name: "delivery.exhausted",
    description: "No further attempt of a delivery will be made; `last_error` says how the last one ended.",
};
/// A webhook fell silent.
pub const SILENT: OwnEventType = OwnEventType {
    name: "inbound_webhook.silent",
    description: "An inbound webhook got no request for longer than its `silence_alarm_hours`.",
};
/// A webhook was switched off.
pub const AUTO_DISABLED: OwnEventType = OwnEventType {
    name: "inbound_webhook.auto_disabled",
    description: "An inbound webhook was switched off because its requests kept failing.",
};

/// Attempts keep failing.
pub const ISSUE_OPENED: OwnEventType = OwnEventType {
    name: "delivery_issue.opened",
    description: "Attempts at a subscription fail for one cause, and none has succeeded a minute later.",
};
/// Attempts fail no longer.
pub const ISSUE_CLOSED: OwnEventType = OwnEventType {
    name: "delivery_issue.closed",
    description: "An issue whose opening was told is over, by itself or by hand.",
};

/// Every type of event that the gateway tells of itself.
pub const OWN_EVENT_TYPES: [OwnEventType; 11] = [
    REGISTERED,
    ACTIVATED,
    DEACTIVATED,
    CHALLENGE_FAILED,
    EXPIRING,
    EXPIRED,
    EXHAUSTED,
    ISSUE_OPENED,
    ISSUE_CLOSED,
    SILENT,
    AUTO_DISABLED,
];

/// Tells whether the gateway tells events of this type of itself.
#[must_use]
pub fn is_own(event_type: &EventType) -> bool {
    OWN_EVENT_TYPES.iter().any(|own| own.name == event_type.as_str())
}

/// Something that the gateway tells of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnEvent {
    tenant: TenantSlug,
    kind: OwnEventType,
    /// When it happened.
    at: Timestamp,
    /// The time in its id: the same for everybody who tells of it.
    named_at: Timestamp,
    /// Whose subscription it is about: no other owner gets it.
    owner: Option<OwnerName>,
    /// Whom it is about, as bytes.
    subject: [u8; 16],
    data: Value,
}

impl OwnEvent {
    /// What the present state of a subscription is worth telling, if it is.
    #[must_use]
    pub fn of_status(subscription: &Subscription) -> Option<Self> {
        let kind = match subscription.status.state {
            State::AwaitingApproval => REGISTERED,
            State::Active => ACTIVATED,
            State::Paused | State::Disabled => DEACTIVATED,
            State::VerificationFailed => CHALLENGE_FAILED,
            State::AwaitingChallenge | State::PendingVerification => return None,
        };
        Some(Self::about(subscription, kind, subscription.status.since))
    }

    /// A challenge failed and the subscription is active all the same.
    #[must_use]
    pub fn challenge_failed(subscription: &Subscription) -> Option<Self> {
        let at = subscription.verification.ended_at?;
        Some(Self::about(subscription, CHALLENGE_FAILED, at))
    }

    /// A subscription will be deleted soon.
    #[must_use]
    pub fn expiring(subscription: &Subscription) -> Option<Self> {
        Some(Self::about(subscription, EXPIRING, subscription.warns_at()?))
    }

    /// A subscription is deleted.
    #[must_use]
    pub fn expired(subscription: &Subscription) -> Option<Self> {
        Some(Self::about(subscription, EXPIRED, subscription.expires_at()?))
    }

    fn about(subscription: &Subscription, kind: OwnEventType, at: Timestamp) -> Self {
        let status = &subscription.status;
        let data = json!({
            "subscription_id": subscription.id,
            "name": subscription.settings.name,
            "owner": subscription.owner,
            "state": status.state,
            "cause": status.cause,
            "message": subscription.verification.failure.as_deref().unwrap_or(status.cause.sentence()),
            "expires_at": subscription.expires_at().map(|at| at.to_string()),
        });
        let subject = subscription.id.to_bytes();
        let (tenant, owner) = (subscription.tenant.clone(), subscription.owner.clone());
        Self { tenant, kind, at, named_at: at, owner, subject, data }
    }

    /// A delivery to a subscription of `owner` ended without success at `at`.
    #[must_use]
    pub fn exhausted(delivery: &Delivery, owner: Option<OwnerName>, last_error: &str, at: Timestamp) -> Self {
        let data = json!({
            "delivery_id": delivery.id,
            "subscription_id": delivery.subscription_id,
            "event_id": delivery.event_id,
            "event_type": delivery.event_type,
            "attempts": delivery.attempts.len(),
            "last_error": last_error,
        });
        // Whoever tells of this end comes to the same id: it follows from what was recorded before it, unless that was so
        // long ago that the event would be gone soon.
        let before = delivery.attempts.iter().rev().nth(1).map_or(delivery.id.created_at(), |one| one.started_at);
        let is_recent = at <= before.saturating_add(RECENT).unwrap_or(at);
        let named_at = if is_recent { before } else { at };
        let (tenant, subject) = (delivery.tenant.clone(), delivery.id.to_bytes());
        Self { tenant, kind: EXHAUSTED, at, named_at, owner, subject, data }
    }

    /// An issue at a subscription of `owner` opened, and is told of at `now`.
    #[must_use]
    pub fn issue_opened(issue: &Issue, owner: Option<OwnerName>, now: Timestamp) -> Self {
        Self::about_issue(issue, ISSUE_OPENED, issue.first_seen, owner, now)
    }

    /// An issue at a subscription of `owner` is over; `None` while it is not.
    #[must_use]
    pub fn issue_closed(issue: &Issue, owner: Option<OwnerName>, now: Timestamp) -> Option<Self> {
        match issue.state {
            IssueState::Resolved { at, .. } => Some(Self::about_issue(issue, ISSUE_CLOSED, at, owner, now)),
            IssueState::Open | IssueState::Acknowledged(_) => None,
        }
    }

    fn about_issue(issue: &Issue, kind: OwnEventType, at: Timestamp, owner: Option<OwnerName>, now: Timestamp) -> Self {
        let by_itself = match issue.state {
            IssueState::Resolved { by_itself, .. } => Some(by_itself),
            IssueState::Open | IssueState::Acknowledged(_) => None,
        };
        let data = json!({
            "issue_id": issue.id,
            "subscription_id": issue.subscription_id,
            "cause": issue.cause,
            "count": issue.count,
            "opened": issue.opened,
            "first_seen": issue.first_seen.to_string(),
            "last_seen": issue.last_seen.to_string(),
            "last_error": issue.last_error,
            "by_itself": by_itself,
        });
        // Named by a time long ago, the event would be gone soon.
        let is_recent = now <= at.saturating_add(RECENT).unwrap_or(now);
        let named_at = if is_recent { at } else { now };
        let (tenant, subject) = (issue.tenant.clone(), issue.id.to_bytes());
        Self { tenant, kind, at, named_at, owner, subject, data }
    }

    /// What it says of itself beside its body.
    #[must_use]
    pub fn facts(&self) -> EventFacts {
        EventFacts { owner: self.owner.clone(), ..EventFacts::default() }
    }

    /// The body of the event: an envelope like that of published ones.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({"type": self.kind.name, "timestamp": self.at.to_string(), "data": self.data})
    }

    /// The row of the event, pending from birth.
    #[must_use]
    pub fn row(&self, now: Timestamp) -> InboundDelivery {
        let at = self.named_at.as_millisecond().to_be_bytes();
        let parts: [&[u8]; 3] = [&self.subject, self.kind.name.as_bytes(), &at];
        let webhook = InboundWebhookId::NONE;
        let id = InboundDeliveryId::derived(self.named_at, webhook, &parts);
        InboundDelivery::without_request(id, self.tenant.clone(), webhook, self.kind.event_type(), now)
    }
}

/// How long before its end what an end is named by may have been.
const RECENT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// For how long after an occasion it is still worth telling.
pub const NEWS: SignedDuration = SignedDuration::from_hours(24);
