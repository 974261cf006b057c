//! `POST /api/v1/bookmarks`: saves an event.

use axum::Json;
use axum::extract::State;
use hookport::domain::bookmark::{Bookmark, MAX_BOOKMARKS};
use hookport::domain::id::{BookmarkId, EventId};
use hookport::domain::own_event::is_own;
use hookport::domain::text::{Description, Name};
use hookport::store::Writer;
use http::StatusCode;
use serde::Deserialize;
use tracing::info;
use utoipa::ToSchema;

use super::BookmarkView;
use crate::api::Api;
use crate::caller::{BookmarkCreate, Caller, Needs};
use crate::error::{Error, ErrorBody, OutboundRefusal, Result};
use crate::extract::Body;
use crate::page::One;

/// An event to be saved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateBookmark {
    /// The event, whose payload must still be kept.
    #[schema(value_type = String, example = "evt_01m5w3rm008000000400000003")]
    event_id: EventId,
    /// Its name for people.
    name: Name,
    /// What it is for.
    description: Option<Description>,
}

/// Saves an event with its payload until the bookmark is deleted, beyond the 30 days for which events are kept.
#[utoipa::path(
    post,
    path = "/api/v1/bookmarks",
    operation_id = "createBookmark",
    tag = "bookmarks",
    security(("bearer" = [BookmarkCreate::PERMISSION])),
    request_body = CreateBookmark,
    responses(
        (status = 201, description = "The bookmark.", body = One<BookmarkView>),
        (
            status = 400,
            description = "`invalid_request`: a field breaks its rule, or the event is one that the gateway tells of \
                itself.",
            body = ErrorBody
        ),
        (status = 404, description = "`event_not_found`: no event of the tenant has this id.", body = ErrorBody),
        (
            status = 409,
            description = "`body_expired`: the payload of the event is no longer kept. `too_many`: the tenant has 200 \
                bookmarks already.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<BookmarkCreate>,
    Body(request): Body<CreateBookmark>,
) -> Result<(StatusCode, Json<One<BookmarkView>>)> {
    let (store, now) = (&api.app.store, api.app.clock.now());
    let found = store.inbound_delivery_with_request(caller.tenant(), request.event_id.into(), now).await?;
    let (event, kept) = found.filter(|(event, _)| event.event_id().is_some()).ok_or(Error::EventNotFound)?;
    if is_own(&event.event_type) {
        return Err(Error::field("event_id", "is told by the gateway alone"));
    }
    let kept = kept.ok_or(Error::BodyExpired)?;
    let (_, body) = kept.unpack()?;
    let bookmark = Bookmark {
        id: BookmarkId::new(now, api.app.random.bits()),
        tenant: caller.tenant().clone(),
        name: request.name,
        description: request.description,
        event_id: request.event_id,
        event_type: event.event_type,
        body_bytes: body.len(),
        created_at: now,
    };
    if !store.create_bookmark(&bookmark, &kept, Writer::new(api.app.random.bits()), MAX_BOOKMARKS).await? {
        return Err(OutboundRefusal::TooMany(MAX_BOOKMARKS).into());
    }
    info!(tenant = %bookmark.tenant, bookmark.id = %bookmark.id, event.id = %bookmark.event_id, "bookmark.created");
    Ok((StatusCode::CREATED, Json(One { data: bookmark.into() })))
}
