//! Owners of subscriptions: their quotas and permissions, and how many subscriptions they have.

use serde::Deserialize;

use super::subscriptions::raise_version;
use super::{Store, keys};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::{Query, Stored, TableError};
use crate::aws::transaction::Write;
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::event_facts::OwnerName;
use crate::domain::owner::OwnerRecord;
use crate::domain::text::TenantSlug;

/// An owner, as far as anything is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Owner {
    /// Its name.
    pub name: OwnerName,
    /// What was said of it.
    pub record: OwnerRecord,
    /// How many subscriptions it has.
    pub subscriptions: u32,
}

/// The record, and beside it the number of subscriptions. Either may come first.
#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    v: OwnerRecord,
    #[serde(default)]
    n: i64,
}

fn owner(name: OwnerName, row: Row) -> Owner {
    Owner { name, record: row.v, subscriptions: u32::try_from(row.n).unwrap_or_default() }
}

fn read(stored: Stored) -> Result<Owner, TableError> {
    let name = stored.key().sk.unwrap_or_default();
    let name = OwnerName::try_from(name).map_err(|e| TableError::Corrupt(e.into()))?;
    Ok(owner(name, stored.read::<Row>()?))
}

impl Store {
    /// Reads an owner; one that nothing is known of has nothing of its own.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn owner(&self, tenant: &TenantSlug, name: &OwnerName) -> Result<Owner, TableError> {
        let row: Option<Row> = self.configs.get(&keys::owner(tenant, name)).await?;
        let row = row.unwrap_or(Row { v: OwnerRecord::default(), n: 0 });
        Ok(owner(name.clone(), row))
    }

    /// Replaces what is said of an owner. Raises the tenant's counter: permissions decide who gets events.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_owner(
        &self,
        tenant: &TenantSlug,
        name: &OwnerName,
        record: &OwnerRecord,
    ) -> Result<(), TableError> {
        let said = Changes::new().set("v", record);
        let writes = vec![Write::Update(keys::owner(tenant, name), said, vec![]), raise_version(tenant)];
        self.configs.write_together(writes).await
    }

    /// Lists the owners of a tenant that anything is known of, by name.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn list_owners(&self, tenant: &TenantSlug, page: &PageRequest) -> Result<Page<Owner>, TableError> {
        let beyond = page.after.as_ref().map(|cursor| cursor.sort_key().to_owned());
        let query = Query { pk: keys::owners(tenant), beyond, limit: page.limit + 1, newest_first: false };
        let mut found = self.configs.query(&query).await?;
        let more = found.len() > page.limit;
        found.truncate(page.limit);
        let next = if more { found.last().and_then(|s| s.key().sk).as_deref().map(Cursor::after) } else { None };
        Ok(Page { items: found.into_iter().map(read).collect::<Result<_, _>>()?, next })
    }

    /// Forgets an owner that has no subscriptions.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn forget_owner(&self, tenant: &TenantSlug, name: &OwnerName) -> Result<(), TableError> {
        let none_left = Test::AttributeAbsentOrAtMost("n", Value::of(0));
        match self.configs.delete(&keys::owner(tenant, name), &[none_left]).await {
            // It has got one meanwhile.
            Ok(()) | Err(TableError::ConditionFailed { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }
}
