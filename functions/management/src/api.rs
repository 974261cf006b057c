//! What every operation works with.

use std::sync::Arc;

use hookport::app::App;
use hookport::cache::{CONFIG_LIFE, Cache};
use hookport::counters::Counters;
use hookport::domain::api_token::{ApiToken, SecretHash};
use hookport::domain::tenant::Tenant;
use hookport::domain::text::TenantSlug;
use hookport::store::StoredSigningKey;
use secrecy::SecretString;

use crate::error::Result;

/// How many tokens are remembered at once, and how many tenants' switches.
const REMEMBERED: usize = 1_000;

/// The plumbing, and the tokens and switches that were seen lately.
#[derive(Clone)]
pub(crate) struct Api {
    /// The plumbing.
    pub(crate) app: App,
    tokens: Arc<Cache<SecretHash, Option<Arc<ApiToken>>>>,
    switches: Arc<Cache<TenantSlug, TenantSwitches>>,
    /// What strangers are told of the keys that sign for tenants.
    public_keys: Arc<Cache<TenantSlug, Arc<[StoredSigningKey]>>>,
    /// What owners of subscriptions have used of their quotas.
    pub(crate) counters: Arc<Counters>,
    /// What those who register have used. Apart, because there are as many as strangers care to have.
    pub(crate) registrations: Arc<Counters>,
}

/// What a tenant may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TenantSwitches {
    /// Inbound webhooks and event types.
    pub(crate) inbound: bool,
    /// Subscriptions.
    pub(crate) outbound: bool,
}

impl From<&Tenant> for TenantSwitches {
    fn from(tenant: &Tenant) -> Self {
        Self { inbound: tenant.inbound_enabled, outbound: tenant.outbound_enabled }
    }
}

impl Api {
    pub(crate) fn new(app: App) -> Self {
        let tokens = Arc::new(Cache::new(REMEMBERED, CONFIG_LIFE));
        let switches = Arc::new(Cache::new(REMEMBERED, CONFIG_LIFE));
        let public_keys = Arc::new(Cache::new(REMEMBERED, CONFIG_LIFE));
        let counters = || Arc::new(Counters::new(REMEMBERED));
        Self { app, tokens, switches, public_keys, counters: counters(), registrations: counters() }
    }

    /// Finds the token with this text. What is not there is remembered as well, so that guesses cost no reads.
    pub(crate) async fn token(&self, text: &SecretString) -> Result<Option<Arc<ApiToken>>> {
        let now = self.app.clock.now();
        let hash = SecretHash::of(text);
        if let Some(remembered) = self.tokens.get(&hash, now) {
            return Ok(remembered);
        }
        let found = self.app.store.token_by_hash(&hash).await?.map(Arc::new);
        self.tokens.put(hash, found.clone(), now);
        Ok(found)
    }

    /// What a tenant may use, as it was a few seconds ago at most.
    pub(crate) async fn tenant_switches(&self, slug: &TenantSlug) -> Result<TenantSwitches> {
        let now = self.app.clock.now();
        if let Some(remembered) = self.switches.get(slug, now) {
            return Ok(remembered);
        }
        let tenant = self.app.store.tenant(slug).await?;
        // A tenant that is not there has nothing that could be switched off.
        let found = tenant.as_ref().map_or(TenantSwitches { inbound: true, outbound: true }, TenantSwitches::from);
        self.switches.put(slug.clone(), found, now);
        Ok(found)
    }

    /// The keys that sign for a tenant, as they were a few seconds ago at most. Strangers may ask, so what is not there
    /// is remembered as well.
    pub(crate) async fn public_keys(&self, slug: &TenantSlug) -> Result<Arc<[StoredSigningKey]>> {
        let now = self.app.clock.now();
        if let Some(remembered) = self.public_keys.get(slug, now) {
            return Ok(remembered);
        }
        let found: Arc<[StoredSigningKey]> = self.app.store.signing_keys(slug).await?.into();
        self.public_keys.put(slug.clone(), Arc::clone(&found), now);
        Ok(found)
    }

    /// Remembers the switches of a tenant that was changed just now.
    pub(crate) fn remember_switches(&self, tenant: &Tenant) {
        self.switches.put(tenant.slug.clone(), tenant.into(), self.app.clock.now());
    }
}
