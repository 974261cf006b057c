//! `POST /api/v1/events/{id}/resend`: sends an event to a subscription, whether it went there before or not.

use axum::Json;
use axum::extract::State;
use hookport::domain::delivery::DeliveryKind;
use hookport::domain::id::{DeliveryId, EventId, SubscriptionId};
use hookport::domain::inbound_delivery::InboundDelivery;
use hookport::domain::text::TenantSlug;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{DeliveryView, Made, make};
use crate::api::Api;
use crate::caller::{Caller, DeliveryRetry, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids};
use crate::page::One;
use crate::subscription;

/// Where an event is to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResendEvent {
    /// The subscription.
    #[schema(value_type = String, example = "sub_01m5w3rm008000000400000003")]
    subscription_id: SubscriptionId,
}

/// Sends an event to a subscription, whether it went there before or not.
///
/// Neither its event types nor its filters are asked. A token that acts for an owner sends only events that went to the
/// subscription before.
#[utoipa::path(
    post,
    path = "/api/v1/events/{id}/resend",
    operation_id = "resendEvent",
    tag = "deliveries",
    security(("bearer" = [DeliveryRetry::PERMISSION])),
    params(("id" = String, Path, description = "The event's id: `evt_…`.")),
    request_body = ResendEvent,
    responses(
        (status = 202, description = "The new delivery.", body = One<DeliveryView>),
        (
            status = 400,
            description = "`invalid_id`: not an id of an event. `invalid_request`: `subscription_id` is missing or no \
                id of a subscription.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`event_not_found`: the caller sees no event with this id. `subscription_not_found`: the \
                caller sees no subscription with this id.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`subscription_state`: the subscription is not active. `body_expired`: the payload of the \
                event is no longer kept.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn resend(
    State(api): State<Api>,
    caller: Caller<DeliveryRetry>,
    Ids(id): Ids<EventId>,
    Body(request): Body<ResendEvent>,
) -> Result<(StatusCode, Json<One<DeliveryView>>)> {
    let (event, is_kept) = kept_event(&api, caller.tenant(), id).await?.ok_or(Error::EventNotFound)?;
    let subscription = subscription::find_own(&api, &caller, request.subscription_id).await?;
    let first = DeliveryId::derive(id, subscription.id);
    let repeats = api.app.store.delivery(caller.tenant(), first).await?.map(|delivery| delivery.id);
    // What an owner may see was decided when the event was accepted; asking for it by id must not get around that.
    if caller.owner().is_some() && repeats.is_none() {
        return Err(Error::EventNotFound);
    }
    if !is_kept {
        return Err(Error::BodyExpired);
    }
    let made = Made { kind: DeliveryKind::Resend, event_id: id, event_type: event.event_type, repeats, id: None };
    let delivery = make(&api.app, &subscription, made).await?;
    Ok((StatusCode::ACCEPTED, Json(One { data: delivery.into() })))
}

/// Reads the row of an event, if there is one, and tells whether its payload is still kept.
pub(super) async fn kept_event(api: &Api, tenant: &TenantSlug, id: EventId) -> Result<Option<(InboundDelivery, bool)>> {
    let now = api.app.clock.now();
    let found = api.app.store.inbound_delivery_with_request(tenant, id.into(), now).await?;
    let event = found.filter(|(row, _)| row.event_id().is_some());
    Ok(event.map(|(row, request)| (row, request.is_some())))
}
