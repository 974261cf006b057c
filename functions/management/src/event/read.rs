//! `GET /api/v1/events/{id}`: shows an event with its payload.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::domain::event_facts::EventFacts;
use hookport::domain::id::{EventId, ScheduleId, SubscriptionId, WebhookKeyId};
use hookport::domain::inbound_delivery::RequestHead;
use hookport::inbound::{fields, is_form, is_json};
use hookport::publish::schedule_of;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, Value, to_raw_value};
use utoipa::ToSchema;

use super::{EventView, SourceKind};
use crate::api::Api;
use crate::caller::{Caller, EventRead, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// An event with its payload.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventWithPayload {
    #[serde(flatten)]
    event: EventView,
    /// The whole body, in the form that `payload_form` names; null when that is null. The body of a published event has
    /// its payload in `data`, beside the event's id, type and time.
    #[schema(value_type = Value)]
    payload: Option<Box<RawValue>>,
    /// How the payload is shown; null once it is no longer kept.
    payload_form: Option<PayloadForm>,
    /// The content type of the request.
    content_type: Option<String>,
    /// What is known of the request besides its body; null once that is no longer kept.
    metadata: Option<EventMetadata>,
    /// What the event says of itself beside its payload; null when it was not published, or is no longer kept.
    facts: Option<EventFacts>,
    /// The subscriptions that the event went to so far.
    #[schema(value_type = Vec<String>)]
    subscriptions: Vec<SubscriptionId>,
}

/// What is known of the request that an event was made from, besides its body.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventMetadata {
    /// How the event came about.
    source: SourceKind,
    /// When it was accepted.
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// The id of the key in the URL, never the key; null when the URL has a slug.
    #[schema(value_type = Option<String>)]
    webhook_key_id: Option<WebhookKeyId>,
    /// The schedule that published it; null when none did.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    /// Where the request came from.
    source_ip: Option<String>,
    /// What the sender calls itself.
    user_agent: Option<String>,
    /// The headers that say something of the message, with names in lower case: those that senders make up
    /// (`x-…`, `webhook-…`, `ce-…`), but no credentials or signatures.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    headers: serde_json::Map<String, Value>,
}

impl EventMetadata {
    fn new(
        head: &RequestHead,
        received_at: Timestamp,
        webhook_key_id: Option<WebhookKeyId>,
        source: SourceKind,
    ) -> Self {
        let telling = head.headers.iter().filter(|(name, _)| is_telling(name));
        Self {
            source,
            received_at,
            webhook_key_id,
            schedule_id: schedule_of(head),
            source_ip: head.source_ip.clone(),
            user_agent: head.header("user-agent").map(str::to_owned),
            headers: telling.map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect(),
        }
    }
}

/// Tells whether senders use the header to say something of their message.
fn is_telling(name: &str) -> bool {
    let of_the_way = ["x-forwarded-", "x-amz", "x-real-ip", "x-request-start"];
    ["x-", "webhook-", "ce-"].iter().any(|prefix| name.starts_with(prefix))
        && !of_the_way.iter().any(|prefix| name.starts_with(prefix))
}

/// How a payload is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PayloadForm {
    /// As the JSON value that it is, number for number as it was received.
    Json,
    /// As an object of the fields of a form; a field that came more than once is a list.
    Form,
    /// As text, because it is not of a JSON type or no JSON.
    Text,
    /// In base64, because it is no text.
    Base64,
}

