//! `GET /api/v1/deliveries/{id}`: shows a delivery with its attempts.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::DeliveryId;

use super::{DeliveryView, find};
use crate::api::Api;
use crate::caller::{Caller, DeliveryRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Shows a delivery with its attempts.
#[utoipa::path(
    get,
    path = "/api/v1/deliveries/{id}",
    operation_id = "readDelivery",
    tag = "deliveries",
    security(("bearer" = [DeliveryRead::PERMISSION])),
    params(("id" = String, Path, description = "The delivery's id: `dlv_…`.")),
    responses(
        (status = 200, description = "The delivery.", body = One<DeliveryView>),
        (status = 400, description = "`invalid_id`: not an id of a delivery.", body = ErrorBody),
        (
            status = 404,
            description = "`delivery_not_found`: the caller sees no delivery with this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<DeliveryRead>,
    Ids(id): Ids<DeliveryId>,
) -> Result<Json<One<DeliveryView>>> {
    let delivery = find(&api, &caller, id).await?;
    Ok(Json(One { data: delivery.into() }))
}
