//! What targets that answer later tell of their deliveries, and read of them. They prove themselves by the secret of
//! their subscription and need no token.

mod read;
mod signer;
mod status;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use hookport::domain::delivery::DeliveryState;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(read::read)).routes(routes!(status::status))
}

/// Where a delivery stands, as its target is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CallbackStatus {
    /// It waits for its next attempt, or for its subscription, or is being attempted.
    Pending,
    /// The target took it and tells later how it went.
    InProgress,
    /// It is done.
    Delivered,
    /// It was given up or cancelled.
    Failed,
}

impl From<DeliveryState> for CallbackStatus {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Pending { .. } | DeliveryState::Held | DeliveryState::Attempting { .. } => Self::Pending,
            DeliveryState::InProgress { .. } => Self::InProgress,
            DeliveryState::Delivered { .. } => Self::Delivered,
            DeliveryState::Exhausted { .. } | DeliveryState::Cancelled { .. } => Self::Failed,
        }
    }
}

/// The body, byte for byte: it is what was signed.
pub(crate) struct RawBody(pub(crate) Bytes);

impl FromRequest<Api> for RawBody {
    type Rejection = Error;

    async fn from_request(request: Request, api: &Api) -> Result<Self> {
        match Bytes::from_request(request, api).await {
            Ok(body) => Ok(Self(body)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Error::TooLarge),
            Err(_) => Err(Error::InvalidRequest("the body did not arrive whole".to_owned())),
        }
    }
}
