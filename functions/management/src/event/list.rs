//! `GET /api/v1/events`: lists the tenant's events.

use axum::Json;
use axum::extract::State;
use hookport::domain::cursor::Page;
use hookport::domain::event_type::EventPattern;
use hookport::domain::id::{InboundWebhookId, WebhookKeyId};
use hookport::domain::inbound_delivery::{InboundDelivery, Period};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::EventView;
use crate::api::Api;
use crate::caller::{Caller, EventRead, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, page};

/// Which events are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventQuery {
    /// The most items to give. More than 100 are never given, and fewer than 1 are never asked for.
    #[param(default = 25)]
    limit: Option<u64>,
    /// Where to continue: the `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only of this type, or of all types below a prefix: `github.push`, `github.*`.
    #[serde(rename = "type")]
    #[param(value_type = Option<String>)]
    event_type: Option<EventPattern>,
    /// Only from this webhook: neither published ones nor what the gateway tells of subscriptions.
    #[param(value_type = Option<String>)]
    webhook: Option<InboundWebhookId>,
    /// Only by this key.
    #[param(value_type = Option<String>)]
    key_id: Option<WebhookKeyId>,
    /// Only from this time on (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    date_from: Option<Timestamp>,
    /// Only up to this time (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    date_to: Option<Timestamp>,
}

impl EventQuery {
    fn wants(&self, delivery: &InboundDelivery) -> bool {
        delivery.event_id().is_some()
            && self.event_type.as_ref().is_none_or(|pattern| pattern.matches(&delivery.event_type))
            && self.key_id.is_none_or(|key| delivery.key_id == Some(key))
    }
}

/// Lists the tenant's events, newest first, without their payloads: those that were received, those that were
/// published, and those that the gateway tells of itself.
///
/// With filters a page may have fewer events than were asked for, even none, and still have a next one.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "listEvents",
    tag = "events",
    security(("bearer" = [EventRead::PERMISSION])),
    params(EventQuery),
    responses(
        (status = 200, description = "The events.", body = Many<EventView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<EventRead>,
    Params(query): Params<EventQuery>,
) -> Result<Json<Many<EventView>>> {
    let page = page(query.limit, query.cursor.as_deref())?;
    let store = &api.app.store;
    let mut webhooks = store.inbound_webhook_ids(caller.tenant()).await?;
    webhooks.push(InboundWebhookId::NONE);
    if let Some(webhook) = query.webhook {
        webhooks.retain(|id| *id == webhook);
    }
    let period = Period { from: query.date_from, to: query.date_to };
    let found = store.find_inbound(caller.tenant(), &webhooks, &page, period, |d| query.wants(d)).await?;
    let events = Page { items: found.items.into_iter().filter_map(EventView::of).collect(), next: found.next };
    Ok(Json(Many::new(&page, events)))
}
