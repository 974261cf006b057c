//! The shapes of answers: one thing, or a page of a list.

use hookport::domain::cursor::{Page, PageRequest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::Result;

/// Which part of a list is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// The most items to give. More than 100 are never given, and fewer than 1 are never asked for.
    #[param(default = 25)]
    limit: Option<u64>,
    /// Where to continue: the `next_cursor` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    /// The page that was asked for.
    pub(crate) fn page(&self) -> Result<PageRequest> {
        page(self.limit, self.cursor.as_deref())
    }
}

/// The page with this limit and cursor.
pub(crate) fn page(limit: Option<u64>, cursor: Option<&str>) -> Result<PageRequest> {
    Ok(PageRequest::new(limit, cursor)?)
}

/// One thing.
#[derive(Serialize, ToSchema)]
pub(crate) struct One<T> {
    pub(crate) data: T,
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Many<T> {
    data: Vec<T>,
    meta: Meta,
}

/// Where in the list the page is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Meta {
    /// The most items that the page could have had.
    limit: usize,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<String>,
}

impl<T> Many<T> {
    /// The answer that shows `found`, of which `request` was asked for.
    pub(crate) fn new(request: &PageRequest, found: Page<T>) -> Self {
        let next_cursor = found.next.map(|cursor| cursor.encode());
        Self { data: found.items, meta: Meta { limit: request.limit, next_cursor } }
    }
}
