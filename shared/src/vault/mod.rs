//! The vault: seals secrets under the deployment's keyring, and opens them again.
//!
//! Sealed values are stored beside the configuration they belong to, so a million webhooks cost one secret in Secrets
//! Manager. The vault never logs, and hands plain secrets out as [`SecretString`] only.

mod keyring;

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::RwLock;

pub use keyring::{Keyring, KeyringError};

use crate::aws::secrets::{SecretError, SecretStore};
use crate::random::Random;

/// A sealed secret: `kid.base64url(nonce ‖ ciphertext ‖ tag)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// What tells it from other sealed values, and opens to nothing.
    #[must_use]
    pub fn digest(&self) -> Self {
        Self(format!("sha256:{}", hex::encode(Sha256::digest(self.0.as_bytes()))))
    }
}

/// Why a secret could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The keyring could not be fetched.
    #[error("fetching the keyring failed")]
    Fetch(#[source] SecretError),
    /// The keyring or the sealed value is not what it should be.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
}

/// Seals and opens secrets with AES-256-GCM, bound to their tenant and id.
#[derive(Clone)]
pub struct Vault {
    secrets: SecretStore,
    random: Random,
    ring: Arc<RwLock<Option<Fetched>>>,
}

struct Fetched {
    ring: Keyring,
    at: Timestamp,
}

/// An unknown key makes the ring be fetched again, but not more often than this.
const REFETCH_AFTER: SignedDuration = SignedDuration::from_secs(5);

impl Vault {
    /// A vault over the keyring that `secrets` holds; fetched when first needed.
    #[must_use]
    pub fn new(secrets: SecretStore, random: Random) -> Self {
        Self { secrets, random, ring: Arc::new(RwLock::new(None)) }
    }

    /// Seals `secret` with the newest key, bound to `owner` (tenant and id).
    ///
    /// # Errors
    /// When the keyring cannot be fetched or holds no key.
    pub async fn seal(&self, secret: &SecretString, owner: &Owner, now: Timestamp) -> Result<Sealed, VaultError> {
        self.fetch(now, None).await?;
        let guard = self.ring.read().await;
        let fetched = guard.as_ref().ok_or(KeyringError::Empty)?;
        Ok(fetched.ring.seal(secret, owner.as_str(), self.random.bytes())?)
    }

    /// Makes sure that a keyring is at hand, so that opening a secret takes no call.
    ///
    /// # Errors
    /// When the keyring cannot be fetched.
    pub async fn ready(&self, now: Timestamp) -> Result<(), VaultError> {
        self.fetch(now, None).await
    }

    /// Opens what [`Self::seal`] made for the same `owner`.
    ///
    /// # Errors
    /// When the keyring cannot be fetched, does not hold the key, or the value belongs to another owner.
    pub async fn open(&self, sealed: &Sealed, owner: &Owner, now: Timestamp) -> Result<SecretString, VaultError> {
        self.fetch(now, Some(sealed)).await?;
        let guard = self.ring.read().await;
        let fetched = guard.as_ref().ok_or(KeyringError::Empty)?;
        Ok(fetched.ring.open(sealed, owner.as_str())?)
    }

    /// Makes sure that a ring is at hand, and fetches it again for a key that it does not know yet.
    async fn fetch(&self, now: Timestamp, needed: Option<&Sealed>) -> Result<(), VaultError> {
        if let Some(fetched) = self.ring.read().await.as_ref() {
            let knows = needed.is_none_or(|sealed| fetched.ring.knows(sealed));
            if knows || now.duration_since(fetched.at) < REFETCH_AFTER {
                return Ok(());
            }
        }
        let text = self.secrets.get().await.map_err(VaultError::Fetch)?;
        let ring = Keyring::parse(&text)?;
        *self.ring.write().await = Some(Fetched { ring, at: now });
        Ok(())
    }
}

/// What a sealed value is bound to: it opens nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner(String);

impl Owner {
    /// The owner named by a tenant and an id.
    #[must_use]
    pub fn new(tenant: &crate::domain::text::TenantSlug, id: impl std::fmt::Display) -> Self {
        Self(format!("{tenant}/{id}"))
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}
