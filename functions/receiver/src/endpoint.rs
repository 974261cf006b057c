//! Endpoints: webhooks as the receiver uses them, found by URL and remembered for a few seconds, absence too.

use std::sync::Arc;

use bytes::Bytes;
use hookport::app::App;
use hookport::cache::{CONFIG_LIFE, Cache};
use hookport::domain::api_token::SecretHash;
use hookport::domain::inbound_webhook::{Auth, InboundWebhook};
use hookport::domain::text::{Slug, TenantSlug};
use hookport::signature::inbound::{HmacKey, SignatureError};
use hookport::vault::Owner;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::Trouble;
use crate::refusal::Refusal;

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

/// A webhook with its secret opened and ready.
pub(crate) struct Endpoint {
    pub(crate) webhook: InboundWebhook,
    proof: Proof,
}

enum Proof {
    Hmac { headers: Vec<HeaderName>, key: HmacKey },
    None,
}

impl Endpoint {
    /// Judges a request in the order of its URL's form: the key form size, then proof; the slug form proof, then size.
    pub(crate) fn judge(&self, form: Form, headers: &HeaderMap, body: &Bytes) -> Result<(), Refusal> {
        match form {
            Form::Slug => {
                let proof = self.prove(headers, body);
                if !self.webhook.is_active {
                    return Err(Refusal::Disabled);
                }
                proof?;
                self.fits(body)
            }
            Form::Key => {
                if !self.webhook.is_active {
                    return Err(Refusal::Disabled);
                }
                self.fits(body)?;
                self.prove(headers, body)
            }
        }
    }

    fn fits(&self, body: &Bytes) -> Result<(), Refusal> {
        let most = usize::try_from(self.webhook.max_body_bytes).unwrap_or(usize::MAX);
        if body.len() > most { Err(Refusal::TooLarge) } else { Ok(()) }
    }

    fn prove(&self, headers: &HeaderMap, body: &Bytes) -> Result<(), Refusal> {
        match &self.proof {
            Proof::None => Ok(()),
            Proof::Hmac { headers: names, key } => match names.iter().find_map(|name| headers.get(name)) {
                Some(value) => key.verify(value.as_bytes(), body).map_err(Refusal::Signature),
                None => {
                    // A wrong signature costs a tag; a missing one must not be told from it by time.
                    let _ = key.tag(&[body]);
                    Err(Refusal::Signature(SignatureError::Missing))
                }
            },
        }
    }
}

/// How many endpoints and absences are remembered.
const REMEMBERED: usize = 10_000;

/// Finds endpoints.
pub(crate) struct Endpoints {
    by_slug: Cache<(TenantSlug, Slug), Option<Arc<Endpoint>>>,
    by_key: Cache<SecretHash, Option<Arc<Endpoint>>>,
    /// Whether tenants take webhooks in; unknown ones do not.
    tenants: Cache<TenantSlug, bool>,
    nobodys: HmacKey,
}

impl Endpoints {
    pub(crate) fn new(app: &App) -> Self {
        Self {
            by_slug: Cache::new(REMEMBERED, CONFIG_LIFE),
            by_key: Cache::new(REMEMBERED, CONFIG_LIFE),
            tenants: Cache::new(REMEMBERED, CONFIG_LIFE),
            nobodys: HmacKey::from_bytes(&app.random.bytes::<32>()),
        }
    }

    /// Finds the endpoint of a URL. A known and an unknown slug are looked up by the same calls.
    pub(crate) async fn find(&self, app: &App, url: &Url, now: Timestamp) -> Result<Option<Arc<Endpoint>>, Trouble> {
        match url {
            Url::Slug(None) => Ok(None),
            Url::Slug(Some(names)) => {
                let (takes, endpoint) =
                    futures_util::try_join!(self.takes(app, &names.0, now), self.by_slug(app, names, now))?;
                Ok(endpoint.filter(|_| takes))
            }
            Url::Key(hash) => {
                let Some(endpoint) = self.by_key(app, hash, now).await? else { return Ok(None) };
                let takes = self.takes(app, &endpoint.webhook.tenant, now).await?;
                Ok(takes.then_some(endpoint))
            }
        }
    }

    /// Spends what proving costs, for a webhook that does not exist.
    pub(crate) fn prove_in_vain(&self, body: &Bytes) {
        let _ = self.nobodys.tag(&[body]);
    }

    async fn takes(&self, app: &App, tenant: &TenantSlug, now: Timestamp) -> Result<bool, Trouble> {
        if let Some(takes) = self.tenants.get(tenant, now) {
            return Ok(takes);
        }
        let takes = app.store.tenant(tenant).await?.is_some_and(|t| t.inbound_enabled);
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
        let endpoint = ready(app, webhook, now).await?;
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
        let endpoint = ready(app, webhook, now).await?;
        self.by_key.put(hash.clone(), endpoint.clone(), now);
        Ok(endpoint)
    }
}

async fn ready(app: &App, webhook: Option<InboundWebhook>, now: Timestamp) -> Result<Option<Arc<Endpoint>>, Trouble> {
    let Some(webhook) = webhook else { return Ok(None) };
    let proof = match &webhook.auth {
        Auth::None => Proof::None,
        Auth::HmacSha256 { signature_headers, secret } => {
            let secret = app.vault.open(secret, &Owner::new(&webhook.tenant, webhook.id), now).await?;
            // Names were checked when they were stored; one that cannot be a header can never be present.
            let headers = signature_headers.iter().filter_map(|name| HeaderName::try_from(name.as_str()).ok());
            Proof::Hmac { headers: headers.collect(), key: HmacKey::new(&secret) }
        }
    };
    Ok(Some(Arc::new(Endpoint { webhook, proof })))
}
