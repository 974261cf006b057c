//! `GET /api/v1/events`: lists the tenant's events.

use axum::Json;
use axum::extract::State;
use hookport::domain::cursor::Page;

use super::EventView;
use crate::api::Api;
use crate::caller::{Caller, EventRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, PageQuery};

/// Lists the tenant's events, newest first, without their payloads.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "listEvents",
    tag = "events",
    security(("bearer" = [EventRead::PERMISSION])),
    params(PageQuery),
    responses(
        (status = 200, description = "The events.", body = Many<EventView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<EventRead>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<EventView>>> {
    let page = query.page()?;
    let store = &api.app.store;
    let webhooks = store.inbound_webhook_ids(caller.tenant()).await?;
    let found = store.list_inbound_of(caller.tenant(), &webhooks, &page, |d| d.event_id().is_some()).await?;
    let events = Page { items: found.items.into_iter().filter_map(EventView::of).collect(), next: found.next };
    Ok(Json(Many::new(&page, events)))
}
