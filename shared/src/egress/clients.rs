//! The HTTP client, which lives as long as the deny list stays the same.
//!
//! Its connections stay open for the next request to the same scheme, host and port. An idle one was judged when it was
//! opened and still leads to the address that was judged, whatever the name stands for by now. A deny list that changed
//! judges anew: the client is replaced, and its idle connections are closed with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::MAX_HEAD_BYTES;
use super::connect::Connector;
use super::deny::DenyRule;
use super::policy::EgressPolicy;
use super::resolve::Resolver;

/// How long an idle connection is kept: less than the five seconds after which many servers close one, because a
/// request that crosses their closing fails without having been read.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// How many idle connections are kept per scheme, host and port.
const MAX_IDLE_PER_HOST: usize = 64;

pub(super) type HttpClient = Client<Connector, Full<Bytes>>;

/// Makes the client of a deny list and keeps it.
pub(super) struct Clients {
    policy: EgressPolicy,
    resolver: Resolver,
    current: Mutex<Option<(Arc<[DenyRule]>, HttpClient)>>,
}

impl Clients {
    pub(super) fn new(policy: EgressPolicy, resolver: Resolver) -> Self {
        Self { policy, resolver, current: Mutex::default() }
    }

    /// The client whose connections were all opened under `denied`.
    pub(super) fn under(&self, denied: &Arc<[DenyRule]>) -> HttpClient {
        // Nothing in here leaves the value half changed.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some((known, client)) if Arc::ptr_eq(known, denied) || known == denied => client.clone(),
            _ => {
                let client = self.client(Arc::clone(denied));
                *current = Some((Arc::clone(denied), client.clone()));
                client
            }
        }
    }

    fn client(&self, denied: Arc<[DenyRule]>) -> HttpClient {
        // The client repeats a request only when a connection closed before any of the request was handed to it.
        Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .build(Connector::new(&self.policy, denied, self.resolver.clone()))
    }
}
