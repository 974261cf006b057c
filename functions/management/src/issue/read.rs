//! `GET /api/v1/issues/{id}`: shows an issue.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::IssueId;

use super::{IssueView, find};
use crate::api::Api;
use crate::caller::{Caller, IssueRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Shows an issue.
#[utoipa::path(
    get,
    path = "/api/v1/issues/{id}",
    operation_id = "readIssue",
    tag = "issues",
    security(("bearer" = [IssueRead::PERMISSION])),
    params(("id" = String, Path, description = "The issue's id: `iss_…`.")),
    responses(
        (status = 200, description = "The issue.", body = One<IssueView>),
        (status = 400, description = "`invalid_id`: not an id of an issue.", body = ErrorBody),
        (status = 404, description = "`issue_not_found`: the caller sees no issue with this id.", body = ErrorBody),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<IssueRead>,
    Ids(id): Ids<IssueId>,
) -> Result<Json<One<IssueView>>> {
    let issue = find(&api, &caller, id).await?;
    Ok(Json(One { data: IssueView::new(issue, api.app.clock.now()) }))
}
