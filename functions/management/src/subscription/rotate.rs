//! `POST /api/v1/subscriptions/{id}/rotate-secret`: gives a subscription another secret.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::{self, Cause, Challenge, PreviousSecret, Purpose, Subscription};
use hookport::domain::time::later;
use hookport::vault::{Owner, Sealed};
use http::header::ETAG;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde::Deserialize;
use utoipa::ToSchema;

use super::create::secret;
use super::view::SubscriptionWithSecret;
use super::{Tagged, challenged_for, edit, etag, find_own, to_be_proven, trusted};
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionUpdate};
use crate::error::{ErrorBody, Result};
use crate::extract::{Ids, OptionalBody};
use crate::inbound_webhook::within;
use crate::secret::SuppliedSecret;

/// The longest time that two secrets sign side by side, in hours.
const MAX_OVERLAP_H: u32 = 168;
/// For how long they do when nothing else is said, in hours.
const DEFAULT_OVERLAP_H: u32 = 24;

/// How the secret of a subscription is to be replaced.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateSubscriptionSecret {
    /// The new secret; made by the gateway when absent.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 128)]
    secret: Option<SuppliedSecret>,
    /// For how long deliveries are signed with the present secret as well. With 0 it is dead at once.
    #[schema(maximum = 168, default = 24)]
    overlap_hours: Option<u32>,
}

