//! Keeps a request that no sender sent: a replay or a test. It is handled like any other from here on.

use bytes::Bytes;
use hookport::app::App;
use hookport::domain::id::InboundDeliveryId;
use hookport::domain::inbound_delivery::{
    DispatchStatus, FIRST_SWEEP_AFTER, InboundDelivery, RequestHead, row_expires_at,
};
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::schema::Schema;
use hookport::domain::time::later;
use hookport::inbound::{check, hint};
use hookport::message::InboundMessage;
use hookport::store::{Kept, KeptRequest, Writer};
use http::StatusCode;
use tracing::info;

use crate::error::{Error, Result};

/// A request of the gateway's own making.
pub(super) struct Made {
    pub(super) head: RequestHead,
    pub(super) body: Bytes,
    /// The key of the request that is replayed. Shown, and claimed by nobody: nothing here is a duplicate.
    pub(super) idempotency_key: Option<String>,
    pub(super) replay_of: Option<InboundDeliveryId>,
    pub(super) is_test: bool,
}

/// Keeps a request under this version of its webhook, and tells the dispatcher.
///
/// A body that no event can be made from is kept as failed, as the receiver keeps it, so that the row says why.
pub(super) async fn keep(app: &App, webhook: &InboundWebhook, made: Made) -> Result<InboundDelivery> {
    let now = app.clock.now();
    let schema = schema(app, webhook).await?;
    let content_type = made.head.header("content-type").map(str::as_bytes);
    let (error, violations) = match check(content_type, &made.body, schema.as_ref()) {
        Ok(()) => (None, Vec::new()),
        Err(unfit) => (Some(unfit.code().to_owned()), unfit.into_violations()),
    };
    let (status, due_at) = match error {
        None => (DispatchStatus::Pending, Some(later(now, FIRST_SWEEP_AFTER))),
        Some(_) => (DispatchStatus::Failed, None),
    };
    let request = KeptRequest::pack(&made.head, &made.body)?;
    let new_id = || InboundDeliveryId::new(now, webhook.id, app.random.bits());
    let mut delivery = InboundDelivery {
        id: new_id(),
        tenant: webhook.tenant.clone(),
        webhook_id: webhook.id,
        webhook_version: webhook.version,
        event_type: webhook.event_type.clone(),
        idempotency_key: made.idempotency_key,
        status,
        duplicate_of: None,
        response_status: StatusCode::ACCEPTED.as_u16(),
        latency_ms: 0,
        error,
        violations,
        replay_of: made.replay_of,
        is_test: made.is_test,
        key_id: None,
        subscriptions: Vec::new(),
        due_at,
        redrives: 0,
        handshake: None,
    };
    let writer = Writer::new(app.random.bits());
    let expires_at = row_expires_at(now, 0);
    while app.store.keep_inbound(&delivery, Some(&request), writer, expires_at).await? == Kept::Exists {
        // Another request of this millisecond drew the same id.
        delivery.id = new_id();
    }
    if delivery.status == DispatchStatus::Pending {
        let message = InboundMessage::carrying(webhook.tenant.clone(), delivery.id, &delivery.event_type, &request);
        hint(app, message).await;
    }
    info!(
        tenant = %webhook.tenant,
        webhook.id = %webhook.id,
        delivery.id = %delivery.id,
        replayed_from = made.replay_of.map(tracing::field::display),
        is_test = delivery.is_test,
        error = delivery.error.as_deref(),
        "inbound.made"
    );
    Ok(delivery)
}

/// The schema of the events that the webhook makes, if it has one that can be used.
async fn schema(app: &App, webhook: &InboundWebhook) -> Result<Option<Schema>> {
    let Some(known) = app.store.event_type(&webhook.tenant, &webhook.event_type).await? else { return Ok(None) };
    if !known.is_enabled {
        return Err(Error::WebhookInactive);
    }
    Ok(known.schema.as_ref().and_then(|schema| Schema::compile(schema).ok()))
}
