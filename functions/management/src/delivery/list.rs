//! `GET /api/v1/deliveries`: lists the tenant's deliveries.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::SubscriptionId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::DeliveryView;
use crate::api::Api;
use crate::caller::{Caller, DeliveryRead, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, page};

/// Which deliveries are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveryQuery {
    /// Only deliveries to this subscription.
    #[param(value_type = Option<String>)]
    subscription_id: Option<SubscriptionId>,
    /// The most items to give. More than 100 are never given, and fewer than 1 are never asked for.
    #[param(default = 25)]
    limit: Option<u64>,
    /// Where to continue: the `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists the tenant's deliveries, newest first.
///
/// Those to deleted subscriptions are listed for as long as such rows are kept.
#[utoipa::path(
    get,
    path = "/api/v1/deliveries",
    operation_id = "listDeliveries",
    tag = "deliveries",
    security(("bearer" = [DeliveryRead::PERMISSION])),
    params(DeliveryQuery),
    responses(
        (status = 200, description = "The deliveries.", body = Many<DeliveryView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
        (
            status = 404,
            description = "`subscription_not_found`: no subscription of the tenant has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<DeliveryRead>,
    Params(query): Params<DeliveryQuery>,
) -> Result<Json<Many<DeliveryView>>> {
    let page = page(query.limit, query.cursor.as_deref())?;
    let mut subscriptions = api.app.store.subscription_ids(caller.tenant()).await?;
    if let Some(wanted) = query.subscription_id {
        subscriptions.retain(|id| *id == wanted);
        if subscriptions.is_empty() {
            return Err(Error::SubscriptionNotFound);
        }
    }
    let found = api.app.store.list_deliveries(caller.tenant(), &subscriptions, &page).await?;
    Ok(Json(Many::new(&page, found.map(DeliveryView::from))))
}
