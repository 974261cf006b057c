//! `GET /api/v1/subscriptions/{id}`: shows a subscription.

use axum::extract::State;
use hookport::domain::id::SubscriptionId;

use super::{SubscriptionView, Tagged, find, tagged};
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionRead};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Shows a subscription, without its secret.
#[utoipa::path(
    get,
    path = "/api/v1/subscriptions/{id}",
    operation_id = "readSubscription",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionRead::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`.")),
    responses(
        (
            status = 200,
            description = "The subscription.",
            body = One<SubscriptionView>,
            headers(("ETag" = String, description = "Its version, in quotes: what a change sends in `If-Match`."))
        ),
        (status = 400, description = "`invalid_id`: not an id of a subscription.", body = ErrorBody),
        (
            status = 404,
            description = "`subscription_not_found`: no subscription that the caller sees has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<SubscriptionRead>,
    Ids(id): Ids<SubscriptionId>,
) -> Result<Tagged<One<SubscriptionView>>> {
    Ok(tagged(find(&api, &caller, id).await?))
}
