//! Claim, keep under the claimed id, hint: what a 2xx stands for.

use std::net::IpAddr;

use hookport::app::App;
use hookport::domain::event_type::EventType;
use hookport::domain::id::InboundDeliveryId;
use hookport::domain::idempotency::{Claim, IdempotencyKey, MAX_KEY_BYTES};
use hookport::domain::inbound_delivery::{
    DispatchStatus, FIRST_SWEEP_AFTER, InboundDelivery, RequestHead, may_keep_header, row_expires_at,
};
use hookport::domain::inbound_webhook::{IdempotencySource, InboundWebhook, OnDuplicate};
use hookport::domain::refusal::Refusal;
use hookport::domain::schema::Schema;
use hookport::domain::time::later;
use hookport::inbound::{Unfit, content, hint, holds};
use hookport::message::InboundMessage;
use hookport::proof::Evidence;
use hookport::store::{Claimed, Kept, KeptRequest, Writer};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use jiff::SignedDuration;
use serde_json::Value;
use tracing::warn;

use crate::capture::capture;
use crate::endpoint::Endpoint;
use crate::{Arrived, Ended, Trouble};

/// How long the note of a repetition is kept.
const DUPLICATE_LIFE: SignedDuration = SignedDuration::from_hours(72);

/// What was kept, and how it was answered.
pub(crate) struct KeptAs {
    pub(crate) delivery: InboundDelivery,
}

/// What the event of a request is called, and the key that is derived from it.
pub(crate) struct Named {
    pub(crate) event_type: EventType,
    pub(crate) key: Option<String>,
}

impl Named {
    /// Looks at a request as its webhook's row says.
    pub(crate) fn of(endpoint: &Endpoint, evidence: &Evidence<'_>) -> Self {
        let webhook = &endpoint.webhook;
        let view = evidence.view();
        let found = webhook.naming.as_ref().and_then(|naming| naming.of(&view));
        let key = match &webhook.idempotency {
            Some(IdempotencySource::Derived(dedupe)) => {
                dedupe.key_over(&view, || endpoint.verifier.signed_instead(&view))
            }
            Some(IdempotencySource::Header(_) | IdempotencySource::JsonPath(_)) | None => None,
        };
        Self { event_type: found.unwrap_or_else(|| webhook.event_type.clone()), key }
    }
}

/// Keeps a request that has proved itself, or finds that it was kept before.
pub(crate) async fn keep(
    app: &App,
    endpoint: &Endpoint,
    arrived: &Arrived,
    source: Option<IpAddr>,
    schema: Option<&Schema>,
    named: Named,
) -> Result<Ended, Trouble> {
    let webhook = &endpoint.webhook;
    let reads_body = schema.is_some() || matches!(webhook.idempotency, Some(IdempotencySource::JsonPath(_)));
    let request = KeptRequest::pack(&head(endpoint, arrived, source), arrived.request.body())?;
    let own_id = InboundDeliveryId::new(arrived.at, webhook.id, app.random.bits());
    let content_type = arrived.request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let content = content(content_type, arrived.request.body(), reads_body);
    let fit = content.and_then(|content| match schema {
        Some(schema) => holds(&content, schema).map(|()| content),
        None => Ok(content),
    });
    let content = match fit {
        Ok(content) => content,
        Err(unfit) => return keep_failed(app, received(app, endpoint, arrived, own_id, &named), &request, unfit).await,
    };
    let key = idempotency_key(webhook, arrived, content.value(), &named);
    if key.as_ref().is_some_and(|key| key.as_str().len() > MAX_KEY_BYTES) {
        return Ok(Ended::Refused(Refusal::IdempotencyKeyTooLong));
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
        ..received(app, endpoint, arrived, id, &named)
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
            capture(app, webhook, arrived, delivery.id).await;
            hint(app, InboundMessage::carrying(tenant, delivery.id, &delivery.event_type, &request)).await;
            Ok(Ended::Kept(KeptAs { delivery }))
        }
        // The winner kept its own, or we won and one who lost to us was faster.
        Kept::Exists => {
            let note = InboundDelivery {
                id: InboundDeliveryId::new(arrived.at, webhook.id, app.random.bits()),
                status: DispatchStatus::Duplicate,
                duplicate_of: Some(id),
                response_status: match webhook.on_duplicate {
                    OnDuplicate::Accept => 200,
                    OnDuplicate::Conflict => 409,
                },
                due_at: None,
                ..delivery
            };
            note_duplicate(app, &note).await;
            Ok(Ended::Kept(KeptAs { delivery: note }))
        }
    }
}

