//! `POST /api/v1/deliveries/{id}/cancel`: puts an end to a delivery.

use axum::Json;
use axum::extract::State;
use hookport::domain::delivery::{DeliveryKind, DeliveryState};
use hookport::domain::id::{DeliveryId, SubscriptionId};
use hookport::lanes;

use super::{DeliveryView, find};
use crate::api::Api;
use crate::caller::{Caller, DeliveryRetry, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// How often a delivery that moved meanwhile is read again.
const TRIES: usize = 3;

/// Puts an end to a delivery that waits, is kept, or is being worked on by its target.
#[utoipa::path(
    post,
    path = "/api/v1/deliveries/{id}/cancel",
    operation_id = "cancelDelivery",
    tag = "deliveries",
    security(("bearer" = [DeliveryRetry::PERMISSION])),
    params(("id" = String, Path, description = "The delivery's id: `dlv_…`.")),
    responses(
        (status = 200, description = "The delivery, cancelled.", body = One<DeliveryView>),
        (status = 400, description = "`invalid_id`: not an id of a delivery.", body = ErrorBody),
        (
            status = 404,
            description = "`delivery_not_found`: the caller sees no delivery with this id.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`delivery_ended`: it has ended, or is being attempted right now. `conflict`: it kept moving \
                meanwhile.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn cancel(
    State(api): State<Api>,
    caller: Caller<DeliveryRetry>,
    Ids(id): Ids<DeliveryId>,
) -> Result<Json<One<DeliveryView>>> {
    let store = &api.app.store;
    for _ in 0..TRIES {
        let before = find(&api, &caller, id).await?;
        if before.subscription_id == SubscriptionId::PINNED {
            return Err(Error::OperatorPinned);
        }
        if before.kind == DeliveryKind::Challenge {
            return Err(Error::ChallengeStarted);
        }
        match before.state {
            DeliveryState::Pending { .. } | DeliveryState::Held | DeliveryState::InProgress { .. } => {}
            DeliveryState::Attempting { .. }
            | DeliveryState::Delivered { .. }
            | DeliveryState::Exhausted { .. }
            | DeliveryState::Cancelled { .. } => return Err(Error::DeliveryEnded),
        }
        let now = api.app.clock.now();
        let after = before.clone().in_state(DeliveryState::Cancelled { at: now }, now);
        if store.move_delivery(&before, &after).await? {
            // Its note, if it was kept, is forgotten by whoever finds it.
            lanes::wake(&api.app, &after).await;
            return Ok(Json(One { data: after.into() }));
        }
    }
    Err(Error::Conflict)
}
