//! `DELETE /api/v1/api-tokens/{id}`: revokes an API token.

use axum::extract::State;
use hookport::domain::id::ApiTokenId;
use http::StatusCode;

use crate::api::Api;
use crate::caller::{ApiTokenDelete, Caller, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;

/// Revokes an API token.
///
/// It is refused everywhere within five seconds.
#[utoipa::path(
    delete,
    path = "/api/v1/api-tokens/{id}",
    operation_id = "deleteApiToken",
    tag = "api-tokens",
    security(("bearer" = [ApiTokenDelete::PERMISSION])),
    params(("id" = String, Path, description = "The token's id: `tok_…`.")),
    responses(
        (status = 204, description = "The token is revoked."),
        (status = 400, description = "`invalid_id`: not an id of a token.", body = ErrorBody),
        (status = 404, description = "`api_token_not_found`: no token of the tenant has this id.", body = ErrorBody),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<ApiTokenDelete>,
    Ids(id): Ids<ApiTokenId>,
) -> Result<StatusCode> {
    if api.app.store.delete_token(caller.tenant(), id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Error::ApiTokenNotFound)
    }
}
