//! What senders are answered. docs/receiving.md lists every answer.

use bytes::Bytes;
use hookport::domain::id::InboundDeliveryId;
use hookport::domain::inbound_delivery::{DispatchStatus, Violation};
use hookport::domain::refusal::{AuthStatus, Refusal};
use hookport::scheme::handshake::Answered;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::endpoint::Form;
use crate::keep::KeptAs;
use crate::limits::Quota;

/// An answer to a sender.
pub(crate) struct Answer {
    status: StatusCode,
    body: Option<Content>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

const RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RATELIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// The body of an answer.
enum Content {
    Json(Body),
    /// That of a handshake, whose headers say what it is.
    Reply(String),
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Violation>,
}

fn error(code: &str) -> Option<Body> {
    Some(Body { error: Some(code.to_owned()), ..Body::default() })
}

impl Answer {
    fn new(status: StatusCode, body: Option<Body>) -> Self {
        Self { status, body: body.map(Content::Json), headers: Vec::new() }
    }

    /// The request is kept, now or before, or kept as refused.
    pub(crate) fn kept(kept: &KeptAs) -> Self {
        let delivery = &kept.delivery;
        let body = Body {
            delivery_id: Some(delivery.duplicate_of.unwrap_or(delivery.id)),
            duplicate: delivery.status == DispatchStatus::Duplicate,
            error: delivery.error.clone(),
            violations: delivery.violations.clone(),
        };
        let status = StatusCode::from_u16(delivery.response_status).unwrap_or(StatusCode::OK);
        Self::new(status, Some(body))
    }

    /// The sender asked whether the URL is ours.
    pub(crate) fn greeted(answered: &Answered) -> Self {
        let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::OK);
        Self { status, body: Some(Content::Reply(answered.body.clone())), headers: answered.headers.clone() }
    }

    /// The request is not taken. A slug's refusals before proof are all alike.
    pub(crate) fn refused(form: Form, refusal: Refusal) -> Self {
        if refusal.is_rate() {
            return Self::new(StatusCode::TOO_MANY_REQUESTS, error("rate_limited"));
        }
        if matches!(refusal, Refusal::TooLarge | Refusal::OverCap) {
            return Self::new(StatusCode::PAYLOAD_TOO_LARGE, error("too_large"));
        }
        if refusal == Refusal::IdempotencyKeyTooLong {
            return Self::new(StatusCode::BAD_REQUEST, error("idempotency_key_too_long"));
        }
        match (form, refusal.auth_status()) {
            (Form::Slug, _) => Self::new(StatusCode::UNAUTHORIZED, None),
            (Form::Key, AuthStatus::RejectedIp) => Self::new(StatusCode::FORBIDDEN, error("ip_not_allowed")),
            (Form::Key, _) if refusal == Refusal::Unknown => Self::not_found(),
            (Form::Key, _) if refusal == Refusal::Disabled => Self::new(StatusCode::FORBIDDEN, error("disabled")),
            (Form::Key, _) => Self::new(StatusCode::UNAUTHORIZED, error("unauthorized")),
        }
    }

    /// Tells whether it is the answer that says nothing.
    pub(crate) fn is_bare(&self) -> bool {
        self.body.is_none()
    }

    /// The status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// Tells the sender what is left of the webhook's limit, and when to come back once nothing is.
    pub(crate) fn with_quota(mut self, quota: Quota) -> Self {
        let number = |number: u32| HeaderValue::from(number);
        self.headers.push((RATELIMIT_LIMIT, number(quota.limit)));
        self.headers.push((RATELIMIT_REMAINING, number(quota.remaining)));
        self.headers.push((RATELIMIT_RESET, number(quota.reset_s)));
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            self.headers.push((RETRY_AFTER, number(quota.reset_s)));
        }
        self
    }

    /// There is nothing at this URL.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, error("not_found"))
    }

    /// Senders use POST, PUT or PATCH.
    pub(crate) fn method_not_allowed() -> Self {
        Self {
            headers: vec![(ALLOW, HeaderValue::from_static("POST, PUT, PATCH"))],
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, error("method_not_allowed"))
        }
    }

    /// The request could not be kept; the sender should come again.
    pub(crate) fn unavailable() -> Self {
        Self {
            headers: vec![(RETRY_AFTER, HeaderValue::from_static("1"))],
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, error("unavailable"))
        }
    }
}

impl From<Answer> for Response<Bytes> {
    fn from(answer: Answer) -> Self {
        let is_json = matches!(answer.body, Some(Content::Json(_)));
        let body = answer.body.map(|body| match body {
            Content::Json(body) => Bytes::from(serde_json::to_vec(&body).expect("answers are plain data")),
            Content::Reply(text) => Bytes::from(text),
        });
        let mut response = Response::new(body.unwrap_or_default());
        *response.status_mut() = answer.status;
        if is_json {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        response.headers_mut().extend(answer.headers);
        response
    }
}
