//! `GET /api/v1/subscriptions`: lists the tenant's subscriptions.

use axum::Json;
use axum::extract::State;

use super::SubscriptionView;
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionRead};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, PageQuery};

/// Lists the tenant's subscriptions, newest first, without their secrets.
#[utoipa::path(
    get,
    path = "/api/v1/subscriptions",
    operation_id = "listSubscriptions",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionRead::PERMISSION])),
    params(PageQuery),
    responses(
        (status = 200, description = "The subscriptions.", body = Many<SubscriptionView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<SubscriptionRead>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<SubscriptionView>>> {
    let page = query.page()?;
    let found = api.app.store.list_subscriptions(caller.tenant(), &page).await?;
    Ok(Json(Many::new(&page, found.map(SubscriptionView::from))))
}
