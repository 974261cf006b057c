//! Deliveries: one event for one subscription, the attempts that were made, and what can be done by hand.

mod cancel;
mod list;
mod list_of_event;
mod list_of_subscription;
mod made;
mod newest;
mod read;
mod resend;
mod retry;
mod view;

use hookport::domain::delivery::Delivery;
use hookport::domain::id::DeliveryId;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use self::list::visible;
pub(crate) use self::made::{Made, make};
pub(crate) use self::newest::newest;
pub(crate) use self::view::{DeliveryView, OutcomeView, StateView, error_of, headers_view};

use crate::api::Api;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::routes::routes;
use crate::subscription;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list::list))
        .routes(routes!(read::read))
        .routes(routes!(retry::retry))
        .routes(routes!(cancel::cancel))
        .routes(routes!(resend::resend))
        .routes(routes!(list_of_event::list_of_event))
        .routes(routes!(list_of_subscription::list_of_subscription))
}

/// Reads a delivery that the caller may see: one that acts for an owner sees those of the owner's subscriptions alone.
pub(crate) async fn find<N>(api: &Api, caller: &Caller<N>, id: DeliveryId) -> Result<Delivery> {
    let found = api.app.store.delivery(caller.tenant(), id).await?;
    let delivery = found.ok_or(Error::DeliveryNotFound)?;
    if caller.owner().is_some() {
        match subscription::find(api, caller, delivery.subscription_id).await {
            Ok(_) => {}
            Err(Error::SubscriptionNotFound) => return Err(Error::DeliveryNotFound),
            Err(other) => return Err(other),
        }
    }
    Ok(delivery)
}
