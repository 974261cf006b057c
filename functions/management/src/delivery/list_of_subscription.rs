//! `GET /api/v1/subscriptions/{id}/deliveries`: lists the deliveries to a subscription.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::SubscriptionId;

use super::DeliveryView;
use super::list::visible;
use crate::api::Api;
use crate::caller::{Caller, DeliveryRead, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Ids, Params};
use crate::page::{Many, PageQuery};
use crate::subscription;

/// Lists the deliveries to a subscription, newest first.
///
/// Those to a deleted subscription are listed for as long as such rows are kept.
#[utoipa::path(
    get,
    path = "/api/v1/subscriptions/{id}/deliveries",
    operation_id = "listDeliveriesOfSubscription",
    tag = "deliveries",
    security(("bearer" = [DeliveryRead::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`."), PageQuery),
    responses(
        (status = 200, description = "The deliveries.", body = Many<DeliveryView>),
        (
            status = 400,
            description = "`invalid_id`: not an id of a subscription. `invalid_request` or `invalid_cursor`: a \
                parameter is wrong.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`subscription_not_found`: the caller sees no subscription with this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn list_of_subscription(
    State(api): State<Api>,
    caller: Caller<DeliveryRead>,
    Ids(id): Ids<SubscriptionId>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<DeliveryView>>> {
    let page = query.page()?;
    match subscription::find(&api, &caller, id).await {
        Ok(_) => {}
        // It may have been deleted lately.
        Err(Error::SubscriptionNotFound) if visible(&api, &caller).await?.contains(&id) => {}
        Err(other) => return Err(other),
    }
    let found = api.app.store.list_deliveries(caller.tenant(), &[id], &page, |_| true).await?;
    Ok(Json(Many::new(&page, found.map(DeliveryView::from))))
}
