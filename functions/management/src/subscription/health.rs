//! `GET /api/v1/subscriptions/{id}/health`: shows how a subscription is doing.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::OPERATOR_PINNED;
use hookport::domain::subscription_health::{
    AttemptLatency, LastResponse, NEWEST, SubscriptionHealth, SubscriptionHealthState, finished,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::find;
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionRead};
use crate::delivery::newest;
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// How many deliveries are read at most.
const MOST: usize = 1_000;

/// How a subscription is doing, by its newest 50 finished attempts. Tests and challenges are not among them.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubscriptionHealthView {
    /// The subscription.
    #[schema(value_type = String)]
    subscription_id: SubscriptionId,
    /// How it is doing.
    health: SubscriptionHealthState,
    /// Which part of these attempts succeeded, from 0 to 1; 1 without any.
    #[schema(minimum = 0, maximum = 1)]
    success_rate: f64,
    /// When the newest of them that succeeded began.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success_at: Option<Timestamp>,
    /// When the newest of them that failed began.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_failure_at: Option<Timestamp>,
    /// How many of them failed since the newest success.
    consecutive_failures: usize,
    /// How long they took.
    latency_ms: AttemptLatency,
    /// When the next attempt is due.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
    /// How many of the deliveries that were looked at are under way.
    pending: usize,
    /// How many of them are kept for it.
    held: usize,
    /// What the target answered last, for people.
    last_response: Option<LastResponse>,
    /// Whether all of its deliveries were looked at, and not the newest alone.
    complete: bool,
}

/// Shows how a subscription is doing.
#[utoipa::path(
    get,
    path = "/api/v1/subscriptions/{id}/health",
    operation_id = "readSubscriptionHealth",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionRead::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`.")),
    responses(
        (status = 200, description = "How it is doing.", body = One<SubscriptionHealthView>),
        (status = 400, description = "`invalid_id`: not an id of a subscription.", body = ErrorBody),
        (
            status = 404,
            description = "`subscription_not_found`: the caller sees no subscription with this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn health(
    State(api): State<Api>,
    caller: Caller<SubscriptionRead>,
    Ids(id): Ids<SubscriptionId>,
) -> Result<Json<One<SubscriptionHealthView>>> {
    let subscription = find(&api, &caller, id).await?;
    let (deliveries, complete) =
        newest(&api, &subscription, MOST, Timestamp::MIN, |found| finished(found).len() >= NEWEST).await?;
    let health = SubscriptionHealth::of(subscription.status.state, &deliveries);
    let last_response = health.last_response.map(|last| match id {
        SubscriptionId::PINNED => LastResponse { message: Some(OPERATOR_PINNED.to_owned()), ..last },
        _ => last,
    });
    let data = SubscriptionHealthView {
        subscription_id: id,
        health: health.state,
        success_rate: health.success_rate,
        last_success_at: health.last_success_at,
        last_failure_at: health.last_failure_at,
        consecutive_failures: health.consecutive_failures,
        latency_ms: health.latency_ms,
        next_attempt_at: health.next_attempt_at,
        pending: health.pending,
        held: health.held,
        last_response,
        complete,
    };
    Ok(Json(One { data }))
}
