//! Subscriptions: who wants which events where.

mod create;
mod delete;
mod list;
mod read;

use hookport::domain::event_type::EventPattern;
use hookport::domain::id::SubscriptionId;
use hookport::domain::retry::RetrySchedule;
use hookport::domain::subscription::Subscription;
use hookport::domain::text::{Description, Name};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list, create::create)).routes(routes!(read::read, delete::delete))
}

/// Who wants which events where.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubscriptionView {
    /// Its id.
    #[schema(value_type = String, example = "sub_01m5w3rm008000000400000003")]
    id: SubscriptionId,
    /// Its name for people.
    name: Name,
    /// What it is for.
    description: Option<Description>,
    /// Where deliveries go, in the normal form of URLs.
    #[schema(format = "uri")]
    url: String,
    /// The event types wanted.
    #[schema(value_type = Vec<String>, example = json!(["invoice.*"]))]
    events: Vec<EventPattern>,
    /// When failed attempts are made again.
    retry_schedule: RetrySchedule,
    /// When it was made; older events are not for it.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Subscription> for SubscriptionView {
    fn from(subscription: Subscription) -> Self {
        Self {
            id: subscription.id,
            name: subscription.name,
            description: subscription.description,
            url: subscription.url.to_string(),
            events: subscription.events,
            retry_schedule: subscription.retry_schedule,
            created_at: subscription.created_at,
        }
    }
}
