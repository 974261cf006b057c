//! `GET /api/v1/unknown-requests`: lists requests to slugs that the tenant does not have.

use axum::Json;
use axum::extract::State;
use hookport::domain::rejection::RejectionLog;

use super::{RejectionQuery, RejectionView, page_of};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::Many;

/// Lists the requests of the last three days to slugs that the tenant does not have, newest first.
///
/// A sender with a misspelt URL shows here. At most 256 of an hour are kept.
#[utoipa::path(
    get,
    path = "/api/v1/unknown-requests",
    operation_id = "listUnknownRequests",
    tag = "unknown-requests",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(RejectionQuery),
    responses(
        (status = 200, description = "The refused requests.", body = Many<RejectionView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list_of_tenant(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Params(query): Params<RejectionQuery>,
) -> Result<Json<Many<RejectionView>>> {
    page_of(&api, &RejectionLog::Tenant(caller.tenant().clone()), &query).await
}
