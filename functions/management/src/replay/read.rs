//! `GET /api/v1/replays/{id}`: shows a replay, its plan and its progress.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::ReplayId;
use hookport::domain::replay::SAMPLE;

use super::find;
use super::view::ReplayView;
use crate::api::Api;
use crate::caller::{Caller, Needs, ReplayRead};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Shows a replay: its plan, the first items of it, its price, and how far it has come.
#[utoipa::path(
    get,
    path = "/api/v1/replays/{id}",
    operation_id = "readReplay",
    tag = "replays",
    security(("bearer" = [ReplayRead::PERMISSION])),
    params(("id" = String, Path, description = "The replay's id: `rpl_…`.")),
    responses(
        (status = 200, description = "The replay.", body = One<ReplayView>),
        (status = 400, description = "`invalid_id`: not an id of a replay.", body = ErrorBody),
        (
            status = 404,
            description = "`replay_not_found`: no replay that the caller sees has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<ReplayRead>,
    Ids(id): Ids<ReplayId>,
) -> Result<Json<One<ReplayView>>> {
    let replay = find(&api, &caller, id).await?;
    let items = api.app.store.replay_items(caller.tenant(), id, None, SAMPLE).await?;
    Ok(Json(One { data: ReplayView::from(replay).with_sample(items) }))
}
