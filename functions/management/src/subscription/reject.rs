//! `POST /api/v1/subscriptions/{id}/reject`: turns a subscription away that registered itself.

use axum::extract::State;
use hookport::domain::audit::AuditAction;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription;
use hookport::domain::text::Name;
use hookport::store::Changed;
use hookport::upkeep;
use http::StatusCode;
use serde::Deserialize;
use tracing::info;
use utoipa::ToSchema;

use super::{TRIES, find_own};
use crate::api::Api;
use crate::audit::entry;
use crate::caller::{Caller, Needs, SubscriptionApprove};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Ids, OptionalBody};
use crate::source::Source;

/// Why a subscription is turned away.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectSubscription {
    /// For the audit log.
    reason: Option<Name>,
}

/// Turns a subscription away that registered itself.
///
/// It is deleted with its secret. Its listener is not told; the audit log has the reason.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{id}/reject",
    operation_id = "rejectSubscription",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionApprove::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`.")),
    request_body = Option<RejectSubscription>,
    responses(
        (status = 204, description = "The subscription is deleted."),
        (
            status = 400,
            description = "`invalid_id`: not an id of a subscription. `invalid_request`: a field breaks its rule.",
            body = ErrorBody
        ),
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
        (
            status = 409,
            description = "`subscription_state`: it does not wait for an admin. `conflict`: others keep changing it at \
                the same time.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn reject(
    State(api): State<Api>,
    caller: Caller<SubscriptionApprove>,
    source: Source,
    Ids(id): Ids<SubscriptionId>,
    OptionalBody(request): OptionalBody<RejectSubscription>,
) -> Result<StatusCode> {
    for tried in 0..TRIES {
        let known = match find_own(&api, &caller, id).await {
            // Gone since it was found: by somebody else, or by an earlier try whose answer was lost.
            Err(Error::SubscriptionNotFound) if tried > 0 => return Ok(StatusCode::NO_CONTENT),
            found => found?,
        };
        let state = known.status.state;
        if state != subscription::State::AwaitingApproval {
            return Err(Error::SubscriptionState(state.as_str()));
        }
        let record = entry(&api, &caller, source, AuditAction::SubscriptionRejected).about(id);
        let record = record.with("name", &known.settings.name).with("host", known.settings.url.host());
        let record = match &request.reason {
            Some(reason) => record.with("reason", reason),
            None => record,
        };
        if upkeep::delete_audited(&api.app, &known, &record).await? == Changed::Yes {
            info!(tenant = %known.tenant, subscription.id = %id, "subscription.rejected");
            return Ok(StatusCode::NO_CONTENT);
        }
    }
    Err(Error::Conflict)
}
