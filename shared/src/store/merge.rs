//! One list out of several partitions, newest first.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::keys::ROW_SHARDS;
use crate::aws::table::{Query, Stored, Table, TableError};
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::id::Handle;

/// How many rows are read of a partition once a page was not filled at the first go.
const MANY: usize = 100;
/// How many partitions are read at once.
const CONCURRENCY: usize = 32;

/// Every partition of the rows of these webhooks or subscriptions, which `name` names by handle and shard.
pub(super) fn partitions(handles: impl Iterator<Item = Handle>, name: impl Fn(Handle, u8) -> String) -> Vec<String> {
    let handles: BTreeSet<Handle> = handles.collect();
    let name = &name;
    handles.into_iter().flat_map(|handle| (0..ROW_SHARDS).map(move |shard| name(handle, shard))).collect()
}

/// Reads a page of the union of `partitions`. Sort keys must be unique and order by time.
///
/// `read` may leave items out; what was looked at and left out is not looked at again on the next page.
pub(super) async fn newest_first<T>(
    table: &Table,
    partitions: Vec<String>,
    page: &PageRequest,
    read: impl Fn(Stored) -> Result<Option<T>, TableError>,
) -> Result<Page<T>, TableError> {
    let limit = page.limit;
    let mut beyond = page.after.as_ref().map(|c| c.sort_key().to_owned());
    let mut items = Vec::with_capacity(limit);
    // One more than the page, to know whether there is a next one. When much is left out, more at a time.
    let mut at_once = limit + 1;
    loop {
        let reads = partitions.iter().cloned().map(|pk| {
            let query = Query { pk, beyond: beyond.clone(), limit: at_once, newest_first: true };
            async move { table.query(&query).await }
        });
        let found: Vec<Vec<Stored>> = stream::iter(reads).buffer_unordered(CONCURRENCY).try_collect().await?;
        let mut found: Vec<(String, Stored)> =
            found.into_iter().flatten().map(|s| (s.key().sk.unwrap_or_default(), s)).collect();
        found.sort_unstable_by(|a, b| b.0.cmp(&a.0));
        let is_last = found.len() < at_once;
        for (sort_key, stored) in found.into_iter().take(at_once) {
            if items.len() == limit {
                return Ok(Page { items, next: beyond.as_deref().map(Cursor::after) });
            }
            beyond = Some(sort_key);
            items.extend(read(stored)?);
        }
        if is_last {
            return Ok(Page { items, next: None });
        }
        at_once = at_once.max(MANY);
    }
}
