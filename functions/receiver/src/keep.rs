//! Claim, keep under the claimed id, hint: what a 2xx stands for.

use std::time::Duration;

use hookport::app::App;
use hookport::aws::queue::Outgoing;
use hookport::domain::id::InboundDeliveryId;
use hookport::domain::idempotency::{Claim, IdempotencyKey, MAX_KEY_BYTES};
use hookport::domain::inbound_delivery::{
    DispatchStatus, FIRST_SWEEP_AFTER, InboundDelivery, RequestHead, may_keep_header, row_expires_at,
};
use hookport::domain::inbound_webhook::{Auth, IdempotencySource, InboundWebhook};
use hookport::message::{InboundMessage, Message};
use hookport::store::{Claimed, Kept, KeptRequest, Writer};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use tracing::warn;

use crate::endpoint::Endpoint;
use crate::refusal::Refusal;
use crate::{Arrived, Ended, Trouble};

/// How long an answer may wait for the queue. The row is the promise; the message only saves time.
const HINT_PATIENCE: Duration = Duration::from_millis(300);
/// How long the note of a repetition is kept.
const DUPLICATE_LIFE: SignedDuration = SignedDuration::from_hours(72);

/// What was kept, and how it was answered.
pub(crate) struct KeptAs {
    pub(crate) delivery: InboundDelivery,
}

/// Keeps a request that has proved itself, or finds that it was kept before.
pub(crate) async fn keep(app: &App, endpoint: &Endpoint, arrived: &Arrived) -> Result<Ended, Trouble> {
    let webhook = &endpoint.webhook;
    let key = idempotency_key(webhook, arrived.request.headers());
    if key.as_ref().is_some_and(|key| key.as_str().len() > MAX_KEY_BYTES) {
        return Ok(Ended::Refused(Refusal::KeyTooLong));
    }
    let request = KeptRequest::pack(&head(webhook, arrived), arrived.request.body())?;
    let own_id = InboundDeliveryId::new(arrived.at, webhook.id, app.random.bits());
    if !parses(arrived) {
        return keep_unparsable(app, webhook, arrived, own_id, &request).await;
    }

    let claimed = match &key {
        None => Claimed::Ours,
        Some(key) => {
            let claim = Claim::new(own_id, arrived.at, webhook.idempotency_window_s);
            app.store.claim_key(&webhook.tenant, webhook.id, key, &claim).await?
        }
    };
    let id = match claimed {
        Claimed::Ours => own_id,
        Claimed::Theirs(claim) => claim.delivery_id,
    };
    let is_keyed = key.is_some();
    let mut delivery = InboundDelivery {
        idempotency_key: key.map(|key| key.to_string()),
        due_at: Some(later(arrived.at, FIRST_SWEEP_AFTER)),
        ..received(app, webhook, arrived, id)
    };
    let expires_at = row_expires_at(arrived.at, webhook.idempotency_window_s);
    let writer = Writer::new(app.random.bits());
    let mut kept = app.store.keep_inbound(&delivery, Some(&request), writer, expires_at).await?;
    while kept == Kept::Exists && !is_keyed {
        // Two requests of one millisecond drew the same id; this one is not the other.
        delivery.id = InboundDeliveryId::new(arrived.at, webhook.id, app.random.bits());
        kept = app.store.keep_inbound(&delivery, Some(&request), writer, expires_at).await?;
    }
    match kept {
        // Ours, or that of a winner who died between its claim and its row.
        Kept::New => {
            let tenant = webhook.tenant.clone();
            hint(app, InboundMessage::carrying(tenant, delivery.id, &webhook.event_type, &request)).await;
            Ok(Ended::Kept(KeptAs { delivery }))
        }
        // The winner kept its own, or we won and one who lost to us was faster.
        Kept::Exists => {
            let note = InboundDelivery {
                id: InboundDeliveryId::new(arrived.at, webhook.id, app.random.bits()),
                status: DispatchStatus::Duplicate,
                duplicate_of: Some(id),
                due_at: None,
                ..delivery
            };
            note_duplicate(app, &note).await;
            Ok(Ended::Kept(KeptAs { delivery: note }))
        }
    }
}

