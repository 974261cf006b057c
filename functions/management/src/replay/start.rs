//! `POST /api/v1/replays/{id}/start`: sends what was planned.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::ReplayId;
use hookport::domain::replay::Stage;
use hookport::store::Changed;

use super::view::ReplayView;
use super::{TRIES, ask, find, hint};
use crate::api::Api;
use crate::caller::{Caller, Needs, ReplayCreate};
use crate::error::{Error, ErrorBody, OutboundRefusal, Result};
use crate::extract::Ids;
use crate::page::One;

/// Sends what was planned.
///
/// Asking again while it is sent changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/replays/{id}/start",
    operation_id = "startReplay",
    tag = "replays",
    security(("bearer" = [ReplayCreate::PERMISSION])),
    params(("id" = String, Path, description = "The replay's id: `rpl_…`.")),
    responses(
        (status = 200, description = "The replay, which is being sent.", body = One<ReplayView>),
        (status = 400, description = "`invalid_id`: not an id of a replay.", body = ErrorBody),
        (
            status = 404,
            description = "`replay_not_found`: no replay that the caller sees has this id.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`replay_state`: it is still being planned, or has ended. `conflict`: others change it at \
                the same time.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn start(
    State(api): State<Api>,
    caller: Caller<ReplayCreate>,
    Ids(id): Ids<ReplayId>,
) -> Result<Json<One<ReplayView>>> {
    for _ in 0..TRIES {
        let before = find(&api, &caller, id).await?;
        match &before.stage {
            Stage::Planned => {}
            Stage::Sending { .. } => {
                // Should what follows have been lost, this brings it back.
                hint(&api, &before).await;
                return Ok(Json(One { data: before.into() }));
            }
            other => return Err(OutboundRefusal::ReplayState(other.name().as_str()).into()),
        }
        ask(&api, &before).await?;
        let after = before.started(api.app.clock.now());
        if api.app.store.change_replay(&before, &after).await? == Changed::Yes {
            hint(&api, &after).await;
            return Ok(Json(One { data: after.into() }));
        }
    }
    Err(Error::Conflict)
}
