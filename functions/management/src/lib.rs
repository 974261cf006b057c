//! The management function: the API that admins configure and look through, and the document that describes it.
//!
//! It decides who may do what and how things look from outside. The rules of the things themselves are in
//! [`hookport::domain`]; nothing here is on the path of a webhook.

mod api;
mod api_token;
mod audit;
mod bookmark;
mod callback;
mod caller;
mod delivery;
mod dialect;
mod egress_rule;
mod error;
mod event;
mod event_type;
mod extract;
mod health;
mod inbound_delivery;
mod inbound_webhook;
mod issue;
mod log;
#[cfg(feature = "document")]
mod openapi;
mod operator;
mod owner;
mod pack;
mod page;
mod preset;
mod recorded;
mod registration;
mod registration_token;
mod rejection;
mod replay;
mod routes;
mod sample;
mod schedule;
mod secret;
mod signing_key;
mod source;
mod stats;
mod subscription;
mod template;
mod tenant;
mod trigger;
mod verify;
mod wait;
mod webhook_version;

use axum::body::{Body, to_bytes};
use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use bytes::Bytes;
use hookport::app::App;
use http::{Request, Response};
use tower::ServiceExt;

#[cfg(feature = "document")]
pub use openapi::{openapi, openapi_json};
pub use operator::{ensure_operator, invoke, issue_operator_token};

use api::Api;
use error::Error;

/// The largest body that the API takes, in bytes.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// The API over this plumbing.
pub fn router(app: App) -> Router {
    let clock = app.clock.clone();
    routes::ROUTES
        .clone()
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(clock, log::one_line))
        .with_state(Api::new(app))
}

/// Answers one request.
pub async fn handle(router: &Router, request: Request<Bytes>) -> Response<Bytes> {
    let Ok(response) = router.clone().oneshot(request.map(Body::from)).await;
    let (parts, body) = response.into_parts();
    // Every answer is made in memory, so reading it back cannot fail.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    Response::from_parts(parts, body)
}

async fn not_found() -> Error {
    Error::NotFound
}

async fn method_not_allowed() -> Error {
    Error::MethodNotAllowed
}
