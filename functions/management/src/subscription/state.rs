//! `POST /api/v1/subscriptions/{id}/pause`, `/resume`, `/disable`, `/enable`: says whether a subscription gets events.

use axum::extract::State;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::State::{Active, AwaitingApproval, Disabled, Paused};
use hookport::domain::subscription::{Cause, Challenge, Purpose, Subscription, Verification, VerificationStatus};
use hookport::random::Random;
use jiff::Timestamp;

use super::{SubscriptionView, Tagged, edit, tagged, to_be_proven};
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionUpdate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Makes the operations, which differ in what they say and in what they make of a subscription.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident($path:tt, $operation_id:tt) = $change:ident;)+) => {$(
        $(#[$doc])*
        #[utoipa::path(
            post,
            path = $path,
            operation_id = $operation_id,
            tag = "subscriptions",
            security(("bearer" = [SubscriptionUpdate::PERMISSION])),
            params(("id" = String, Path, description = "The subscription's id: `sub_…`.")),
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
                    description = "`forbidden`: the token lacks the permission that is named. `outbound_disabled`: the \
                        tenant is switched off. `operator_pinned`: it is the operator's.",
                    body = ErrorBody
                ),
                (
                    status = 404,
                    description = "`subscription_not_found`: no subscription that the caller sees has this id.",
                    body = ErrorBody
                ),
                (
                    status = 409,
                    description = "`subscription_state`: this cannot be done in its state. `conflict`: others keep \
                        changing it at the same time.",
                    body = ErrorBody
                ),
            ),
        )]
        pub(crate) async fn $name(
            State(api): State<Api>,
            caller: Caller<SubscriptionUpdate>,
            Ids(id): Ids<SubscriptionId>,
        ) -> Result<Tagged<One<SubscriptionView>>> {
            let now = api.app.clock.now();
            let after = edit(&api, &caller, id, |before| $change(before, &api.app.random, now)).await?;
            Ok(tagged(after))
        }
    )+};
}

operations! {
    /// Pauses an active subscription.
    ///
    /// Events are kept for it and delivered in their order when it is resumed. Pausing a paused one changes nothing.
    pause("/api/v1/subscriptions/{id}/pause", "pauseSubscription") = paused;
    /// Resumes a paused subscription.
    ///
    /// What was kept for it is delivered first. If its URL or its secret was changed meanwhile, its target has to
    /// answer a challenge before. Resuming an active one changes nothing.
    resume("/api/v1/subscriptions/{id}/resume", "resumeSubscription") = resumed;
    /// Disables a subscription, whatever its state.
    ///
    /// Events that come while it is disabled make no attempts, and a challenge that is under way is given up. Disabling
    /// a disabled one changes nothing. One that waits for an admin is approved or rejected instead.
    disable("/api/v1/subscriptions/{id}/disable", "disableSubscription") = disabled;
    /// Enables a disabled subscription, whoever disabled it.
    ///
    /// Failures are counted anew. If its target has not proven itself with the present URL and secret, it is sent a
    /// challenge first. Enabling an active one changes nothing.
    enable("/api/v1/subscriptions/{id}/enable", "enableSubscription") = enabled;
}

fn paused(before: &Subscription, _: &Random, now: Timestamp) -> Result<Option<Subscription>> {
    match before.status.state {
        Active => Ok(Some(before.put_into(Paused, Cause::ByHand, now))),
        Paused => Ok(None),
        other => Err(Error::SubscriptionState(other.as_str())),
    }
}

fn resumed(before: &Subscription, random: &Random, now: Timestamp) -> Result<Option<Subscription>> {
    match before.status.state {
        Paused => Ok(Some(taken_up(before, random, now))),
        Active => Ok(None),
        other => Err(Error::SubscriptionState(other.as_str())),
    }
}

fn disabled(before: &Subscription, _: &Random, now: Timestamp) -> Result<Option<Subscription>> {
    match before.status.state {
        Disabled => return Ok(None),
        // Enabling it again would let it in past the admin.
        AwaitingApproval => return Err(Error::SubscriptionState(before.status.state.as_str())),
        _ => {}
    }
    let is_under_way = before.verification.status == VerificationStatus::Pending;
    let verification = if is_under_way { to_be_proven(&before.verification) } else { before.verification.clone() };
    Ok(Some(Subscription { verification, ..before.put_into(Disabled, Cause::ByHand, now) }))
}

