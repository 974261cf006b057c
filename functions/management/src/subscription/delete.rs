//! `DELETE /api/v1/subscriptions/{id}`: deletes a subscription.

use axum::extract::State;
use hookport::domain::audit::AuditAction;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription;
use hookport::store::Changed;
use hookport::upkeep;
use http::StatusCode;

use super::{TRIES, find_own};
use crate::api::Api;
use crate::audit::entry;
use crate::caller::{Caller, Needs, SubscriptionDelete};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::source::Source;

/// Deletes a subscription with its secrets.
///
/// Nothing more is sent to it; an attempt that is under way ends without harm. Its deliveries stay for as long as such
/// rows are kept.
#[utoipa::path(
    delete,
    path = "/api/v1/subscriptions/{id}",
    operation_id = "deleteSubscription",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionDelete::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`.")),
    responses(
        (status = 204, description = "The subscription is deleted."),
        (status = 400, description = "`invalid_id`: not an id of a subscription.", body = ErrorBody),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named. `outbound_disabled`: the tenant \
                is switched off. `operator_pinned`: it is the operator's.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`subscription_not_found`: no subscription that the caller sees has this id.",
            body = ErrorBody
        ),
        (status = 409, description = "`conflict`: others keep changing it at the same time.", body = ErrorBody),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<SubscriptionDelete>,
    source: Source,
    Ids(id): Ids<SubscriptionId>,
) -> Result<StatusCode> {
    for tried in 0..TRIES {
        let known = match find_own(&api, &caller, id).await {
            // Gone since it was found: by somebody else, or by an earlier try whose answer was lost.
            Err(Error::SubscriptionNotFound) if tried > 0 => return Ok(StatusCode::NO_CONTENT),
            found => found?,
        };
        // Deleting one that waits for an admin turns it away.
        let deleted = if known.status.state == subscription::State::AwaitingApproval {
            let record = entry(&api, &caller, source, AuditAction::SubscriptionRejected).about(id);
            upkeep::delete_audited(&api.app, &known, &record).await?
        } else {
            upkeep::delete(&api.app, &known).await?
        };
        if deleted == Changed::Yes {
            return Ok(StatusCode::NO_CONTENT);
        }
    }
    Err(Error::Conflict)
}
