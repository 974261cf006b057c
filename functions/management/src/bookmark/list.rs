//! `GET /api/v1/bookmarks`: lists the saved events.

use axum::Json;
use axum::extract::State;
use hookport::domain::cursor::Page;

use super::BookmarkView;
use crate::api::Api;
use crate::caller::{BookmarkRead, Caller, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, PageQuery};

/// Lists the saved events, newest first, without their payloads.
#[utoipa::path(
    get,
    path = "/api/v1/bookmarks",
    operation_id = "listBookmarks",
    tag = "bookmarks",
    security(("bearer" = [BookmarkRead::PERMISSION])),
    params(PageQuery),
    responses(
        (status = 200, description = "The bookmarks.", body = Many<BookmarkView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<BookmarkRead>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<BookmarkView>>> {
    let page = query.page()?;
    let found = api.app.store.bookmarks(caller.tenant(), &page).await?;
    let items = found.items.into_iter().map(BookmarkView::from).collect();
    Ok(Json(Many::new(&page, Page { items, next: found.next })))
}
