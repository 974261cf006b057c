//! `GET /api/v1/events/{id}`: shows an event with its payload.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::domain::id::{EventId, SubscriptionId};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use super::EventView;
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
    /// The whole body of the request, in the form that `payload_form` names; null when that is null.
    #[schema(value_type = Value)]
    payload: Option<Box<RawValue>>,
    /// How the payload is shown; null once it is no longer kept.
    payload_form: Option<PayloadForm>,
    /// The content type of the request.
    content_type: Option<String>,
    /// The subscriptions that the event went to so far.
    #[schema(value_type = Vec<String>)]
    subscriptions: Vec<SubscriptionId>,
}

/// How a payload is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PayloadForm {
    /// As the JSON value that it is, number for number as it was received.
    Json,
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
    let found = api.app.store.inbound_delivery_with_request(caller.tenant(), id.into()).await?;
    let (mut delivery, request) = found.ok_or(Error::EventNotFound)?;
    let subscriptions = std::mem::take(&mut delivery.subscriptions);
    let event = EventView::of(delivery).ok_or(Error::EventNotFound)?;
    let mut answer = EventWithPayload { event, payload: None, payload_form: None, content_type: None, subscriptions };
    if let Some(kept) = request {
        let (head, body) = kept.unpack()?;
        answer.content_type = head.header("content-type").map(str::to_owned);
        let (form, payload) = payload(answer.content_type.as_deref(), &body)?;
        answer.payload_form = Some(form);
        answer.payload = Some(payload);
    }
    Ok(Json(One { data: answer }))
}

/// The payload as it is best shown. An empty body of a JSON type is null.
fn payload(content_type: Option<&str>, body: &[u8]) -> Result<(PayloadForm, Box<RawValue>)> {
    if content_type.is_some_and(is_json) {
        let body: &[u8] = if body.trim_ascii().is_empty() { b"null" } else { body };
        if let Ok(json) = serde_json::from_slice::<Box<RawValue>>(body) {
            return Ok((PayloadForm::Json, json));
        }
    }
    let (form, text) = match std::str::from_utf8(body) {
        Ok(text) => (PayloadForm::Text, to_raw_value(text)),
        Err(_) => (PayloadForm::Base64, to_raw_value(&STANDARD.encode(body))),
    };
    Ok((form, text.map_err(|e| Error::Internal(e.into()))?))
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/json" | "text/json") || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(content_type: &str, body: &[u8]) -> (PayloadForm, String) {
        let (form, payload) = payload(Some(content_type), body).expect("a payload");
        (form, payload.get().to_owned())
    }

    #[test]
    fn a_payload_is_shown_in_the_best_form_that_holds_all_of_it() {
        let large = br#"{"id": 12345678901234567890123, "x": 1.10}"#;
        let cases: [(&str, &[u8], PayloadForm, &str); 7] = [
            ("application/json", large, PayloadForm::Json, std::str::from_utf8(large).expect("text")),
            ("application/cloudevents+json; charset=utf-8", b"[1]", PayloadForm::Json, "[1]"),
            ("Application/JSON", b"", PayloadForm::Json, "null"),
            ("application/json", b"{", PayloadForm::Text, r#""{""#),
            ("text/plain", b"[1]", PayloadForm::Text, r#""[1]""#),
            ("text/plain", b"", PayloadForm::Text, r#""""#),
            ("application/octet-stream", &[0xff, 0x00], PayloadForm::Base64, r#""/wA=""#),
        ];
        for (content_type, body, form, text) in cases {
            assert_eq!(shown(content_type, body), (form, text.to_owned()), "{content_type} {body:?}");
        }
    }
}
