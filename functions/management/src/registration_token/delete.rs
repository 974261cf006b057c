//! `DELETE /api/v1/registration-tokens/{id}`: revokes a registration token.

use axum::extract::State;
use hookport::domain::audit::AuditAction;
use hookport::domain::id::RegistrationTokenId;
use http::StatusCode;

use crate::api::Api;
use crate::audit::entry;
use crate::caller::{Caller, Needs, RegistrationTokenDelete};
use crate::error::{ErrorBody, OutboundRefusal, Result};
use crate::extract::Ids;
use crate::source::Source;

/// Revokes a registration token.
///
/// It is refused at once, everywhere. What was registered with it stays as it is.
#[utoipa::path(
    delete,
    path = "/api/v1/registration-tokens/{id}",
    operation_id = "deleteRegistrationToken",
    tag = "registration-tokens",
    security(("bearer" = [RegistrationTokenDelete::PERMISSION])),
    params(("id" = String, Path, description = "The token's id: `rgt_…`.")),
    responses(
        (status = 204, description = "The token is revoked."),
        (status = 400, description = "`invalid_id`: not an id of a registration token.", body = ErrorBody),
        (
            status = 404,
            description = "`registration_token_not_found`: no registration token of the tenant has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<RegistrationTokenDelete>,
    source: Source,
    Ids(id): Ids<RegistrationTokenId>,
) -> Result<StatusCode> {
    let store = &api.app.store;
    let issued = store.registration_token(caller.tenant(), id).await?;
    let issued = issued.ok_or(OutboundRefusal::RegistrationTokenNotFound)?;
    let record = entry(&api, &caller, source, AuditAction::RegistrationTokenRevoked).about(id);
    let record = record.with("name", &issued.token.name).with("uses", issued.uses);
    if store.delete_registration_token(&issued.token, &record).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(OutboundRefusal::RegistrationTokenNotFound.into())
    }
}
