//! One list out of several partitions, newest first.

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::aws::table::{Stored, TableError};
use crate::domain::cursor::{Cursor, Page, PageRequest};

/// How many partitions are read at once.
const CONCURRENCY: usize = 32;

/// Reads a page of the union of `partitions`. Sort keys must be unique and order by time.
///
/// `read` may leave items out; what was looked at and left out is not looked at again on the next page.
pub(super) async fn newest_first<T, F, Q>(
    partitions: Vec<String>,
    page: &PageRequest,
    query: Q,
    read: impl Fn(Stored) -> Result<Option<T>, TableError>,
) -> Result<Page<T>, TableError>
where
    Q: Fn(String, Option<String>, usize) -> F,
    F: Future<Output = Result<Vec<Stored>, TableError>>,
{
    let limit = page.limit;
    let mut beyond = page.after.as_ref().map(|c| c.sort_key().to_owned());
    let mut items = Vec::with_capacity(limit);
    loop {
        // One more than the page, to know whether there is a next one.
        let reads = partitions.iter().cloned().map(|pk| query(pk, beyond.clone(), limit + 1));
        let found: Vec<Vec<Stored>> = stream::iter(reads).buffer_unordered(CONCURRENCY).try_collect().await?;
        let mut found: Vec<(String, Stored)> =
            found.into_iter().flatten().map(|s| (s.key().sk.unwrap_or_default(), s)).collect();
        found.sort_unstable_by(|a, b| b.0.cmp(&a.0));
        let is_last = found.len() <= limit;
        for (sort_key, stored) in found.into_iter().take(limit + 1) {
            if items.len() == limit {
                return Ok(Page { items, next: beyond.as_deref().map(Cursor::after) });
            }
            beyond = Some(sort_key);
            items.extend(read(stored)?);
        }
        if is_last {
            return Ok(Page { items, next: None });
        }
    }
}
