//! `POST /api/v1/replays/{id}/cancel`: puts an end to a replay.

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

/// Puts an end to a replay.
///
/// What was sent stays sent. While it is being sent it is `cancelling` first, until what was under way is counted:
/// at most a page of 100. Asking again changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/replays/{id}/cancel",
    operation_id = "cancelReplay",
    tag = "replays",
    security(("bearer" = [ReplayCreate::PERMISSION])),
    params(("id" = String, Path, description = "The replay's id: `rpl_…`.")),
    responses(
        (status = 200, description = "The replay as it is now.", body = One<ReplayView>),
        (status = 400, description = "`invalid_id`: not an id of a replay.", body = ErrorBody),
        (
            status = 404,
            description = "`replay_not_found`: no replay that the caller sees has this id.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`replay_state`: it is done. `conflict`: it changes too quickly; try again.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn cancel(
    State(api): State<Api>,
    caller: Caller<ReplayCreate>,
    Ids(id): Ids<ReplayId>,
) -> Result<Json<One<ReplayView>>> {
    for _ in 0..TRIES * 10 {
        let before = find(&api, &caller, id).await?;
        let Some(after) = before.cancelled(api.app.clock.now()) else {
            if before.stage == Stage::Done {
                return Err(OutboundRefusal::ReplayState(before.stage.name().as_str()).into());
            }
            hint(&api, &before).await;
            return Ok(Json(One { data: before.into() }));
        };
        if !after.stage.is_final() {
            ask(&api, &before).await?;
        }
        if api.app.store.change_replay(&before, &after).await? == Changed::Yes {
            hint(&api, &after).await;
            return Ok(Json(One { data: after.into() }));
        }
    }
    Err(Error::Conflict)
}
