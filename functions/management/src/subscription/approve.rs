//! `POST /api/v1/subscriptions/{id}/approve`: lets a subscription in that registered itself.

use axum::extract::State;
use hookport::domain::audit::AuditAction;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::{self, Challenge, Subscription};
use hookport::store::Changed;
use hookport::upkeep;
use http::HeaderMap;
use http::header::IF_MATCH;
use jiff::Timestamp;
use tracing::info;

use super::update::if_match;
use super::{SubscriptionView, TRIES, Tagged, find_own, tagged, trusted};
use crate::api::Api;
use crate::audit::entry;
use crate::caller::{Caller, Needs, SubscriptionApprove};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;
use crate::source::Source;

/// Lets a subscription in that registered itself.
///
/// Its target is sent the challenge that its listener knows, and has to echo it before any event is delivered; where
/// the operator trusts the target, it is active at once. For one that is let in already this changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{id}/approve",
    operation_id = "approveSubscription",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionApprove::PERMISSION])),
    params(
        ("id" = String, Path, description = "The subscription's id: `sub_…`."),
        (
            "If-Match" = Option<String>,
            Header,
            description = "The version that is let in, as its `ETag` gave it; when absent, whichever there is."
        ),
    ),
    responses(
        (
            status = 200,
            description = "The subscription as it is now.",
            body = One<SubscriptionView>,
            headers(("ETag" = String, description = "Its version, in quotes."))
        ),
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
        (
            status = 409,
            description = "`subscription_state`: it does not wait for an admin. `conflict`: others keep changing it at \
                the same time.",
            body = ErrorBody
        ),
        (status = 412, description = "`version_mismatch`: it has another version by now.", body = ErrorBody),
        (status = 428, description = "`if_match_required`: `If-Match` names no version.", body = ErrorBody),
    ),
)]
pub(crate) async fn approve(
    State(api): State<Api>,
    caller: Caller<SubscriptionApprove>,
    source: Source,
    Ids(id): Ids<SubscriptionId>,
    headers: HeaderMap,
) -> Result<Tagged<One<SubscriptionView>>> {
    for _ in 0..TRIES {
        let before = find_own(&api, &caller, id).await?;
        let is_trusted = trusted(&api, &before.settings);
        let challenge = Challenge::new(&api.app.random);
        let Some(after) = approved(&before, is_trusted, challenge, api.app.clock.now())? else {
            // Should what follows an earlier approval have been lost, this brings it back.
            upkeep::hint(&api.app, &before.tenant, id).await;
            return Ok(tagged(before));
        };
        if headers.contains_key(IF_MATCH) {
            if_match(&headers, before.version)?;
        }
        let record = entry(&api, &caller, source, AuditAction::SubscriptionApproved).about(id);
        let record = record.with("name", &after.settings.name).with("host", after.settings.url.host());
        if upkeep::change_audited(&api.app, &before, &after, &record).await? == Changed::Yes {
            info!(tenant = %after.tenant, subscription.id = %id, "subscription.approved");
            return Ok(tagged(after));
        }
    }
    Err(Error::Conflict)
}

/// Let in, if it waits for that; `None` when it is let in already.
fn approved(
    before: &Subscription,
    is_trusted: bool,
    challenge: Challenge,
    now: Timestamp,
) -> Result<Option<Subscription>> {
    use subscription::State::{
        Active, AwaitingApproval, AwaitingChallenge, Disabled, Paused, PendingVerification, VerificationFailed,
    };

    match before.status.state {
        AwaitingApproval => Ok(Some(before.approved(is_trusted, challenge, now))),
        PendingVerification | Active => Ok(None),
        AwaitingChallenge | VerificationFailed | Paused | Disabled => {
            Err(Error::SubscriptionState(before.status.state.as_str()))
        }
    }
}

#[cfg(test)]
mod tests {
    use hookport::domain::subscription::State;
    use hookport::random::Random;

    use super::*;
    use crate::subscription::sample;

    fn approve(state: State) -> std::result::Result<Option<State>, &'static str> {
        let before = sample(state, false);
        let after = approved(&before, false, Challenge::new(&Random::seeded(7)), before.updated_at);
        after.map(|after| after.map(|after| after.status.state)).map_err(|error| error.code())
    }

    #[test]
    fn only_what_waits_is_let_in_and_only_once() {
        assert_eq!(approve(State::AwaitingApproval), Ok(Some(State::PendingVerification)));
        for state in [State::PendingVerification, State::Active] {
            assert_eq!(approve(state), Ok(None), "{state:?}");
        }
        for state in [State::AwaitingChallenge, State::VerificationFailed, State::Paused, State::Disabled] {
            assert_eq!(approve(state), Err("subscription_state"), "{state:?}");
        }
    }
}
