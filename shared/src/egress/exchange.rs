//! What is sent and what comes back.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Request, StatusCode};
use http_body_util::Full;

use super::identity::ClientIdentity;
use super::policy::Timeouts;
use crate::domain::target_url::TargetUrl;

/// Headers that belong to the connection. They come from the URL and the body, never from configuration.
static CONNECTION_HEADERS: [HeaderName; 11] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    header::EXPECT,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Tells whether a header belongs to the connection, so that a request cannot carry one of its own.
#[must_use]
pub fn is_connection_header(name: &HeaderName) -> bool {
    CONNECTION_HEADERS.contains(name)
}

/// A request to send.
#[derive(Clone)]
pub struct OutgoingRequest {
    /// Its method.
    pub method: Method,
    /// Where it goes.
    pub url: TargetUrl,
    /// Its headers. Those that belong to the connection are left out.
    pub headers: HeaderMap,
    /// Its body, sent without being copied.
    pub body: Bytes,
    /// How long it may take, instead of what the policy says.
    pub timeouts: Option<Timeouts>,
    /// How much of the answer's body is kept, instead of what the policy says.
    pub max_response_bytes: Option<usize>,
    /// The certificate that is shown to the target; it is then `https` or nothing.
    pub identity: Option<Arc<ClientIdentity>>,
}

/// Neither what it carries nor its path and query: credentials stand in each of them.
impl fmt::Debug for OutgoingRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// An answer, whatever its status: a redirect is one too.
#[derive(Clone, Debug)]
pub struct OutgoingResponse {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// The beginning of its body.
    pub body: Bytes,
    /// Tells whether there was more than what was kept.
    pub truncated: bool,
}

/// Makes the request that goes over the wire.
pub(super) fn into_http(request: OutgoingRequest) -> Request<Full<Bytes>> {
    let mut outgoing = Request::new(Full::new(request.body));
    *outgoing.method_mut() = request.method;
    *outgoing.uri_mut() = request.url.uri().clone();
    *outgoing.headers_mut() = request.headers;
    for name in &CONNECTION_HEADERS {
        outgoing.headers_mut().remove(name);
    }
    outgoing
}
