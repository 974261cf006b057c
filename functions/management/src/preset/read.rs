//! `GET /api/v1/presets/{name}`: reads a provider with its row.

use axum::Json;
use axum::extract::{Path, State};
use hookport::scheme::catalogue;

use super::{PresetWithRow, find};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::page::One;

/// Reads a provider with its row, to be looked at or to begin a row of one's own with.
#[utoipa::path(
    get,
    path = "/api/v1/presets/{name}",
    operation_id = "readPreset",
    tag = "presets",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(("name" = String, Path, description = "The preset's name.")),
    responses(
        (status = 200, description = "The preset.", body = One<PresetWithRow>),
        (status = 404, description = "`preset_not_found`: there is none of this name.", body = ErrorBody),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Path(name): Path<String>,
) -> Result<Json<One<PresetWithRow>>> {
    let preset = find(&api, caller.tenant(), &name).await?;
    let is_own = catalogue::preset(&name).is_none();
    Ok(Json(One { data: PresetWithRow::new(&preset, is_own) }))
}
