//! `GET /api/v1/operator/unknown-requests`: lists requests that lead to no tenant.

use axum::Json;
use axum::extract::State;
use hookport::domain::rejection::RejectionLog;

use super::{RejectionQuery, RejectionView, page_of};
use crate::api::Api;
use crate::caller::{Caller, Needs, UnknownRequestRead};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::Many;

/// Lists the requests of the last three days to tenants and keys that do not exist, newest first.
///
/// Of a key, only the SHA-256 is kept. At most 256 requests of an hour are kept.
#[utoipa::path(
    get,
    path = "/api/v1/operator/unknown-requests",
    operation_id = "listUnknownRequestsOfAll",
    tag = "unknown-requests",
    security(("bearer" = [UnknownRequestRead::PERMISSION])),
    params(RejectionQuery),
    responses(
        (status = 200, description = "The refused requests.", body = Many<RejectionView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list_of_operators(
    State(api): State<Api>,
    _: Caller<UnknownRequestRead>,
    Params(query): Params<RejectionQuery>,
) -> Result<Json<Many<RejectionView>>> {
    page_of(&api, &RejectionLog::Operators, &query).await
}
