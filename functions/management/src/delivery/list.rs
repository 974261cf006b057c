//! `GET /api/v1/deliveries`: lists the tenant's deliveries.

use axum::Json;
use axum::extract::State;
use hookport::domain::cursor::{MAX_LIMIT, PageRequest};
use hookport::domain::delivery::{Delivery, DeliveryKind};
use hookport::domain::event_type::EventPattern;
use hookport::domain::id::SubscriptionId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{DeliveryView, StateView};
use crate::api::Api;
use crate::caller::{Caller, DeliveryRead, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, page};

/// Which deliveries are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveryQuery {
    /// Only deliveries to this subscription.
    #[param(value_type = Option<String>)]
    subscription_id: Option<SubscriptionId>,
    /// Only deliveries of these types of events: an exact one, a prefix such as `invoice.*`, or `*`.
    #[param(value_type = Option<String>, example = "invoice.*")]
    event_type: Option<EventPattern>,
    /// Only deliveries of events whose type begins with this word.
    #[param(example = "invoice")]
    object_type: Option<String>,
    /// Only deliveries that stand here.
    #[param(inline)]
    state: Option<StateView>,
    /// Only deliveries that carry this.
    #[param(inline)]
    kind: Option<DeliveryKind>,
    /// The most items to give. More than 100 are never given, and fewer than 1 are never asked for.
    #[param(default = 25)]
    limit: Option<u64>,
    /// Where to continue: the `next_cursor` of the page before.
    cursor: Option<String>,
}

impl DeliveryQuery {
    fn wants(&self, delivery: &Delivery) -> bool {
        let noun = delivery.event_type.as_str().split('.').next().unwrap_or_default();
        self.event_type.as_ref().is_none_or(|pattern| pattern.matches(&delivery.event_type))
            && self.object_type.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(noun))
            && self.state.is_none_or(|state| state == StateView::from(delivery.state))
            && self.kind.is_none_or(|kind| kind == delivery.kind)
    }
}

/// Lists the tenant's deliveries, newest first.
///
/// Those to deleted subscriptions are listed for as long as such rows are kept. A token that acts for an owner sees
/// those of the owner's subscriptions. A page may have fewer items than were asked for, even none, and still have a
/// next one: that is where the search for rare things goes on.
#[utoipa::path(
    get,
    path = "/api/v1/deliveries",
    operation_id = "listDeliveries",
    tag = "deliveries",
    security(("bearer" = [DeliveryRead::PERMISSION])),
    params(DeliveryQuery),
    responses(
        (status = 200, description = "The deliveries.", body = Many<DeliveryView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
        (
            status = 404,
            description = "`subscription_not_found`: the caller sees no subscription with this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<DeliveryRead>,
    Params(query): Params<DeliveryQuery>,
) -> Result<Json<Many<DeliveryView>>> {
    let page = page(query.limit, query.cursor.as_deref())?;
    let mut subscriptions = visible(&api, &caller).await?;
    if let Some(wanted) = query.subscription_id {
        subscriptions.retain(|id| *id == wanted);
        if subscriptions.is_empty() {
            return Err(Error::SubscriptionNotFound);
        }
    }
    let wanted = |delivery: &Delivery| query.wants(delivery);
    let found = api.app.store.list_deliveries(caller.tenant(), &subscriptions, &page, wanted).await?;
    Ok(Json(Many::new(&page, found.map(DeliveryView::from))))
}

/// The subscriptions that the caller sees and that may have rows.
pub(crate) async fn visible<N>(api: &Api, caller: &Caller<N>) -> Result<Vec<SubscriptionId>> {
    let store = &api.app.store;
    match caller.owner() {
        Some(owner) => {
            // Declared ones count towards no quota, so there may be more than a page of them.
            let (mut ids, mut page) = (Vec::new(), PageRequest { limit: MAX_LIMIT, after: None });
            loop {
                let own = store.list_subscriptions_of_owner(caller.tenant(), owner, &page).await?;
                ids.extend(own.items.into_iter().map(|subscription| subscription.id));
                match own.next {
                    Some(next) => page.after = Some(next),
                    None => return Ok(ids),
                }
            }
        }
        None => {
            let mut ids = store.subscription_ids(caller.tenant()).await?;
            // It stands in the configuration, and may have stood there before.
            ids.push(SubscriptionId::PINNED);
            Ok(ids)
        }
    }
}