/// Shows an event with its payload.
#[utoipa::path(
    get,
    path = "/api/v1/events/{id}",
    operation_id = "readEvent",
    tag = "events",
    security(("bearer" = [EventRead::PERMISSION])),
    params(("id" = String, Path, description = "The event's id: `evt_…`.")),
    responses(
        (status = 200, description = "The event.", body = One<EventWithPayload>),
        (status = 400, description = "`invalid_id`: not an id of an event.", body = ErrorBody),
        (status = 404, description = "`event_not_found`: no event of the tenant has this id.", body = ErrorBody),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<EventRead>,
    Ids(id): Ids<EventId>,
) -> Result<Json<One<EventWithPayload>>> {
    let found = api.app.store.inbound_delivery_with_request(caller.tenant(), id.into(), api.app.clock.now()).await?;
    let (mut delivery, request) = found.ok_or(Error::EventNotFound)?;
    let subscriptions = std::mem::take(&mut delivery.subscriptions);
    let (received_at, key_id) = (delivery.received_at(), delivery.key_id);
    let source = SourceKind::of(&delivery);
    let event = EventView::of(delivery).ok_or(Error::EventNotFound)?;
    let (payload, payload_form, content_type) = (None, None, None);
    let mut answer =
        EventWithPayload { event, payload, payload_form, content_type, metadata: None, facts: None, subscriptions };
    if let Some(kept) = request {
        let (head, body) = kept.unpack()?;
        answer.content_type = head.header("content-type").map(str::to_owned);
        answer.metadata = Some(EventMetadata::new(&head, received_at, key_id, source));
        let (form, payload) = shown(answer.content_type.as_deref(), &body)?;
        answer.payload_form = Some(form);
        answer.payload = Some(payload);
        answer.facts = head.facts;
    }
    Ok(Json(One { data: answer }))
}

/// The payload as it is best shown. An empty body of a JSON type is null.
fn shown(content_type: Option<&str>, body: &[u8]) -> Result<(PayloadForm, Box<RawValue>)> {
    if content_type.is_some_and(|text| is_json(text.as_bytes())) {
        let body: &[u8] = if body.trim_ascii().is_empty() { b"null" } else { body };
        if let Ok(json) = serde_json::from_slice::<Box<RawValue>>(body) {
            return Ok((PayloadForm::Json, json));
        }
    }
    if content_type.is_some_and(|text| is_form(text.as_bytes())) && std::str::from_utf8(body).is_ok() {
        let fields = to_raw_value(&fields(body)).map_err(|e| Error::Internal(e.into()))?;
        return Ok((PayloadForm::Form, fields));
    }
    let (form, text) = match std::str::from_utf8(body) {
        Ok(text) => (PayloadForm::Text, to_raw_value(text)),
        Err(_) => (PayloadForm::Base64, to_raw_value(&STANDARD.encode(body))),
    };
    Ok((form, text.map_err(|e| Error::Internal(e.into()))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(content_type: &str, body: &[u8]) -> (PayloadForm, String) {
        let (form, payload) = shown(Some(content_type), body).expect("a payload");
        (form, payload.get().to_owned())
    }

    #[test]
    fn a_payload_is_shown_in_the_best_form_that_holds_all_of_it() {
        let large = br#"{"id": 12345678901234567890123, "x": 1.10}"#;
        let cases: [(&str, &[u8], PayloadForm, &str); 9] = [
            (
                "application/x-www-form-urlencoded",
                b"a=1&b=%C3%A9&a=2+3",
                PayloadForm::Form,
                r#"{"a":["1","2 3"],"b":"é"}"#,
            ),
            ("application/x-www-form-urlencoded", &[b'a', 0xff], PayloadForm::Base64, r#""Yf8=""#),
            ("application/json", large, PayloadForm::Json, std::str::from_utf8(large).expect("text")),
            ("application/cloudevents+json; charset=utf-8", b"[1]", PayloadForm::Json, "[1]"),
            ("Application/JSON", b"", PayloadForm::Json, "null"),
            ("application/json", b"{", PayloadForm::Text, r#""{""#),
            ("text/plain", b"[1]", PayloadForm::Text, r#""[1]""#),
            ("text/plain", b"", PayloadForm::Text, r#""""#),
            ("application/octet-stream", &[0xff, 0x00], PayloadForm::Base64, r#""/wA=""#),
        ];
        for (content_type, body, form, text) in cases {
            assert_eq!(payload(content_type, body), (form, text.to_owned()), "{content_type} {body:?}");
        }
    }
}
