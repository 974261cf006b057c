//! Dialects of a tenant's own, one item each, and the keys that sign for it. Changes raise the tenant's counter: what
//! dispatchers remember of its subscriptions has their dialects and keys in it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::configs::{Holding, get, list_all, put};
use super::subscriptions::raise_version;
use super::{Store, keys};
use crate::aws::expression::Test;
use crate::aws::table::TableError;
use crate::aws::transaction::Write;
use crate::dialect::keys::PUBLIC_PREFIX;
use crate::dialect::{Dialect, DialectName};
use crate::domain::id::SigningKeyId;
use crate::domain::text::TenantSlug;
use crate::vault::Sealed;

/// A row as text: it is read as a whole or not at all, and its members are nobody's to query.
#[derive(Serialize, Deserialize)]
struct Row(String);

fn dialect_of(row: &Row) -> Result<Dialect, TableError> {
    serde_json::from_str(&row.0).map_err(|error| TableError::Corrupt(error.into()))
}

/// A key that signs for a tenant, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredSigningKey {
    /// Its id, which is the `kid` that receivers see.
    pub id: SigningKeyId,
    /// Its seed, sealed.
    pub seed: Sealed,
    /// Its public part: base64 for URLs.
    pub public: String,
    /// Until when it signs, once another has taken its place.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::optional", default)]
    pub signs_until: Option<Timestamp>,
}

impl StoredSigningKey {
    /// Its public part, as Standard Webhooks writes it.
    #[must_use]
    pub fn public_text(&self) -> String {
        let bytes = URL_SAFE_NO_PAD.decode(&self.public).unwrap_or_default();
        format!("{PUBLIC_PREFIX}{}", STANDARD.encode(bytes))
    }
}

impl Store {
    /// Stores a dialect, in the place of the one with its name.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_dialect(&self, tenant: &TenantSlug, dialect: &Dialect) -> Result<(), TableError> {
        let json = serde_json::to_string(dialect).map_err(|error| TableError::Corrupt(error.into()))?;
        let writes = vec![put(keys::dialect(tenant, &dialect.name), &Row(json), vec![])?, raise_version(tenant)];
        self.configs.write_together(writes).await
    }

    /// Reads a dialect of the tenant's own.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn dialect(&self, tenant: &TenantSlug, name: &DialectName) -> Result<Option<Dialect>, TableError> {
        let row: Option<Row> = get(&self.configs, &keys::dialect(tenant, name)).await?;
        row.as_ref().map(dialect_of).transpose()
    }

    /// Reads all dialects of the tenant's own, sorted by name.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn dialects(&self, tenant: &TenantSlug) -> Result<Vec<Dialect>, TableError> {
        let rows: Vec<Row> = list_all(&self.configs, keys::dialects(tenant)).await?;
        rows.iter().map(dialect_of).collect()
    }

    /// Deletes a dialect; `false` when there is none.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn delete_dialect(&self, tenant: &TenantSlug, name: &DialectName) -> Result<bool, TableError> {
        let writes = vec![Write::Delete(keys::dialect(tenant, name), vec![Test::ItemPresent]), raise_version(tenant)];
        match self.configs.write_together(writes).await {
            Ok(()) => Ok(true),
            Err(TableError::ConditionFailed { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// The keys that sign for a tenant, and those that did within the last months, the oldest first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn signing_keys(&self, tenant: &TenantSlug) -> Result<Vec<StoredSigningKey>, TableError> {
        list_all(&self.configs, keys::signing_keys(tenant)).await
    }

    /// Adds a key in the place of `before`, which signs until the time that it says, or is forgotten with the same write
    /// where it `is_stolen`. Tells whether nobody was faster.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn add_signing_key(
        &self,
        tenant: &TenantSlug,
        key: &StoredSigningKey,
        before: Option<&StoredSigningKey>,
        is_stolen: bool,
    ) -> Result<bool, TableError> {
        let current = Holding { v: key.id };
        let test = match before {
            Some(before) => Test::Is("v", crate::aws::expression::Value::of(before.id)),
            None => Test::ItemAbsent,
        };
        let mut writes = vec![
            Write::put(keys::current_signing_key(tenant), &current, vec![test])?,
            put(keys::signing_key(tenant, key.id), key, vec![])?,
            raise_version(tenant),
        ];
        if let Some(before) = before {
            let at = keys::signing_key(tenant, before.id);
            writes.push(if is_stolen { Write::Delete(at, vec![]) } else { put(at, before, vec![])? });
        }
        match self.configs.write_together(writes).await {
            Ok(()) => Ok(true),
            Err(TableError::ConditionFailed { old: Some(old) }) => Ok(old.read::<Holding<SigningKeyId>>()?.v == key.id),
            Err(TableError::ConditionFailed { old: None }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Forgets a key: nobody is told its public part any more.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn forget_signing_key(&self, tenant: &TenantSlug, id: SigningKeyId) -> Result<(), TableError> {
        self.configs.delete(&keys::signing_key(tenant, id), &[]).await
    }
}
