//! A request as it is shown: its head, and its body as text or in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::domain::inbound_delivery::RequestHead;
use hookport::store::{BEGINNING_BYTES, KeptRequest};
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
    /// The size of the body, as far as it is shown.
    body_bytes: usize,
    /// Whether only the first 1,024 bytes of the body are shown, because the rest is no longer kept.
    body_is_cut: bool,
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

    /// The view of what is left of a request whose body is gone.
    pub(crate) fn of_beginning(kept: &KeptRequest) -> Result<Self> {
        let (head, body) = kept.unpack()?;
        let shown = &body[..body.len().min(BEGINNING_BYTES)];
        Ok(Self { body_is_cut: body.len() > shown.len(), ..Self::new(head, shown) })
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
            body_is_cut: false,
        }
    }
}
