//! Endpoints: webhooks as the receiver uses them, found by URL and remembered for a few seconds, absence too.

use std::sync::Arc;

use hookport::app::App;
use hookport::cache::{CONFIG_LIFE, Cache};
use hookport::domain::api_token::SecretHash;
use hookport::domain::event_type::EventType;
use hookport::domain::event_type_definition::EventTypeDefinition;
use hookport::domain::id::EventTypeId;
use hookport::domain::inbound_webhook::{InboundWebhook, WebhookKey};
use hookport::domain::schema::Schema;
use hookport::domain::text::{Slug, TenantSlug};
use hookport::proof::Verifier;
use hookport::vault::Owner;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tracing::warn;

use crate::Trouble;

/// The two forms of public URLs; they differ in what strangers may learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `/api/inbound/{tenant}/{slug}`: readable, so nothing is told before proof.
    Slug,
    /// `/api/v1/webhooks/{key}`: who knows it may learn why it does not work.
    Key,
}

/// Which webhook a URL names.
pub(crate) enum Url {
    /// By tenant and slug; `None` when they cannot be names at all.
    Slug(Option<(TenantSlug, Slug)>),
    /// By the hash of its key.
    Key(SecretHash),
}

impl Url {
    /// Reads a path; `None` when it has neither form.
    pub(crate) fn of(path: &str) -> Option<Self> {
        if let Some(key) = path.strip_prefix("/api/v1/webhooks/") {
            return (!key.is_empty() && !key.contains('/'))
                .then(|| Self::Key(SecretHash::of(&SecretString::from(key))));
        }
        let (tenant, slug) = path.strip_prefix("/api/inbound/")?.split_once('/')?;
        if slug.contains('/') {
            return None;
        }
        let tenant = TenantSlug::try_from(tenant.to_owned()).ok();
        let slug = Slug::try_from(slug.to_owned()).ok();
        Some(Self::Slug(tenant.zip(slug)))
    }

    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Slug(_) => Form::Slug,
            Self::Key(_) => Form::Key,
        }
    }
}

/// A webhook with its secrets opened and ready.
pub(crate) struct Endpoint {
    pub(crate) webhook: InboundWebhook,
    /// The key that the URL ended in, if it did.
    pub(crate) key: Option<WebhookKey>,
    pub(crate) verifier: Verifier,
}

/// What holds for a request that is to become an event of some type.
pub(crate) struct Definition {
    pub(crate) is_enabled: bool,
    pub(crate) schema: Option<Arc<Schema>>,
}

/// What is remembered of an event type: enough to find its schema among those that are compiled.
#[derive(Clone, Copy)]
struct Known {
    id: EventTypeId,
    version: u64,
    is_enabled: bool,
    has_schema: bool,
}

/// What a URL led to.
#[derive(Default)]
pub(crate) struct Found {
    /// The webhook that the request is for.
    pub(crate) endpoint: Option<Arc<Endpoint>>,
    /// The webhook that it would be for, if its tenant took webhooks in and its key had not run out: whose owner is told.
    pub(crate) concerned: Option<Arc<Endpoint>>,
    /// Whether the tenant in the URL, or of the key, exists.
    pub(crate) tenant_is_known: bool,
}

/// How many endpoints and absences are remembered.
const REMEMBERED: usize = 10_000;

/// How many compiled schemas are remembered; one may take a few megabytes.
const REMEMBERED_SCHEMAS: usize = 32;
/// How long a compiled schema is remembered. Another version is another schema.
const SCHEMA_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// Finds endpoints.
pub(crate) struct Endpoints {
    by_slug: Cache<(TenantSlug, Slug), Option<Arc<Endpoint>>>,
    by_key: Cache<SecretHash, Option<Arc<Endpoint>>>,
    /// Whether tenants take webhooks in; `None`: there is no such tenant.
    tenants: Cache<TenantSlug, Option<bool>>,
    event_types: Cache<(TenantSlug, EventType), Option<Known>>,
    /// Compiled schemas by event type and version. By id: one that is made again under the same ref is another one.
    schemas: Cache<(EventTypeId, u64), Arc<Schema>>,
}

impl Endpoints {
    pub(crate) fn new() -> Self {
        Self {
            by_slug: Cache::new(REMEMBERED, CONFIG_LIFE),
            by_key: Cache::new(REMEMBERED, CONFIG_LIFE),
            tenants: Cache::new(REMEMBERED, CONFIG_LIFE),
            event_types: Cache::new(REMEMBERED, CONFIG_LIFE),
            schemas: Cache::new(REMEMBERED_SCHEMAS, SCHEMA_LIFE),
        }
    }

