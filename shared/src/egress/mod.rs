//! The one way out: every HTTP request to somebody else's machine is sent from here.
//!
//! It reaches judged addresses only, follows no redirect, keeps a bounded part of the answer and ends in bounded time.
//! It does not retry, sign or log requests: that is for those who know what a request means.

mod body;
mod clients;
mod connect;
mod deny;
mod error;
mod exchange;
mod identity;
mod policy;
mod proxy;
mod resolve;
mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, USER_AGENT};
use http::{HeaderValue, Method};
use tokio::time::{Instant, timeout_at};

use self::body::beginning;
use self::clients::Clients;
pub use self::deny::{BoxError, DenyList, DenyLoading, DenyRule, DenySource};
pub use self::error::{EgressError, Phase};
use self::exchange::into_http;
pub use self::exchange::{OutgoingRequest, OutgoingResponse, is_connection_header};
pub use self::identity::{ClientIdentity, IdentityError};
pub use self::policy::{EgressPolicy, Timeouts};
pub use self::proxy::{Proxy, ProxyError};
pub use self::resolve::Resolver;
pub use self::tls::{ExtraRoots, ExtraRootsError};
use crate::domain::target_url::{TargetUrl, UrlPolicy};

/// What the gateway calls itself in `User-Agent`, unless a subscription says otherwise.
pub const AGENT: &str = concat!("Hookport/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests;

/// The largest head of an answer.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Sends HTTP requests to targets that others chose. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    policy: EgressPolicy,
    /// The part of the policy that every URL is held against.
    urls: UrlPolicy,
    deny: DenyList,
    clients: Arc<Clients>,
}

impl Egress {
    /// Makes the service with the system's resolver.
    #[must_use]
    pub fn new(policy: EgressPolicy, deny: DenyList) -> Self {
        Self::with_resolver(policy, deny, Resolver::System)
    }

    /// Makes the service with the given resolver.
    #[must_use]
    pub fn with_resolver(policy: EgressPolicy, deny: DenyList, resolver: Resolver) -> Self {
        let clients = Arc::new(Clients::new(policy.clone(), resolver));
        Self(Arc::new(Inner { urls: policy.urls(), policy, deny, clients }))
    }

    /// The same service, keeping up to `bytes` of each answer; connections are shared.
    #[must_use]
    pub fn keeping(&self, bytes: usize) -> Self {
        let policy = EgressPolicy { max_response_bytes: bytes, ..self.0.policy.clone() };
        let clients = Arc::clone(&self.0.clients);
        Self(Arc::new(Inner { urls: policy.urls(), policy, deny: self.0.deny.clone(), clients }))
    }

    /// The policy that requests are sent under.
    #[must_use]
    pub fn policy(&self) -> &EgressPolicy {
        &self.0.policy
    }

    /// Judges a URL when it is configured: by the policy and the deny list. Nothing is resolved or opened.
    ///
    /// What its name stands for is judged at every connection, so a URL that passes can still be refused.
    ///
    /// # Errors
    /// Says why nothing would be sent there.
    #[tracing::instrument(skip_all, fields(host = url.host()))]
    pub async fn judge(&self, url: &TargetUrl) -> Result<(), EgressError> {
        self.admit(url).await.map(drop)
    }

    /// Makes sure that the deny list is at hand, so that its absence is told from a refusal.
    ///
    /// # Errors
    /// [`EgressError::DenyListUnavailable`]: nothing can be sent now.
    pub async fn ready(&self) -> Result<(), EgressError> {
        self.0.deny.rules().await.map(drop)
    }

    /// Fetches what is at a URL, in the gateway's own name, within `total`.
    ///
    /// Any answer is a success here, whatever its status.
    ///
    /// # Errors
    /// Says why there is no whole answer.
    pub async fn get(
        &self,
        url: TargetUrl,
        mut headers: HeaderMap,
        total: Duration,
    ) -> Result<OutgoingResponse, EgressError> {
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let timeouts = Some(Timeouts { total, ..self.policy().timeouts() });
        let (method, body) = (Method::GET, Bytes::new());
        let (max_response_bytes, identity) = (None, None);
        self.send(OutgoingRequest { method, url, headers, body, timeouts, max_response_bytes, identity }).await
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
        let limits = request.timeouts.unwrap_or_else(|| policy.timeouts());
        let cap = request.max_response_bytes.unwrap_or(policy.max_response_bytes);
        let start = Instant::now();
        let end = start + limits.total;
        let head_end = end.min(start + limits.head);

        let admitted = timeout_at(head_end, self.admit(&request.url)).await;
        let denied = admitted.unwrap_or(Err(EgressError::DenyListUnavailable))?;
        let client = self.0.clients.under(&denied, request.identity.as_deref());
        let answer = client.request(into_http(request));
        let answer = match timeout_at(head_end, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(EgressError::from_client(error)),
            Err(_) => return Err(EgressError::TimedOut { phase: Phase::Headers }),
        };
        let (head, body) = answer.into_parts();
        // The client bounds what it buffers of an unfinished head; a head that comes at once can still exceed it.
        if head_bytes(&head.headers) > MAX_HEAD_BYTES {
            return Err(EgressError::Protocol("the answer's head is too large".into()));
        }
        let (body, truncated) = match timeout_at(end, beginning(body, cap)).await {
            Ok(Ok(kept)) => kept,
            Ok(Err(error)) => return Err(EgressError::Protocol(error.into())),
            Err(_) => return Err(EgressError::TimedOut { phase: Phase::Body }),
        };
        Ok(OutgoingResponse { status: head.status, headers: head.headers, body, truncated })
    }

    /// Judges a URL and gives the deny list that its addresses are to be held against.
    async fn admit(&self, url: &TargetUrl) -> Result<Arc<[DenyRule]>, EgressError> {
        url.check(&self.0.urls)?;
        let rules = self.0.deny.rules().await?;
        match deny::by_host(&rules, url.host()) {
            Some(rule) => Err(EgressError::Denied { description: rule.description.clone() }),
            None => Ok(rules),
        }
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("policy", &self.0.policy).field("deny", &self.0.deny).finish_non_exhaustive()
    }
}

fn head_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}
