//! `GET /api/v1/inbound-webhooks/{id}/learned-secret`: shows the secret that a handshake brought.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::time::later;
use hookport::proof::secrets_of;
use hookport::vault::Owner;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use super::find;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// For how long after the webhook has it a secret that a handshake brought is shown.
const SHOWN_FOR: SignedDuration = SignedDuration::from_hours(1);

/// A secret that a handshake brought.
#[derive(Serialize, ToSchema)]
pub(crate) struct LearnedSecret {
    /// The secret.
    secret: String,
}

/// Shows the secret that a handshake brought, for providers that want to have it typed in on their side (Notion).
///
/// Only within an hour after the webhook has it, and only while nothing else of the webhook was changed since.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}/learned-secret",
    operation_id = "readLearnedSecret",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookUpdate::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    responses(
        (status = 200, description = "The secret.", body = One<LearnedSecret>),
        (status = 400, description = "`invalid_id`: not an id of an inbound webhook.", body = ErrorBody),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id. \
                `secret_not_learned`: no handshake has brought one, or it is no longer shown.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<InboundWebhookUpdate>,
    Ids(id): Ids<InboundWebhookId>,
) -> Result<Json<One<LearnedSecret>>> {
    let webhook = find(&api, caller.tenant(), id).await?;
    let now = api.app.clock.now();
    let is_learned = webhook.scheme().and_then(|proof| proof.learned_at);
    if !is_learned.is_some_and(|at| at == webhook.updated_at && now < later(at, SHOWN_FOR)) {
        return Err(Error::SecretNotLearned);
    }
    let owner = Owner::new(&webhook.tenant, webhook.id);
    let secret = secrets_of(&webhook.auth, &api.app.vault, &owner, now).await?.into_iter().next();
    let secret = secret.ok_or(Error::SecretNotLearned)?;
    Ok(Json(One { data: LearnedSecret { secret: secret.expose_secret().to_owned() } }))
}
