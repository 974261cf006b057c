//! Health of inbound webhooks: one word for each, and why it is that one.

mod list;
mod read;

use hookport::domain::health::{Evidence, FAILING_AFTER, HealthState, REJECTING_WITHIN, judge};
use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_delivery::{InboundDelivery, Period};
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::text::Name;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::Result;
use crate::routes::routes;
use crate::stats::rejections_since;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(read::read)).routes(routes!(list::list))
}

/// How an inbound webhook is doing.
#[derive(Serialize, ToSchema)]
pub(crate) struct HealthView {
    /// The webhook.
    #[schema(value_type = String)]
    webhook_id: InboundWebhookId,
    /// Its name for people.
    name: Name,
    /// How it is doing. Of several states, the first counts in the order `auto_disabled`, `disabled`, `failing`,
    /// `rejecting`, `silent`, `idle`, `healthy`.
    state: HealthState,
    /// Why, for people. The wording may change.
    #[schema(example = "no request since 2026-11-22T10:00:00Z")]
    why: String,
    /// When the newest request of a sender that was kept arrived; null when there was none.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

/// Judges a webhook by its newest requests and by what was refused in the last hour.
async fn of(api: &Api, webhook: InboundWebhook) -> Result<HealthView> {
    let now = api.app.clock.now();
    let store = &api.app.store;
    let newest = store.newest_requests(&webhook.tenant, webhook.id, FAILING_AFTER, Period::default()).await?;
    let since = now.saturating_sub(REJECTING_WITHIN).unwrap_or(Timestamp::MIN);
    let refused = rejections_since(api, &webhook, since).await?;
    let refused_proofs = refused.iter().filter(|rejection| rejection.refusal.is_proof()).count();
    let kept = if refused_proofs == 0 {
        0
    } else {
        // As many as were refused are enough to say that those are not the greater part.
        let period = Period { from: Some(since), to: None };
        store.newest_requests(&webhook.tenant, webhook.id, refused.len() + 1, period).await?.len()
    };
    let evidence = Evidence { newest: &newest, kept, refused: refused.len(), refused_proofs };
    let health = judge(&webhook, evidence, now);
    Ok(HealthView {
        webhook_id: webhook.id,
        name: webhook.name,
        state: health.state,
        why: health.why,
        last_used_at: newest.first().map(InboundDelivery::received_at),
    })
}
