//! `POST /api/v1/templates/{id}/create`: makes a subscription by a template.

use axum::Json;
use axum::extract::{Path, State};
use hookport::dialect::template::template;
use hookport::domain::event_facts::{OwnerName, Scope};
use hookport::domain::payload_filter::PayloadFilter;
use hookport::domain::text::Description;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionCreate};
use crate::error::{Error, ErrorBody, OutboundRefusal, Result};
use crate::extract::Body;
use crate::subscription::create::create as create_subscription;
use crate::subscription::view::SubscriptionWithSecret;

/// What a template leaves open. What else a subscription can have is given to it by `PUT` afterwards.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FromTemplate {
    /// The URL that the receiver has handed out.
    #[schema(format = "uri", min_length = 8, max_length = 1024, example = "https://hooks.slack.com/services/T0/B0/x")]
    url: String,
    /// The event types wanted.
    #[schema(min_items = 1, max_items = 50, example = json!(["invoice.*"]))]
    events: Vec<String>,
    /// Its name for people; that of the template when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// What it is for.
    description: Option<Description>,
    /// On whose behalf it is made.
    owner: Option<OwnerName>,
    /// Only events about entities of this type; null or absent: about any.
    object_type: Option<String>,
    /// Only events at this scope or below it; null or absent: at any.
    scope: Option<Scope>,
    /// Only events with such a payload; null or absent: with any.
    filter: Option<PayloadFilter>,
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
    Body(request): Body<FromTemplate>,
) -> Result<(StatusCode, HeaderMap, Json<SubscriptionWithSecret>)> {
    let template = template(&id).ok_or(OutboundRefusal::TemplateNotFound)?;
    let name = request.name.clone().unwrap_or_else(|| template.name.to_owned());
    let mut members = serde_json::to_value(request).map_err(|error| Error::Internal(error.into()))?;
    members["name"] = json!(name);
    members["dialect"] = json!(template.dialect);
    let request = crate::event::parse(&members)?;
    create_subscription(State(api), caller, Body(request)).await
}
