//! Where a request is kept: inside its row when small, in parts of their own when large.

use std::ops::Range;

use bytes::Bytes;
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::inbound_deliveries::Writer;
use super::{Store, blob, keys};
use crate::aws::table::TableError;
use crate::domain::inbound_delivery::{BODY_DAYS, RequestHead};
use crate::domain::text::TenantSlug;
use crate::domain::time::later;

/// Up to this size a packed request stays in its row. Beyond it, rewriting the row at the end of its life would cost
/// more write units than a part of its own.
const MAX_INLINE_BYTES: usize = 2 * 1024;
/// An item holds 400 KB with its names and keys.
const PART_BYTES: usize = 380 * 1024;

/// How much of a body is shown once the body itself is no longer kept, in bytes.
pub const BEGINNING_BYTES: usize = 1024;

/// A request as it is kept, packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRequest(pub(super) Bytes);

/// Where the packed request is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Parts {
    /// The name of the parts. Each writer has its own, so that two requests with one idempotency key never mix.
    #[serde(rename = "i")]
    pub(super) id: String,
    #[serde(rename = "n")]
    pub(super) count: u16,
}

#[derive(Serialize, Deserialize)]
struct Part {
    z: Bytes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

impl KeptRequest {
    /// Packs a request.
    ///
    /// # Errors
    /// When it is larger than anything that is kept.
    pub fn pack(head: &RequestHead, body: &[u8]) -> Result<Self, TableError> {
        blob::pack(head, body).map(Self)
    }

    /// Unpacks head and body.
    ///
    /// # Errors
    /// When the value was cut or changed.
    pub fn unpack(&self) -> Result<(RequestHead, Bytes), TableError> {
        blob::unpack(&self.0)
    }

    /// The same request with the beginning of its body: [`BEGINNING_BYTES`], and one more where it went on.
    ///
    /// # Errors
    /// When the value was cut or changed.
    pub fn beginning(&self) -> Result<Self, TableError> {
        let (head, body) = self.unpack()?;
        Self::pack(&head, &body[..body.len().min(BEGINNING_BYTES + 1)])
    }

    /// The packed bytes, for a queue message.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// Packed bytes from a queue message.
    #[must_use]
    pub fn from_bytes(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// Tells whether the request fits its row.
    #[must_use]
    pub fn is_inline(&self) -> bool {
        self.0.len() <= MAX_INLINE_BYTES
    }
}

/// Where a packed request of `length` bytes is cut, so that each part fits an item.
///
/// The ranges follow one another without a gap and cover all of it; nothing gives no part.
pub fn cuts(length: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    (0..length.div_ceil(PART_BYTES)).map(move |n| n * PART_BYTES..((n + 1) * PART_BYTES).min(length))
}

impl Store {
    /// Keeps a large request in parts. They are written before the row that names them; parts that no row names expire.
    pub(super) async fn put_parts(
        &self,
        tenant: &TenantSlug,
        writer: Writer,
        request: &KeptRequest,
        now: Timestamp,
    ) -> Result<Parts, TableError> {
        let expires = later(now, SignedDuration::from_hours(24 * BODY_DAYS));
        self.write_parts(tenant, writer, request, Some(expires)).await
    }

    /// Keeps a large request in parts that stay until they are deleted.
    pub(super) async fn put_lasting_parts(
        &self,
        tenant: &TenantSlug,
        writer: Writer,
        request: &KeptRequest,
    ) -> Result<Parts, TableError> {
        self.write_parts(tenant, writer, request, None).await
    }

    async fn write_parts(
        &self,
        tenant: &TenantSlug,
        writer: Writer,
        request: &KeptRequest,
        expires: Option<Timestamp>,
    ) -> Result<Parts, TableError> {
        let id = writer.part_name();
        let cuts = cuts(request.0.len());
        let count = u16::try_from(cuts.len()).map_err(|e| TableError::Corrupt(e.into()))?;
        let parts = (0..count).zip(cuts).map(|(n, range)| {
            let part = Part { z: request.0.slice(range), ttl: expires.map(Timestamp::as_second) };
            let key = keys::body_part(tenant, &id, n);
            async move { self.deliveries.put(&key, &part, &[]).await }
        });
        try_join_all(parts).await?;
        Ok(Parts { id, count })
    }

    /// Reads a large request back; `None` when a part has expired.
    pub(super) async fn get_parts(
        &self,
        tenant: &TenantSlug,
        parts: &Parts,
    ) -> Result<Option<KeptRequest>, TableError> {
        let reads = (0..parts.count).map(|n| {
            let key = keys::body_part(tenant, &parts.id, n);
            async move { self.deliveries.get::<Part>(&key).await }
        });
        let mut whole = Vec::new();
        for part in try_join_all(reads).await? {
            match part {
                Some(part) => whole.extend_from_slice(&part.z),
                None => return Ok(None),
            }
        }
        Ok(Some(KeptRequest(whole.into())))
    }

    /// Deletes the parts of a large request.
    pub(super) async fn delete_parts(&self, tenant: &TenantSlug, parts: &Parts) -> Result<(), TableError> {
        let deletes = (0..parts.count).map(|n| {
            let key = keys::body_part(tenant, &parts.id, n);
            async move { self.deliveries.delete(&key, &[]).await }
        });
        try_join_all(deletes).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_put_together_are_the_whole(length in 0usize..6 * 1024 * 1024) {
            let mut end = 0;
            for range in cuts(length) {
                prop_assert_eq!(range.start, end);
                prop_assert!(!range.is_empty() && range.len() <= PART_BYTES);
                end = range.end;
            }
            prop_assert_eq!(end, length);
        }
    }
}
