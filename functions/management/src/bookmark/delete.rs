//! `DELETE /api/v1/bookmarks/{id}`: deletes a saved event.

use axum::extract::State;
use hookport::domain::id::BookmarkId;
use http::StatusCode;
use tracing::info;

use crate::api::Api;
use crate::caller::{BookmarkDelete, Caller, Needs};
use crate::error::{ErrorBody, OutboundRefusal, Result};
use crate::extract::Ids;

/// Deletes a saved event with its payload. Events that it was sent as stay.
#[utoipa::path(
    delete,
    path = "/api/v1/bookmarks/{id}",
    operation_id = "deleteBookmark",
    tag = "bookmarks",
    security(("bearer" = [BookmarkDelete::PERMISSION])),
    params(("id" = String, Path, description = "The bookmark's id: `bkm_…`.")),
    responses(
        (status = 204, description = "The bookmark is deleted."),
        (status = 400, description = "`invalid_id`: not an id of a bookmark.", body = ErrorBody),
        (status = 404, description = "`bookmark_not_found`: no bookmark of the tenant has this id.", body = ErrorBody),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<BookmarkDelete>,
    Ids(id): Ids<BookmarkId>,
) -> Result<StatusCode> {
    if !api.app.store.delete_bookmark(caller.tenant(), id).await? {
        return Err(OutboundRefusal::BookmarkNotFound.into());
    }
    info!(tenant = %caller.tenant(), bookmark.id = %id, "bookmark.deleted");
    Ok(StatusCode::NO_CONTENT)
}
