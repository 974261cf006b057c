//! The keys that sign for a tenant where a dialect asks for a signature that everybody can check.
//!
//! Their public parts are published, so receivers need no secret. A new key takes over at once; the one before signs
//! beside it for a while, and stays published for longer.

mod jwks;
mod list;
mod rotate;

use hookport::dialect::TenantKey;
use hookport::domain::id::SigningKeyId;
use hookport::domain::text::TenantSlug;
use hookport::store::StoredSigningKey;
use hookport::vault::Owner;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list, rotate::rotate)).routes(routes!(jwks::jwks))
}

/// A key that signs for the tenant: its public part.
#[derive(Serialize, ToSchema)]
pub(crate) struct SigningKeyView {
    /// Its id, which is the `kid` that receivers see.
    #[schema(value_type = String, example = "sgk_01m5w3rm008000000400000003")]
    id: SigningKeyId,
    /// Its public part, as Standard Webhooks writes it.
    #[schema(example = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")]
    public_key: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Until when it signs; null for the one that signs from now on.
    #[schema(value_type = Option<String>, format = DateTime)]
    signs_until: Option<Timestamp>,
}

impl From<StoredSigningKey> for SigningKeyView {
    fn from(key: StoredSigningKey) -> Self {
        let created_at = key.id.created_at();
        Self { id: key.id, public_key: key.public_text(), created_at, signs_until: key.signs_until }
    }
}

/// Makes the tenant's first key, if it has none.
pub(crate) async fn ensure(api: &Api, tenant: &TenantSlug) -> Result<()> {
    if api.app.store.signing_keys(tenant).await?.is_empty() {
        let first = made(api, tenant).await?;
        // Whoever was faster made one as well.
        api.app.store.add_signing_key(tenant, &first, None, false).await?;
    }
    Ok(())
}

/// A new key, which is not stored yet.
async fn made(api: &Api, tenant: &TenantSlug) -> Result<StoredSigningKey> {
    let now = api.app.clock.now();
    let id = SigningKeyId::new(now, api.app.random.bits());
    let seed = TenantKey::seed(&api.app.random);
    let key = TenantKey::new(id.to_string(), &seed, None).ok_or_else(|| Error::Internal("no key was made".into()))?;
    let sealed = api.app.vault.seal(&seed, &Owner::new(tenant, id), now).await?;
    Ok(StoredSigningKey { id, seed: sealed, public: key.public_base64url(), signs_until: None })
}
