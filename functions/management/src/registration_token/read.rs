//! `GET /api/v1/registration-tokens/{id}`: shows a registration token.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::RegistrationTokenId;

use super::RegistrationTokenView;
use crate::api::Api;
use crate::caller::{Caller, Needs, RegistrationTokenRead};
use crate::error::{ErrorBody, OutboundRefusal, Result};
use crate::extract::Ids;
use crate::page::One;

/// Shows a registration token, without its text.
#[utoipa::path(
    get,
    path = "/api/v1/registration-tokens/{id}",
    operation_id = "readRegistrationToken",
    tag = "registration-tokens",
    security(("bearer" = [RegistrationTokenRead::PERMISSION])),
    params(("id" = String, Path, description = "The token's id: `rgt_…`.")),
    responses(
        (status = 200, description = "The token.", body = One<RegistrationTokenView>),
        (status = 400, description = "`invalid_id`: not an id of a registration token.", body = ErrorBody),
        (
            status = 404,
            description = "`registration_token_not_found`: no registration token of the tenant has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<RegistrationTokenRead>,
    Ids(id): Ids<RegistrationTokenId>,
) -> Result<Json<One<RegistrationTokenView>>> {
    let issued = api.app.store.registration_token(caller.tenant(), id).await?;
    let issued = issued.ok_or(OutboundRefusal::RegistrationTokenNotFound)?;
    Ok(Json(One { data: RegistrationTokenView::at(issued, api.app.clock.now()) }))
}
