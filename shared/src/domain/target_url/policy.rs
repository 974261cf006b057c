//! Which URLs a deployment accepts.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::domain::address::{self, AddressRefusal};
use crate::domain::host_pattern::HostPattern;

/// Which URLs a deployment accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlPolicy {
    /// Accepts `http` beside `https`.
    pub allow_http: bool,
    /// Accepts this machine.
    pub allow_loopback: bool,
    /// Accepts special-purpose addresses in these networks, and names of internal networks if there is any.
    pub allowed_networks: Vec<IpNet>,
    /// Accepts these hosts whatever addresses they stand for, but for those that hand out credentials.
    ///
    /// A pattern takes in what it says and no more: for a name and all below it, list `example.internal` and
    /// `*.example.internal`.
    pub allowed_hosts: Vec<HostPattern>,
}

impl UrlPolicy {
    /// Tells whether the host is among the allowed ones.
    #[must_use]
    pub fn allows_host(&self, host: &str) -> bool {
        self.allowed_hosts.iter().any(|pattern| pattern.matches(host))
    }

    /// Judges an address that the host is or stands for.
    ///
    /// # Errors
    /// Says what the address is when it is refused.
    pub fn judge(&self, host: &str, address: IpAddr) -> Result<(), AddressRefusal> {
        match address::permitted(address, self.allow_loopback, &self.allowed_networks) {
            Err(refusal) if !refusal.kind.hands_out_credentials() && self.allows_host(host) => Ok(()),
            verdict => verdict,
        }
    }
}
