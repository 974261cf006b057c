//! `GET /api/v1/event-types`: lists the tenant's event types.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;

use super::{EventTypeView, Shown};
use crate::api::Api;
use crate::caller::{Caller, EventTypeRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, PageQuery};

/// Lists the tenant's event types, newest first, without their schemas and the keys of their webhooks.
#[utoipa::path(
    get,
    path = "/api/v1/event-types",
    operation_id = "listEventTypes",
    tag = "event-types",
    security(("bearer" = [EventTypeRead::PERMISSION])),
    params(PageQuery),
    responses(
        (status = 200, description = "The event types.", body = Many<EventTypeView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<EventTypeRead>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<EventTypeView>>> {
    let page = query.page()?;
    let store = &api.app.store;
    let found = store.list_event_types(caller.tenant(), &page).await?;
    let ids: Vec<_> = found.items.iter().filter_map(|definition| definition.webhook_id).collect();
    let webhooks = store.inbound_webhooks(caller.tenant(), &ids).await?;
    let webhooks: HashMap<_, _> = webhooks.into_iter().map(|webhook| (webhook.id, webhook)).collect();
    let views = found.map(|definition| {
        let webhook = definition.webhook_id.and_then(|id| webhooks.get(&id));
        EventTypeView::new(definition, Shown { webhook, key: None }, &api)
    });
    Ok(Json(Many::new(&page, views)))
}
