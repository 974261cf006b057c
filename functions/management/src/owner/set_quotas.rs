//! `PUT /api/v1/owners/{owner}/quotas`: gives an owner quotas of its own.

use axum::Json;
use axum::extract::State;
use hookport::domain::event_facts::OwnerName;
use hookport::domain::owner::{OwnerRecord, Quotas};

use super::{OwnerView, change};
use crate::api::Api;
use crate::caller::{Caller, Needs, OwnerUpdate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids};
use crate::page::One;

/// Gives an owner quotas of its own.
///
/// What it has already stays, also above the new quotas.
#[utoipa::path(
    put,
    path = "/api/v1/owners/{owner}/quotas",
    operation_id = "setOwnerQuotas",
    tag = "owners",
    security(("bearer" = [OwnerUpdate::PERMISSION])),
    params(("owner" = String, Path, description = "The owner's name.")),
    request_body = Quotas,
    responses(
        (status = 200, description = "The owner.", body = One<OwnerView>),
        (
            status = 400,
            description = "`invalid_id`: not the name of an owner. `invalid_request`: a field breaks its rule.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn set(
    State(api): State<Api>,
    caller: Caller<OwnerUpdate>,
    Ids(name): Ids<OwnerName>,
    Body(quotas): Body<Quotas>,
) -> Result<Json<One<OwnerView>>> {
    if let Some(fault) = quotas.fault() {
        return Err(Error::InvalidRequest(fault.to_owned()));
    }
    let with = |record| OwnerRecord { quotas: Some(quotas), ..record };
    let owner = change(&api, caller.tenant(), &name, with).await?;
    Ok(Json(One { data: owner.into() }))
}