/// Keeps a request whose JSON does not parse, so that its owner can see it; no event is made from it.
async fn keep_unparsable(
    app: &App,
    webhook: &InboundWebhook,
    arrived: &Arrived,
    id: InboundDeliveryId,
    request: &KeptRequest,
) -> Result<Ended, Trouble> {
    let delivery = InboundDelivery {
        status: DispatchStatus::Failed,
        response_status: 400,
        error: Some("invalid_json".to_owned()),
        ..received(app, webhook, arrived, id)
    };
    let expires_at = row_expires_at(arrived.at, 0);
    app.store.keep_inbound(&delivery, Some(request), Writer::new(app.random.bits()), expires_at).await?;
    Ok(Ended::Kept(KeptAs { delivery }))
}

fn received(app: &App, webhook: &InboundWebhook, arrived: &Arrived, id: InboundDeliveryId) -> InboundDelivery {
    let latency = app.clock.now().duration_since(arrived.at).as_millis();
    InboundDelivery {
        id,
        tenant: webhook.tenant.clone(),
        webhook_id: webhook.id,
        webhook_version: webhook.version,
        event_type: webhook.event_type.clone(),
        idempotency_key: None,
        status: DispatchStatus::Pending,
        duplicate_of: None,
        response_status: 200,
        latency_ms: u32::try_from(latency).unwrap_or(u32::MAX),
        error: None,
        subscriptions: Vec::new(),
        due_at: None,
        redrives: 0,
    }
}

/// Best effort: the sender's answer does not depend on it.
async fn note_duplicate(app: &App, note: &InboundDelivery) {
    let expires_at = later(note.received_at(), DUPLICATE_LIFE);
    if let Err(error) = app.store.keep_inbound(note, None, Writer::new(app.random.bits()), expires_at).await {
        warn!(delivery.id = %note.id, %error, "inbound.duplicate_not_noted");
    }
}

/// Tells the dispatcher, if the queue takes it in time; the sweeper finds the row otherwise.
async fn hint(app: &App, message: InboundMessage) {
    let delivery_id = message.delivery_id;
    let body = Message::Inbound(message).encode();
    let sending = app.inbound_queue.send(Outgoing { body, delay: SignedDuration::ZERO });
    match tokio::time::timeout(HINT_PATIENCE, sending).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!(delivery.id = %delivery_id, code = error.code, "inbound.hint_lost"),
        Err(_) => warn!(delivery.id = %delivery_id, code = "patience", "inbound.hint_lost"),
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn idempotency_key(webhook: &InboundWebhook, headers: &HeaderMap) -> Option<IdempotencyKey> {
    match webhook.idempotency.as_ref()? {
        IdempotencySource::Header(name) => IdempotencyKey::from_header(headers.get(name.as_str())?.as_bytes()),
    }
}

fn head(webhook: &InboundWebhook, arrived: &Arrived) -> RequestHead {
    let signature_headers: &[String] = match &webhook.auth {
        Auth::HmacSha256 { signature_headers, .. } => signature_headers,
        Auth::None => &[],
    };
    let headers = arrived.request.headers().iter();
    let kept = headers.filter(|(name, _)| may_keep_header(name.as_str(), signature_headers));
    RequestHead {
        method: arrived.request.method().to_string(),
        path: webhook.path(None),
        source_ip: arrived.source_ip.map(|ip| ip.0.to_string()),
        headers: kept
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
    }
}

/// Tells whether the body is what its content type promises: JSON must parse, an empty body is null.
///
/// Bytes inside strings are taken as they are, whatever their encoding.
fn parses(arrived: &Arrived) -> bool {
    let body = arrived.request.body();
    let is_json = arrived.request.headers().get(CONTENT_TYPE).is_some_and(|value| is_json(value.as_bytes()));
    !is_json || body.trim_ascii().is_empty() || serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|b| *b == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    essence == b"application/json" || essence.ends_with(b"+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_recognised_by_its_content_type() {
        for yes in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.github+json"] {
            assert!(is_json(yes.as_bytes()), "{yes}");
        }
        for no in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
            assert!(!is_json(no.as_bytes()), "{no}");
        }
    }
}
