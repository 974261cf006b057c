//! `GET /api/v1/inbound-webhooks/{id}/stats/detailed`: shows what became of an inbound webhook's requests.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::refusal::Refusal;
use hookport::domain::rejection::Rejection;
use hookport::domain::stats::{Outcomes, RollUp, first_hour};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{WebhookStats, rejections_since};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// What became of the requests to an inbound webhook.
///
/// Requests are counted when somebody looks, or the webhook has a silence alarm or is switched off after failures; what
/// nobody looked at for 30 days is missing, and repetitions for 3 days.
#[derive(Serialize, ToSchema)]
pub(crate) struct DetailedStatsView {
    /// When the webhook was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When the newest request of a sender that was kept arrived; null when there was none.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// The requests of senders that became events.
    total_events: u64,
    /// The requests of senders that were kept.
    total_requests: u64,
    /// Whether every request that is stored is counted. If not, the next look goes on where this one ended.
    complete: bool,
    /// What arrived before this time had expired before anybody looked, and is in no number.
    #[schema(value_type = String, format = DateTime)]
    counted_since: Timestamp,
    /// What became of them.
    outcomes: OutcomesView,
    /// How the requests of senders were answered.
    response_statuses: Vec<StatusView>,
    /// How long it took to keep the requests of senders.
    latency_ms: LatencyView,
    /// The present clock hour and the 23 before it.
    recent: RecentView,
}

/// Requests by what became of them. Each is in one of these numbers.
#[derive(Serialize, ToSchema)]
pub(crate) struct OutcomesView {
    /// Their events went to every subscription.
    dispatched: u64,
    /// Their events have not gone everywhere yet.
    pending: u64,
    /// Refused after they were received, for what is in them.
    failed: u64,
    /// Repetitions of earlier ones.
    duplicate: u64,
    /// Taken up too often without an end.
    stuck: u64,
    /// Handshakes: their senders asked whether the URL is ours.
    handshake: u64,
    /// Not dispatched when they were counted, and gone before anybody looked again.
    unknown: u64,
    /// Tests, whatever became of them.
    test: u64,
    /// Replays, whatever became of them.
    replay: u64,
}

/// How many requests were answered with one status.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatusView {
    /// The status.
    status: u16,
    /// The requests.
    requests: u64,
}

/// Latencies from arrival until a request was kept. Each is the upper bound of the bucket that it fell in: 1, 2, 5, 10,
/// 20, 50 and so on up to 10,000; 30,000 stands for all above. Null without requests.
#[derive(Serialize, ToSchema)]
pub(crate) struct LatencyView {
    /// Half of the requests took at most this long.
    p50: Option<u32>,
    /// Nine of ten took at most this long.
    p90: Option<u32>,
    /// Ninety-nine of a hundred took at most this long.
    p99: Option<u32>,
}

/// What came in the present clock hour and the 23 before it.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecentView {
    /// The begin of the first of these hours.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// The requests of senders that were kept.
    requests: u64,
    /// The refused requests on record. At most 256 of an hour are, so this is a lower bound.
    rejections_logged: u64,
    /// Which part of all requests was refused, from 0 to 1, by these two numbers; null without any.
    #[schema(minimum = 0, maximum = 1)]
    rejection_rate: Option<f64>,
    /// The refused requests on record, by reason.
    rejections: Vec<ReasonView>,
}

/// How many requests were refused for one reason.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReasonView {
    /// The reason.
    reason: Refusal,
    /// The requests.
    requests: u64,
}

impl From<Outcomes> for OutcomesView {
    fn from(outcomes: Outcomes) -> Self {
        Self {
            dispatched: outcomes.dispatched,
            pending: outcomes.pending,
            failed: outcomes.failed,
            duplicate: outcomes.duplicate,
            stuck: outcomes.stuck,
            handshake: outcomes.handshake,
            unknown: outcomes.unknown,
            test: outcomes.test,
            replay: outcomes.replay,
        }
    }
}

impl RecentView {
    fn new(numbers: &RollUp, rejections: &[Rejection], now: Timestamp) -> Self {
        let mut reasons = BTreeMap::new();
        for rejection in rejections {
            reasons.entry(rejection.refusal.code()).or_insert((rejection.refusal, 0)).1 += 1;
        }
        let requests = numbers.requests_of_newest_hours(now);
        let refused = rejections.len() as u64;
        let all = requests + refused;
        Self {
            since: first_hour(now),
            requests,
            rejections_logged: refused,
            rejection_rate: (all > 0).then(|| refused as f64 / all as f64),
            rejections: reasons.into_values().map(|(reason, requests)| ReasonView { reason, requests }).collect(),
        }
    }
}

impl DetailedStatsView {
    fn new(webhook: &InboundWebhook, stats: WebhookStats, rejections: &[Rejection], now: Timestamp) -> Self {
        let numbers = stats.numbers;
        let percentile = |percent| numbers.latency_ms(percent);
        Self {
            created_at: webhook.created_at,
            last_used_at: stats.last_used_at,
            total_events: stats.total_events,
            total_requests: numbers.outcomes.requests(),
            complete: stats.complete,
            counted_since: numbers.since,
            outcomes: numbers.outcomes.into(),
            response_statuses: numbers
                .statuses
                .iter()
                .map(|count| StatusView { status: count.status, requests: count.requests })
                .collect(),
            latency_ms: LatencyView { p50: percentile(50), p90: percentile(90), p99: percentile(99) },
            recent: RecentView::new(&numbers, rejections, now),
        }
    }
}

/// Shows what became of the requests to an inbound webhook.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}/stats/detailed",
    operation_id = "readDetailedInboundWebhookStats",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    responses(
        (status = 200, description = "The statistics.", body = One<DetailedStatsView>),
        (status = 400, description = "`invalid_id`: not an id of an inbound webhook.", body = ErrorBody),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn detailed(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Ids(id): Ids<InboundWebhookId>,
) -> Result<Json<One<DetailedStatsView>>> {
    let found = api.app.store.inbound_webhook(caller.tenant(), id).await?;
    let webhook = found.ok_or(Error::InboundWebhookNotFound)?;
    let now = api.app.clock.now();
    let stats = super::of(&api, &webhook).await?;
    let rejections = rejections_since(&api, &webhook, first_hour(now)).await?;
    Ok(Json(One { data: DetailedStatsView::new(&webhook, stats, &rejections, now) }))
}
