//! `GET /api/v1/inbound-webhooks/{id}/capture-sample`: shows the sample of an inbound webhook.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;

use super::{CaptureView, SampleView, find};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookSample, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::inbound_delivery::RequestView;
use crate::page::One;

/// Shows whether an inbound webhook is armed, and the request that it captured.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}/capture-sample",
    operation_id = "readSample",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookSample::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    responses(
        (status = 200, description = "The window, and the sample if there is one.", body = One<CaptureView>),
        (status = 400, description = "`invalid_id`: not an id of an inbound webhook.", body = ErrorBody),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<InboundWebhookSample>,
    Ids(id): Ids<InboundWebhookId>,
) -> Result<Json<One<CaptureView>>> {
    let (store, now) = (&api.app.store, api.app.clock.now());
    let webhook = find(&api, caller.tenant(), id).await?;
    let mut view = CaptureView::without_sample(webhook.capture_until);
    if webhook.capture_until.is_none() {
        return Ok(Json(One { data: view }));
    }
    let captured = store.sample(caller.tenant(), id).await?;
    if let Some(sample) = captured.filter(|sample| sample.is_of(webhook.capture_until, now)) {
        view.captured_at = Some(sample.captured_at);
        let found =
            store.inbound_delivery_with_request(caller.tenant(), sample.delivery_id, api.app.clock.now()).await?;
        if let Some(request) = found.and_then(|(_, request)| request) {
            view.sample = Some(SampleView { delivery_id: sample.delivery_id, request: RequestView::of(&request)? });
        }
    }
    Ok(Json(One { data: view }))
}
