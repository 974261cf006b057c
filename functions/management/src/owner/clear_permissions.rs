//! `DELETE /api/v1/owners/{owner}/permissions`: takes back what was said of what an owner may see.

use axum::extract::State;
use hookport::domain::event_facts::OwnerName;
use hookport::domain::owner::OwnerRecord;
use http::StatusCode;

use super::change;
use crate::api::Api;
use crate::caller::{Caller, Needs, OwnerUpdate};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;

/// Takes back what was said of what an owner may see.
///
/// It is as if nobody had ever said anything: what needs a permission cannot be decided. To say that the owner may see
/// nothing, give it no permissions.
#[utoipa::path(
    delete,
    path = "/api/v1/owners/{owner}/permissions",
    operation_id = "clearOwnerPermissions",
    tag = "owners",
    security(("bearer" = [OwnerUpdate::PERMISSION])),
    params(("owner" = String, Path, description = "The owner's name.")),
    responses(
        (status = 204, description = "Nothing is said of what the owner may see."),
        (status = 400, description = "`invalid_id`: not the name of an owner.", body = ErrorBody),
    ),
)]
pub(crate) async fn clear(
    State(api): State<Api>,
    caller: Caller<OwnerUpdate>,
    Ids(name): Ids<OwnerName>,
) -> Result<StatusCode> {
    change(&api, caller.tenant(), &name, |record| OwnerRecord { grants: None, ..record }).await?;
    Ok(StatusCode::NO_CONTENT)
}
