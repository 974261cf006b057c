//! `POST /api/v1/issues/{id}/resolve`: says that an issue is over.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::IssueId;
use hookport::domain::issue::IssueState;
use hookport::domain::task::Task;
use hookport::domain::time::later;
use hookport::upkeep::{GRACE, hint_task};
use jiff::SignedDuration;
use tracing::info;

use super::{IssueView, TRIES, find};
use crate::api::Api;
use crate::caller::{Caller, IssueUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Says that an issue is over.
///
/// The next failure with its cause opens it again, and counts from 1. An issue that is over stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/issues/{id}/resolve",
    operation_id = "resolveIssue",
    tag = "issues",
    security(("bearer" = [IssueUpdate::PERMISSION])),
    params(("id" = String, Path, description = "The issue's id: `iss_…`.")),
    responses(
        (status = 200, description = "The issue.", body = One<IssueView>),
        (status = 400, description = "`invalid_id`: not an id of an issue.", body = ErrorBody),
        (status = 404, description = "`issue_not_found`: the caller sees no issue with this id.", body = ErrorBody),
        (status = 409, description = "`conflict`: it kept changing meanwhile.", body = ErrorBody),
    ),
)]
pub(crate) async fn resolve(
    State(api): State<Api>,
    caller: Caller<IssueUpdate>,
    Ids(id): Ids<IssueId>,
) -> Result<Json<One<IssueView>>> {
    let (store, tenant, task) = (&api.app.store, caller.tenant(), Task::Issue(id));
    for _ in 0..TRIES {
        let issue = find(&api, &caller, id).await?;
        let now = api.app.clock.now();
        if matches!(issue.state, IssueState::Resolved { .. }) {
            return Ok(Json(One { data: IssueView::new(issue, now) }));
        }
        // Whoever looks after the issue tells of its end.
        store.ask_task(tenant, &task, later(now, GRACE)).await?;
        if store.resolve_issue(&issue, now, false).await? {
            hint_task(&api.app, tenant, &task, SignedDuration::ZERO).await;
            info!(%tenant, issue.id = %id, "issue.resolved");
            return Ok(Json(One { data: IssueView::new(issue.resolved(now, false), now) }));
        }
    }
    Err(Error::Conflict)
}
