//! A request as it is shown: its head, and its body as text or in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::domain::inbound_delivery::RequestHead;
use hookport::store::KeptRequest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Result;

/// A request as it was received; headers that carry credentials or signatures are left out.
#[derive(Serialize, ToSchema)]
pub(crate) struct RequestView {
    /// The HTTP method.
    method: String,
    /// The path, without a key and without the query.
    path: String,
    /// Where it came from.
    source_ip: Option<String>,
    /// The content type.
    content_type: Option<String>,
    /// The headers, with names in lower case.
    headers: Vec<HeaderView>,
    /// The body, if it is text; else null.
    body: Option<String>,
    /// The body in base64, if it is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    body_base64: Option<String>,
    /// The size of the body.
    body_bytes: usize,
}

/// One header of a request.
#[derive(Serialize, ToSchema)]
pub(crate) struct HeaderView {
    name: String,
    value: String,
}

impl RequestView {
    /// The view of a request that is kept.
    pub(crate) fn of(kept: &KeptRequest) -> Result<Self> {
        let (head, body) = kept.unpack()?;
        Ok(Self::new(head, &body))
    }

    fn new(head: RequestHead, body: &[u8]) -> Self {
        let (text, base64) = match std::str::from_utf8(body) {
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(STANDARD.encode(body))),
        };
        Self {
            content_type: head.header("content-type").map(str::to_owned),
            method: head.method,
            path: head.path,
            source_ip: head.source_ip,
            headers: head.headers.into_iter().map(|(name, value)| HeaderView { name, value }).collect(),
            body: text,
            body_base64: base64,
            body_bytes: body.len(),
        }
    }
}
