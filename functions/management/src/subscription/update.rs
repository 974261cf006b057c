//! `PUT /api/v1/subscriptions/{id}`: replaces the settings of a subscription.

use axum::extract::State;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::{self, Cause, Challenge, Settings, Subscription};
use hookport::store::Changed;
use hookport::upkeep;
use http::HeaderMap;
use http::header::IF_MATCH;
use jiff::Timestamp;

use super::auth;
use super::manner::check_secret;
use super::settings::{SettingsInput, fits_owner};
use super::{SubscriptionView, Tagged, challenged_for, find_own, tagged, to_be_proven, trusted};
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionUpdate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids};
use crate::page::One;

/// Replaces the settings of a subscription.
///
/// What is left out gets its default; its owner, its secret and its state stay, and headers that are sent back as
/// `(hidden)` keep their values. Another URL has to answer a challenge: at once, and until then events are kept if the
/// one before was proven; of a subscription that is held when its challenge is asked for; of one that is paused or
/// disabled when it is resumed or enabled.
#[utoipa::path(
    put,
    path = "/api/v1/subscriptions/{id}",
    operation_id = "updateSubscription",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionUpdate::PERMISSION])),
    params(
        ("id" = String, Path, description = "The subscription's id: `sub_…`."),
        (
            "If-Match" = String,
            Header,
            description = "The version that the change was made for: the `ETag` that came with it.",
            example = "\"3\""
        ),
    ),
    request_body = SettingsInput,
    responses(
        (
            status = 200,
            description = "The subscription at its next version.",
            body = One<SubscriptionView>,
            headers(("ETag" = String, description = "Its version, in quotes."))
        ),
        (
            status = 400,
            description = "`invalid_id`: not an id of a subscription. `invalid_request`: a field breaks its rule. \
                `invalid_target`: nothing may be sent to the URL. `unknown_event_type`: there are no events of a type \
                or prefix.",
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
        (status = 412, description = "`version_mismatch`: it has another version by now.", body = ErrorBody),
        (status = 428, description = "`if_match_required`: `If-Match` names no version.", body = ErrorBody),
    ),
)]
pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller<SubscriptionUpdate>,
    Ids(id): Ids<SubscriptionId>,
    headers: HeaderMap,
    Body(mut request): Body<SettingsInput>,
) -> Result<Tagged<One<SubscriptionView>>> {
    let before = find_own(&api, &caller, id).await?;
    if_match(&headers, before.version)?;
    let auth = request.auth.take();
    let settings = request.into_settings(&api, caller.tenant(), Some(&before.settings)).await?;
    // Who acts for an owner cannot say what that owner must be permitted.
    let settings = match caller.owner() {
        Some(_) => Settings { permission: before.settings.permission.clone(), ..settings },
        None => settings,
    };
    fits_owner(&settings, before.owner.as_ref())?;
    check_secret(&api, &before, &settings).await?;
    if caller.owner().is_some() && !settings.target.is_https() && settings.target != before.settings.target {
        return Err(Error::OtherOwner);
    }
    let auth = auth::take(&api, caller.tenant(), id, &settings, auth, Some(&before)).await?;
    let kept = Subscription { auth, ..before.clone() };
    let now = api.app.clock.now();
    let after = if trusted(&api, &settings) {
        // Nothing has to be proven, and what was under way need not come to an end.
        let after = Subscription { settings, ..kept };
        match before.status.state {
            subscription::State::PendingVerification | subscription::State::VerificationFailed => after.trusted(now),
            // Nobody has asked for a proof yet, and the next URL may be anybody's.
            subscription::State::AwaitingApproval | subscription::State::AwaitingChallenge => after.changed(now),
            subscription::State::Active | subscription::State::Paused | subscription::State::Disabled => {
                Subscription { verification: after.trusted(now).verification, ..after.changed(now) }
            }
        }
    } else {
        with_settings(&kept, settings, Challenge::new(&api.app.random), now)
    };
    match upkeep::change(&api.app, &before, &after).await? {
        Changed::Yes => Ok(tagged(after)),
        Changed::Conflict => Err(Error::VersionMismatch(find_own(&api, &caller, id).await?.version)),
    }
}

/// Makes sure that the change was made for the present version. `*` names none.
pub(super) fn if_match(headers: &HeaderMap, version: u64) -> Result<()> {
    let values = headers.get_all(IF_MATCH).iter().filter_map(|value| value.to_str().ok());
    let tags: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    if tags.iter().all(|tag| tag.is_empty() || *tag == "*") {
        return Err(Error::IfMatchRequired);
    }
    let present = format!("\"{version}\"");
    if tags.contains(&present.as_str()) { Ok(()) } else { Err(Error::VersionMismatch(version)) }
}

