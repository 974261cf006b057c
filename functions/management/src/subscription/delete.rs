//! `DELETE /api/v1/subscriptions/{id}`: deletes a subscription.

use axum::extract::State;
use hookport::domain::id::SubscriptionId;
use http::StatusCode;

use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionDelete};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;

/// Deletes a subscription with its secret.
///
/// Nothing more is sent to it. Its deliveries stay for as long as such rows are kept.
#[utoipa::path(
    delete,
    path = "/api/v1/subscriptions/{id}",
    operation_id = "deleteSubscription",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionDelete::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`.")),
    responses(
        (status = 204, description = "The subscription is deleted."),
        (status = 400, description = "`invalid_id`: not an id of a subscription.", body = ErrorBody),
        (
            status = 404,
            description = "`subscription_not_found`: no subscription of the tenant has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<SubscriptionDelete>,
    Ids(id): Ids<SubscriptionId>,
) -> Result<StatusCode> {
    if api.app.store.delete_subscription(caller.tenant(), id, api.app.clock.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Error::SubscriptionNotFound)
    }
}
