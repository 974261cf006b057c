//! Bookmarks: rows without an end, each with the request of its event, inside or in parts of its own.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::body::{KeptRequest, Parts};
use super::configs::list;
use super::inbound_deliveries::Writer;
use super::{Store, keys};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::TableError;
use crate::aws::transaction::Write;
use crate::domain::bookmark::Bookmark;
use crate::domain::cursor::{Page, PageRequest};
use crate::domain::id::BookmarkId;
use crate::domain::text::TenantSlug;

#[derive(Serialize, Deserialize)]
struct Row {
    /// The bookmark as text: its members are nobody's to query.
    v: String,
    /// The packed request, when small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    z: Option<Bytes>,
    /// Where the packed request is, when large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b: Option<Parts>,
}

/// How many bookmarks there are.
#[derive(Default, Deserialize)]
struct Number {
    #[serde(default)]
    n: i64,
}

fn bookmark_of(json: &str) -> Result<Bookmark, TableError> {
    serde_json::from_str(json).map_err(|error| TableError::Corrupt(error.into()))
}

impl Store {
    /// Stores a new bookmark with its request and counts it, unless there are `most` already; tells whether it did.
    ///
    /// Parts of a large request go first. Should the row that names them never come, they stay and nobody sees them.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn create_bookmark(
        &self,
        bookmark: &Bookmark,
        request: &KeptRequest,
        writer: Writer,
        most: u32,
    ) -> Result<bool, TableError> {
        let tenant = &bookmark.tenant;
        let number: Number = self.deliveries.get(&keys::number_of_bookmarks(tenant)).await?.unwrap_or_default();
        if number.n >= i64::from(most) {
            return Ok(false);
        }
        let json = serde_json::to_string(bookmark).map_err(|error| TableError::Corrupt(error.into()))?;
        let row = if request.is_inline() {
            Row { v: json, z: Some(request.as_bytes().clone()), b: None }
        } else {
            Row { v: json, z: None, b: Some(self.put_lasting_parts(tenant, writer, request).await?) }
        };
        let key = keys::bookmark(tenant, bookmark.id);
        let room = Test::AttributeAbsentOrAtMost("n", Value::of(most.saturating_sub(1)));
        let writes = vec![
            Write::put(key.clone(), &row, vec![Test::ItemAbsent])?,
            Write::Update(keys::number_of_bookmarks(tenant), Changes::new().add("n", 1), vec![room]),
        ];
        let is_stored = match self.deliveries.write_together(writes).await {
            Ok(()) => true,
            // An earlier try of this very call may have written it: nobody else has its id.
            Err(TableError::ConditionFailed { old }) => old.is_some_and(|old| old.key() == key),
            Err(other) => return Err(other),
        };
        if let (false, Some(parts)) = (is_stored, &row.b) {
            self.delete_parts(tenant, parts).await?;
        }
        Ok(is_stored)
    }

    /// Reads a bookmark with its request; the request is `None` while it is being deleted.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn bookmark(
        &self,
        tenant: &TenantSlug,
        id: BookmarkId,
    ) -> Result<Option<(Bookmark, Option<KeptRequest>)>, TableError> {
        let row: Option<Row> = self.deliveries.get(&keys::bookmark(tenant, id)).await?;
        let Some(row) = row else { return Ok(None) };
        let request = match (row.z, &row.b) {
            (Some(inline), _) => Some(KeptRequest::from_bytes(inline)),
            (None, Some(parts)) => self.get_parts(tenant, parts).await?,
            (None, None) => None,
        };
        Ok(Some((bookmark_of(&row.v)?, request)))
    }

    /// Lists a tenant's bookmarks, newest first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn bookmarks(&self, tenant: &TenantSlug, page: &PageRequest) -> Result<Page<Bookmark>, TableError> {
        let found = list::<String>(&self.deliveries, keys::bookmarks(tenant), page).await?;
        let items = found.items.iter().map(|json| bookmark_of(json)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: found.next })
    }

    /// Deletes a bookmark and counts it off; `false` when there is none.
    ///
    /// Parts go first, so that whoever dies in between leaves a row that can be deleted again.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn delete_bookmark(&self, tenant: &TenantSlug, id: BookmarkId) -> Result<bool, TableError> {
        let key = keys::bookmark(tenant, id);
        let row: Option<Row> = self.deliveries.get(&key).await?;
        let Some(row) = row else { return Ok(false) };
        if let Some(parts) = &row.b {
            self.delete_parts(tenant, parts).await?;
        }
        let writes = vec![
            Write::Delete(key, vec![Test::ItemPresent]),
            Write::Update(keys::number_of_bookmarks(tenant), Changes::new().subtract("n", 1), vec![]),
        ];
        match self.deliveries.write_together(writes).await {
            Ok(()) => Ok(true),
            Err(TableError::ConditionFailed { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }
}
