//! `POST /api/v1/registrations`: a listener makes its own subscription with a registration token.

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use hookport::domain::api_token::SecretHash;
use hookport::domain::audit::{AuditAction, AuditRecord};
use hookport::domain::registration::{IssuedToken, RegistrationUse, RequestDigest};
use hookport::domain::subscription::{Admission, Subscription};
use hookport::store::{RateScope, RegisterError, Registering, Registrant};
use hookport::upkeep;
use hookport::vault::Owner;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use secrecy::SecretString;
use tracing::info;

use super::request::RegisterSubscription;
use super::{RegisteredSubscription, count, count_source, drafted};
use crate::api::Api;
use crate::api_token::TOKEN_CHARS;
use crate::audit::{entry_of, record};
use crate::caller::bearer;
use crate::error::{Error, ErrorBody, OutboundRefusal, Result};
use crate::extract::Body;
use crate::registration_token::REGISTRATION_PREFIX;
use crate::source::Source;
use crate::subscription::create::admit;
use crate::subscription::trusted;

/// How often a token that others use at the same time is looked at again.
const TRIES: u32 = 3;
/// The longest reason that is recorded, in characters.
const MAX_REASON_CHARS: usize = 200;

/// Makes a subscription for whoever holds a registration token.
///
/// The secret is in the answer, once. A subscription that has to be let in waits for an admin, and is sent no challenge
/// before; another is sent its challenge at once. Should the answer be lost, the same request gets it again for ten
/// minutes: until an admin has done something to the subscription, or its target has proven itself without a challenge
/// of the listener's own.
#[utoipa::path(
    post,
    path = "/api/v1/registrations",
    operation_id = "registerSubscription",
    tag = "registrations",
    security(("registration" = [])),
    request_body = RegisterSubscription,
    responses(
        (status = 201, description = "The subscription and its secret.", body = RegisteredSubscription),
        (
            status = 400,
            description = "`invalid_request`: a field breaks its rule. `invalid_target`: nothing may be sent to the \
                URL. `unknown_event_type`: there are no events of a type or prefix.",
            body = ErrorBody
        ),
        (
            status = 401,
            description = "`unauthorized`: the token is missing, unknown, used up, revoked or past its end.",
            body = ErrorBody
        ),
        (
            status = 403,
            description = "`registration_not_allowed`: the token is not for these events or this host. \
                `outbound_disabled`: the tenant is switched off.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`already_registered`: the same was registered with the token within ten minutes. \
                `conflict`: others use it at the same time.",
            body = ErrorBody
        ),
        (
            status = 429,
            description = "`rate_limit_exceeded`: too many tries. `quota_reached`: its owner has as many subscriptions \
                as it may. `Retry-After` says when to come back.",
            body = ErrorBody
        ),
        (
            status = 503,
            description = "`unavailable`: try again after the seconds in `Retry-After`.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn register(
    State(api): State<Api>,
    source: Source,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<RegisteredSubscription>)> {
    let now = api.app.clock.now();
    count_source(&api, source, now).await?;
    let text = bearer(&headers, REGISTRATION_PREFIX, TOKEN_CHARS).ok_or(UNAUTHORIZED)?;
    let hash = SecretHash::of(&text);
    count(&api, RateScope::RegistrationToken(hash.clone()), now).await?;
    let mut visit = Visit { issued: issued(&api, &hash, now).await?, source, now };
    let asked = match Body::<RegisterSubscription>::from_request(request, &api).await {
        Ok(Body(asked)) => asked,
        Err(refusal) => return Err(visit.refused(&api, refusal).await?),
    };
    let digest = asked.digest()?;
    for _ in 0..TRIES {
        let registered = match visit.known(&api, &digest).await {
            Ok(Some(registered)) => Ok(registered),
            Ok(None) if visit.issued.is_spent() => return Err(UNAUTHORIZED.into()),
            Ok(None) => visit.registered(&api, &asked, &digest).await,
            Err(refusal) => Err(refusal),
        };
        match registered {
            Ok(registered) => return Ok((StatusCode::CREATED, Json(registered))),
            // Somebody else was faster: what is left is looked at anew.
            Err(Error::Conflict) => visit.issued = issued(&api, &hash, now).await?,
            Err(refusal) => return Err(visit.refused(&api, refusal).await?),
        }
    }
    Err(Error::Conflict)
}

/// What everybody is answered who shows no token that can be used.
const UNAUTHORIZED: OutboundRefusal = OutboundRefusal::RegistrationUnauthorized;

/// The token, if it is there and not past its end.
async fn issued(api: &Api, hash: &SecretHash, now: Timestamp) -> Result<IssuedToken> {
    let issued = api.app.store.registration_token_by_hash(hash).await?;
    Ok(issued.filter(|issued| !issued.token.is_expired(now)).ok_or(UNAUTHORIZED)?)
}

/// The holder of a token, and when and from where it came.
struct Visit {
    issued: IssuedToken,
    source: Source,
    now: Timestamp,
}

impl Visit {
    /// The record of what the holder does.
    fn entry(&self, api: &Api, action: AuditAction) -> AuditRecord {
        let token = &self.issued.token;
        entry_of(api, &token.tenant, token.principal(), action).sent_from(self.source.0).with("token", token.id)
    }

    /// Records why the holder is refused, and gives what is to be answered. Whoever shows a token that is used up learns
    /// nothing.
    async fn refused(&self, api: &Api, refusal: Error) -> Result<Error> {
        if matches!(refusal, Error::Unavailable(_) | Error::Internal(_)) {
            return Ok(refusal);
        }
        if self.issued.is_spent() {
            return Ok(UNAUTHORIZED.into());
        }
        let reason: String = refusal.to_string().chars().take(MAX_REASON_CHARS).collect();
        let refused = self.entry(api, AuditAction::RegistrationRefused).about(self.issued.token.id);
        record(api, &refused.with("code", refusal.code()).with("reason", reason)).await?;
        Ok(refusal)
    }

    /// The answer to the same request of a moment ago, if there was one.
    async fn known(&self, api: &Api, digest: &RequestDigest) -> Result<Option<RegisteredSubscription>> {
        let (store, token) = (&api.app.store, &self.issued.token);
        let usage = store.registration_use(token, digest).await?.filter(|usage| usage.is_recent(self.now));
        let Some(usage) = usage else { return Ok(None) };
        let found = store.subscription(&token.tenant, usage.subscription).await?;
        let Some(subscription) = found.filter(|found| usage.can_be_answered_again(found, self.now)) else {
            let refusal = if self.issued.is_spent() { UNAUTHORIZED } else { OutboundRefusal::AlreadyRegistered };
            return Err(refusal.into());
        };
        let owner = Owner::new(&token.tenant, subscription.id);
        let plain = api.app.vault.open(&subscription.secret, &owner, self.now).await?;
        // Before the secret is shown once more.
        record(api, &self.entry(api, AuditAction::RegistrationRepeated).about(subscription.id)).await?;
        // Should what follows the registration have been lost, this brings it back.
        upkeep::hint(&api.app, &token.tenant, subscription.id).await;
        Ok(Some(RegisteredSubscription::new(subscription, &plain)))
    }

    /// Registers what is asked for, and uses the token with it.
    async fn registered(
        &self,
        api: &Api,
        asked: &RegisterSubscription,
        digest: &RequestDigest,
    ) -> Result<RegisteredSubscription> {
        let token = &self.issued.token;
        if !api.tenant_switches(&token.tenant).await?.outbound {
            return Err(Error::OutboundDisabled);
        }
        asked.fits(&token.bounds, &api.app.config.egress.urls())?;
        let most = match &token.owner {
            Some(owner) => Some(admit(api, &token.tenant, owner).await?.0.max_subscriptions),
            None => None,
        };
        let (subscription, plain) = self.drafted(api, asked).await?;
        let record = self.entry(api, AuditAction::RegistrationUsed).about(subscription.id);
        let record = record
            .with("name", &subscription.settings.name)
            .with("host", subscription.settings.url.host())
            .with("state", subscription.status.state.as_str());
        let usage = RegistrationUse {
            subscription: subscription.id,
            secret: subscription.secret.digest(),
            is_own_challenge: asked.has_own_challenge(),
            is_approved: token.approved,
            at: self.now,
        };
        let registering = Registering {
            subscription: &subscription,
            most,
            by: Registrant::Holder { token, digest, usage: &usage },
            record: &record,
        };
        match upkeep::register(&api.app, &registering).await {
            Ok(()) => {}
            Err(RegisterError::Spent | RegisterError::Exists | RegisterError::TooManyWaiting) => {
                return Err(Error::Conflict);
            }
            Err(RegisterError::QuotaReached) => return Err(Error::QuotaReached(most.unwrap_or_default())),
            Err(RegisterError::Table(error)) => return Err(error.into()),
        }
        info!(
            tenant = %token.tenant,
            registration_token.id = %token.id,
            subscription.id = %subscription.id,
            state = subscription.status.state.as_str(),
            "registration.used"
        );
        Ok(RegisteredSubscription::new(subscription, &plain))
    }

    /// What is asked for, as it begins, and its secret.
    async fn drafted(&self, api: &Api, asked: &RegisterSubscription) -> Result<(Subscription, SecretString)> {
        let token = &self.issued.token;
        let challenge = asked.challenge(&api.app.random)?;
        let wanted = asked.wanted(token.owner.clone())?;
        let (draft, plain) = drafted(api, &token.tenant, wanted).await?;
        let admission = if !token.approved {
            Admission::Held
        } else if trusted(api, &draft.settings) {
            Admission::Trusted
        } else {
            Admission::Challenged
        };
        Ok((draft.registered(admission, challenge, self.now), plain))
    }
}
