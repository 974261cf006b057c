//! The OpenAPI document, made from the routes themselves.
//!
//! What all operations share (who may call, what can go wrong anywhere) is added here, once. It is not part of the
//! program that is deployed, which serves the document as it was written down ([`routes`](crate::routes)).

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, Content, Info, OpenApi, Paths, Ref, RefOr, Response, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;

use crate::routes::with_every_route;

/// Refusals that operations share: name, status, description.
const UNAUTHORIZED: Shared = ("Unauthorized", "401", "`unauthorized`: the token is missing, unknown or past its end.");
const FORBIDDEN: Shared = (
    "Forbidden",
    "403",
    "`forbidden`: the token lacks the permission that is named. `inbound_disabled`, `outbound_disabled`: the tenant is \
    switched off.",
);
const TOO_LARGE: Shared = ("TooLarge", "413", "`too_large`: the body is larger than 256 KiB.");
const NOT_JSON: Shared = ("UnsupportedMediaType", "415", "`unsupported_media_type`: the body is not sent as JSON.");
const INTERNAL: Shared = ("Internal", "500", "`internal`: the gateway failed; trying again will not help.");
const UNAVAILABLE: Shared = ("Unavailable", "503", "`unavailable`: try again after the seconds in `Retry-After`.");

type Shared = (&'static str, &'static str, &'static str);

/// The OpenAPI 3.1 document of the management API.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut document = with_every_route(OpenApiRouter::with_openapi(base())).into_openapi();
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(complete);
    }
    document
}

/// The document as JSON for people to read, in a stable order, without a line break at its end.
///
/// # Panics
/// Never: the document is plain data.
#[must_use]
pub fn openapi_json() -> String {
    openapi().to_pretty_json().expect("the document is plain data")
}

fn base() -> OpenApi {
    let mut info = Info::new("Hookport management API", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Configures the gateway and shows what became of every webhook. Times are RFC 3339 in UTC. Lists come newest \
         first, in pages. Secrets are shown once, when they are made."
            .to_owned(),
    );
    let mut components = Components::new();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("hp_ and 40 letters and digits")
        .description(Some("An API token. The scope that an operation names is the permission that it needs."))
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let registration = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("hpr_ and 40 letters and digits")
        .description(Some("A registration token, with which a listener makes its own subscription."))
        .build();
    components.add_security_scheme("registration", SecurityScheme::Http(registration));
    for (name, _, description) in [UNAUTHORIZED, FORBIDDEN, TOO_LARGE, NOT_JSON, INTERNAL, UNAVAILABLE] {
        components.responses.insert(name.to_owned(), RefOr::T(refusal(description)));
    }
    let mut document = OpenApi::new(info, Paths::new());
    document.components = Some(components);
    document
}

fn refusal(description: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name("ErrorBody")));
    ResponseBuilder::new().description(description).content("application/json", content).build()
}

/// Adds what all operations of its kind share, where the operation does not say it in its own words.
fn complete(operation: &mut Operation) {
    let mut shared = Vec::new();
    if let Some(permission) = permission(operation) {
        let needs = format!("Needs the permission `{permission}`.");
        operation.description = Some(match operation.description.take() {
            Some(text) => format!("{text}\n\n{needs}"),
            None => needs,
        });
        shared.extend([UNAUTHORIZED, FORBIDDEN, INTERNAL, UNAVAILABLE]);
    }
    if operation.request_body.is_some() {
        shared.extend([TOO_LARGE, NOT_JSON]);
    }
    for (name, status, _) in shared {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::Ref(Ref::from_response_name(name)));
    }
}

/// The scope of the operation's security requirement, whose own fields cannot be read.
fn permission(operation: &Operation) -> Option<String> {
    let security = serde_json::to_value(operation.security.as_ref()?).ok()?;
    security.pointer("/0/bearer/0")?.as_str().map(str::to_owned)
}
