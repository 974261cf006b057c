//! `GET /api/v1/bookmarks/{id}`: shows a saved event with its payload.

use axum::Json;
use axum::extract::State;
use hookport::domain::event_facts::EventFacts;
use hookport::domain::id::BookmarkId;
use serde::Serialize;
use utoipa::ToSchema;

use super::{BookmarkView, find};
use crate::api::Api;
use crate::caller::{BookmarkRead, Caller, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::inbound_delivery::RequestView;
use crate::page::One;

/// A saved event with its payload.
#[derive(Serialize, ToSchema)]
pub(crate) struct BookmarkWithRequest {
    #[serde(flatten)]
    bookmark: BookmarkView,
    /// The request that the event was made from: its headers, and its body as text or in base64. The body of a
    /// published event is its envelope.
    request: RequestView,
    /// What the event says of itself beside its payload; null when it was not published.
    facts: Option<EventFacts>,
}

/// Shows a saved event with its payload, which may hold personal data.
#[utoipa::path(
    get,
    path = "/api/v1/bookmarks/{id}",
    operation_id = "readBookmark",
    tag = "bookmarks",
    security(("bearer" = [BookmarkRead::PERMISSION])),
    params(("id" = String, Path, description = "The bookmark's id: `bkm_…`.")),
    responses(
        (status = 200, description = "The bookmark.", body = One<BookmarkWithRequest>),
        (status = 400, description = "`invalid_id`: not an id of a bookmark.", body = ErrorBody),
        (status = 404, description = "`bookmark_not_found`: no bookmark of the tenant has this id.", body = ErrorBody),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<BookmarkRead>,
    Ids(id): Ids<BookmarkId>,
) -> Result<Json<One<BookmarkWithRequest>>> {
    let (bookmark, kept) = find(&api, caller.tenant(), id).await?;
    let (head, _) = kept.unpack()?;
    let request = RequestView::of(&kept)?;
    Ok(Json(One { data: BookmarkWithRequest { bookmark: bookmark.into(), request, facts: head.facts } }))
}
