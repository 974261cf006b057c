//! Subscriptions: who wants which events where, and whether the target has proven that it wants them.

mod analytics;
mod approve;
mod attempts;
mod auth;
mod cancel;
pub(crate) mod create;
mod declared;
mod delete;
mod health;
mod known_types;
mod list;
pub(crate) mod manner;
mod patch;
mod read;
mod reject;
mod rotate;
#[cfg(test)]
mod sample;
pub(crate) mod settings;
mod state;
mod test_send;
pub(crate) mod update;
pub(crate) mod view;
mod wire;

use axum::Json;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::{self, Cause, Challenge, Purpose, Settings, Status, Subscription, Verification};
use hookport::domain::text::TenantSlug;
use hookport::store::Changed;
use hookport::upkeep;
use http::header::ETAG;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use utoipa_axum::router::OpenApiRouter;

#[cfg(test)]
use sample::{defaults, sample};
pub(crate) use view::SubscriptionView;

use crate::api::Api;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::page::One;
use crate::routes::routes;

/// How often a change is made anew when somebody else was faster.
const TRIES: u32 = 3;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(declared::declare))
        .routes(routes!(list::list, create::create))
        .routes(routes!(read::read, update::update, patch::patch, delete::delete))
        .routes(routes!(rotate::rotate))
        .routes(routes!(approve::approve))
        .routes(routes!(reject::reject))
        .routes(routes!(state::pause))
        .routes(routes!(state::resume))
        .routes(routes!(state::disable))
        .routes(routes!(state::enable))
        .routes(routes!(test_send::test_send))
        .routes(routes!(attempts::attempts))
        .routes(routes!(health::health))
        .routes(routes!(analytics::analytics))
        .routes(routes!(cancel::cancel))
}

/// Finds a subscription that the caller sees; the operator's own is among them where there is one.
pub(crate) async fn find<N>(api: &Api, caller: &Caller<N>, id: SubscriptionId) -> Result<Subscription> {
    let found = if id == SubscriptionId::PINNED {
        pinned(api, caller.tenant())
    } else {
        api.app.store.subscription(caller.tenant(), id).await?
    };
    found.filter(|found| caller.sees(found.owner.as_ref())).ok_or(Error::SubscriptionNotFound)
}

/// Finds a subscription that the caller may change, which the operator's is not.
pub(crate) async fn find_own<N>(api: &Api, caller: &Caller<N>, id: SubscriptionId) -> Result<Subscription> {
    let found = find(api, caller, id).await?;
    if id == SubscriptionId::PINNED { Err(Error::OperatorPinned) } else { Ok(found) }
}

/// Changes a subscription as it is by now; `change` gives `None` to leave it alone. Whoever loses a race against
/// another change looks again.
async fn edit<N>(
    api: &Api,
    caller: &Caller<N>,
    id: SubscriptionId,
    change: impl Fn(&Subscription) -> Result<Option<Subscription>>,
) -> Result<Subscription> {
    for _ in 0..TRIES {
        let before = find_own(api, caller, id).await?;
        let Some(after) = change(&before)? else {
            // Should what follows an earlier change have been lost, this brings it back.
            upkeep::hint(&api.app, &before.tenant, id).await;
            return Ok(before);
        };
        if upkeep::change(&api.app, &before, &after).await? == Changed::Yes {
            return Ok(after);
        }
    }
    Err(Error::Conflict)
}

/// Tells whether a target need not prove itself: the operator trusts its host, or lets the tenant send to its service.
pub(crate) fn trusted(api: &Api, settings: &Settings) -> bool {
    !settings.target.is_https() || api.app.config.trusts(&settings.url)
}

/// An answer that says which version it shows.
type Tagged<T> = ([(HeaderName, HeaderValue); 1], Json<T>);

fn tagged(subscription: Subscription) -> Tagged<One<SubscriptionView>> {
    ([(ETAG, etag(subscription.version))], Json(One { data: subscription.into() }))
}

fn etag(version: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).expect("digits in quotes are a header's value")
}

/// With a fresh challenge, without which it gets nothing more, for this cause.
fn challenged_for(subscription: &Subscription, cause: Cause, challenge: Challenge, now: Timestamp) -> Subscription {
    let next = subscription.challenged(Purpose::Activation, challenge, now);
    Subscription { status: Status { cause, ..next.status }, ..next }
}

/// What is known of a target to which no challenge is under way, and that has to answer one before it gets events.
fn to_be_proven(verification: &Verification) -> Verification {
    Verification { verified_at: verification.verified_at, ..Verification::default() }
}

/// The subscription that stands in the deployment's configuration, as one of the tenant's.
fn pinned(api: &Api, tenant: &TenantSlug) -> Option<Subscription> {
    let sink = api.app.config.pinned_sink.as_ref()?;
    Some(subscription::pinned(tenant.clone(), sink.url.clone()))
}
