//! `GET /api/v1/owners/{owner}`: shows an owner of subscriptions.

use axum::Json;
use axum::extract::State;
use hookport::domain::event_facts::OwnerName;

use super::OwnerView;
use crate::api::Api;
use crate::caller::{Caller, Needs, OwnerRead};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Shows an owner of subscriptions.
///
/// One that nothing is known of is shown with the defaults, as it would be treated.
#[utoipa::path(
    get,
    path = "/api/v1/owners/{owner}",
    operation_id = "readOwner",
    tag = "owners",
    security(("bearer" = [OwnerRead::PERMISSION])),
    params(("owner" = String, Path, description = "The owner's name.")),
    responses(
        (status = 200, description = "The owner.", body = One<OwnerView>),
        (status = 400, description = "`invalid_id`: not the name of an owner.", body = ErrorBody),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<OwnerRead>,
    Ids(name): Ids<OwnerName>,
) -> Result<Json<One<OwnerView>>> {
    let found = api.app.store.owner(caller.tenant(), &name).await?;
    Ok(Json(One { data: found.into() }))
}
