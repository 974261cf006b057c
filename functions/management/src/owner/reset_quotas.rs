//! `DELETE /api/v1/owners/{owner}/quotas`: gives an owner the default quotas again.

use axum::extract::State;
use hookport::domain::event_facts::OwnerName;
use hookport::domain::owner::OwnerRecord;
use http::StatusCode;

use super::change;
use crate::api::Api;
use crate::caller::{Caller, Needs, OwnerUpdate};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;

/// Gives an owner the default quotas again.
#[utoipa::path(
    delete,
    path = "/api/v1/owners/{owner}/quotas",
    operation_id = "resetOwnerQuotas",
    tag = "owners",
    security(("bearer" = [OwnerUpdate::PERMISSION])),
    params(("owner" = String, Path, description = "The owner's name.")),
    responses(
        (status = 204, description = "The owner has the default quotas."),
        (status = 400, description = "`invalid_id`: not the name of an owner.", body = ErrorBody),
    ),
)]
pub(crate) async fn reset(
    State(api): State<Api>,
    caller: Caller<OwnerUpdate>,
    Ids(name): Ids<OwnerName>,
) -> Result<StatusCode> {
    change(&api, caller.tenant(), &name, |record| OwnerRecord { quotas: None, ..record }).await?;
    Ok(StatusCode::NO_CONTENT)
}
