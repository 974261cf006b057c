//! The HTTP clients, which live as long as the deny list stays the same.
//!
//! Their connections stay open for the next request to the same scheme, host and port. An idle one was judged when it
//! was opened and still leads to the address that was judged, whatever the name stands for by now. A deny list that
//! changed judges anew: the clients are replaced, and their idle connections are closed with them.
//!
//! Whoever shows a certificate has a client, and so connections and TLS sessions, apart from everybody else's.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::MAX_HEAD_BYTES;
use super::connect::Connector;
use super::deny::DenyRule;
use super::identity::{ClientIdentity, Fingerprint};
use super::policy::EgressPolicy;
use super::resolve::Resolver;
use super::tls::Tls;

/// How long an idle connection is kept: less than the five seconds after which many servers close one, because a
/// request that crosses their closing fails without having been read.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// How many idle connections are kept per scheme, host and port.
const MAX_IDLE_PER_HOST: usize = 64;
/// How many identities have a client ready.
const MAX_IDENTITIES: usize = 100;

pub(super) type HttpClient = Client<Connector, Full<Bytes>>;

/// Makes the clients of a deny list and keeps them.
pub(super) struct Clients {
    policy: EgressPolicy,
    resolver: Resolver,
    tls: Tls,
    current: Mutex<Option<Current>>,
}

/// The clients of one state of the deny list.
struct Current {
    denied: Arc<[DenyRule]>,
    /// The client that shows no certificate.
    plain: HttpClient,
    /// Those that show one; the one that was used last is at the end.
    identified: VecDeque<(Fingerprint, HttpClient)>,
}

impl Clients {
    pub(super) fn new(policy: EgressPolicy, resolver: Resolver) -> Self {
        let tls = Tls::new(&policy.extra_roots);
        Self { policy, resolver, tls, current: Mutex::default() }
    }

    /// The client whose connections were all opened under `denied`, as `identity`.
    pub(super) fn under(&self, denied: &Arc<[DenyRule]>, identity: Option<&ClientIdentity>) -> HttpClient {
        // Nothing in here leaves the value half changed.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let known = current.take().filter(|known| Arc::ptr_eq(&known.denied, denied) || known.denied == *denied);
        let known = known.unwrap_or_else(|| Current {
            denied: Arc::clone(denied),
            plain: self.client(Arc::clone(denied), None),
            identified: VecDeque::new(),
        });
        let known = current.insert(known);
        let Some(identity) = identity else { return known.plain.clone() };
        let place = known.identified.iter().position(|(fingerprint, _)| *fingerprint == identity.fingerprint());
        let found = place.and_then(|place| known.identified.remove(place));
        let (fingerprint, client) =
            found.unwrap_or_else(|| (identity.fingerprint(), self.client(Arc::clone(denied), Some(identity))));
        known.identified.push_back((fingerprint, client.clone()));
        if known.identified.len() > MAX_IDENTITIES {
            known.identified.pop_front();
        }
        client
    }

    fn client(&self, denied: Arc<[DenyRule]>, identity: Option<&ClientIdentity>) -> HttpClient {
        let connector = Connector::new(&self.policy, denied, self.resolver.clone(), self.tls.config(identity));
        // Without a handshake nobody is shown the certificate, and nobody asks for it.
        let connector = if identity.is_some() { connector.https_only() } else { connector };
        // The client repeats a request only when a connection closed before any of the request was handed to it.
        Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .build(connector)
    }
}
