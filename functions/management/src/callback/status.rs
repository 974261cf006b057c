//! `POST /webhook-deliveries/{id}/status`: takes what a target tells of a delivery that it answered for later.

use axum::Json;
use axum::extract::State;
use hookport::domain::delivery::{Delivery, DeliveryState, Progress, SILENCE};
use hookport::domain::id::DeliveryId;
use hookport::domain::issue::Failures;
use hookport::domain::own_event::{OwnEvent, is_own};
use hookport::domain::time::later;
use hookport::issues;
use hookport::lanes;
use hookport::own_events::tell;
use http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};
use utoipa::ToSchema;

use super::signer::signed_for;
use super::{CallbackStatus, RawBody};
use crate::api::Api;
use crate::delivery::error_of;
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Ids, JsonObject};

#[cfg(test)]
mod tests;

/// How often a delivery that moved meanwhile is read again.
const TRIES: usize = 3;
/// The most that can be done, in percent.
const ALL: u8 = 100;
/// The longest words of a target.
const MAX_MESSAGE_CHARS: usize = 1024;
/// The longest text of a refusal, in characters.
const MAX_REASON_CHARS: usize = 300;

/// How far a target has come with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReportedStatus {
    /// It is working on it.
    InProgress,
    /// It is done.
    Completed,
    /// It failed, and nothing more comes of it.
    Failed,
}

/// What a target tells of a delivery.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusReport {
    /// How far it has come.
    status: ReportedStatus,
    /// How much is done, in percent; what was told last when absent.
    #[schema(maximum = 100)]
    status_percent: Option<u8>,
    /// Words for people; what was told last when absent.
    #[schema(max_length = 1024)]
    status_message: Option<String>,
}

/// What was taken.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatusTaken {
    /// The delivery.
    #[schema(value_type = String)]
    id: DeliveryId,
    /// Where it stands now.
    status: CallbackStatus,
    /// How much is done, in percent.
    #[schema(maximum = 100)]
    status_percent: u8,
    /// When this was told.
    #[schema(value_type = String, format = DateTime)]
    status_updated_at: Timestamp,
}

