//! `GET /api/v1/presets`: lists the providers that there are.

use axum::Json;
use axum::extract::State;
use hookport::scheme::catalogue::presets;
use serde::Serialize;
use utoipa::ToSchema;

use super::PresetView;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::Result;

/// The catalogue.
#[derive(Serialize, ToSchema)]
pub(crate) struct PresetList {
    /// The tenant's own rows, then the built-in ones, each sorted by name.
    data: Vec<PresetView>,
}

/// Lists the providers whose webhooks can be taken in by name: the built-in ones and the tenant's own.
#[utoipa::path(
    get,
    path = "/api/v1/presets",
    operation_id = "listPresets",
    tag = "presets",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    responses((status = 200, description = "All of them.", body = PresetList)),
)]
pub(crate) async fn list(State(api): State<Api>, caller: Caller<InboundWebhookRead>) -> Result<Json<PresetList>> {
    let own = api.app.store.presets(caller.tenant()).await?;
    let own = own.iter().map(|preset| PresetView::new(preset, true));
    let built_in = presets().iter().map(|preset| PresetView::new(preset, false));
    Ok(Json(PresetList { data: own.chain(built_in).collect() }))
}
