//! `POST /api/v1/issues/{id}/acknowledge`: says that somebody knows of an issue.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::IssueId;
use hookport::domain::issue::{Acknowledgement, Issue, IssueState};
use hookport::domain::text::Name;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{IssueView, TRIES, find};
use crate::api::Api;
use crate::caller::{Caller, IssueUpdate, Needs};
use crate::error::{Error, ErrorBody, OutboundRefusal, Result};
use crate::extract::{Ids, OptionalBody};
use crate::page::One;

/// Who knows of an issue.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcknowledgeIssue {
    /// Who, for people.
    by: Option<Name>,
    /// From when on it is open again, if it is not over by then; absent or null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// Says that somebody knows of an issue.
///
/// It goes on counting, and is over by itself as before. That it opened is not told any more. Acknowledging it again
/// replaces what was said.
#[utoipa::path(
    post,
    path = "/api/v1/issues/{id}/acknowledge",
    operation_id = "acknowledgeIssue",
    tag = "issues",
    security(("bearer" = [IssueUpdate::PERMISSION])),
    params(("id" = String, Path, description = "The issue's id: `iss_…`.")),
    request_body = Option<AcknowledgeIssue>,
    responses(
        (status = 200, description = "The issue.", body = One<IssueView>),
        (
            status = 400,
            description = "`invalid_id`: not an id of an issue. `invalid_request`: a field breaks its rule.",
            body = ErrorBody
        ),
        (status = 404, description = "`issue_not_found`: the caller sees no issue with this id.", body = ErrorBody),
        (
            status = 409,
            description = "`issue_resolved`: it is over. `conflict`: it kept changing meanwhile.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn acknowledge(
    State(api): State<Api>,
    caller: Caller<IssueUpdate>,
    Ids(id): Ids<IssueId>,
    OptionalBody(request): OptionalBody<AcknowledgeIssue>,
) -> Result<Json<One<IssueView>>> {
    let now = api.app.clock.now();
    if request.until.is_some_and(|until| until <= now) {
        return Err(Error::field("until", "must be in the future"));
    }
    let by = Acknowledgement { by: request.by, at: now, until: request.until };
    for _ in 0..TRIES {
        let issue = find(&api, &caller, id).await?;
        if matches!(issue.state, IssueState::Resolved { .. }) {
            return Err(OutboundRefusal::IssueResolved.into());
        }
        if api.app.store.acknowledge_issue(&issue, &by).await? {
            let issue = Issue { state: IssueState::Acknowledged(by), ..issue };
            return Ok(Json(One { data: IssueView::new(issue, now) }));
        }
    }
    Err(Error::Conflict)
}
