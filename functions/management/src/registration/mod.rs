//! Registration: listeners make their own subscriptions, with a token or by asking.
//!
//! What is asked for goes through the same checks as what an admin makes. Nothing is explained to whoever shows no valid
//! token, nor where nobody may ask.

mod ask;
mod by_token;
mod request;
mod settings;

use hookport::domain::registration::TRIES;
use hookport::domain::source_address::counted_as;
use hookport::domain::subscription::{State, Subscription};
use hookport::domain::text::TenantSlug;
use hookport::store::RateScope;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::routes::routes;
use crate::source::Source;
use crate::subscription::create::{Draft, secret};
use crate::subscription::{SubscriptionView, settings as subscription_settings};
use request::Wanted;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(by_token::register))
        .routes(routes!(ask::ask))
        .routes(routes!(settings::read, settings::put))
}

/// A subscription that registered itself, with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct RegisteredSubscription {
    data: SubscriptionView,
    /// The secret that deliveries are signed with. It is shown here only.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDQP1hN5X9vg0=")]
    secret: String,
    /// What the target has to echo; null when it need not.
    challenge: Option<String>,
    /// `awaiting_approval` until an admin lets it in, `pending_verification` while its challenge is under way, `active`
    /// where the operator trusts the target.
    #[schema(inline)]
    state: State,
}

impl RegisteredSubscription {
    fn new(subscription: Subscription, secret: &SecretString) -> Self {
        let challenge = subscription.verification.challenge.as_ref().map(|challenge| challenge.as_str().to_owned());
        let state = subscription.status.state;
        Self { data: subscription.into(), secret: secret.expose_secret().to_owned(), challenge, state }
    }
}

/// Counts a try of whoever calls from an address.
async fn count_source(api: &Api, source: Source, now: Timestamp) -> Result<()> {
    count(api, RateScope::RegistrationSource(counted_as(source.0)), now).await
}

/// Counts a try.
async fn count(api: &Api, scope: RateScope, now: Timestamp) -> Result<()> {
    let (passes, left) = api.registrations.count(&api.app, scope, TRIES, now).await?;
    if passes { Ok(()) } else { Err(Error::RateLimited(left)) }
}

/// What is wanted, checked as if an admin had asked for it, and its secret. Held, and nothing is stored.
async fn drafted(api: &Api, tenant: &TenantSlug, wanted: Wanted) -> Result<(Subscription, SecretString)> {
    let settings = wanted.input.into_settings(api, tenant, None).await?;
    subscription_settings::fits_owner(&settings, wanted.owner.as_ref())?;
    let plain = secret(api, tenant, &settings, None).await?;
    let draft = Draft { owner: wanted.owner, settings, declared: None, auth: None, trigger_challenge: false };
    Ok((draft.made(api, tenant, &plain).await?, plain))
}