fn enabled(before: &Subscription, random: &Random, now: Timestamp) -> Result<Option<Subscription>> {
    match before.status.state {
        Disabled => Ok(Some(taken_up(before, random, now))),
        Active => Ok(None),
        other => Err(Error::SubscriptionState(other.as_str())),
    }
}

/// Taking events again, or challenged if its target has yet to prove itself.
fn taken_up(before: &Subscription, random: &Random, now: Timestamp) -> Subscription {
    if is_proven(&before.verification) {
        before.activated(Cause::ByHand, now)
    } else {
        before.challenged(Purpose::Activation, Challenge::new(random), now)
    }
}

/// Tells whether a target has proven itself and nothing has put that in question since.
fn is_proven(verification: &Verification) -> bool {
    let stands = match verification.status {
        VerificationStatus::Passed => true,
        // A challenge to an active subscription is under way, and decides by itself what becomes of it.
        VerificationStatus::Pending => verification.purpose != Purpose::Activation,
        VerificationStatus::NotStarted | VerificationStatus::Failed => false,
    };
    stands && verification.verified_at.is_some()
}

#[cfg(test)]
mod tests {
    use hookport::domain::subscription;
    use hookport::domain::subscription::State::{AwaitingChallenge, PendingVerification, VerificationFailed};

    use super::*;
    use crate::subscription::sample;

    type Change = fn(&Subscription, &Random, Timestamp) -> Result<Option<Subscription>>;

    /// The state after a change; `None` when nothing was changed.
    fn changed(
        change: Change,
        before: &Subscription,
    ) -> std::result::Result<Option<subscription::State>, &'static str> {
        let after = change(before, &Random::seeded(7), before.updated_at).map_err(|error| error.code())?;
        Ok(after.map(|after| after.status.state))
    }

    #[test]
    fn each_change_has_its_states() {
        let refused = Err("subscription_state");
        let cases: [(Change, subscription::State, _); 20] = [
            (paused, AwaitingApproval, refused),
            (resumed, AwaitingApproval, refused),
            (disabled, AwaitingApproval, refused),
            (enabled, AwaitingApproval, refused),
            (paused, Active, Ok(Some(Paused))),
            (paused, Paused, Ok(None)),
            (paused, Disabled, refused),
            (paused, AwaitingChallenge, refused),
            (resumed, Paused, Ok(Some(Active))),
            (resumed, Active, Ok(None)),
            (resumed, Disabled, refused),
            (resumed, PendingVerification, refused),
            (disabled, Active, Ok(Some(Disabled))),
            (disabled, Paused, Ok(Some(Disabled))),
            (disabled, VerificationFailed, Ok(Some(Disabled))),
            (disabled, Disabled, Ok(None)),
            (enabled, Disabled, Ok(Some(Active))),
            (enabled, Active, Ok(None)),
            (enabled, Paused, refused),
            (enabled, AwaitingChallenge, refused),
        ];
        for (number, (change, state, expected)) in cases.into_iter().enumerate() {
            assert_eq!(changed(change, &sample(state, true)), expected, "case {number}: {state:?}");
        }
    }

    /// B12: what the gateway switched off and somebody switches on again has no text of the old trouble.
    #[test]
    fn b12_enabling_clears_the_cause() {
        let before = sample(Active, true);
        let gone = before.put_into(Disabled, Cause::EndpointGone, before.updated_at);
        let after = enabled(&gone, &Random::seeded(7), gone.updated_at).unwrap().unwrap();
        assert_eq!((after.status.state, after.status.cause), (Active, Cause::ByHand));
    }

    #[test]
    fn what_was_never_proven_is_challenged_when_it_is_enabled() {
        assert_eq!(changed(enabled, &sample(Disabled, false)), Ok(Some(PendingVerification)));
    }

    #[test]
    fn what_has_to_be_proven_anew_is_challenged_when_it_is_taken_up() {
        for (change, state) in [(resumed as Change, Paused), (enabled as Change, Disabled)] {
            let before = sample(state, true);
            let moved = Subscription { verification: to_be_proven(&before.verification), ..before };
            assert_eq!(changed(change, &moved), Ok(Some(PendingVerification)));
        }
    }

    #[test]
    fn disabling_gives_up_the_challenge_that_is_under_way() {
        let held = sample(AwaitingChallenge, false);
        let pending = held.challenged(Purpose::Activation, Challenge::new(&Random::seeded(8)), held.updated_at);
        let after = disabled(&pending, &Random::seeded(7), pending.updated_at).unwrap().unwrap();
        assert_eq!((after.verification.status, after.verification.challenge), (VerificationStatus::NotStarted, None));
    }
}
