//! `POST /api/v1/subscriptions`: makes a subscription.

use axum::Json;
use axum::extract::State;
use hookport::counters::Quota;
use hookport::dialect::SecretForm;
use hookport::domain::event_facts::OwnerName;
use hookport::domain::id::SubscriptionId;
use hookport::domain::owner::Quotas;
use hookport::domain::subscription::{
    self, Cause, Challenge, Declared, Purpose, Settings, Status, Subscription, Verification,
};
use hookport::domain::text::TenantSlug;
use hookport::signature::standard::{SecretRefusal, SigningKey};
use hookport::store::{RateScope, SubscriptionCreateError};
use hookport::upkeep;
use hookport::vault::Owner;
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use secrecy::SecretString;

use super::auth::{self, TargetAuthInput};
use super::manner::dialects;
use super::settings::{CreateSubscription, fits_owner};
use super::view::SubscriptionWithSecret;
use super::{etag, trusted};
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionCreate};
use crate::error::{Error, ErrorBody, Result, tell_quota};
use crate::extract::{Body, JsonObject};
use crate::secret::SuppliedSecret;

/// Makes a subscription.
///
/// Its target is sent a challenge at once, signed with the secret, and has to echo it before any event is delivered;
/// with `trigger_challenge` false that waits until it is asked for. It then gets the events that are accepted from now
/// on. An owner may ask for so many subscriptions in a minute and in a day, and have so many at a time; what is left of
/// the minute is in `X-RateLimit-*`.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions",
    operation_id = "createSubscription",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionCreate::PERMISSION])),
    request_body = CreateSubscription,
    responses(
        (
            status = 201,
            description = "The subscription and its secret.",
            body = SubscriptionWithSecret,
            headers(
                ("Location" = String, description = "Where it is."),
                ("ETag" = String, description = "Its version, in quotes."),
                ("X-RateLimit-Limit" = u32, description = "With an owner: how many may be asked for in a minute."),
                ("X-RateLimit-Remaining" = u32, description = "With an owner: how many are left of them."),
                ("X-RateLimit-Reset" = u32, description = "With an owner: in how many seconds the minute ends."),
            )
        ),
        (
            status = 400,
            description = "`invalid_request`: a field breaks its rule. `invalid_target`: nothing may be sent to the \
                URL. `unknown_event_type`: there are no events of a type or prefix.",
            body = ErrorBody
        ),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named, or is bound to another owner. \
                `outbound_disabled`: the tenant is switched off.",
            body = ErrorBody
        ),
        (
            status = 429,
            description = "`rate_limit_exceeded`: its owner asks too often. `quota_reached`: its owner has as many as \
                it may. `Retry-After` says when to come back.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<SubscriptionCreate>,
    Body(mut request): Body<CreateSubscription>,
) -> Result<(StatusCode, HeaderMap, Json<SubscriptionWithSecret>)> {
    let tenant = caller.tenant();
    let owner = owner_for(&caller, request.owner.take())?;
    let admitted = match &owner {
        Some(owner) => Some(admit(&api, tenant, owner).await?),
        None => None,
    };
    let supplied = request.secret.take();
    let auth = request.auth.take();
    let trigger_challenge = request.trigger_challenge.unwrap_or(true);
    let settings = request.into_input().into_settings(&api, tenant, None).await?;
    if caller.owner().is_some() && !settings.target.is_https() {
        return Err(Error::OtherOwner);
    }
    fits_owner(&settings, owner.as_ref())?;
    let plain = secret(&api, tenant, &settings, supplied).await?;
    let draft = Draft { owner, settings, declared: None, auth, trigger_challenge };
    let subscription = draft.made(&api, tenant, &plain).await?;

    let most = admitted.as_ref().map(|(quotas, _)| quotas.max_subscriptions);
    match upkeep::create(&api.app, &subscription, most).await {
        Ok(()) => {}
        Err(SubscriptionCreateError::Exists) => return Err(Error::Conflict),
        Err(SubscriptionCreateError::QuotaReached) => return Err(Error::QuotaReached(most.unwrap_or_default())),
        Err(SubscriptionCreateError::Table(error)) => return Err(error.into()),
    }
    let mut headers = HeaderMap::new();
    let place = HeaderValue::try_from(format!("/api/v1/subscriptions/{}", subscription.id));
    headers.insert(LOCATION, place.expect("an id has letters, digits and an underscore"));
    headers.insert(ETAG, etag(subscription.version));
    if let Some((_, left)) = admitted {
        tell_quota(&mut headers, left);
    }
    Ok((StatusCode::CREATED, headers, Json(SubscriptionWithSecret::new(subscription, &plain))))
}

