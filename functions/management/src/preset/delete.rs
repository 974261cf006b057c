//! `DELETE /api/v1/presets/{name}`: deletes a row of the tenant's own.

use axum::extract::{Path, State};
use hookport::scheme::preset::PresetName;
use http::StatusCode;
use tracing::info;

use crate::api::Api;
use crate::caller::{Caller, InboundWebhookUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};

/// Deletes a row of the tenant's own. Webhooks that were made with it have their copy and go on.
#[utoipa::path(
    delete,
    path = "/api/v1/presets/{name}",
    operation_id = "deletePreset",
    tag = "presets",
    security(("bearer" = [InboundWebhookUpdate::PERMISSION])),
    params(("name" = String, Path, description = "The preset's name.")),
    responses(
        (status = 204, description = "It is gone."),
        (
            status = 404,
            description = "`preset_not_found`: the tenant has no row of this name; built-in ones cannot be deleted.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<InboundWebhookUpdate>,
    Path(name): Path<String>,
) -> Result<StatusCode> {
    let name = PresetName::try_from(name).map_err(|_| Error::PresetNotFound)?;
    if !api.app.store.delete_preset(caller.tenant(), &name).await? {
        return Err(Error::PresetNotFound);
    }
    info!(tenant = %caller.tenant(), preset = %name, "preset.deleted");
    Ok(StatusCode::NO_CONTENT)
}
