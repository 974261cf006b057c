//! Samples: a webhook is armed for five minutes, and the first proven request that arrives is captured.
//!
//! What is captured may hold personal data, so it has a permission of its own and is never in a list.

mod arm;
mod clear;
mod read;

use hookport::domain::id::{InboundDeliveryId, InboundWebhookId};
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::text::TenantSlug;
use hookport::store::CreateError;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::inbound_delivery::RequestView;
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(arm::arm, clear::clear, read::read))
}

/// Whether a webhook waits for a request, and the one that it captured.
#[derive(Serialize, ToSchema)]
pub(crate) struct CaptureView {
    /// The end of the window in which the first proven request is captured. It stays when it is past; null when the
    /// webhook was never armed or was cleared.
    #[schema(value_type = Option<String>, format = DateTime)]
    armed_until: Option<Timestamp>,
    /// When the captured request arrived; null while there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    captured_at: Option<Timestamp>,
    /// The captured request; null while there is none, and once its body is no longer kept.
    sample: Option<SampleView>,
}

/// A request that was captured.
#[derive(Serialize, ToSchema)]
pub(crate) struct SampleView {
    /// The delivery that holds it.
    #[schema(value_type = String)]
    delivery_id: InboundDeliveryId,
    #[serde(flatten)]
    request: RequestView,
}

impl CaptureView {
    /// The view of a webhook that has captured nothing in this window.
    fn without_sample(armed_until: Option<Timestamp>) -> Self {
        Self { armed_until, captured_at: None, sample: None }
    }
}

async fn find(api: &Api, tenant: &TenantSlug, id: InboundWebhookId) -> Result<InboundWebhook> {
    api.app.store.inbound_webhook(tenant, id).await?.ok_or(Error::InboundWebhookNotFound)
}

/// Changes until when `webhook` captures a request.
async fn set(api: &Api, webhook: &InboundWebhook, until: Option<Timestamp>) -> Result<()> {
    let done = api.app.store.set_capture(webhook, until).await;
    done.map_err(|error: CreateError| Error::of_creation(error, Error::Conflict))
}
