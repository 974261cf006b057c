//! `PATCH /api/v1/subscriptions/{id}`: asks for the challenge of a subscription.

use axum::extract::State;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::{self, Challenge, Purpose, Subscription, VerificationStatus};
use hookport::random::Random;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{SubscriptionView, Tagged, edit, find_own, tagged};
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionUpdate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids, Params};
use crate::page::One;

/// The one thing that can be changed alone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TriggerChallenge {
    /// True sends the target a challenge. Nothing else can be said: a challenge cannot be recalled.
    // Without a function of its own a missing member would be null.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(value_type = bool, example = true)]
    trigger_challenge: Option<bool>,
}

/// What a challenge is asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TriggerChallengeQuery {
    /// Challenges an active subscription as well; it stays active unless its target fails.
    #[param(default = false)]
    reverify: Option<bool>,
}

/// Asks for the challenge of a subscription.
///
/// One that is held, or whose target failed, gets a fresh challenge. While a challenge is under way, and for one that
/// is active, this changes nothing; `reverify` challenges an active one again.
#[utoipa::path(
    patch,
    path = "/api/v1/subscriptions/{id}",
    operation_id = "triggerSubscriptionChallenge",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionUpdate::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`."), TriggerChallengeQuery),
    request_body = TriggerChallenge,
    responses(
        (
            status = 200,
            description = "The subscription as it is now.",
            body = One<SubscriptionView>,
            headers(("ETag" = String, description = "Its version, in quotes."))
        ),
        (
            status = 400,
            description = "`invalid_id`: not an id of a subscription. `invalid_request`: the body is anything else \
                than `{\"trigger_challenge\": true}`, or a parameter is wrong.",
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
            description = "`subscription_state`: it waits for an admin, is paused or disabled. \
                `challenge_started`: false or null, and a challenge was sent. `conflict`: others keep changing it at the same time.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn patch(
    State(api): State<Api>,
    caller: Caller<SubscriptionUpdate>,
    Ids(id): Ids<SubscriptionId>,
    Params(query): Params<TriggerChallengeQuery>,
    Body(request): Body<TriggerChallenge>,
) -> Result<Tagged<One<SubscriptionView>>> {
    if request.trigger_challenge != Some(true) {
        return Err(refusal(&find_own(&api, &caller, id).await?));
    }
    let now = api.app.clock.now();
    let reverify = query.reverify.unwrap_or(false);
    let after = edit(&api, &caller, id, |before| triggered(before, reverify, &api.app.random, now)).await?;
    Ok(tagged(after))
}

/// Why false and null are refused.
fn refusal(subscription: &Subscription) -> Error {
    match subscription.verification.status {
        VerificationStatus::NotStarted => Error::field("trigger_challenge", "must be true"),
        VerificationStatus::Pending | VerificationStatus::Passed | VerificationStatus::Failed => {
            Error::ChallengeStarted
        }
    }
}

/// With a fresh challenge, if one is due.
fn triggered(before: &Subscription, reverify: bool, random: &Random, now: Timestamp) -> Result<Option<Subscription>> {
    use subscription::State::{
        Active, AwaitingApproval, AwaitingChallenge, Disabled, Paused, PendingVerification, VerificationFailed,
    };

    let is_under_way = before.verification.status == VerificationStatus::Pending;
    match before.status.state {
        AwaitingChallenge | VerificationFailed => {
            Ok(Some(before.challenged(Purpose::Activation, Challenge::new(random), now)))
        }
        Active if reverify && !is_under_way => {
            Ok(Some(before.challenged(Purpose::Renewal, Challenge::new(random), now)))
        }
        PendingVerification | Active => Ok(None),
        AwaitingApproval | Paused | Disabled => Err(Error::SubscriptionState(before.status.state.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use hookport::domain::subscription::State;

    use super::super::sample;
    use super::*;

    fn ask(before: &Subscription, reverify: bool) -> Result<Option<Subscription>> {
        triggered(before, reverify, &Random::seeded(7), before.updated_at)
    }

    /// A4: what is held, and what failed, is challenged anew.
    #[test]
    fn a4_a_held_or_failed_subscription_gets_a_fresh_challenge() {
        for state in [State::AwaitingChallenge, State::VerificationFailed] {
            let before = sample(state, false);
            let after = ask(&before, false).unwrap().unwrap();
            assert_eq!(after.status.state, State::PendingVerification);
            assert_eq!(after.verification.status, VerificationStatus::Pending);
            assert_eq!(after.version, before.version + 1);
        }
    }

    /// A6: whoever comes second finds the challenge under way, and makes no other.
    #[test]
    fn a6_a_challenge_that_is_under_way_is_left_alone() {
        let first = ask(&sample(State::AwaitingChallenge, false), false).unwrap().unwrap();
        assert_eq!(ask(&first, false).unwrap(), None);
        assert_eq!(ask(&first, true).unwrap(), None);
    }

    #[test]
    fn an_active_subscription_is_challenged_only_when_that_is_asked_for_and_stays_active() {
        let active = sample(State::Active, true);
        assert_eq!(ask(&active, false).unwrap(), None);
        let again = ask(&active, true).unwrap().unwrap();
        assert_eq!((again.status.state, again.verification.purpose), (State::Active, Purpose::Renewal));
        assert_eq!(ask(&again, true).unwrap(), None, "one challenge at a time");
    }

    #[test]
    fn what_is_paused_or_disabled_is_not_challenged() {
        for state in [State::AwaitingApproval, State::Paused, State::Disabled] {
            assert_eq!(ask(&sample(state, true), true).unwrap_err().code(), "subscription_state");
        }
    }

    /// A5: only true can be said, and it has to be said.
    #[test]
    fn a5_anything_but_trigger_challenge_is_refused() {
        let read = |body: &str| serde_json::from_str::<TriggerChallenge>(body).map(|read| read.trigger_challenge);
        assert_eq!(read(r#"{"trigger_challenge":true}"#).unwrap(), Some(true));
        for body in ["{}", r#"{"trigger_challenge":"true"}"#, r#"{"trigger_challenge":true,"name":"x"}"#] {
            assert!(read(body).is_err(), "{body}");
        }
        assert_eq!(refusal(&sample(State::AwaitingChallenge, false)).code(), "invalid_request");
        assert_eq!(refusal(&sample(State::Active, true)).code(), "challenge_started");
    }
}