/// Takes what a target tells of a delivery that it answered for later.
///
/// The body is signed with the subscription's secret: `X-Webhook-Signature` or `X-Hub-Signature-256` with `sha256=` and
/// the HMAC-SHA256 of the body in hex, or the headers of Standard Webhooks. A target that tells nothing for 15 minutes
/// has failed.
#[utoipa::path(
    post,
    path = "/webhook-deliveries/{id}/status",
    operation_id = "reportDeliveryStatus",
    tag = "callbacks",
    params(
        ("id" = String, Path, description = "The delivery's id, as `Hookport-Delivery-Id` gave it: `dlv_…`."),
        ("X-Webhook-Signature" = Option<String>, Header, description = "`sha256=` and the HMAC of the body in hex."),
    ),
    request_body = StatusReport,
    responses(
        (status = 200, description = "It is taken.", body = StatusTaken),
        (
            status = 400,
            description = "`invalid_id`: not an id of a delivery. `invalid_request`: the body is no JSON, or a field \
                breaks its rule.",
            body = ErrorBody
        ),
        (
            status = 401,
            description = "`signature_missing`, `signature_mismatch`, `signature_stale`: the signature is not that of \
                the subscription's secret over the body.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`delivery_not_found`: no delivery that is told of later has this id, or its subscription is \
                gone.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`delivery_ended`: it has ended. `delivery_not_in_progress`: no answer that promised more is \
                recorded; try again. `conflict`: it kept moving meanwhile.",
            body = ErrorBody
        ),
        (
            status = 503,
            description = "`unavailable`: try again after the seconds in `Retry-After`.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn status(
    State(api): State<Api>,
    Ids(id): Ids<DeliveryId>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Json<StatusTaken>> {
    let mut before = signed_for(&api, &headers, &body, id).await?;
    let report = StatusReport::read(&body)?;
    for _ in 0..TRIES {
        let now = api.app.clock.now();
        let after = report.applied_to(&before, now)?;
        if api.app.store.move_delivery(&before, &after).await? {
            follow(&api, &after, now).await;
            let status_percent = after.progress.as_ref().map_or(0, |progress| progress.percent);
            let status = after.state.into();
            return Ok(Json(StatusTaken { id, status, status_percent, status_updated_at: now }));
        }
        before = api.app.store.delivery(&before.tenant, id).await?.ok_or(Error::DeliveryNotFound)?;
    }
    Err(Error::Conflict)
}

/// Lets the next of its lane go, logs what was told, and lets the tenant know of a failure.
async fn follow(api: &Api, after: &Delivery, now: Timestamp) {
    if after.state.is_final() {
        lanes::wake(&api.app, after).await;
    }
    info!(
        tenant = %after.tenant,
        delivery.id = %after.id,
        subscription.id = %after.subscription_id,
        percent = after.progress.as_ref().map(|progress| progress.percent),
        has_ended = after.state.is_final(),
        "delivery.told"
    );
    // What goes wrong with what the gateway tells is not told.
    let is_news = after.kind.is_of_event() && !is_own(&after.event_type);
    if is_news && matches!(after.state, DeliveryState::Exhausted { .. }) {
        let found = api.app.store.subscription(&after.tenant, after.subscription_id).await;
        let owner = found.ok().flatten().and_then(|subscription| subscription.owner);
        let event = OwnEvent::exhausted(after, owner, &error_of(after).unwrap_or_default(), now);
        if let Err(error) = tell(&api.app, &event).await {
            // The delivery has ended and says why; the target cannot help it.
            warn!(delivery.id = %after.id, error = %error, "delivery.end_untold");
        }
    }
    if let Some(failures) = Failures::of_end(after)
        && let Err(error) = issues::count(&api.app, &failures).await
    {
        warn!(delivery.id = %after.id, error = %error, "issue.uncounted");
    }
}

impl StatusReport {
    fn read(body: &[u8]) -> Result<Self> {
        let JsonObject(report) = serde_json::from_slice::<JsonObject<Self>>(body).map_err(|error| {
            // What a target sent is quoted in it.
            let text = format!("the body is not a status: {error}");
            Error::InvalidRequest(text.chars().take(MAX_REASON_CHARS).collect())
        })?;
        if report.status_percent.is_some_and(|percent| percent > ALL) {
            return Err(Error::field("status_percent", "must be 0 to 100"));
        }
        if report.status_message.as_ref().is_some_and(|text| text.chars().count() > MAX_MESSAGE_CHARS) {
            return Err(Error::field("status_message", "must have at most 1024 characters"));
        }
        Ok(report)
    }

    /// The delivery after this was told at `now`.
    fn applied_to(&self, before: &Delivery, now: Timestamp) -> Result<Delivery> {
        match before.state {
            DeliveryState::InProgress { .. } => {}
            DeliveryState::Delivered { .. } | DeliveryState::Exhausted { .. } | DeliveryState::Cancelled { .. } => {
                return Err(Error::DeliveryEnded);
            }
            // The target was faster than the record of its answer.
            DeliveryState::Pending { .. } | DeliveryState::Held | DeliveryState::Attempting { .. } => {
                return Err(Error::DeliveryNotInProgress);
            }
        }
        let (state, percent) = match self.status {
            ReportedStatus::InProgress => {
                (DeliveryState::InProgress { silent_at: later(now, SILENCE) }, self.status_percent)
            }
            ReportedStatus::Completed => (DeliveryState::Delivered { at: now }, Some(ALL)),
            ReportedStatus::Failed => (DeliveryState::Exhausted { at: now }, self.status_percent),
        };
        let last = before.progress.as_ref();
        let progress = Progress {
            percent: percent.or(last.map(|last| last.percent)).unwrap_or(0),
            message: self.status_message.clone().or_else(|| last?.message.clone()),
            at: now,
        };
        Ok(Delivery { progress: Some(progress), ..before.clone() }.in_state(state, now))
    }
}
