//! What outgoing requests may reach, and how long and how large they may be.

use std::time::Duration;

use ipnet::IpNet;

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
    /// The longest that a name look-up, a connection and its TLS handshake may take together.
    pub connect_timeout: Duration,
    /// The longest that an answer's head may take, connecting included.
    pub headers_timeout: Duration,
    /// The longest that everything may take, where the request does not say otherwise.
    pub total_timeout: Duration,
    /// How much of an answer's body is kept.
    pub max_response_bytes: usize,
}

impl Default for EgressPolicy {
    /// Public `https` targets only.
    fn default() -> Self {
        Self {
            allow_http: false,
            allow_loopback: false,
            allowed_networks: Vec::new(),
            connect_timeout: Duration::from_secs(3),
            headers_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(15),
            max_response_bytes: 10 * 1024,
        }
    }
}

impl EgressPolicy {
    /// The part of the policy that a URL can be held against when it is configured.
    #[must_use]
    pub fn urls(&self) -> UrlPolicy {
        UrlPolicy {
            allow_http: self.allow_http,
            allow_loopback: self.allow_loopback,
            allowed_networks: self.allowed_networks.clone(),
        }
    }
}
