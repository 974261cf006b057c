//! API tokens: by tenant, and by hash.

use serde::{Deserialize, Serialize};

use super::configs::{get, list, put};
use super::{CreateError, Store, exists_or, keys};
use crate::aws::expression::Test;
use crate::aws::table::TableError;
use crate::aws::transaction::Write;
use crate::domain::api_token::{ApiToken, SecretHash};
use crate::domain::cursor::{Page, PageRequest};
use crate::domain::id::ApiTokenId;
use crate::domain::text::TenantSlug;

/// All that a look-up by hash holds.
#[derive(Serialize, Deserialize)]
struct Owner {
    tenant: TenantSlug,
    id: ApiTokenId,
}

pub(super) fn writes(token: &ApiToken) -> Result<[Write; 2], TableError> {
    let owner = Owner { tenant: token.tenant.clone(), id: token.id };
    Ok([
        put(keys::token(&token.tenant, token.id), token, vec![Test::ItemAbsent])?,
        put(keys::token_by_hash(&token.hash), &owner, vec![Test::ItemAbsent])?,
    ])
}

impl Store {
    /// Stores a new token.
    ///
    /// # Errors
    /// [`CreateError::Exists`] when its id or hash is taken.
    pub async fn create_token(&self, token: &ApiToken) -> Result<(), CreateError> {
        self.configs.write_together(writes(token)?.into()).await.map_err(exists_or)
    }

    /// Finds a token by the hash of its secret. Two reads.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn token_by_hash(&self, hash: &SecretHash) -> Result<Option<ApiToken>, TableError> {
        let Some(owner) = get::<Owner>(&self.configs, &keys::token_by_hash(hash)).await? else {
            return Ok(None);
        };
        get(&self.configs, &keys::token(&owner.tenant, owner.id)).await
    }

    /// Lists a tenant's tokens, newest first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn list_tokens(&self, tenant: &TenantSlug, page: &PageRequest) -> Result<Page<ApiToken>, TableError> {
        list(&self.configs, keys::tokens(tenant), page).await
    }

    /// Deletes a token. Tells whether it existed.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn delete_token(&self, tenant: &TenantSlug, id: ApiTokenId) -> Result<bool, TableError> {
        let Some(token) = get::<ApiToken>(&self.configs, &keys::token(tenant, id)).await? else {
            return Ok(false);
        };
        let writes = vec![
            Write::Delete(keys::token(tenant, id), vec![]),
            Write::Delete(keys::token_by_hash(&token.hash), vec![]),
        ];
        self.configs.write_together(writes).await?;
        Ok(true)
    }
}
