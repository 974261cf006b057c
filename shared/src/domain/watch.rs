//! What the watch over inbound webhooks decides: when silence is told of, and when one is switched off.
//!
//! What it tells is an event like any other, a row of the webhook that no request led to. Its id follows from the
//! webhook and the occasion, so telling it again makes no second one; and as no request led to it, it neither ends a
//! silence nor counts as anything.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::id::InboundDeliveryId;
use super::inbound_delivery::{DispatchStatus, InboundDelivery};
use super::inbound_webhook::InboundWebhook;
use super::own_event::{AUTO_DISABLED, OwnEventType, SILENT};
use super::time::later;

/// A silence that is longer than the webhook allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// The last request, or the begin of the webhook when there was none: which silence it is.
    pub since: Timestamp,
    /// When it became too long.
    pub alarm_at: Timestamp,
}

/// Tells whether a webhook needs watching.
#[must_use]
pub fn is_watched(webhook: &InboundWebhook) -> bool {
    webhook.silence_alarm_h.is_some() || webhook.disable_after_failures.is_some()
}

/// The silence of a webhook whose last request came at `last_used_at`, once it is too long.
///
/// A change of the webhook gives senders the whole time again, for it may have been off, or watched for less.
#[must_use]
pub fn silence(webhook: &InboundWebhook, last_used_at: Option<Timestamp>, now: Timestamp) -> Option<Silence> {
    let allowed = SignedDuration::from_hours(webhook.silence_alarm_h?.into());
    let since = last_used_at.unwrap_or(webhook.created_at);
    let alarm_at = later(since.max(webhook.updated_at), allowed);
    (webhook.is_active && alarm_at <= now).then_some(Silence { since, alarm_at })
}

/// How many of the newest requests are looked at to decide on switching off; `None` when that is not wanted.
#[must_use]
pub fn failures_looked_at(webhook: &InboundWebhook) -> Option<usize> {
    let failures = webhook.disable_after_failures.filter(|failures| *failures > 0 && webhook.is_active)?;
    usize::try_from(failures).ok()
}

/// Tells whether one of the newest requests keeps a webhook from being switched off.
///
/// Only a request that was judged by the present version counts as a failure of it, so it came after the last change.
/// Senders must prove who they are before a request is kept at all, so strangers cannot switch a webhook off.
#[must_use]
pub fn has_hope(webhook: &InboundWebhook, newest: &[InboundDelivery]) -> bool {
    newest
        .iter()
        .filter(|row| row.handshake.is_none())
        .any(|row| row.status != DispatchStatus::Failed || row.webhook_version != webhook.version)
}

/// The next version of a webhook, which is switched off because its requests kept failing.
#[must_use]
pub fn switched_off(before: &InboundWebhook, now: Timestamp) -> InboundWebhook {
    InboundWebhook {
        version: before.version + 1,
        is_active: false,
        auto_disabled_at: Some(now),
        updated_at: now,
        ..before.clone()
    }
}

/// Something that the gateway tells of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// No request came for too long.
    Silent(Silence),
    /// It was switched off at this time because its requests kept failing.
    AutoDisabled(Timestamp),
}

impl Occasion {
    fn kind(&self) -> OwnEventType {
        match self {
            Self::Silent(_) => SILENT,
            Self::AutoDisabled(_) => AUTO_DISABLED,
        }
    }

