//! `POST /api/v1/subscriptions/{id}/cancel-retries`: puts an end to what waits for a subscription.

use axum::Json;
use axum::extract::State;
use futures_util::future::try_join_all;
use hookport::domain::cursor::PageRequest;
use hookport::domain::delivery::{Delivery, DeliveryKind, DeliveryState};
use hookport::domain::id::SubscriptionId;
use hookport::lanes;
use serde::Serialize;
use utoipa::ToSchema;

use super::find_own;
use crate::api::Api;
use crate::caller::{Caller, DeliveryRetry, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// How many deliveries one request cancels at most.
const MOST: usize = 500;
/// How many are read at once.
const AT_ONCE: usize = 100;
/// How many pages are looked through at most: what waits may be rare.
const PAGES: usize = 20;
/// How many are changed at once.
const CONCURRENCY: usize = 25;

/// What was cancelled.
#[derive(Serialize, ToSchema)]
pub(crate) struct CancelledRetries {
    /// How many deliveries were cancelled.
    cancelled: usize,
    /// Whether there may be more: ask again.
    more: bool,
}

/// Puts an end to the deliveries that wait for their next attempt, at most 500 at a time.
///
/// What is being attempted, is kept or is worked on by the target goes on, and so does a challenge.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{id}/cancel-retries",
    operation_id = "cancelRetries",
    tag = "subscriptions",
    security(("bearer" = [DeliveryRetry::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`.")),
    responses(
        (status = 200, description = "What was cancelled.", body = One<CancelledRetries>),
        (status = 400, description = "`invalid_id`: not an id of a subscription.", body = ErrorBody),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named. `outbound_disabled`: the tenant \
                is switched off. `operator_pinned`: the subscription is the operator's.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`subscription_not_found`: the caller sees no subscription with this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn cancel(
    State(api): State<Api>,
    caller: Caller<DeliveryRetry>,
    Ids(id): Ids<SubscriptionId>,
) -> Result<Json<One<CancelledRetries>>> {
    let subscription = find_own(&api, &caller, id).await?;
    let (mut cancelled, mut met) = (0, 0);
    let mut page = PageRequest { limit: AT_ONCE, after: None };
    let mut more = true;
    for _ in 0..PAGES {
        let found = api.app.store.list_deliveries(&subscription.tenant, &[id], &page, waits).await?;
        met += found.items.len();
        cancelled += end(&api, &found.items).await?;
        more = found.next.is_some();
        if !more || met >= MOST {
            break;
        }
        page.after = found.next;
    }
    Ok(Json(One { data: CancelledRetries { cancelled, more } }))
}

fn waits(delivery: &Delivery) -> bool {
    matches!(delivery.state, DeliveryState::Pending { .. }) && delivery.kind != DeliveryKind::Challenge
}

/// Cancels these deliveries and tells how many of them. One that moved meanwhile is not pending any more, or waits
/// again by now: the next call finds it.
async fn end(api: &Api, deliveries: &[Delivery]) -> Result<usize> {
    let now = api.app.clock.now();
    let mut ended = 0;
    for some in deliveries.chunks(CONCURRENCY) {
        let moves = some.iter().map(|before| async move {
            let after = before.clone().in_state(DeliveryState::Cancelled { at: now }, now);
            let moved = api.app.store.move_delivery(before, &after).await;
            if matches!(moved, Ok(true)) {
                lanes::wake(&api.app, &after).await;
            }
            moved
        });
        ended += try_join_all(moves).await?.into_iter().filter(|is_done| *is_done).count();
    }
    Ok(ended)
}
