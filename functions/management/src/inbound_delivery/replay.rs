//! `POST /api/v1/inbound-webhooks/{id}/deliveries/{delivery_id}/replay`: handles a received request again.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::{IdError, InboundDeliveryId, InboundWebhookId, RejectionId};
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::rejection::RejectionLog;
use hookport::domain::stats::GATEWAY_VERSION;
use hookport::domain::text::TenantSlug;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::InboundDeliveryView;
use super::keep::{Made, keep};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookReplay, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Ids, OptionalBody};
use crate::page::One;

/// How a request is to be handled again.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayWish {
    /// Under which version of the webhook; `current` by default.
    #[serde(default)]
    config: ReplayConfig,
}

/// Under which version of its webhook a request is handled again.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReplayConfig {
    /// The one that holds now.
    #[default]
    Current,
    /// The one that the replayed delivery was handled under.
    Original,
}

/// What the path names: something that was taken, or something that was not.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Received {
    Delivery(InboundDeliveryId),
    Rejection(RejectionId),
}

impl TryFrom<String> for Received {
    type Error = IdError;

    fn try_from(text: String) -> std::result::Result<Self, IdError> {
        match text.parse() {
            Ok(id) => Ok(Self::Rejection(id)),
            Err(_) => text.parse().map(Self::Delivery),
        }
    }
}

/// Handles a received request again, as a new delivery that is linked to the one it replays.
///
/// Its body is the same, byte for byte. Nothing is proved, limited or deduplicated again; the body is held against the
/// JSON and the schema that the event type asks for now, and a delivery that fails there is made and says so. So a
/// request that broke an old schema can be replayed once the schema is right. A repetition keeps no body: what can be
/// replayed is the first one, `duplicate_of`.
#[utoipa::path(
    post,
    path = "/api/v1/inbound-webhooks/{id}/deliveries/{delivery_id}/replay",
    operation_id = "replayInboundDelivery",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookReplay::PERMISSION])),
    params(
        ("id" = String, Path, description = "The webhook's id: `inw_…`."),
        ("delivery_id" = String, Path, description = "The delivery's id: `ind_…`."),
    ),
    request_body = Option<ReplayWish>,
    responses(
        (status = 202, description = "The new delivery.", body = One<InboundDeliveryView>),
        (
            status = 400,
            description = "`invalid_id`: not ids of a webhook and a delivery. `invalid_request`: `config` is neither \
                `current` nor `original`.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`inbound_delivery_not_found`: the webhook has no delivery with this id.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`delivery_rejected`: the id is that of a refused request (`rej_…`). `webhook_deleted`: \
                there is no webhook to handle it. `webhook_inactive`: the webhook, or its event type, is switched \
                off. `body_expired`: its body is no longer kept, or it is a repetition.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn replay(
    State(api): State<Api>,
    caller: Caller<InboundWebhookReplay>,
    Ids((webhook, received)): Ids<(InboundWebhookId, Received)>,
    OptionalBody(wish): OptionalBody<ReplayWish>,
) -> Result<(StatusCode, Json<One<InboundDeliveryView>>)> {
    let store = &api.app.store;
    let id = match received {
        Received::Delivery(id) => id,
        Received::Rejection(id) => return Err(rejected(&api, caller.tenant(), webhook, id).await?),
    };
    let found = store.inbound_delivery_with_request(caller.tenant(), id, api.app.clock.now()).await?;
    let found = found.filter(|(delivery, _)| delivery.webhook_id == webhook);
    let (original, request) = found.ok_or(Error::InboundDeliveryNotFound)?;
    let current = store.inbound_webhook(caller.tenant(), webhook).await?.ok_or(Error::WebhookDeleted)?;
    if !current.is_active {
        return Err(Error::WebhookInactive);
    }
    let (head, body) = request.ok_or(Error::BodyExpired)?.unpack()?;
    let named = original.event_type.clone();
    let mut handling = match wish.config {
        // What the gateway itself told is told again as what it was.
        _ if original.webhook_version == GATEWAY_VERSION => {
            InboundWebhook { event_type: original.event_type, ..current }
        }
        ReplayConfig::Current => current,
        ReplayConfig::Original => version(&api, current, original.webhook_version).await?,
    };
    if handling.naming.is_some() {
        // What named it may have been in a header that is not kept.
        handling.event_type = named;
    }
    let made = Made {
        head,
        body,
        idempotency_key: original.idempotency_key,
        replay_of: Some(original.id),
        is_test: original.is_test,
    };
    let delivery = keep(&api.app, &handling, made).await?;
    Ok((StatusCode::ACCEPTED, Json(One { data: delivery.into() })))
}

/// The version that a delivery was handled under.
async fn version(api: &Api, current: InboundWebhook, version: u64) -> Result<InboundWebhook> {
    if current.version == version {
        return Ok(current);
    }
    let found = api.app.store.inbound_webhook_version(&current.tenant, current.id, version).await?;
    found.ok_or(Error::WebhookVersionNotFound)
}

/// Says why a refused request is not replayed. Whether it was refused is told only of what is in this webhook's log.
async fn rejected(api: &Api, tenant: &TenantSlug, webhook: InboundWebhookId, id: RejectionId) -> Result<Error> {
    let log = RejectionLog::Webhook(tenant.clone(), webhook);
    let found = api.app.store.rejection(&log, id).await?;
    let found = found.filter(|rejection| !rejection.is_expired(api.app.clock.now()));
    Ok(if found.is_some() { Error::Rejected } else { Error::InboundDeliveryNotFound })
}
