//! `GET /webhook-deliveries/{id}`: shows a delivery to its target.

use axum::Json;
use axum::extract::{FromRequestParts as _, State};
use hookport::domain::delivery::Delivery;
use hookport::domain::event_type::EventType;
use hookport::domain::id::DeliveryId;
use http::header::AUTHORIZATION;
use http::request::Parts;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::CallbackStatus;
use super::signer::{is_signed, signed_for};
use crate::api::Api;
use crate::caller::{Caller, DeliveryRead, Needs};
use crate::delivery::{error_of, find};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;

/// A delivery, as its target sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct CallbackDelivery {
    /// Its id.
    #[schema(value_type = String, example = "dlv_01m5w3rm008000000400000003")]
    id: DeliveryId,
    /// The type of the event.
    event_type: EventType,
    /// Where it stands.
    status: CallbackStatus,
    /// How much the target said is done, in percent.
    #[schema(maximum = 100)]
    status_percent: u8,
    /// What the target said last.
    status_message: Option<String>,
    /// How many attempts have ended.
    attempts: usize,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was delivered; null for what ended otherwise.
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    /// Why it has not succeeded so far, for people.
    last_error: Option<String>,
}

impl From<Delivery> for CallbackDelivery {
    fn from(delivery: Delivery) -> Self {
        use hookport::domain::delivery::DeliveryState::Delivered;

        let last_error = error_of(&delivery);
        let progress = delivery.progress;
        Self {
            id: delivery.id,
            event_type: delivery.event_type,
            status: delivery.state.into(),
            status_percent: progress.as_ref().map_or(0, |progress| progress.percent),
            status_message: progress.and_then(|progress| progress.message),
            attempts: delivery.attempts.len(),
            created_at: delivery.id.created_at(),
            delivered_at: if let Delivered { at } = delivery.state { Some(at) } else { None },
            last_error,
        }
    }
}

/// Shows a delivery to its target.
///
/// Whoever holds the subscription's secret signs the delivery's id: `X-Webhook-Signature` or `X-Hub-Signature-256` with
/// `sha256=` and its HMAC-SHA256 in hex, or the headers of Standard Webhooks. An API token with the permission
/// `delivery:read` is taken instead.
#[utoipa::path(
    get,
    path = "/webhook-deliveries/{id}",
    operation_id = "readDeliveryAsTarget",
    tag = "callbacks",
    security((), ("bearer" = [DeliveryRead::PERMISSION])),
    params(
        ("id" = String, Path, description = "The delivery's id, as `Hookport-Delivery-Id` gave it: `dlv_…`."),
        ("X-Webhook-Signature" = Option<String>, Header, description = "`sha256=` and the HMAC of the id in hex."),
    ),
    responses(
        (status = 200, description = "The delivery.", body = CallbackDelivery),
        (status = 400, description = "`invalid_id`: not an id of a delivery.", body = ErrorBody),
        (
            status = 401,
            description = "`unauthorized`: neither a signature nor a valid token. `signature_missing`, \
                `signature_mismatch`, `signature_stale`: the signature is not that of the subscription's secret over \
                the id.",
            body = ErrorBody
        ),
        (status = 403, description = "`forbidden`: the token lacks the permission that is named.", body = ErrorBody),
        (
            status = 404,
            description = "`delivery_not_found`: no delivery has this id, it is not told of later, or the token does \
                not see it.",
            body = ErrorBody
        ),
        (
            status = 503,
            description = "`unavailable`: try again after the seconds in `Retry-After`.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    Ids(id): Ids<DeliveryId>,
    mut parts: Parts,
) -> Result<Json<CallbackDelivery>> {
    let delivery = if parts.headers.contains_key(AUTHORIZATION) {
        let caller = Caller::<DeliveryRead>::from_request_parts(&mut parts, &api).await?;
        find(&api, &caller, id).await?
    } else if is_signed(&parts.headers) {
        signed_for(&api, &parts.headers, id.to_string().as_bytes(), id).await?
    } else {
        return Err(Error::Unauthorized);
    };
    Ok(Json(delivery.into()))
}
