//! The subscriptions of a tenant as the dispatcher uses them: remembered, and checked by one small read.

use std::sync::Arc;

use hookport::app::App;
use hookport::cache::Cache;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::Subscription;
use hookport::domain::text::TenantSlug;
use hookport::signature::standard::SigningKey;
use hookport::vault::{Owner, VaultError};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;
use tracing::error;

use crate::Trouble;

/// A subscription with its secret opened and ready.
pub(crate) struct Ready {
    pub(crate) subscription: Subscription,
    /// `None` when the secret does not open. Its attempts then fail and are made again; others are not held up.
    pub(crate) key: Option<SigningKey>,
}

/// A tenant's subscriptions at some time.
#[derive(Clone)]
pub(crate) struct Known {
    version: u64,
    /// Whether the tenant's events are sent out at all.
    is_enabled: bool,
    /// The list holds every subscription made before this time.
    checked_at: Timestamp,
    list: Arc<Vec<Arc<Ready>>>,
}

impl Known {
    /// Those that new events go to: none while the tenant is switched off.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Ready>> {
        self.list.iter().filter(|_| self.is_enabled)
    }

    pub(crate) fn get(&self, id: SubscriptionId) -> Option<&Arc<Ready>> {
        self.list.iter().find(|ready| ready.subscription.id == id)
    }
}

/// How many tenants' lists are remembered.
const REMEMBERED: usize = 1_000;
/// Lists are checked by version, so they may live long.
const LIFE: SignedDuration = SignedDuration::from_hours(1);

/// How many tenants' lists can be read at once.
const LANES: usize = 16;

/// Remembers lists of subscriptions.
pub(crate) struct Subscriptions {
    known: Cache<TenantSlug, Known>,
    /// Held while a list is checked, so that the messages of a batch check it once for all of them.
    lanes: [Mutex<()>; LANES],
}

impl Subscriptions {
    pub(crate) fn new() -> Self {
        Self { known: Cache::new(REMEMBERED, LIFE), lanes: std::array::from_fn(|_| Mutex::new(())) }
    }

    /// The tenant's subscriptions, with at least all that were made by `as_of`.
    ///
    /// A list read after `as_of` is used as it is. An older one is checked against the tenant's counter: one small
    /// read for all messages that came before it.
    pub(crate) async fn of(&self, app: &App, tenant: &TenantSlug, as_of: Timestamp) -> Result<Known, Trouble> {
        if let Some(known) = self.fresh(app, tenant, as_of) {
            return Ok(known);
        }
        let lane = tenant.as_str().bytes().fold(0, |sum, b| sum + usize::from(b)) % LANES;
        let _one_at_a_time = self.lanes[lane].lock().await;
        if let Some(known) = self.fresh(app, tenant, as_of) {
            return Ok(known);
        }
        let now = app.clock.now();
        let known = self.known.get(tenant, now);
        let stored = app.store.tenant(tenant).await?;
        let version = stored.as_ref().map_or(0, |t| t.subscriptions_version);
        let is_enabled = stored.is_some_and(|t| t.outbound_enabled);
        let list = match known {
            Some(known) if known.version == version => known.list,
            _ => Arc::new(ready(app, app.store.subscriptions(tenant).await?, now).await?),
        };
        let known = Known { version, is_enabled, checked_at: now, list };
        self.known.put(tenant.clone(), known.clone(), now);
        Ok(known)
    }

    fn fresh(&self, app: &App, tenant: &TenantSlug, as_of: Timestamp) -> Option<Known> {
        self.known.get(tenant, app.clock.now()).filter(|known| known.checked_at > as_of)
    }
}

async fn ready(app: &App, subscriptions: Vec<Subscription>, now: Timestamp) -> Result<Vec<Arc<Ready>>, Trouble> {
    let mut list = Vec::with_capacity(subscriptions.len());
    for subscription in subscriptions {
        let owner = Owner::new(&subscription.tenant, subscription.id);
        let key = match app.vault.open(&subscription.secret, &owner, now).await {
            Ok(secret) => SigningKey::new(&secret).map_err(|refusal| refusal.to_string()),
            Err(VaultError::Keyring(broken)) => Err(broken.to_string()),
            Err(trouble @ VaultError::Fetch(_)) => return Err(trouble.into()),
        };
        let key =
            key.inspect_err(|why| error!(subscription.id = %subscription.id, why, "subscription.secret_unusable"));
        list.push(Arc::new(Ready { subscription, key: key.ok() }));
    }
    Ok(list)
}
