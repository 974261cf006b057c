//! `POST /api/v1/templates/{id}/create`: makes a subscription by a template.

use axum::Json;
use axum::extract::{Path, State};
use hookport::dialect::template::template;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionCreate};
use crate::error::{Error, ErrorBody, OutboundRefusal, Result};
use crate::extract::Body;
use crate::subscription::create::create as create_subscription;
use crate::subscription::view::SubscriptionWithSecret;

/// What a template leaves open. Any other member of a subscription can be given as well, but for its dialect.
#[derive(Deserialize, ToSchema)]
pub(crate) struct FromTemplate {
    /// The URL that the receiver has handed out.
    #[schema(format = "uri", example = "https://hooks.slack.com/services/T0/B0/x")]
    #[expect(dead_code, reason = "it describes the body, which is read as that of a subscription")]
    url: String,
    /// The event types wanted.
    #[schema(min_items = 1, max_items = 50, example = json!(["invoice.*"]))]
    #[expect(dead_code, reason = "it describes the body, which is read as that of a subscription")]
    events: Vec<String>,
    /// Its name for people; that of the template when absent.
    #[schema(min_length = 1, max_length = 255)]
    #[expect(dead_code, reason = "it describes the body, which is read as that of a subscription")]
    name: Option<String>,
}

/// Makes a subscription for a well-known receiver.
///
/// Its target is sent a message that says hello, and is active once it took that: whoever has such a URL was given it.
#[utoipa::path(
    post,
    path = "/api/v1/templates/{id}/create",
    operation_id = "createFromTemplate",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionCreate::PERMISSION])),
    params(("id" = String, Path, description = "The template's name.")),
    request_body = FromTemplate,
    responses(
        (status = 201, description = "The subscription.", body = SubscriptionWithSecret),
        (
            status = 400,
            description = "`invalid_request`: a field breaks its rule, or the URL is none of this receiver's. \
                `invalid_target`: nothing may be sent to the URL. `unknown_event_type`: there are no events of a type \
                or prefix.",
            body = ErrorBody
        ),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named, or is bound to another owner. \
                `outbound_disabled`: the tenant is switched off.",
            body = ErrorBody
        ),
        (status = 404, description = "`template_not_found`: there is none of this name.", body = ErrorBody),
        (
            status = 429,
            description = "`rate_limit_exceeded`: its owner asks too often. `quota_reached`: its owner has as many as \
                it may. `Retry-After` says when to come back.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<SubscriptionCreate>,
    Path(id): Path<String>,
    Body(mut members): Body<Map<String, Value>>,
) -> Result<(StatusCode, HeaderMap, Json<SubscriptionWithSecret>)> {
    let template = template(&id).ok_or(OutboundRefusal::TemplateNotFound)?;
    if let Some(member) = ["dialect", "also_sign"].into_iter().find(|member| members.contains_key(*member)) {
        return Err(Error::field(member, "is the template's"));
    }
    members.insert("dialect".to_owned(), json!(template.dialect));
    members.entry("name").or_insert_with(|| json!(template.name));
    let request = crate::event::parse(&Value::Object(members))?;
    create_subscription(State(api), caller, Body(request)).await
}
