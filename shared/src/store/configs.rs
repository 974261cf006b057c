//! What all configuration shares: items `{v: value}` in partitions that are listed newest first, and tenants.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{CreateError, Store, exists_or, keys};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::{Key, Query, Table, TableError, Wanted};
use crate::aws::transaction::Write;
use crate::domain::api_token::ApiToken;
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::tenant::Tenant;
use crate::domain::text::TenantSlug;

/// How a value of configuration is stored: in one attribute, so that its names cannot clash with keys.
#[derive(Serialize, Deserialize)]
pub(super) struct Holding<T> {
    pub(super) v: T,
}

/// A tenant, and beside it the counter that changes of its subscriptions raise.
#[derive(Deserialize)]
struct StoredTenant {
    v: Tenant,
    #[serde(default)]
    sv: u64,
}

pub(super) async fn get<T: DeserializeOwned>(table: &Table, key: &Key) -> Result<Option<T>, TableError> {
    Ok(table.get::<Holding<T>>(key).await?.map(|holding| holding.v))
}

pub(super) fn put<T: Serialize>(key: Key, value: &T, tests: Vec<Test>) -> Result<Write, TableError> {
    Write::put(key, &Holding { v: value }, tests)
}

/// One page of a partition, newest first.
pub(super) async fn list<T: DeserializeOwned>(
    table: &Table,
    pk: String,
    page: &PageRequest,
) -> Result<Page<T>, TableError> {
    let beyond = page.after.as_ref().map(|c| c.sort_key().to_owned());
    let query = Query { pk, beyond, limit: page.limit + 1, newest_first: true };
    let mut found = table.query(&query).await?;
    let more = found.len() > page.limit;
    found.truncate(page.limit);
    let next = if more { found.last().and_then(|s| s.key().sk).as_deref().map(Cursor::after) } else { None };
    let items = found.into_iter().map(|s| s.read::<Holding<T>>().map(|h| h.v)).collect::<Result<_, _>>()?;
    Ok(Page { items, next })
}

/// A whole partition, in the order of its sort keys.
pub(super) async fn list_all<T: DeserializeOwned>(table: &Table, pk: String) -> Result<Vec<T>, TableError> {
    let query = Query { pk, beyond: None, limit: usize::MAX, newest_first: false };
    table.query(&query).await?.into_iter().map(|s| s.read::<Holding<T>>().map(|h| h.v)).collect()
}

impl Store {
    /// Creates a tenant together with its first token.
    ///
    /// # Errors
    /// [`CreateError::Exists`] when the name is taken.
    pub async fn create_tenant(&self, tenant: &Tenant, token: &ApiToken) -> Result<(), CreateError> {
        let mut writes = vec![
            put(keys::tenant(&tenant.slug), tenant, vec![Test::ItemAbsent])?,
            put(keys::tenant_in_directory(&tenant.slug), &tenant.slug, vec![])?,
        ];
        writes.extend(super::tokens::writes(token)?);
        self.configs.write_together(writes).await.map_err(exists_or)
    }

    /// Reads a tenant.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn tenant(&self, slug: &TenantSlug) -> Result<Option<Tenant>, TableError> {
        let stored = self.configs.get::<StoredTenant>(&keys::tenant(slug)).await?;
        Ok(stored.map(|stored| Tenant { subscriptions_version: stored.sv, ..stored.v }))
    }

    /// Replaces `before` by `after`. The counter beside it stays. Tells whether it was done: not when somebody turned a
    /// switch since `before` was read.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn update_tenant(&self, before: &Tenant, after: &Tenant) -> Result<bool, TableError> {
        let unturned = [
            Test::Is("v.inbound_enabled", Value::of(before.inbound_enabled)),
            Test::Is("v.outbound_enabled", Value::of(before.outbound_enabled)),
        ];
        let changes = Changes::new().set("v", after);
        match self.configs.update(&keys::tenant(&before.slug), &changes, &unturned, Wanted::Nothing).await {
            Ok(_) => Ok(true),
            Err(TableError::ConditionFailed { old: Some(old) }) => {
                // An earlier try of this very call may have written it.
                let found = old.read::<StoredTenant>()?.v;
                Ok(Tenant { subscriptions_version: after.subscriptions_version, ..found } == *after)
            }
            Err(TableError::ConditionFailed { old: None }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Lists the names of all tenants, for operators.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn list_tenants(&self, page: &PageRequest) -> Result<Page<TenantSlug>, TableError> {
        list(&self.configs, keys::TENANTS.to_owned(), page).await
    }
}
