//! Opens connections, and only to addresses that were judged.
//!
//! Whatever the host of a URL is, a name or an address in any spelling, it becomes a list of addresses exactly once per
//! connection. If any of them is refused, none is used; otherwise the connection goes to one of them and never back to
//! the name. So a name server that answers differently the second time is not asked a second time. No environment
//! variable and no proxy setting of the system is read: the only proxy is the policy's, and it gets the same addresses.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tower_service::Service;

use super::deny::{self, BoxError, DenyRule};
use super::policy::EgressPolicy;
use super::proxy::{Proxy, TunnelError};
use super::resolve::{Resolver, literal};
use crate::domain::address::AddressRefusal;
use crate::domain::target_url::UrlPolicy;

/// How many addresses of one name are tried. All of them are judged.
const MAX_TRIED: usize = 4;

type Connecting<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the host is {0}")]
    Refused(AddressRefusal),
    #[error("the host is on the operator's deny list: {0}")]
    Denied(String),
    #[error("the proxy opened no connection")]
    Proxy(#[source] TunnelError),
    #[error("looking up the host name failed")]
    Resolve(#[source] io::Error),
    #[error("connecting failed")]
    Connect(#[source] io::Error),
    #[error("connecting took too long")]
    TimedOut,
}

/// Opens TCP connections to judged addresses.
#[derive(Clone)]
pub(super) struct Dialer(Arc<Rules>);

struct Rules {
    urls: UrlPolicy,
    denied: Arc<[DenyRule]>,
    resolver: Resolver,
    proxy: Option<Proxy>,
    timeout: Duration,
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Connecting<Self::Response, ConnectError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let rules = Arc::clone(&self.0);
        Box::pin(async move { rules.dial(&target).await.map(TokioIo::new) })
    }
}

impl Rules {
    async fn dial(&self, target: &Uri) -> Result<TcpStream, ConnectError> {
        // A tunnel leaves a tenth of the time to the handshake: a proxy that is silent is then known to be the cause.
        let within = if self.proxy.is_some() { self.timeout * 9 / 10 } else { self.timeout };
        let deadline = Instant::now() + within;
        let addresses = self.judged_addresses(target).await?;
        let port = target.port_u16().unwrap_or_else(|| default_port(target));
        let tried = addresses.iter().take(MAX_TRIED);
        let mut left = u32::try_from(tried.len()).unwrap_or(1);
        let mut first_failure = None;
        for address in tried {
            // Each address gets its share of what is left, so that a dead one does not use it all up.
            let share = deadline.saturating_duration_since(Instant::now()) / left;
            left -= 1;
            match self.open(SocketAddr::new(*address, port), share).await {
                Ok(stream) => return Ok(stream),
                Err(failure) => first_failure = first_failure.or(Some(failure)),
            }
        }
        Err(first_failure.unwrap_or(ConnectError::TimedOut))
    }

    async fn judged_addresses(&self, target: &Uri) -> Result<Vec<IpAddr>, ConnectError> {
        let host = target.host().unwrap_or_default();
        let addresses = match literal(host) {
            Some(address) => vec![address],
            None => self.resolver.addresses(host).await.map_err(ConnectError::Resolve)?,
        };
        for address in &addresses {
            self.urls.judge(host, *address).map_err(ConnectError::Refused)?;
            if let Some(rule) = deny::by_address(&self.denied, *address) {
                return Err(ConnectError::Denied(rule.description.clone()));
            }
        }
        Ok(addresses)
    }

    async fn open(&self, address: SocketAddr, within: Duration) -> Result<TcpStream, ConnectError> {
        match &self.proxy {
            Some(proxy) => proxy.tunnel(address, within).await.map_err(ConnectError::Proxy),
            None => open(address, within).await,
        }
    }
}

async fn open(address: SocketAddr, within: Duration) -> Result<TcpStream, ConnectError> {
    let stream = timeout(within, TcpStream::connect(address))
        .await
        .map_err(|_| ConnectError::TimedOut)?
        .map_err(ConnectError::Connect)?;
    stream.set_nodelay(true).map_err(ConnectError::Connect)?;
    Ok(stream)
}

fn default_port(target: &Uri) -> u16 {
    if target.scheme() == Some(&Scheme::HTTP) { 80 } else { 443 }
}

/// Opens connections for the HTTP client: TCP by [`Dialer`], TLS 1.2 or 1.3 on top, all within one time limit.
#[derive(Clone)]
pub(super) struct Connector {
    https: HttpsConnector<Dialer>,
    timeout: Duration,
}

impl Connector {
    /// Makes the connector of one policy, one state of the deny list and one identity.
    pub(super) fn new(policy: &EgressPolicy, denied: Arc<[DenyRule]>, resolver: Resolver, tls: ClientConfig) -> Self {
        let dialer = Dialer(Arc::new(Rules {
            urls: policy.urls(),
            denied,
            resolver,
            proxy: policy.proxy.clone(),
            timeout: policy.connect_timeout,
        }));
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls);
        let builder = if policy.allow_http { builder.https_or_http() } else { builder.https_only() };
        Self { https: builder.enable_http1().wrap_connector(dialer), timeout: policy.connect_timeout }
    }

    /// The same, for `https` only, whatever the policy allows.
    pub(super) fn https_only(mut self) -> Self {
        self.https.enforce_https();
        self
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Connecting<Self::Response, BoxError>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let connecting = self.https.call(target);
        let within = self.timeout;
        Box::pin(async move {
            match timeout(within, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(ConnectError::TimedOut.into()),
            }
        })
    }
}
