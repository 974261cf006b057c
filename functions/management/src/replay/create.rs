//! `POST /api/v1/replays`: plans what is to be sent again.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use super::input::CreateReplay;
use super::make;
use super::view::ReplayView;
use crate::api::Api;
use crate::caller::{Caller, Needs, ReplayCreate};
use crate::error::{ErrorBody, Result};
use crate::extract::Body;
use crate::page::One;

/// Plans what is to be sent again, or for the first time, and sends it if `start` says so.
///
/// The plan shows how much it is, the first of it, and what it costs. A token that acts for an owner replays to the
/// owner's subscriptions alone.
#[utoipa::path(
    post,
    path = "/api/v1/replays",
    operation_id = "createReplay",
    tag = "replays",
    security(("bearer" = [ReplayCreate::PERMISSION])),
    request_body = CreateReplay,
    responses(
        (status = 202, description = "The replay, which is being planned.", body = One<ReplayView>),
        (status = 400, description = "`invalid_request`: a field breaks its rule.", body = ErrorBody),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named. `outbound_disabled`: the tenant \
                is switched off. `operator_pinned`: a subscription is the operator's.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`subscription_not_found`: the caller sees no subscription with an id that is named. \
                `inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
        (status = 409, description = "`too_many`: 20 replays of the tenant have no end yet.", body = ErrorBody),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<ReplayCreate>,
    Body(request): Body<CreateReplay>,
) -> Result<(StatusCode, Json<One<ReplayView>>)> {
    let (selection, starts) = request.into_selection(api.app.clock.now())?;
    let replay = make(&api, &caller, selection, starts).await?;
    Ok((StatusCode::ACCEPTED, Json(One { data: replay.into() })))
}
