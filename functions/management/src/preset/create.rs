//! `POST /api/v1/presets`: adds a row of the tenant's own, or replaces it.

use axum::Json;
use axum::extract::State;
use hookport::scheme::catalogue;
use hookport::scheme::preset::Preset;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tracing::info;
use utoipa::ToSchema;

use super::PresetWithRow;
use super::vector::Vector;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Body;
use crate::page::One;

/// The most rows that a tenant has.
pub(crate) const MAX_OWN: usize = 100;
/// The largest row, in bytes as JSON.
const MAX_ROW_BYTES: usize = 64 * 1024;

/// A row, and the request that proves it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPreset {
    /// The row, as docs/presets.md describes it.
    #[schema(value_type = Object)]
    row: Value,
    /// A request of the provider's, best one that it published, that the row must take and must refuse once it is
    /// changed. It is not kept.
    vector: Vector,
}

/// Adds a provider to the tenant's catalogue by its row, or replaces the row of that name.
///
/// It can be used at once. Webhooks that were made with an older row keep their copy of it.
#[utoipa::path(
    post,
    path = "/api/v1/presets",
    operation_id = "putPreset",
    tag = "presets",
    security(("bearer" = [InboundWebhookUpdate::PERMISSION])),
    request_body = NewPreset,
    responses(
        (status = 201, description = "The preset.", body = One<PresetWithRow>),
        (
            status = 400,
            description = "`invalid_request`: the row makes no sense. `vector_refused`: the row does not take its \
                vector; the text says why.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`preset_built_in`: a built-in preset has the name. `too_many_presets`: the tenant has 100 \
                already.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<InboundWebhookUpdate>,
    Body(request): Body<NewPreset>,
) -> Result<(StatusCode, Json<One<PresetWithRow>>)> {
    let preset: Preset = serde_json::from_value(request.row).map_err(|error| Error::field("row", error.to_string()))?;
    preset.check().map_err(|rule| Error::field("row", rule))?;
    if serde_json::to_vec(&preset).map_or(usize::MAX, |row| row.len()) > MAX_ROW_BYTES {
        return Err(Error::field("row", format!("must have at most {MAX_ROW_BYTES} bytes")));
    }
    if catalogue::preset(preset.name.as_str()).is_some() {
        return Err(Error::PresetBuiltIn);
    }
    request.vector.prove(&preset, &api.app.random)?;
    let own = api.app.store.presets(caller.tenant()).await?;
    if own.len() >= MAX_OWN && !own.iter().any(|known| known.name == preset.name) {
        return Err(Error::TooManyPresets);
    }
    api.app.store.put_preset(caller.tenant(), &preset).await?;
    info!(tenant = %caller.tenant(), preset = %preset.name, "preset.put");
    Ok((StatusCode::CREATED, Json(One { data: PresetWithRow::new(&preset, true) })))
}
