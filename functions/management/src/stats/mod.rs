//! Statistics of inbound webhooks. Nothing is counted on the way of a request: whoever looks counts what came since.

mod detailed;
mod read;

use hookport::domain::cursor::PageRequest;
use hookport::domain::inbound_delivery::Period;
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::rejection::{Rejection, RejectionLog, SLOTS_AN_HOUR};
use hookport::domain::stats::RollUp;
use jiff::Timestamp;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::Result;
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(read::read)).routes(routes!(detailed::detailed))
}

/// What was received so far.
pub(crate) struct WebhookStats {
    /// When the newest request of a sender arrived.
    pub(crate) last_used_at: Option<Timestamp>,
    /// The requests of senders that became events.
    pub(crate) total_events: u64,
    /// Whether every stored request is counted.
    pub(crate) complete: bool,
    /// All numbers.
    pub(crate) numbers: RollUp,
}

/// Counts what a webhook received since somebody looked before.
pub(crate) async fn of(api: &Api, webhook: &InboundWebhook) -> Result<WebhookStats> {
    let store = &api.app.store;
    let counted = store.count_inbound(webhook, api.app.clock.now()).await?;
    let mut last_used_at = counted.numbers.last_used_at;
    if !counted.complete {
        // What is not counted yet is newer than what is.
        let newest = store.newest_requests(&webhook.tenant, webhook.id, 1, Period::default()).await?;
        last_used_at = last_used_at.max(newest.first().map(|row| row.received_at()));
    }
    Ok(WebhookStats {
        last_used_at,
        total_events: counted.numbers.outcomes.events(),
        complete: counted.complete,
        numbers: counted.numbers,
    })
}

/// The refused requests to a webhook since a time, newest first. At most 256 of an hour are on record.
pub(crate) async fn rejections_since(api: &Api, webhook: &InboundWebhook, since: Timestamp) -> Result<Vec<Rejection>> {
    let log = RejectionLog::Webhook(webhook.tenant.clone(), webhook.id);
    let mut page = PageRequest { limit: SLOTS_AN_HOUR, after: None };
    let mut found = Vec::new();
    loop {
        let read = api.app.store.list_rejections(&log, &page, |_| true).await?;
        let older = read.items.iter().position(|rejection| rejection.at() < since);
        found.extend(read.items.into_iter().take(older.unwrap_or(usize::MAX)));
        if older.is_some() || read.next.is_none() {
            return Ok(found);
        }
        page.after = read.next;
    }
}
