//! `GET /api/v1/issues`: lists the tenant's issues.

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use hookport::domain::id::SubscriptionId;
use hookport::domain::issue::{Issue, IssueCause};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{IssueStateView, IssueView};
use crate::api::Api;
use crate::caller::{Caller, IssueRead, Needs};
use crate::delivery::visible;
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, page};
use crate::subscription;

/// Which issues are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct IssueQuery {
    /// Only issues that stand here.
    #[param(inline)]
    state: Option<IssueStateView>,
    /// Only issues of this subscription.
    #[param(value_type = Option<String>)]
    subscription_id: Option<SubscriptionId>,
    /// Only issues with this cause.
    #[param(value_type = Option<String>, example = "status_500")]
    cause: Option<IssueCause>,
    /// The most items to give. More than 100 are never given, and fewer than 1 are never asked for.
    #[param(default = 25)]
    limit: Option<u64>,
    /// Where to continue: the `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists the tenant's issues, those of the newest subscriptions first.
///
/// An issue is listed for 90 days after its last failure. A token that acts for an owner sees those of the owner's
/// subscriptions. A page may have fewer items than were asked for, even none, and still have a next one.
#[utoipa::path(
    get,
    path = "/api/v1/issues",
    operation_id = "listIssues",
    tag = "issues",
    security(("bearer" = [IssueRead::PERMISSION])),
    params(IssueQuery),
    responses(
        (status = 200, description = "The issues.", body = Many<IssueView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
        (
            status = 404,
            description = "`subscription_not_found`: the caller sees no subscription with this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<IssueRead>,
    Params(query): Params<IssueQuery>,
) -> Result<Json<Many<IssueView>>> {
    let page = page(query.limit, query.cursor.as_deref())?;
    if let Some(wanted) = query.subscription_id {
        subscription::find(&api, &caller, wanted).await?;
    }
    let own: Option<HashSet<SubscriptionId>> = match caller.owner() {
        Some(_) => Some(visible(&api, &caller).await?.into_iter().collect()),
        None => None,
    };
    let now = api.app.clock.now();
    let wanted = |issue: &Issue| {
        issue.expires_at() > now
            && own.as_ref().is_none_or(|own| own.contains(&issue.subscription_id))
            && query.cause.as_ref().is_none_or(|cause| *cause == issue.cause)
            && query.state.is_none_or(|state| state == IssueStateView::from(issue.state_at(now)))
    };
    let found = api.app.store.list_issues(caller.tenant(), query.subscription_id, &page, wanted).await?;
    Ok(Json(Many::new(&page, found.map(|issue| IssueView::new(issue, now)))))
}
