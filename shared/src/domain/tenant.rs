//! Tenants: the isolation boundary.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::text::{Name, TenantSlug};

/// An isolated customer of this deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its name in URLs and keys; never changes.
    pub slug: TenantSlug,
    /// Its name for people.
    pub name: Name,
    /// Whether webhooks are taken in; off, the receiver answers as if they were unknown.
    pub inbound_enabled: bool,
    /// Whether events are sent out.
    pub outbound_enabled: bool,
    /// Raised with every change to its subscriptions, so that a cached list can be checked by one small read.
    #[serde(skip)]
    pub subscriptions_version: u64,
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
}

impl Tenant {
    /// A new tenant with everything switched on.
    #[must_use]
    pub fn new(slug: TenantSlug, name: Name, now: Timestamp) -> Self {
        Self { slug, name, inbound_enabled: true, outbound_enabled: true, subscriptions_version: 0, created_at: now }
    }
}
