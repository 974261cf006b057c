//! What outgoing requests may reach, and how long and how large they may be.

use std::time::Duration;

use ipnet::IpNet;

use super::proxy::Proxy;
use super::tls::ExtraRoots;
use crate::domain::host_pattern::HostPattern;
use crate::domain::target_url::UrlPolicy;

/// What outgoing requests may reach, and how long and how large they may be.
#[derive(Clone, Debug)]
pub struct EgressPolicy {
    /// Sends to `http` targets as well.
    pub allow_http: bool,
    /// Sends to this machine as well.
    pub allow_loopback: bool,
    /// Sends to special-purpose addresses in these networks as well.
    pub allowed_networks: Vec<IpNet>,
    /// Sends to these hosts whatever addresses they stand for, but for those that hand out credentials.
    ///
    /// For a name and all below it, list `example.internal` and `*.example.internal`.
    pub allowed_hosts: Vec<HostPattern>,
    /// Sends through this proxy, which is told the address that was judged and never the name.
    pub proxy: Option<Proxy>,
    /// Believes servers whose certificates are of these authorities as well.
    pub extra_roots: ExtraRoots,
    /// The longest that a name look-up, a connection and its TLS handshake may take together.
    pub connect_timeout: Duration,
    /// The longest that an answer's head may take, connecting included, where the request does not say otherwise.
    pub headers_timeout: Duration,
    /// The longest that everything may take, where the request does not say otherwise.
    pub total_timeout: Duration,
    /// How much of an answer's body is kept, where the request does not say otherwise.
    pub max_response_bytes: usize,
}

impl Default for EgressPolicy {
    /// Public `https` targets only.
    fn default() -> Self {
        Self {
            allow_http: false,
            allow_loopback: false,
            allowed_networks: Vec::new(),
            allowed_hosts: Vec::new(),
            proxy: None,
            extra_roots: ExtraRoots::default(),
            connect_timeout: Duration::from_secs(3),
            headers_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(15),
            max_response_bytes: 10 * 1024,
        }
    }
}

/// How long one request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// The longest that the answer's head may take, connecting included.
    pub head: Duration,
    /// The longest that everything may take.
    pub total: Duration,
}

impl EgressPolicy {
    /// The part of the policy that a URL can be held against when it is configured.
    #[must_use]
    pub fn urls(&self) -> UrlPolicy {
        UrlPolicy {
            allow_http: self.allow_http,
            allow_loopback: self.allow_loopback,
            allowed_networks: self.allowed_networks.clone(),
            allowed_hosts: self.allowed_hosts.clone(),
        }
    }

    /// How long a request may take that does not say so itself.
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        Timeouts { head: self.headers_timeout, total: self.total_timeout }
    }
}
