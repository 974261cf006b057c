//! `POST /api/v1/subscriptions/{id}/recover`, `/replay-missing`: sends a subscription what it missed.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::State as SubscriptionState;
use http::StatusCode;

use super::input::{RecoverSubscription, ReplayMissing};
use super::make;
use super::view::ReplayView;
use crate::api::Api;
use crate::caller::{Caller, Needs, ReplayCreate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids};
use crate::page::One;
use crate::subscription;

/// Sends a subscription what it missed since a time, as a replay that starts by itself.
///
/// That is what it wanted and no attempt was made of, because it was disabled; and, unless `which` says otherwise, what
/// failed. What is kept for it goes out by itself.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{id}/recover",
    operation_id = "recoverSubscription",
    tag = "replays",
    security(("bearer" = [ReplayCreate::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`.")),
    request_body = RecoverSubscription,
    responses(
        (status = 202, description = "The replay, which is being planned.", body = One<ReplayView>),
        (
            status = 400,
            description = "`invalid_id`: not an id of a subscription. `invalid_request`: a field breaks its rule.",
            body = ErrorBody
        ),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named. `outbound_disabled`: the tenant \
                is switched off. `operator_pinned`: it is the operator's.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`subscription_not_found`: no subscription that the caller sees has this id.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`subscription_state`: it is not active. `too_many`: 20 replays of the tenant have no end \
                yet.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn recover(
    State(api): State<Api>,
    caller: Caller<ReplayCreate>,
    Ids(id): Ids<SubscriptionId>,
    Body(request): Body<RecoverSubscription>,
) -> Result<(StatusCode, Json<One<ReplayView>>)> {
    recovered(&api, &caller, id, request).await
}

/// Sends a subscription what it wanted since a time and no attempt was made of, as a replay that starts by itself.
///
/// Doing so again sends nothing twice.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{id}/replay-missing",
    operation_id = "replayMissing",
    tag = "replays",
    security(("bearer" = [ReplayCreate::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`.")),
    request_body = ReplayMissing,
    responses(
        (status = 202, description = "The replay, which is being planned.", body = One<ReplayView>),
        (
            status = 400,
            description = "`invalid_id`: not an id of a subscription. `invalid_request`: a field breaks its rule.",
            body = ErrorBody
        ),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named. `outbound_disabled`: the tenant \
                is switched off. `operator_pinned`: it is the operator's.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`subscription_not_found`: no subscription that the caller sees has this id.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`subscription_state`: it is not active. `too_many`: 20 replays of the tenant have no end \
                yet.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn replay_missing(
    State(api): State<Api>,
    caller: Caller<ReplayCreate>,
    Ids(id): Ids<SubscriptionId>,
    Body(request): Body<ReplayMissing>,
) -> Result<(StatusCode, Json<One<ReplayView>>)> {
    recovered(&api, &caller, id, request.into_recovery()).await
}

async fn recovered(
    api: &Api,
    caller: &Caller<ReplayCreate>,
    id: SubscriptionId,
    request: RecoverSubscription,
) -> Result<(StatusCode, Json<One<ReplayView>>)> {
    let subscription = subscription::find_own(api, caller, id).await?;
    let state = subscription.status.state;
    if state != SubscriptionState::Active {
        return Err(Error::SubscriptionState(state.as_str()));
    }
    let selection = request.into_selection(id, api.app.clock.now())?;
    let replay = make(api, caller, selection, true).await?;
    Ok((StatusCode::ACCEPTED, Json(One { data: replay.into() })))
}
