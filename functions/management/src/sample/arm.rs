//! `POST /api/v1/inbound-webhooks/{id}/capture-sample`: arms an inbound webhook.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::sample::window_end;

use super::{CaptureView, find, set};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookSample, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Makes an inbound webhook capture the next request.
///
/// For five minutes, it waits for a request that proves itself and is kept; the first one becomes the sample, and is
/// handled as any other. Receivers know of it within five seconds. Arming again begins another five minutes and lets go
/// of the sample that there was.
#[utoipa::path(
    post,
    path = "/api/v1/inbound-webhooks/{id}/capture-sample",
    operation_id = "armSampleCapture",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookSample::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    responses(
        (status = 200, description = "The webhook is armed.", body = One<CaptureView>),
        (status = 400, description = "`invalid_id`: not an id of an inbound webhook.", body = ErrorBody),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
        (status = 409, description = "`conflict`: someone changed the webhook at the same time.", body = ErrorBody),
    ),
)]
pub(crate) async fn arm(
    State(api): State<Api>,
    caller: Caller<InboundWebhookSample>,
    Ids(id): Ids<InboundWebhookId>,
) -> Result<Json<One<CaptureView>>> {
    let webhook = find(&api, caller.tenant(), id).await?;
    let until = Some(window_end(webhook.capture_until, api.app.clock.now()));
    set(&api, &webhook, until).await?;
    Ok(Json(One { data: CaptureView::without_sample(until) }))
}
