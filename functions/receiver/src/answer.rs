//! What senders are answered. docs/receiving.md lists every answer.

use bytes::Bytes;
use hookport::domain::id::InboundDeliveryId;
use hookport::domain::inbound_delivery::DispatchStatus;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::endpoint::Form;
use crate::keep::KeptAs;
use crate::refusal::Refusal;

/// An answer to a sender.
pub(crate) struct Answer {
    status: StatusCode,
    body: Option<Body>,
    header: Option<(HeaderName, HeaderValue)>,
}

/// The members that an answer's JSON may have.
#[derive(Default, Serialize)]
pub(crate) struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_id: Option<InboundDeliveryId>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    duplicate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn error(code: &str) -> Option<Body> {
    Some(Body { error: Some(code.to_owned()), ..Body::default() })
}

impl Answer {
    fn new(status: StatusCode, body: Option<Body>) -> Self {
        Self { status, body, header: None }
    }

    /// The request is kept, now or before, or kept as refused.
    pub(crate) fn kept(kept: &KeptAs) -> Self {
        let delivery = &kept.delivery;
        let body = Body {
            delivery_id: Some(delivery.duplicate_of.unwrap_or(delivery.id)),
            duplicate: delivery.status == DispatchStatus::Duplicate,
            error: delivery.error.clone(),
        };
        let status = StatusCode::from_u16(delivery.response_status).unwrap_or(StatusCode::OK);
        Self::new(status, Some(body))
    }

    /// The request is not taken. A slug's refusals before proof are all alike.
    pub(crate) fn refused(form: Form, refusal: &Refusal) -> Self {
        match (refusal, form) {
            (Refusal::TooLarge, _) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, error("too_large")),
            (Refusal::KeyTooLong, _) => Self::new(StatusCode::BAD_REQUEST, error("idempotency_key_too_long")),
            (Refusal::Unknown | Refusal::Disabled | Refusal::Signature(_), Form::Slug) => {
                Self::new(StatusCode::UNAUTHORIZED, None)
            }
            (Refusal::Unknown, Form::Key) => Self::not_found(),
            (Refusal::Disabled, Form::Key) => Self::new(StatusCode::FORBIDDEN, error("disabled")),
            (Refusal::Signature(_), Form::Key) => Self::new(StatusCode::UNAUTHORIZED, error("unauthorized")),
        }
    }

    /// There is nothing at this URL.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, error("not_found"))
    }

    /// Senders use POST, PUT or PATCH.
    pub(crate) fn method_not_allowed() -> Self {
        Self {
            header: Some((ALLOW, HeaderValue::from_static("POST, PUT, PATCH"))),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, error("method_not_allowed"))
        }
    }

    /// The request could not be kept; the sender should come again.
    pub(crate) fn unavailable() -> Self {
        Self {
            header: Some((RETRY_AFTER, HeaderValue::from_static("1"))),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, error("unavailable"))
        }
    }
}

impl From<Answer> for Response<Bytes> {
    fn from(answer: Answer) -> Self {
        let json = answer.body.map(|body| serde_json::to_vec(&body).expect("answers are plain data"));
        let is_json = json.is_some();
        let mut response = Response::new(json.map(Bytes::from).unwrap_or_default());
        *response.status_mut() = answer.status;
        if is_json {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some((name, value)) = answer.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
