//! `POST /api/v1/bookmarks/{id}/send`: sends a saved event as a new one.

use axum::Json;
use axum::extract::State;
use hookport::bookmarks;
use hookport::domain::delivery::DeliveryKind;
use hookport::domain::id::{BookmarkId, DeliveryId, EventId, SubscriptionId};
use hookport::domain::permission::Permission;
use hookport::domain::subscription::{State as SubscriptionState, Subscription};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::find;
use crate::api::Api;
use crate::caller::{Caller, EventPublish, Needs};
use crate::delivery::{Made, make};
use crate::error::{Error, ErrorBody, OutboundRefusal, Result};
use crate::extract::{Ids, OptionalBody};
use crate::page::One;
use crate::subscription;

/// Where a saved event is to be sent.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendBookmark {
    /// The one subscription that gets it, whose event types and filters are not asked; absent: every subscription that
    /// wants it.
    #[schema(value_type = Option<String>, example = "sub_01m5w3rm008000000400000003")]
    subscription_id: Option<SubscriptionId>,
}

/// What a saved event was sent as.
#[derive(Serialize, ToSchema)]
pub(crate) struct SentBookmark {
    /// The new event.
    #[schema(value_type = String, example = "evt_01m5w3rm008000000400000003")]
    event_id: EventId,
    /// Its delivery to the one subscription; null without one.
    #[schema(value_type = Option<String>)]
    delivery_id: Option<DeliveryId>,
}

/// Sends a saved event as a new one: with an id and a time of its own, the same type, headers and payload.
///
/// It goes to every subscription that wants it now. With `subscription_id` it goes to that one alone; the token needs
/// `delivery:retry` as well then.
#[utoipa::path(
    post,
    path = "/api/v1/bookmarks/{id}/send",
    operation_id = "sendBookmark",
    tag = "bookmarks",
    security(("bearer" = [EventPublish::PERMISSION])),
    params(("id" = String, Path, description = "The bookmark's id: `bkm_…`.")),
    request_body = Option<SendBookmark>,
    responses(
        (status = 202, description = "The new event is kept.", body = One<SentBookmark>),
        (
            status = 400,
            description = "`invalid_id`: not an id of a bookmark. `invalid_request`: `subscription_id` is no id of a \
                subscription.",
            body = ErrorBody
        ),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named. `outbound_disabled`: the tenant \
                is switched off. `operator_pinned`: the subscription is the operator's.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`bookmark_not_found`: no bookmark that the caller sees has this id. \
                `subscription_not_found`: no subscription of the tenant has this id.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`event_type_disabled`: nothing is taken for the event type. `subscription_state`: the \
                subscription is not active.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn send(
    State(api): State<Api>,
    caller: Caller<EventPublish>,
    Ids(id): Ids<BookmarkId>,
    OptionalBody(wish): OptionalBody<SendBookmark>,
) -> Result<(StatusCode, Json<One<SentBookmark>>)> {
    // Who acts for an owner may publish, but what was saved is the tenant's.
    if caller.owner().is_some() {
        return Err(OutboundRefusal::BookmarkNotFound.into());
    }
    let (bookmark, request) = find(&api, caller.tenant(), id).await?;
    let only = match wish.subscription_id {
        Some(subscription) => Some(target(&api, &caller, subscription).await?),
        None => None,
    };
    // Received events may have types that nobody has defined.
    let definition = api.app.store.event_type(caller.tenant(), &bookmark.event_type).await?;
    if definition.is_some_and(|definition| !definition.is_enabled) {
        return Err(Error::EventTypeDisabled);
    }
    let event_id = bookmarks::send(&api.app, &bookmark, &request, only.as_ref().map(|only| only.id)).await?;
    let delivery_id = match only {
        Some(subscription) => {
            let event_type = bookmark.event_type;
            let made = Made {
                kind: DeliveryKind::Resend,
                event_id,
                event_type,
                repeats: None,
                id: Some(DeliveryId::derive(event_id, subscription.id)),
            };
            Some(make(&api.app, &subscription, made).await?.id)
        }
        None => None,
    };
    Ok((StatusCode::ACCEPTED, Json(One { data: SentBookmark { event_id, delivery_id } })))
}

/// The one subscription that gets the event, if the caller may have that.
async fn target(api: &Api, caller: &Caller<EventPublish>, id: SubscriptionId) -> Result<Subscription> {
    if !caller.may(Permission::DeliveryRetry) {
        return Err(Error::Forbidden(Permission::DeliveryRetry));
    }
    if !api.tenant_switches(caller.tenant()).await?.outbound {
        return Err(Error::OutboundDisabled);
    }
    let found = subscription::find_own(api, caller, id).await?;
    // Before anything is written, although making the delivery asks again.
    match found.status.state {
        SubscriptionState::Active => Ok(found),
        other => Err(Error::SubscriptionState(other.as_str())),
    }
}
