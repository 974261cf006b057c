//! `GET /api/v1/dialects`: lists the dialects that there are.

use axum::Json;
use axum::extract::State;
use hookport::dialect::catalogue;

use super::DialectView;
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionRead};
use crate::error::Result;
use crate::page::One;

/// Lists the dialects: the tenant's own, then the built-in ones.
#[utoipa::path(
    get,
    path = "/api/v1/dialects",
    operation_id = "listDialects",
    tag = "dialects",
    security(("bearer" = [SubscriptionRead::PERMISSION])),
    responses((status = 200, description = "All of them.", body = One<Vec<DialectView>>)),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<SubscriptionRead>,
) -> Result<Json<One<Vec<DialectView>>>> {
    let own = api.app.store.dialects(caller.tenant()).await?;
    let all = own.iter().chain(catalogue::all().iter().map(AsRef::as_ref));
    Ok(Json(One { data: all.map(DialectView::from).collect() }))
}