/// Keeps a request with the wrong content, so that its owner can see it; no event is made from it.
async fn keep_failed(
    app: &App,
    received: InboundDelivery,
    request: &KeptRequest,
    unfit: Unfit,
) -> Result<Ended, Trouble> {
    let response_status = match unfit {
        Unfit::InvalidJson => 400,
        Unfit::Schema(_) => 422,
    };
    let delivery = InboundDelivery {
        status: DispatchStatus::Failed,
        response_status,
        error: Some(unfit.code().to_owned()),
        violations: unfit.into_violations(),
        ..received
    };
    let expires_at = row_expires_at(delivery.received_at(), 0);
    app.store.keep_inbound(&delivery, Some(request), Writer::new(app.random.bits()), expires_at).await?;
    Ok(Ended::Kept(KeptAs { delivery }))
}

/// The row of a request, before it is known what became of it.
pub(crate) fn received(
    app: &App,
    endpoint: &Endpoint,
    arrived: &Arrived,
    id: InboundDeliveryId,
    named: &Named,
) -> InboundDelivery {
    let webhook = &endpoint.webhook;
    let latency = app.clock.now().duration_since(arrived.at).as_millis();
    InboundDelivery {
        id,
        tenant: webhook.tenant.clone(),
        webhook_id: webhook.id,
        webhook_version: webhook.version,
        event_type: named.event_type.clone(),
        idempotency_key: None,
        status: DispatchStatus::Pending,
        duplicate_of: None,
        response_status: 200,
        latency_ms: u32::try_from(latency).unwrap_or(u32::MAX),
        error: None,
        violations: Vec::new(),
        replay_of: None,
        is_test: false,
        key_id: endpoint.key.as_ref().map(|key| key.id),
        subscriptions: Vec::new(),
        due_at: None,
        redrives: 0,
        handshake: None,
    }
}

/// Best effort: the sender's answer does not depend on it.
async fn note_duplicate(app: &App, note: &InboundDelivery) {
    let expires_at = later(note.received_at(), DUPLICATE_LIFE);
    if let Err(error) = app.store.keep_inbound(note, None, Writer::new(app.random.bits()), expires_at).await {
        warn!(delivery.id = %note.id, %error, "inbound.duplicate_not_noted");
    }
}

fn idempotency_key(
    webhook: &InboundWebhook,
    arrived: &Arrived,
    body: Option<&Value>,
    named: &Named,
) -> Option<IdempotencyKey> {
    match webhook.idempotency.as_ref()? {
        IdempotencySource::Header(name) => {
            IdempotencyKey::from_header(arrived.request.headers().get(name.as_str())?.as_bytes())
        }
        IdempotencySource::JsonPath(path) => IdempotencyKey::from_header(path.find(body?)?.as_bytes()),
        IdempotencySource::Derived(_) => IdempotencyKey::from_header(named.key.as_ref()?.as_bytes()),
    }
}

fn head(endpoint: &Endpoint, arrived: &Arrived, source: Option<IpAddr>) -> RequestHead {
    let webhook = &endpoint.webhook;
    let headers = arrived.request.headers().iter();
    let kept = headers.filter(|(name, _)| may_keep_header(name.as_str(), &webhook.auth));
    RequestHead {
        facts: None,
        verified: !webhook.auth.proofs.is_empty(),
        method: arrived.request.method().to_string(),
        path: match &endpoint.key {
            Some(key) => webhook.path(Some(&key.hint)),
            None => webhook.path(None),
        },
        source_ip: source.map(|ip| ip.to_string()),
        headers: kept
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
    }
}
