//! `GET /api/v1/inbound-webhooks/{id}/stats`: shows how much an inbound webhook was used.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// How much an inbound webhook was used.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatsView {
    /// When the webhook was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When the newest request of a sender that was kept arrived; null when there was none.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// The requests of senders that became events: no repetitions, failures, tests or replays. Requests are counted
    /// when somebody looks, or the webhook has a silence alarm or is switched off after failures; what nobody looked at
    /// for 30 days is missing.
    total_events: u64,
    /// Whether every request that is stored is counted. If not, the next look goes on where this one ended.
    complete: bool,
}

/// Shows how much an inbound webhook was used.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}/stats",
    operation_id = "readInboundWebhookStats",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    responses(
        (status = 200, description = "The statistics.", body = One<StatsView>),
        (status = 400, description = "`invalid_id`: not an id of an inbound webhook.", body = ErrorBody),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Ids(id): Ids<InboundWebhookId>,
) -> Result<Json<One<StatsView>>> {
    let found = api.app.store.inbound_webhook(caller.tenant(), id).await?;
    let webhook = found.ok_or(Error::InboundWebhookNotFound)?;
    let stats = super::of(&api, &webhook).await?;
    let view = StatsView {
        created_at: webhook.created_at,
        last_used_at: stats.last_used_at,
        total_events: stats.total_events,
        complete: stats.complete,
    };
    Ok(Json(One { data: view }))
}
