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
        let headers = headers(&field("headers"), self.headers)?;
        let body = body(&field("body_base64"), self.body, self.body_base64)?;
        Ok(ParsedRequest {
            method: self.method.unwrap_or_else(|| "POST".to_owned()).to_ascii_uppercase(),
            base_url: base_url.to_owned(),
            path_and_query: if path_and_query.is_empty() { "/".to_owned() } else { path_and_query.to_owned() },
            headers,
            body,
        })
    }
}

/// Reads headers; `at` is where they stand in the request.
pub(crate) fn headers(at: &str, given: BTreeMap<String, String>) -> Result<HeaderMap> {
    if given.len() > MAX_HEADERS {
        return Err(Error::field(at, format!("must have at most {MAX_HEADERS} members")));
    }
    let mut headers = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        let name = HeaderName::try_from(name).map_err(|_| Error::field(at, "a member is no header name"))?;
        let value = HeaderValue::try_from(value)
            .map_err(|_| Error::field(at, format!("{name}: the value is not that of a header")))?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// Reads the one body that was given; `at` is where that in base64 stands.
pub(crate) fn body(at: &str, text: Option<String>, base64: Option<String>) -> Result<Vec<u8>> {
    match (text, base64) {
        (Some(_), Some(_)) => Err(Error::field(at, "must be absent when body is given")),
        (Some(text), None) => Ok(text.into_bytes()),
        (None, Some(base64)) => STANDARD.decode(base64).map_err(|_| Error::field(at, "is not base64")),
        (None, None) => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_taken_in_one_form() {
        let read = |text: Option<&str>, base64: Option<&str>| {
            body("body", text.map(str::to_owned), base64.map(str::to_owned)).map_err(|error| error.code())
        };
        assert_eq!(read(Some("é"), None), Ok("é".as_bytes().to_vec()));
        assert_eq!(read(None, Some("AP8=")), Ok(vec![0, 255]));
        assert_eq!(read(None, None), Ok(Vec::new()));
        assert_eq!(read(Some("a"), Some("YQ==")), Err("invalid_request"));
        assert_eq!(read(None, Some("!")), Err("invalid_request"));
    }

    #[test]
    fn headers_that_no_request_can_have_are_refused() {
        let given = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert!(headers("headers", given("Webhook-Id", "evt_1")).is_ok_and(|headers| headers["webhook-id"] == "evt_1"));
        for (name, value) in [("a b", "x"), ("", "x"), ("x-a", "a\nb")] {
            let refused = headers("headers", given(name, value)).map_err(|error| error.code());
            assert_eq!(refused, Err("invalid_request"), "{name:?} {value:?}");
        }
        let many = (0..=MAX_HEADERS).map(|n| (format!("x-{n}"), String::new())).collect();
        assert!(headers("headers", many).is_err());
    }
}