/// Gives a subscription another secret.
///
/// Deliveries are signed with both secrets for a while, and the target is sent a challenge that is signed with the new
/// one; an active subscription stays active whatever comes of it. Without an overlap it has to answer that challenge
/// first: events are kept for it until then, and a paused or disabled one is challenged when it is resumed or enabled.
/// A subscription that is held, or whose target failed, gets the new secret and nothing else. Changing the secret
/// during an overlap ends that of the one before.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{id}/rotate-secret",
    operation_id = "rotateSubscriptionSecret",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionUpdate::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`.")),
    request_body = Option<RotateSubscriptionSecret>,
    responses(
        (
            status = 200,
            description = "The subscription and its new secret.",
            body = SubscriptionWithSecret,
            headers(("ETag" = String, description = "Its version, in quotes."))
        ),
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
        (status = 409, description = "`conflict`: others keep changing it at the same time.", body = ErrorBody),
    ),
)]
pub(crate) async fn rotate(
    State(api): State<Api>,
    caller: Caller<SubscriptionUpdate>,
    Ids(id): Ids<SubscriptionId>,
    OptionalBody(request): OptionalBody<RotateSubscriptionSecret>,
) -> Result<Tagged<SubscriptionWithSecret>> {
    let hours = within("overlap_hours", request.overlap_hours, 0..=MAX_OVERLAP_H)?.unwrap_or(DEFAULT_OVERLAP_H);
    let is_supplied = request.secret.is_some();
    let present = find_own(&api, &caller, id).await?;
    let plain = secret(&api, caller.tenant(), &present.settings, request.secret).await?;
    let now = api.app.clock.now();
    if is_supplied {
        let opened = api.app.vault.open(&present.secret, &Owner::new(caller.tenant(), id), now).await;
        // Whoever asks again because the answer was lost must not make the new secret the previous one as well.
        if opened.is_ok_and(|opened| opened.expose_secret() == plain.expose_secret()) {
            return Ok(([(ETAG, etag(present.version))], Json(SubscriptionWithSecret::new(present, &plain))));
        }
    }
    let sealed = api.app.vault.seal(&plain, &Owner::new(caller.tenant(), id), now).await?;
    let until = (hours > 0).then(|| end(now, hours));
    let after = edit(&api, &caller, id, |before| {
        let challenge = Challenge::new(&api.app.random);
        if trusted(&api, &before.settings) && before.status.state == subscription::State::Active {
            let previous_secret = until.map(|until| PreviousSecret { secret: before.secret.clone(), until });
            return Ok(Some(Subscription { secret: sealed.clone(), previous_secret, ..before.changed(now) }));
        }
        Ok(Some(rotated(before, sealed.clone(), until, challenge, now)))
    });
    let after = after.await?;
    Ok(([(ETAG, etag(after.version))], Json(SubscriptionWithSecret::new(after, &plain))))
}

fn end(now: Timestamp, hours: u32) -> Timestamp {
    later(now, SignedDuration::from_hours(hours.into()))
}

/// The subscription with another secret, beside which the present one signs `until` then, if at all.
fn rotated(
    before: &Subscription,
    secret: Sealed,
    until: Option<Timestamp>,
    challenge: Challenge,
    now: Timestamp,
) -> Subscription {
    use subscription::State::{
        Active, AwaitingApproval, AwaitingChallenge, Disabled, Paused, PendingVerification, VerificationFailed,
    };

    let previous_secret = until.map(|until| PreviousSecret { secret: before.secret.clone(), until });
    let after = Subscription { secret, previous_secret, ..before.clone() };
    match (before.status.state, until) {
        // Nothing is signed with it before the next challenge, which is signed with the new one.
        (AwaitingApproval | AwaitingChallenge | VerificationFailed, _) => {
            Subscription { previous_secret: None, ..after.changed(now) }
        }
        (Active, Some(_)) => after.challenged(Purpose::Rotation, challenge, now),
        // The challenge under way would be answered by whoever has the old secret.
        // Nobody has proven the present secret, so that no overlap is owed to it.
        (PendingVerification, Some(_)) if before.verification.verified_at.is_none() => {
            let after = Subscription { previous_secret: None, ..after };
            challenged_for(&after, before.status.cause, challenge, now)
        }
        (PendingVerification, Some(_)) => challenged_for(&after, before.status.cause, challenge, now),
        (Active | PendingVerification, None) => challenged_for(&after, Cause::SecretChanged, challenge, now),
        (Paused | Disabled, Some(_)) => after.changed(now),
        (Paused | Disabled, None) => {
            Subscription { verification: to_be_proven(&before.verification), ..after.changed(now) }
        }
    }
}

#[cfg(test)]
mod tests {
    use hookport::domain::subscription::{Intake, State, VerificationStatus};
    use hookport::random::Random;

    use super::*;
    use crate::subscription::sample;

    fn sealed(text: &str) -> Sealed {
        serde_json::from_value(text.into()).unwrap()
    }

    fn rotate_to(before: &Subscription, secret: &str, hours: u32) -> Subscription {
        let now = before.updated_at;
        let until = (hours > 0).then(|| end(now, hours));
        rotated(before, sealed(secret), until, Challenge::new(&Random::seeded(7)), now)
    }

    #[test]
    fn with_an_overlap_an_active_subscription_stays_active_and_proves_its_new_secret() {
        let before = sample(State::Active, true);
        let after = rotate_to(&before, "k1.new", 24);
        assert_eq!((after.status, after.version), (before.status, 4));
        assert_eq!(
            (after.verification.status, after.verification.purpose),
            (VerificationStatus::Pending, Purpose::Rotation)
        );
        let previous = after.previous_secret.unwrap();
        assert_eq!((previous.secret, previous.until), (sealed("k1.old"), end(before.updated_at, 24)));
        assert_eq!(after.secret, sealed("k1.new"));
    }

    #[test]
    fn without_an_overlap_the_old_secret_is_dead_and_events_are_kept_until_the_new_one_is_proven() {
        let after = rotate_to(&sample(State::Active, true), "k1.new", 0);
        assert_eq!((after.status.state, after.status.cause), (State::PendingVerification, Cause::SecretChanged));
        assert_eq!((after.previous_secret.is_none(), after.intake()), (true, Intake::Hold));
    }

    #[test]
    fn rotating_during_an_overlap_replaces_the_secret_before() {
        let twice = rotate_to(&rotate_to(&sample(State::Active, true), "k1.new", 24), "k1.newer", 1);
        assert_eq!(twice.previous_secret.map(|previous| previous.secret), Some(sealed("k1.new")));
    }

    #[test]
    fn a_held_subscription_gets_the_secret_and_no_challenge() {
        for state in [State::AwaitingApproval, State::AwaitingChallenge, State::VerificationFailed] {
            let after = rotate_to(&sample(state, false), "k1.new", 24);
            assert_eq!((after.status.state, after.previous_secret.is_none()), (state, true));
            assert_eq!(after.verification.status, VerificationStatus::NotStarted);
        }
    }

    #[test]
    fn a_challenge_under_way_starts_again_with_the_new_secret() {
        let held = sample(State::AwaitingChallenge, false);
        let pending = held.challenged(Purpose::Activation, Challenge::new(&Random::seeded(8)), held.updated_at);
        let after = rotate_to(&pending, "k1.new", 24);
        assert_eq!(after.status.state, State::PendingVerification);
        assert_ne!(after.verification.challenge, pending.verification.challenge);
    }

    #[test]
    fn a_paused_subscription_is_challenged_later_if_its_old_secret_is_dead() {
        let before = sample(State::Paused, true);
        assert_eq!(rotate_to(&before, "k1.new", 1).verification, before.verification);
        let after = rotate_to(&before, "k1.new", 0);
        assert_eq!((after.status, after.verification.status), (before.status, VerificationStatus::NotStarted));
    }
}
