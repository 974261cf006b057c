//! `POST /api/v1/issues/{id}/retry`: sends again what failed.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use hookport::domain::id::IssueId;
use hookport::domain::issue::Issue;
use hookport::domain::replay::{Replay, ReplayFilter, ReplayOrder, Routing, Selection, Stage, Which};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::find;
use crate::api::Api;
use crate::caller::{Caller, IssueUpdate, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;
use crate::replay::{self, ReplayView};
use crate::subscription;

/// How long before an issue opened the events may have come whose attempts failed then: longer than the default
/// schedule takes.
const BEFORE: SignedDuration = SignedDuration::from_hours(4 * 24);

/// Sends again what failed.
///
/// That is a replay, started at once, of what ended without success and with this cause at the issue's subscription: of
/// events that came while the issue was open or in the four days before. Deliveries that still have attempts left are
/// not sent twice. While such a replay is under way, asking again gives that one.
#[utoipa::path(
    post,
    path = "/api/v1/issues/{id}/retry",
    operation_id = "retryIssue",
    tag = "issues",
    security(("bearer" = [IssueUpdate::PERMISSION])),
    params(("id" = String, Path, description = "The issue's id: `iss_…`.")),
    responses(
        (status = 202, description = "The replay.", body = One<ReplayView>),
        (status = 400, description = "`invalid_id`: not an id of an issue.", body = ErrorBody),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named. `operator_pinned`: the \
                subscription is the operator's. `outbound_disabled`: the tenant is switched off.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`issue_not_found`: the caller sees no issue with this id. `subscription_not_found`: its \
                subscription is gone.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`too_many`: the tenant has as many replays under way as it may.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn retry(
    State(api): State<Api>,
    caller: Caller<IssueUpdate>,
    Ids(id): Ids<IssueId>,
) -> Result<(StatusCode, Json<One<ReplayView>>)> {
    let issue = find(&api, &caller, id).await?;
    subscription::find_own(&api, &caller, issue.subscription_id).await?;
    let now = api.app.clock.now();
    let selection = selection(&issue, now);
    let running = api.app.store.unfinished_replays(caller.tenant(), now).await?;
    // Whoever asks again, because the answer was lost, gets the one that is under way: two would send everything twice.
    let is_same = |one: &Replay| is_under_way(one, &selection) && one.owner.as_ref() == caller.owner();
    if let Some(same) = running.into_iter().find(is_same) {
        return Ok((StatusCode::ACCEPTED, Json(One { data: same.into() })));
    }
    let replay = replay::make(&api, &caller, selection, true).await?;
    Ok((StatusCode::ACCEPTED, Json(One { data: replay.into() })))
}

/// Tells whether a replay is sending what `asked` would, up to some time. One that waits for somebody to start it is not.
fn is_under_way(one: &Replay, asked: &Selection) -> bool {
    let goes_on = match one.stage {
        Stage::Planning { .. } => one.starts_by_itself,
        Stage::Sending { .. } => true,
        Stage::Planned | Stage::Cancelling { .. } | Stage::Done | Stage::Cancelled => false,
    };
    goes_on && one.selection == Selection { until: one.selection.until, ..asked.clone() }
}

/// What ended without success for the cause of an issue since it opened.
fn selection(issue: &Issue, now: Timestamp) -> Selection {
    Selection {
        since: issue.first_seen.saturating_sub(BEFORE).unwrap_or(Timestamp::UNIX_EPOCH),
        until: now,
        routing: Routing::SameTargets,
        which: BTreeSet::from([Which::Failed]),
        filter: ReplayFilter {
            subscription_ids: vec![issue.subscription_id],
            cause: Some(issue.cause.clone()),
            ..ReplayFilter::default()
        },
        order: ReplayOrder::None,
        rate_per_second: None,
    }
}