/// On whose behalf a subscription is made: a caller that is bound to an owner can name no other.
fn owner_for(caller: &Caller<SubscriptionCreate>, named: Option<OwnerName>) -> Result<Option<OwnerName>> {
    match (caller.owner(), named) {
        (Some(own), Some(named)) if *own != named => Err(Error::OtherOwner),
        (Some(own), _) => Ok(Some(own.clone())),
        (None, named) => Ok(named),
    }
}

/// Counts a request of an owner's towards its quotas, and gives them with what is left of the minute.
pub(crate) async fn admit(api: &Api, tenant: &TenantSlug, owner: &OwnerName) -> Result<(Quotas, Quota)> {
    let quotas = api.app.store.owner(tenant, owner).await?.record.effective_quotas();
    let now = api.app.clock.now();
    let per_minute = RateScope::OwnerRequests(tenant.clone(), owner.to_string());
    let (passes, left) = api.counters.count(&api.app, per_minute, quotas.requests(), now).await?;
    if !passes {
        return Err(Error::RateLimited(left));
    }
    let per_day = RateScope::OwnerRequestsPerDay(tenant.clone(), owner.to_string());
    let (passes, left_of_day) = api.counters.count(&api.app, per_day, quotas.requests_per_day(), now).await?;
    if passes { Ok((quotas, left)) } else { Err(Error::RateLimited(left_of_day)) }
}

/// The caller's own secret, if the dialects can sign with it, or a new one as they write them.
pub(crate) async fn secret(
    api: &Api,
    tenant: &TenantSlug,
    settings: &Settings,
    supplied: Option<SuppliedSecret>,
) -> Result<SecretString> {
    let dialects = dialects(api, tenant, settings).await?;
    let needs_standard = dialects.iter().any(|dialect| dialect.needs_standard_secret());
    let Some(SuppliedSecret(secret)) = supplied else {
        let form = dialects.first().map(|dialect| dialect.secret).unwrap_or_default();
        let form = if needs_standard { SecretForm::Standard } else { form };
        return Ok(form.generate(&api.app.random));
    };
    match SigningKey::new(&secret) {
        // Other dialects take the text as it is.
        Err(SecretRefusal::Encoding) if !needs_standard => Ok(secret),
        Err(rule) => Err(Error::field("secret", rule)),
        Ok(_) => Ok(secret),
    }
}

/// What a new subscription is made from.
pub(crate) struct Draft {
    /// On whose behalf.
    pub(crate) owner: Option<OwnerName>,
    /// What it is like.
    pub(crate) settings: Settings,
    /// Its declaration.
    pub(crate) declared: Option<Declared>,
    /// Whether its target is sent a challenge at once.
    pub(crate) trigger_challenge: bool,
    /// How its requests show who is asking.
    pub(crate) auth: Option<JsonObject<TargetAuthInput>>,
}

impl Draft {
    /// The new subscription, at its first version. Nothing is stored.
    pub(crate) async fn made(self, api: &Api, tenant: &TenantSlug, secret: &SecretString) -> Result<Subscription> {
        let now = api.app.clock.now();
        let id = SubscriptionId::new(now, api.app.random.bits());
        let auth = auth::take(api, tenant, id, &self.settings, self.auth, None).await?;
        let held = Subscription {
            id,
            tenant: tenant.clone(),
            owner: self.owner,
            settings: self.settings,
            secret: api.app.vault.seal(secret, &Owner::new(tenant, id), now).await?,
            previous_secret: None,
            auth,
            status: Status {
                state: subscription::State::AwaitingChallenge,
                cause: Cause::Created,
                since: now,
                is_draining: false,
                is_keeping: false,
            },
            verification: Verification::default(),
            declared: self.declared,
            // Either way from here makes the first version.
            version: 0,
            created_at: now,
            updated_at: now,
        };
        Ok(if self.trigger_challenge && trusted(api, &held.settings) {
            held.trusted(now)
        } else if self.trigger_challenge {
            held.challenged(Purpose::Activation, Challenge::new(&api.app.random), now)
        } else {
            held.changed(now)
        })
    }
}
