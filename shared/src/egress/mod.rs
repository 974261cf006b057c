//! The one way out: every HTTP request to somebody else's machine is sent from here.
//!
//! It reaches judged addresses only, follows no redirect, keeps a bounded part of the answer and ends in bounded time.
//! It does not retry, sign or log: that is for those who know what the request means.

mod connect;
mod error;
mod policy;
mod resolve;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

use self::connect::Connector;
pub use self::error::{EgressError, Phase};
pub use self::policy::EgressPolicy;
pub use self::resolve::Resolver;
use crate::domain::target_url::TargetUrl;

#[cfg(test)]
mod tests;

/// How long an idle connection is kept: less than the five seconds after which many servers close one, because a
/// request that crosses their closing fails without having been read.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// How many idle connections are kept per scheme, host and port.
const MAX_IDLE_PER_HOST: usize = 64;
/// The largest head of an answer.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// An answer that declares more than this is not read at all.
const MAX_DECLARED_BYTES: u64 = 1024 * 1024;

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

/// Sends HTTP requests to targets that others chose. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    policy: EgressPolicy,
    /// Connections stay open for the next request to the same scheme, host and port. An idle one was judged when it was
    /// opened and still leads to the address that was judged, whatever the name stands for by now.
    client: Client<Connector, Full<Bytes>>,
}

/// A request to send.
#[derive(Clone, Debug)]
pub struct OutgoingRequest {
    /// Its method.
    pub method: Method,
    /// Where it goes.
    pub url: TargetUrl,
    /// Its headers. Those that belong to the connection are left out.
    pub headers: HeaderMap,
    /// Its body, sent without being copied.
    pub body: Bytes,
    /// The longest that everything may take, instead of what the policy says.
    pub timeout: Option<Duration>,
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

impl Egress {
    /// Makes the service with the system's resolver.
    #[must_use]
    pub fn new(policy: EgressPolicy) -> Self {
        Self::with_resolver(policy, Resolver::System)
    }

    /// Makes the service with the given resolver.
    #[must_use]
    pub fn with_resolver(policy: EgressPolicy, resolver: Resolver) -> Self {
        // The client repeats a request only when a connection closed before any of the request was handed to it.
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .build(Connector::new(&policy, resolver));
        Self(Arc::new(Inner { policy, client }))
    }

    /// The same service, keeping up to `bytes` of each answer; connections are shared.
    #[must_use]
    pub fn keeping(&self, bytes: usize) -> Self {
        let policy = EgressPolicy { max_response_bytes: bytes, ..self.0.policy.clone() };
        Self(Arc::new(Inner { policy, client: self.0.client.clone() }))
    }

    /// The policy that requests are sent under.
    #[must_use]
    pub fn policy(&self) -> &EgressPolicy {
        &self.0.policy
    }

    /// Sends a request, once, and keeps the beginning of the answer.
    ///
    /// Any answer is a success here, whatever its status.
    ///
    /// # Errors
    /// Says why there is no whole answer; the request may have been received all the same, unless the error
    /// [is permanent](EgressError::is_permanent).
    #[tracing::instrument(skip_all, fields(host = request.url.host()))]
    pub async fn send(&self, request: OutgoingRequest) -> Result<OutgoingResponse, EgressError> {
        let policy = &self.0.policy;
        if !request.url.is_https() && !policy.allow_http {
            return Err(EgressError::PlainHttp);
        }
        let start = Instant::now();
        let end = start + request.timeout.unwrap_or(policy.total_timeout);
        let head_end = end.min(start + policy.headers_timeout);

        let answer = self.0.client.request(into_http(request));
        let answer = match timeout_at(head_end, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(EgressError::from_client(error)),
            Err(_) => {
                return Err(EgressError::TimedOut { phase: Phase::Headers });
            }
        };
        let (head, body) = answer.into_parts();
        // The client bounds what it buffers of an unfinished head; a head that comes at once can still exceed it.
        if head_bytes(&head.headers) > MAX_HEAD_BYTES {
            return Err(EgressError::Protocol("the answer's head is too large".into()));
        }
        let (body, truncated) = match timeout_at(end, beginning(body, policy.max_response_bytes)).await {
            Ok(Ok(kept)) => kept,
            Ok(Err(error)) => return Err(EgressError::Protocol(error.into())),
            Err(_) => return Err(EgressError::TimedOut { phase: Phase::Body }),
        };
        Ok(OutgoingResponse { status: head.status, headers: head.headers, body, truncated })
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("policy", &self.0.policy).finish_non_exhaustive()
    }
}

fn head_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

fn into_http(request: OutgoingRequest) -> Request<Full<Bytes>> {
    let mut outgoing = Request::new(Full::new(request.body));
    *outgoing.method_mut() = request.method;
    *outgoing.uri_mut() = request.url.uri().clone();
    *outgoing.headers_mut() = request.headers;
    for name in &CONNECTION_HEADERS {
        outgoing.headers_mut().remove(name);
    }
    outgoing
}

/// Reads a body up to `cap` bytes and tells whether there was more.
///
/// What is kept is copied, at most `cap` bytes, so that it does not hold on to the connection's whole read buffer. What
/// is not read ends the connection, because the body is dropped.
async fn beginning(mut body: Incoming, cap: usize) -> Result<(Bytes, bool), hyper::Error> {
    let declared = body.size_hint().lower();
    if declared > MAX_DECLARED_BYTES {
        return Ok((Bytes::new(), true));
    }
    let mut kept = Vec::with_capacity(usize::try_from(declared).map_or(cap, |bytes| bytes.min(cap)));
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue; // Trailers.
        };
        let room = cap - kept.len();
        if data.len() > room {
            kept.extend_from_slice(&data[..room]);
            return Ok((kept.into(), true));
        }
        kept.extend_from_slice(&data);
    }
    Ok((kept.into(), false))
}
