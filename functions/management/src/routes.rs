//! Every route of the API, and the document that describes them.
//!
//! A route says what it takes and answers, and the OpenAPI document is made from that: a megabyte of code that the
//! deployed program never runs. So the feature `document` decides whether it is there, and the document that is served
//! is the one in `docs/openapi.json`, which a test holds against the routes.

use std::sync::LazyLock;

use axum::Router;
use http::HeaderName;
use http::header::CONTENT_TYPE;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::{
    api_token, audit, bookmark, callback, delivery, dialect, egress_rule, event, event_type, health, inbound_delivery,
    inbound_webhook, issue, owner, pack, preset, registration, registration_token, rejection, replay, sample, schedule,
    signing_key, stats, subscription, template, tenant, trigger, verify, webhook_version,
};

/// The routes of handlers, with what is said of them.
#[cfg(feature = "document")]
macro_rules! routes {
    ($($handler:path),+ $(,)?) => { utoipa_axum::routes!($($handler),+) };
}

/// The routes of handlers, without what is said of them.
#[cfg(not(feature = "document"))]
macro_rules! routes {
    ($($handler:path),+ $(,)?) => {{
        use utoipa_axum::PathItemExt;
        let mut paths = utoipa::openapi::path::Paths::new();
        let mut router = axum::routing::MethodRouter::new();
        $({
            let path = utoipa_axum::paste! { utoipa_axum::routes!(@path [path()] of $handler) };
            let methods = utoipa_axum::paste! { utoipa_axum::routes!(@path [methods()] of $handler) };
            for method in &methods {
                router = router.on(method.to_method_filter(), $handler);
            }
            paths.add_path_operation(&path, methods, utoipa::openapi::path::Operation::new());
        })+
        (Vec::new(), paths, router)
    }};
}

pub(crate) use routes;

/// Every route of the API. Made once, because there are many.
pub(crate) static ROUTES: LazyLock<Router<Api>> =
    LazyLock::new(|| with_every_route(OpenApiRouter::new()).split_for_parts().0);

/// Adds every route of the API.
pub(crate) fn with_every_route(router: OpenApiRouter<Api>) -> OpenApiRouter<Api> {
    router
        .routes(routes!(serve))
        .merge(tenant::routes())
        .merge(api_token::routes())
        .merge(inbound_webhook::routes())
        .merge(preset::routes())
        .merge(inbound_delivery::routes())
        .merge(rejection::routes())
        .merge(replay::routes())
        .merge(sample::routes())
        .merge(webhook_version::routes())
        .merge(stats::routes())
        .merge(health::routes())
        .merge(event_type::routes())
        .merge(trigger::routes())
        .merge(pack::routes())
        .merge(event::routes())
        .merge(bookmark::routes())
        .merge(schedule::routes())
        .merge(subscription::routes())
        .merge(owner::routes())
        .merge(registration_token::routes())
        .merge(registration::routes())
        .merge(audit::routes())
        .merge(egress_rule::routes())
        .merge(callback::routes())
        .merge(verify::routes())
        .merge(signing_key::routes())
        .merge(dialect::routes())
        .merge(template::routes())
        .merge(delivery::routes())
        .merge(issue::routes())
}

/// `docs/openapi.json`, packed by the build script.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.zst"));

static DOCUMENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    // What a test has unpacked can be unpacked; nobody is served half a document in any case.
    zstd::stream::decode_all(PACKED).unwrap_or_default()
});

/// Describes this API.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    operation_id = "readOpenApi",
    tag = "openapi",
    responses((status = 200, description = "This document.", content_type = "application/json", body = Object)),
)]
async fn serve() -> ([(HeaderName, &'static str); 1], &'static [u8]) {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_slice())
}
