//! Requests that callers show: whole, as they were received.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::scheme::view::Request;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::{Error, Result};

/// The most headers of a request that is looked at.
const MAX_HEADERS: usize = 100;

/// A request, as it is written down.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordedRequest {
    /// The method; POST when absent.
    method: Option<String>,
    /// The whole URL that it was sent to.
    #[schema(example = "https://hooks.example.com/api/inbound/acme/shop")]
    url: String,
    /// The headers by name, at most 100.
    headers: BTreeMap<String, String>,
    /// The body as text. Of the two bodies, one at most may be given; without any it is empty.
    body: Option<String>,
    /// The body in base64.
    body_base64: Option<String>,
}

/// A request that can be looked at.
pub(crate) struct ParsedRequest {
    pub(crate) method: String,
    pub(crate) base_url: String,
    pub(crate) path_and_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl ParsedRequest {
    pub(crate) fn as_request(&self) -> Request<'_> {
        Request {
            method: &self.method,
            base_url: &self.base_url,
            path_and_query: &self.path_and_query,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

impl RecordedRequest {
    /// Reads it; `at` is where it stands in the request.
    pub(crate) fn parsed(self, at: &str) -> Result<ParsedRequest> {
        let field = |name: &str| format!("{at}.{name}");
        let path = self.url.find("://").map(|scheme| scheme + 3);
        let path = path.map(|host| self.url[host..].find(['/', '?']).map_or(self.url.len(), |slash| host + slash));
        let path = path.ok_or_else(|| Error::field(&field("url"), "must be a whole URL"))?;
        let (base_url, path_and_query) = self.url.split_at(path);
        if self.headers.len() > MAX_HEADERS {
            return Err(Error::field(&field("headers"), format!("must have at most {MAX_HEADERS} members")));
        }
        let mut headers = HeaderMap::with_capacity(self.headers.len());
        for (name, value) in &self.headers {
            let wrong = |_| Error::field(&field("headers"), "a member is no header");
            let parsed = HeaderName::try_from(name.as_str()).map_err(|_| wrong(()))?;
            headers.append(parsed, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| wrong(()))?);
        }
        let body = match (self.body, self.body_base64) {
            (Some(_), Some(_)) => return Err(Error::field(&field("body_base64"), "must be absent beside body")),
            (Some(text), None) => text.into_bytes(),
            (None, Some(encoded)) => {
                STANDARD.decode(encoded).map_err(|_| Error::field(&field("body_base64"), "is not base64"))?
            }
            (None, None) => Vec::new(),
        };
        Ok(ParsedRequest {
            method: self.method.unwrap_or_else(|| "POST".to_owned()).to_ascii_uppercase(),
            base_url: base_url.to_owned(),
            path_and_query: if path_and_query.is_empty() { "/".to_owned() } else { path_and_query.to_owned() },
            headers,
            body,
        })
    }
}