    /// When it happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Silent(silence) => silence.alarm_at,
            Self::AutoDisabled(at) => *at,
        }
    }

    /// The body of the event.
    #[must_use]
    pub fn body(&self, webhook: &InboundWebhook) -> Value {
        let (kind, id, name) = (self.kind().name, webhook.id, &webhook.name);
        match self {
            Self::Silent(silence) => json!({
                "type": kind, "webhook_id": id, "name": name, "since": silence.since.to_string(),
                "silence_alarm_hours": webhook.silence_alarm_h,
            }),
            Self::AutoDisabled(at) => json!({
                "type": kind, "webhook_id": id, "name": name, "since": at.to_string(),
                "failures": webhook.disable_after_failures,
            }),
        }
    }

    /// The row of the event, pending from birth; always the same for the same occasion.
    #[must_use]
    pub fn row(&self, webhook: &InboundWebhook, now: Timestamp) -> InboundDelivery {
        let (kind, at) = (self.kind(), self.at().as_millisecond().to_be_bytes());
        let parts: [&[u8]; 3] = [&webhook.id.to_bytes(), kind.name.as_bytes(), &at];
        let id = InboundDeliveryId::derived(self.at(), webhook.id, &parts);
        InboundDelivery::without_request(id, webhook.tenant.clone(), webhook.id, kind.event_type(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::stats::Origin;
    use crate::domain::stats::tests::{at, row, webhook};

    const HOUR: i64 = 3_600;

    fn watched() -> InboundWebhook {
        InboundWebhook { silence_alarm_h: Some(1), disable_after_failures: Some(3), ..webhook() }
    }

    #[test]
    fn silence_is_counted_from_the_last_request_or_the_begin() {
        let last = Some(at(100));
        assert_eq!(silence(&watched(), last, at(100 + HOUR - 1)), None);
        let expected = Silence { since: at(100), alarm_at: at(100 + HOUR) };
        assert_eq!(silence(&watched(), last, at(9 * HOUR)), Some(expected));
        let expected = Silence { since: at(0), alarm_at: at(HOUR) };
        assert_eq!(silence(&watched(), None, at(HOUR)), Some(expected));
    }

    #[test]
    fn a_change_gives_senders_the_whole_time_again_and_is_no_new_silence() {
        let changed = InboundWebhook { updated_at: at(2 * HOUR), ..watched() };
        assert_eq!(silence(&changed, Some(at(100)), at(3 * HOUR - 1)), None);
        assert_eq!(silence(&changed, Some(at(100)), at(3 * HOUR)).map(|silence| silence.since), Some(at(100)));
    }

    #[test]
    fn what_is_off_or_not_watched_is_never_silent() {
        let off = InboundWebhook { is_active: false, ..watched() };
        assert_eq!(silence(&off, None, at(100 * HOUR)), None);
        assert_eq!(silence(&webhook(), None, at(100 * HOUR)), None);
        assert_eq!(failures_looked_at(&off), None);
    }

    #[test]
    fn only_failures_that_the_present_version_judged_leave_no_hope() {
        let failed = |seconds| row(seconds, DispatchStatus::Failed);
        assert!(!has_hope(&watched(), &[failed(3), failed(2), failed(1)]));
        for hopeful in [
            row(2, DispatchStatus::Dispatched),
            row(2, DispatchStatus::Pending),
            row(2, DispatchStatus::Duplicate),
            InboundDelivery { webhook_version: 9, ..failed(2) },
        ] {
            assert!(has_hope(&watched(), &[failed(3), hopeful.clone(), failed(1)]), "{hopeful:?}");
        }
    }

    #[test]
    fn an_occasion_has_one_row_and_no_request_led_to_it() {
        let silent = Occasion::Silent(Silence { since: at(0), alarm_at: at(HOUR) });
        let first = silent.row(&watched(), at(HOUR + 5));
        let again = silent.row(&InboundWebhook { version: 7, ..watched() }, at(HOUR + 600));
        assert_eq!((first.id, first.received_at()), (again.id, at(HOUR)));
        assert_eq!(Origin::of(&first), Origin::Gateway);
        let disabled = Occasion::AutoDisabled(at(HOUR)).row(&watched(), at(HOUR));
        assert_ne!(disabled.id, first.id);
        assert_eq!(disabled.id.handle(), watched().id.handle(), "it lies among the webhook's own rows");
    }

    #[test]
    fn an_event_tells_which_webhook_and_nothing_secret() {
        let body = Occasion::AutoDisabled(at(0)).body(&watched());
        let expected = json!({
            "type": "inbound_webhook.auto_disabled", "webhook_id": watched().id, "name": "Billing",
            "since": at(0).to_string(), "failures": 3,
        });
        assert_eq!(body, expected);
        let body = Occasion::Silent(Silence { since: at(0), alarm_at: at(HOUR) }).body(&watched());
        let expected = json!({
            "type": "inbound_webhook.silent", "webhook_id": watched().id, "name": "Billing",
            "since": at(0).to_string(), "silence_alarm_hours": 1,
        });
        assert_eq!(body, expected);
    }
}
