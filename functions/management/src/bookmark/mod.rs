//! Bookmarks: events that somebody saved with their payloads, to send them again.
//!
//! They are the tenant's: who acts for an owner of subscriptions sees none.

mod create;
mod delete;
mod list;
mod read;
mod send;

use hookport::domain::bookmark::Bookmark;
use hookport::domain::event_type::EventType;
use hookport::domain::id::{BookmarkId, EventId};
use hookport::domain::text::TenantSlug;
use hookport::store::KeptRequest;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::{OutboundRefusal, Result};
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list::list, create::create))
        .routes(routes!(read::read, delete::delete))
        .routes(routes!(send::send))
}

/// A saved event without its payload.
#[derive(Serialize, ToSchema)]
pub(crate) struct BookmarkView {
    /// Its id.
    #[schema(value_type = String, example = "bkm_01m5w3rm008000000400000003")]
    id: BookmarkId,
    /// Its name for people.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// The event that was saved, which may be gone by now.
    #[schema(value_type = String)]
    event_id: EventId,
    /// The type of the event.
    event_type: EventType,
    /// When the event was accepted.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// The size of its body.
    body_bytes: usize,
    /// When it was saved.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Bookmark> for BookmarkView {
    fn from(bookmark: Bookmark) -> Self {
        Self {
            id: bookmark.id,
            name: bookmark.name.to_string(),
            description: bookmark.description.map(|text| text.to_string()),
            event_id: bookmark.event_id,
            event_type: bookmark.event_type,
            occurred_at: bookmark.event_id.created_at(),
            body_bytes: bookmark.body_bytes,
            created_at: bookmark.created_at,
        }
    }
}

/// Finds a bookmark whose request is there. While it is being deleted, it is gone.
async fn find(api: &Api, tenant: &TenantSlug, id: BookmarkId) -> Result<(Bookmark, KeptRequest)> {
    match api.app.store.bookmark(tenant, id).await? {
        Some((bookmark, Some(request))) => Ok((bookmark, request)),
        Some((_, None)) | None => Err(OutboundRefusal::BookmarkNotFound.into()),
    }
}