/// The subscription with other settings. `challenge` is for another URL, where one is sent at once.
pub(crate) fn with_settings(
    before: &Subscription,
    settings: Settings,
    challenge: Challenge,
    now: Timestamp,
) -> Subscription {
    use subscription::State::{
        Active, AwaitingApproval, AwaitingChallenge, Disabled, Paused, PendingVerification, VerificationFailed,
    };

    let is_moved = settings.url != before.settings.url;
    let after = Subscription { settings, ..before.clone() };
    match before.status.state {
        Active | PendingVerification | VerificationFailed if is_moved => {
            challenged_for(&after, Cause::UrlChanged, challenge, now)
        }
        Paused | Disabled | AwaitingChallenge if is_moved => {
            Subscription { verification: to_be_proven(&before.verification), ..after.changed(now) }
        }
        // One that waits for an admin keeps what its target will have to echo.
        AwaitingApproval | AwaitingChallenge | Active | PendingVerification | VerificationFailed | Paused
        | Disabled => after.changed(now),
    }
}

#[cfg(test)]
mod tests {
    use hookport::domain::subscription::{Intake, State, VerificationStatus};
    use hookport::domain::target_url::TargetUrl;
    use hookport::random::Random;
    use http::HeaderValue;

    use super::super::sample;
    use super::*;

    fn moved(before: &Subscription) -> Subscription {
        let url = TargetUrl::try_from("https://example.com/other".to_owned()).unwrap();
        let settings = Settings { url, ..before.settings.clone() };
        with_settings(before, settings, Challenge::new(&Random::seeded(7)), before.updated_at)
    }

    #[test]
    fn another_url_has_to_prove_itself_while_events_are_kept() {
        let after = moved(&sample(State::Active, true));
        assert_eq!((after.status.state, after.status.cause), (State::PendingVerification, Cause::UrlChanged));
        assert_eq!(after.verification.status, VerificationStatus::Pending);
        assert_eq!((after.version, after.intake()), (4, Intake::Hold));
    }

    #[test]
    fn a_url_that_is_changed_during_its_challenge_gets_a_challenge_of_its_own() {
        let failed = moved(&sample(State::VerificationFailed, false));
        let again = moved(&Subscription { settings: sample(State::Active, true).settings, ..failed.clone() });
        assert_eq!(again.status.state, State::PendingVerification);
        assert_eq!(again.intake(), Intake::Skip, "it was never proven");
    }

    #[test]
    fn a_held_subscription_stays_held_with_another_url() {
        let after = moved(&sample(State::AwaitingChallenge, false));
        assert_eq!((after.status.state, after.version), (State::AwaitingChallenge, 4));
        assert_eq!(after.verification.status, VerificationStatus::NotStarted);
    }

    /// It was shown with a proof that was another URL's, or nobody's.
    #[test]
    fn another_url_of_a_held_subscription_has_nothing_proven() {
        let after = moved(&sample(State::AwaitingChallenge, true));
        assert_eq!(after.status.state, State::AwaitingChallenge);
        assert_eq!(after.verification.status, VerificationStatus::NotStarted);
    }

    #[test]
    fn another_url_of_a_paused_subscription_waits_for_its_challenge() {
        for state in [State::Paused, State::Disabled] {
            let before = sample(state, true);
            let after = moved(&before);
            assert_eq!((after.status, after.version), (before.status, 4));
            assert_eq!(after.verification.status, VerificationStatus::NotStarted);
            assert_eq!(after.verification.verified_at, before.verification.verified_at);
        }
    }

    #[test]
    fn the_same_url_keeps_what_it_has_proven() {
        let before = sample(State::Active, true);
        let challenge = Challenge::new(&Random::seeded(7));
        let after = with_settings(&before, before.settings.clone(), challenge, before.updated_at);
        assert_eq!(after, Subscription { version: 4, ..before });
    }

    #[test]
    fn a_change_names_the_version_that_it_was_made_for() {
        let held = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(IF_MATCH, HeaderValue::from_static(value));
            }
            if_match(&headers, 3).map_err(|error| error.code())
        };
        assert_eq!(held(&["\"3\""]), Ok(()));
        assert_eq!(held(&["\"2\", \"3\""]), Ok(()));
        for none in [&[][..], &["*"], &[""]] {
            assert_eq!(held(none), Err("if_match_required"), "{none:?}");
        }
        for other in ["\"2\"", "3", "W/\"3\"", "\"03\""] {
            assert_eq!(held(&[other]), Err("version_mismatch"), "{other}");
        }
    }
}
