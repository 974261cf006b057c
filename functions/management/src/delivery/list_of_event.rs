//! `GET /api/v1/events/{id}/deliveries`: lists the deliveries of an event.

use axum::Json;
use axum::extract::State;
use hookport::domain::cursor::{BadCursor, Cursor, Page, PageRequest};
use hookport::domain::id::{EventId, SubscriptionId};

use super::DeliveryView;
use super::list::visible;
use crate::api::Api;
use crate::caller::{Caller, DeliveryRead, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Ids, Params};
use crate::page::{Many, PageQuery};

/// Lists the deliveries of an event, in the order in which the event went out.
///
/// What was sent once more by hand is in the list of all deliveries. A token that acts for an owner sees the deliveries
/// to the owner's subscriptions.
#[utoipa::path(
    get,
    path = "/api/v1/events/{id}/deliveries",
    operation_id = "listDeliveriesOfEvent",
    tag = "deliveries",
    security(("bearer" = [DeliveryRead::PERMISSION])),
    params(("id" = String, Path, description = "The event's id: `evt_…`."), PageQuery),
    responses(
        (status = 200, description = "The deliveries.", body = Many<DeliveryView>),
        (
            status = 400,
            description = "`invalid_id`: not an id of an event. `invalid_request` or `invalid_cursor`: a parameter is \
                wrong.",
            body = ErrorBody
        ),
        (status = 404, description = "`event_not_found`: the caller sees no event with this id.", body = ErrorBody),
    ),
)]
pub(crate) async fn list_of_event(
    State(api): State<Api>,
    caller: Caller<DeliveryRead>,
    Ids(id): Ids<EventId>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<DeliveryView>>> {
    let page = query.page()?;
    let found = api.app.store.inbound_delivery(caller.tenant(), id.into()).await?;
    let source = found.filter(|delivery| delivery.event_id().is_some()).ok_or(Error::EventNotFound)?;
    let seen = seen(&api, &caller, source.subscriptions).await?;
    let (wanted, next) = part(&seen, &page)?;
    let mut items = api.app.store.deliveries_of_event(caller.tenant(), id, wanted).await?;
    items.sort_by_key(|delivery| wanted.iter().position(|wanted| *wanted == delivery.subscription_id));
    let found = Page { items: items.into_iter().map(DeliveryView::from).collect(), next };
    Ok(Json(Many::new(&page, found)))
}

/// Those of the subscriptions that the caller sees, in the same order.
async fn seen<N>(api: &Api, caller: &Caller<N>, mut all: Vec<SubscriptionId>) -> Result<Vec<SubscriptionId>> {
    if caller.owner().is_some() {
        let visible = visible(api, caller).await?;
        all.retain(|id| visible.contains(id));
        if all.is_empty() {
            // Whether there is such an event is not the owner's to know.
            return Err(Error::EventNotFound);
        }
    }
    Ok(all)
}

/// The subscriptions of one page, few enough to be read at once, and where the next page starts.
fn part<'a>(
    all: &'a [SubscriptionId],
    page: &PageRequest,
) -> std::result::Result<(&'a [SubscriptionId], Option<Cursor>), BadCursor> {
    let start = match &page.after {
        Some(cursor) => {
            let last = SubscriptionId::from_suffix(cursor.sort_key()).map_err(|_| BadCursor)?;
            all.iter().position(|id| *id == last).ok_or(BadCursor)? + 1
        }
        None => 0,
    };
    let end = all.len().min(start + page.limit);
    let next = if end < all.len() { all[start..end].last().map(|id| Cursor::after(&id.suffix())) } else { None };
    Ok((&all[start..end], next))
}
