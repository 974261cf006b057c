//! `POST /api/v1/inbound-webhooks/{id}/test`: handles a request that the caller makes up.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hookport::domain::event_type::EventType;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_delivery::{RequestHead, may_keep_header};
use hookport::domain::inbound_webhook::{Address, Auth, InboundWebhook};
use hookport::scheme::view::{Request, View};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::InboundDeliveryView;
use super::keep::{Made, keep};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids};
use crate::page::One;

/// A request to be handled as if a sender had sent it. Of the three bodies, one at most may be given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyntheticRequest {
    /// The body as a JSON value, taken as it is written. Null is an empty body.
    #[schema(value_type = Option<Value>)]
    body: Option<Box<RawValue>>,
    /// The body as text.
    body_text: Option<String>,
    /// The body in base64.
    body_base64: Option<String>,
    /// The headers. Those that carry credentials or signatures are left out, as from any request.
    headers: Option<BTreeMap<String, String>>,
    /// The content type. By default that among the headers, and else what suits the body: `application/json`,
    /// `text/plain; charset=utf-8` or `application/octet-stream`.
    content_type: Option<String>,
}

/// Handles a request that the caller makes up, as a delivery that is marked as a test.
///
/// It needs no proof and has no idempotency key, and no limit counts it. All else is real: events are published, and
/// subscriptions get them. A body that is not what its content type or the schema asks for makes a delivery that says
/// so.
#[utoipa::path(
    post,
    path = "/api/v1/inbound-webhooks/{id}/test",
    operation_id = "testInboundWebhook",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookUpdate::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    request_body = SyntheticRequest,
    responses(
        (status = 202, description = "The new delivery.", body = One<InboundDeliveryView>),
        (
            status = 400,
            description = "`invalid_id`: not an id of an inbound webhook. `invalid_request`: a field breaks its rule, \
                or the body is larger than the webhook takes.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`webhook_inactive`: the webhook, or its event type, is switched off.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn test(
    State(api): State<Api>,
    caller: Caller<InboundWebhookUpdate>,
    Ids(id): Ids<InboundWebhookId>,
    Body(request): Body<SyntheticRequest>,
) -> Result<(StatusCode, Json<One<InboundDeliveryView>>)> {
    let found = api.app.store.inbound_webhook(caller.tenant(), id).await?;
    let mut webhook = found.ok_or(Error::InboundWebhookNotFound)?;
    if !webhook.is_active {
        return Err(Error::WebhookInactive);
    }
    let made = request.made_for(&webhook)?;
    if let Some(named) = named(&webhook, &made) {
        webhook.event_type = named;
    }
    let delivery = keep(&api.app, &webhook, made).await?;
    Ok((StatusCode::ACCEPTED, Json(One { data: delivery.into() })))
}

/// What a row calls the event of a request.
fn named(webhook: &InboundWebhook, made: &Made) -> Option<EventType> {
    let naming = webhook.naming.as_ref()?;
    let mut headers = HeaderMap::new();
    for (name, value) in &made.head.headers {
        headers.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
    }
    let (method, path_and_query) = (made.head.method.as_str(), made.head.path.as_str());
    let view = View::new(Request { method, base_url: "", path_and_query, headers: &headers, body: &made.body });
    naming.of(&view)
}

impl SyntheticRequest {
    fn made_for(self, webhook: &InboundWebhook) -> Result<Made> {
        let (body, default_type) = body(self.body, self.body_text, self.body_base64)?;
        if body.len() > usize::try_from(webhook.max_body_bytes).unwrap_or(usize::MAX) {
            return Err(Error::field("body", format!("must have at most {} bytes", webhook.max_body_bytes)));
        }
        let mut headers = headers(self.headers.unwrap_or_default(), &webhook.auth)?;
        if let Some(content_type) = self.content_type {
            HeaderValue::from_str(&content_type).map_err(|_| Error::field("content_type", "must fit a header"))?;
            headers.insert("content-type".to_owned(), content_type);
        }
        headers.entry("content-type".to_owned()).or_insert_with(|| default_type.to_owned());
        let name = match &webhook.address {
            Address::Slug { slug } => slug.to_string(),
            Address::Key { .. } => webhook.id.to_string(),
        };
        let head = RequestHead {
            facts: None,
            verified: false,
            method: "POST".to_owned(),
            path: format!("/api/inbound/test/{name}"),
            source_ip: None,
            headers: headers.into_iter().collect(),
        };
        Ok(Made { head, body, idempotency_key: None, replay_of: None, is_test: true })
    }
}

/// The one body that was given, and what suits it.
fn body(json: Option<Box<RawValue>>, text: Option<String>, base64: Option<String>) -> Result<(Bytes, &'static str)> {
    match (json, text, base64) {
        (None, None, None) => Ok((Bytes::new(), "application/json")),
        (Some(json), None, None) => Ok((Bytes::copy_from_slice(json.get().as_bytes()), "application/json")),
        (None, Some(text), None) => Ok((text.into(), "text/plain; charset=utf-8")),
        (None, None, Some(base64)) => {
            let bytes = STANDARD.decode(base64).map_err(|_| Error::field("body_base64", "must be base64"))?;
            Ok((bytes.into(), "application/octet-stream"))
        }
        _ => Err(Error::field("body", "must not stand beside body_text or body_base64, nor these beside each other")),
    }
}

/// The headers as the receiver would keep them, by their lower-case names.
fn headers(given: BTreeMap<String, String>, auth: &Auth) -> Result<BTreeMap<String, String>> {
    let mut kept = BTreeMap::new();
    for (name, value) in given {
        let field = format!("headers.{name}");
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| Error::field(&field, "must have a header's name"))?;
        HeaderValue::from_str(&value).map_err(|_| Error::field(&field, "must have a header's value"))?;
        if may_keep_header(name.as_str(), auth) {
            kept.insert(name.as_str().to_owned(), value);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_left_out_and_names_are_lower_case() {
        let given = [("X-Kept", "seen"), ("Authorization", "Bearer hidden"), ("X-API-Key", "hidden")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let kept = headers(given.into(), &Auth::default()).expect("headers");
        assert_eq!(kept, BTreeMap::from([("x-kept".to_owned(), "seen".to_owned())]));
    }

    #[test]
    fn one_body_at_most_is_taken() {
        let text = || Some("a".to_owned());
        assert!(body(None, text(), text()).is_err());
        assert!(body(None, None, Some("!".to_owned())).is_err());
        let (bytes, content_type) = body(None, None, Some("/wA=".to_owned())).expect("a body");
        assert_eq!((&bytes[..], content_type), (&[0xff, 0x00][..], "application/octet-stream"));
    }
}
