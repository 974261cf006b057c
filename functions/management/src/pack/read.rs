//! `GET /api/v1/packs/{name}`: shows a pack with its event types.

use axum::Json;
use axum::extract::State;
use hookport::domain::event_type::EventType;
use hookport::domain::id::EventTypeId;
use hookport::domain::pack::PackName;
use serde::Serialize;
use utoipa::ToSchema;

use super::PackView;
use crate::api::Api;
use crate::caller::{Caller, EventTypeRead, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// A pack with its event types.
#[derive(Serialize, ToSchema)]
pub(crate) struct PackWithTriggers {
    #[serde(flatten)]
    pack: PackView,
    /// The event types of the pack by their refs, those that it no longer names too.
    triggers: Vec<PackTriggerView>,
}

/// One event type of a pack.
#[derive(Serialize, ToSchema)]
pub(crate) struct PackTriggerView {
    /// Its id.
    #[schema(value_type = String)]
    id: EventTypeId,
    /// The type itself.
    #[serde(rename = "ref")]
    event_type: EventType,
    /// Whether requests are taken for it.
    enabled: bool,
}

/// Shows a pack with its event types.
#[utoipa::path(
    get,
    path = "/api/v1/packs/{name}",
    operation_id = "readPack",
    tag = "packs",
    security(("bearer" = [EventTypeRead::PERMISSION])),
    params(("name" = String, Path, description = "The pack's name.")),
    responses(
        (status = 200, description = "The pack.", body = One<PackWithTriggers>),
        (status = 400, description = "`invalid_id`: not the name of a pack.", body = ErrorBody),
        (status = 404, description = "`pack_not_found`: the tenant has applied no pack of this name.", body = ErrorBody),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<EventTypeRead>,
    Ids(name): Ids<PackName>,
) -> Result<Json<One<PackWithTriggers>>> {
    let store = &api.app.store;
    let applied = store.pack(caller.tenant(), &name).await?.ok_or(Error::PackNotFound)?;
    let found = store.event_types_of_pack(caller.tenant(), &name).await?;
    let of_pack = found.into_iter().filter(|definition| definition.pack.as_ref() == Some(&name));
    let triggers = of_pack
        .map(|definition| PackTriggerView {
            id: definition.id,
            event_type: definition.event_type,
            enabled: definition.is_enabled,
        })
        .collect();
    Ok(Json(One { data: PackWithTriggers { pack: applied.into(), triggers } }))
}
