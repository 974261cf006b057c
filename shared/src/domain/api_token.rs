//! API tokens: who calls the management API. Only a hash of the token is ever stored.

use std::fmt;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::event_facts::OwnerName;
use super::id::ApiTokenId;
use super::permission::Permission;
use super::text::{Name, TenantSlug};

/// A stored API token: everything but the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiToken {
    /// Its id, safe to show and log.
    pub id: ApiTokenId,
    /// The tenant it acts for.
    pub tenant: TenantSlug,
    /// What it is for, in its maker's words.
    pub name: Name,
    /// The owner of subscriptions that it acts for; it sees nothing of others'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerName>,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// The SHA-256 of the token.
    pub hash: SecretHash,
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// From when on it is refused, if ever.
    #[serde(
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<Timestamp>,
}

impl ApiToken {
    /// Tells whether the token may do `permission`.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Tells whether the token is past its end at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// The SHA-256 of a bearer secret (an API token or a webhook key), in hex.
///
/// These secrets have at least 160 random bits, so a plain hash cannot be searched backwards; looking one up by its
/// hash takes the same work whether it exists or not.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SecretHash(String);

impl SecretHash {
    /// Hashes a bearer secret.
    #[must_use]
    pub fn of(secret: &SecretString) -> Self {
        Self(hex::encode(Sha256::digest(secret.expose_secret().as_bytes())))
    }

    /// The 64 hex characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}
