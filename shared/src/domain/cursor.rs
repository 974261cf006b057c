//! Paging: limits and opaque cursors.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The page size when none is asked for.
pub const DEFAULT_LIMIT: usize = 25;
/// The largest page; a greater limit is clamped to it.
pub const MAX_LIMIT: usize = 100;

/// A cursor that was not made by this API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that this list gave")]
pub struct BadCursor;

/// Where the next page starts: after this sort key. Opaque to callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor for what comes after `sort_key`.
    #[must_use]
    pub fn after(sort_key: &str) -> Self {
        Self(sort_key.to_owned())
    }

    /// The sort key to continue after.
    #[must_use]
    pub fn sort_key(&self) -> &str {
        &self.0
    }

    /// The text given to callers.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_bytes())
    }

    /// Reads a caller's text.
    ///
    /// # Errors
    /// When it is not the encoding of a plausible sort key.
    pub fn decode(text: &str) -> Result<Self, BadCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
        let key = String::from_utf8(bytes).map_err(|_| BadCursor)?;
        let plausible =
            !key.is_empty() && key.len() <= 512 && !key.contains(|c: char| c.is_control() || c.is_whitespace());
        if plausible { Ok(Self(key)) } else { Err(BadCursor) }
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The most items to give, 1 to 100.
    pub limit: usize,
    /// Where to continue.
    pub after: Option<Cursor>,
}

impl PageRequest {
    /// Clamps the limit to 1..=100 and reads the cursor.
    ///
    /// # Errors
    /// When the cursor is not one of ours.
    pub fn new(limit: Option<u64>, cursor: Option<&str>) -> Result<Self, BadCursor> {
        let limit = limit.and_then(|l| usize::try_from(l).ok()).unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        Ok(Self { limit, after: cursor.map(Cursor::decode).transpose()? })
    }
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Changes each item.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}