    /// Finds the endpoint of a URL. A known and an unknown slug are looked up by the same calls.
    pub(crate) async fn find(&self, app: &App, url: &Url, now: Timestamp) -> Result<Found, Trouble> {
        match url {
            Url::Slug(None) => Ok(Found::default()),
            Url::Slug(Some(names)) => {
                // The keyring is asked for here, so that a slug that exists makes no call that others do not.
                let keyring = async { app.vault.ready(now).await.map_err(Trouble::from) };
                let (takes, concerned, ()) =
                    futures_util::try_join!(self.takes(app, &names.0, now), self.by_slug(app, names, now), keyring)?;
                let endpoint = concerned.clone().filter(|_| takes == Some(true));
                Ok(Found { endpoint, concerned, tenant_is_known: takes.is_some() })
            }
            Url::Key(hash) => {
                let Some(concerned) = self.by_key(app, hash, now).await? else { return Ok(Found::default()) };
                let takes = self.takes(app, &concerned.webhook.tenant, now).await?;
                let is_live = concerned.key.as_ref().is_some_and(|key| key.is_live(now));
                let endpoint = Some(Arc::clone(&concerned)).filter(|_| is_live && takes == Some(true));
                Ok(Found { endpoint, concerned: Some(concerned), tenant_is_known: takes.is_some() })
            }
        }
    }

    /// What holds for the events of a type; `None`: nothing was said of their type, and anything goes.
    ///
    /// Asked only for requests that have proved themselves.
    pub(crate) async fn definition(
        &self,
        app: &App,
        tenant: &TenantSlug,
        event_type: &EventType,
        now: Timestamp,
    ) -> Result<Option<Definition>, Trouble> {
        let name = (tenant.clone(), event_type.clone());
        if let Some(known) = self.event_types.get(&name, now) {
            let Some(known) = known else { return Ok(None) };
            if let Some(definition) = self.remembered(known, now) {
                return Ok(Some(definition));
            }
        }
        let Some(stored) = app.store.event_type(tenant, event_type).await? else {
            self.event_types.put(name, None, now);
            return Ok(None);
        };
        let schema = self.schema(&stored, now);
        let EventTypeDefinition { id, version, is_enabled, .. } = stored;
        self.event_types.put(name, Some(Known { id, version, is_enabled, has_schema: schema.is_some() }), now);
        Ok(Some(Definition { is_enabled, schema }))
    }

    /// The definition behind what is remembered, unless its schema had to make room.
    fn remembered(&self, known: Known, now: Timestamp) -> Option<Definition> {
        let schema = match known.has_schema {
            true => Some(self.schemas.get(&(known.id, known.version), now)?),
            false => None,
        };
        Some(Definition { is_enabled: known.is_enabled, schema })
    }

    fn schema(&self, stored: &EventTypeDefinition, now: Timestamp) -> Option<Arc<Schema>> {
        let name = (stored.id, stored.version);
        if let Some(schema) = self.schemas.get(&name, now) {
            return Some(schema);
        }
        match Schema::compile(stored.schema.as_ref()?) {
            Ok(schema) => {
                let schema = Arc::new(schema);
                self.schemas.put(name, Arc::clone(&schema), now);
                Some(schema)
            }
            // It was compiled when it was stored. If it no longer does, nothing can be held against it.
            Err(error) => {
                warn!(tenant = %stored.tenant, event.r#type = %stored.event_type, %error, "schema.unusable");
                None
            }
        }
    }

    async fn takes(&self, app: &App, tenant: &TenantSlug, now: Timestamp) -> Result<Option<bool>, Trouble> {
        if let Some(takes) = self.tenants.get(tenant, now) {
            return Ok(takes);
        }
        let takes = app.store.tenant(tenant).await?.map(|t| t.inbound_enabled);
        self.tenants.put(tenant.clone(), takes, now);
        Ok(takes)
    }

    async fn by_slug(
        &self,
        app: &App,
        names: &(TenantSlug, Slug),
        now: Timestamp,
    ) -> Result<Option<Arc<Endpoint>>, Trouble> {
        if let Some(endpoint) = self.by_slug.get(names, now) {
            return Ok(endpoint);
        }
        let webhook = app.store.inbound_webhook_by_slug(&names.0, &names.1).await?;
        let endpoint = ready(app, webhook, None, now).await?;
        self.by_slug.put(names.clone(), endpoint.clone(), now);
        Ok(endpoint)
    }

    async fn by_key(&self, app: &App, hash: &SecretHash, now: Timestamp) -> Result<Option<Arc<Endpoint>>, Trouble> {
        if let Some(endpoint) = self.by_key.get(hash, now) {
            return Ok(endpoint);
        }
        let webhook = match app.store.inbound_webhook_by_key(hash).await? {
            Some(owner) => app.store.inbound_webhook(&owner.tenant, owner.id).await?,
            None => None,
        };
        let key = webhook.as_ref().and_then(|webhook| webhook.keys().iter().find(|key| key.hash == *hash).cloned());
        let endpoint = ready(app, webhook.filter(|_| key.is_some()), key, now).await?;
        self.by_key.put(hash.clone(), endpoint.clone(), now);
        Ok(endpoint)
    }
}

async fn ready(
    app: &App,
    webhook: Option<InboundWebhook>,
    key: Option<WebhookKey>,
    now: Timestamp,
) -> Result<Option<Arc<Endpoint>>, Trouble> {
    let Some(webhook) = webhook else { return Ok(None) };
    let owner = Owner::new(&webhook.tenant, webhook.id);
    let verifier = Verifier::open(&webhook.auth, &app.vault, &owner, now).await?.beside(&webhook.handshakes);
    Ok(Some(Arc::new(Endpoint { webhook, key, verifier })))
}
