//! `POST /api/v1/deliveries/{id}/retry`: sends a delivery's event to its subscription once more.

use axum::Json;
use axum::extract::State;
use hookport::domain::delivery::DeliveryKind;
use hookport::domain::id::DeliveryId;
use http::StatusCode;

use super::resend::kept_event;
use super::{DeliveryView, Made, find, make};
use crate::api::Api;
use crate::caller::{Caller, DeliveryRetry, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;
use crate::subscription;

/// Sends a delivery's event to its subscription once more.
///
/// That is a new delivery of the same event, which begins at attempt 1 and names the one that it repeats.
#[utoipa::path(
    post,
    path = "/api/v1/deliveries/{id}/retry",
    operation_id = "retryDelivery",
    tag = "deliveries",
    security(("bearer" = [DeliveryRetry::PERMISSION])),
    params(("id" = String, Path, description = "The delivery's id: `dlv_…`.")),
    responses(
        (status = 202, description = "The new delivery.", body = One<DeliveryView>),
        (status = 400, description = "`invalid_id`: not an id of a delivery.", body = ErrorBody),
        (
            status = 404,
            description = "`delivery_not_found`: the caller sees no delivery with this id. `subscription_not_found`: \
                its subscription is gone.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`test_delivery`: it is a test or a challenge. `subscription_state`: its subscription is not \
                active. `body_expired`: the payload of its event is no longer kept.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn retry(
    State(api): State<Api>,
    caller: Caller<DeliveryRetry>,
    Ids(id): Ids<DeliveryId>,
) -> Result<(StatusCode, Json<One<DeliveryView>>)> {
    let before = find(&api, &caller, id).await?;
    if !before.kind.is_of_event() {
        return Err(Error::TestDelivery);
    }
    let subscription = subscription::find_own(&api, &caller, before.subscription_id).await?;
    let (_, is_kept) = kept_event(&api, caller.tenant(), before.event_id).await?.ok_or(Error::BodyExpired)?;
    if !is_kept {
        return Err(Error::BodyExpired);
    }
    let made = Made {
        kind: DeliveryKind::Resend,
        event_id: before.event_id,
        event_type: before.event_type,
        repeats: Some(before.id),
        id: None,
    };
    let delivery = make(&api.app, &subscription, made).await?;
    Ok((StatusCode::ACCEPTED, Json(One { data: delivery.into() })))
}
