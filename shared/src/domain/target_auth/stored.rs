//! What is stored of a target's authentication: everything in the open but its secrets, which are sealed together.

use std::collections::BTreeMap;
use std::fmt::Display;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{SecretName, SecretText, TargetAuth};
use crate::domain::text::TenantSlug;
use crate::vault::{Owner, Sealed};

/// A target's authentication with its secrets sealed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredAuth {
    /// All of it, with `(hidden)` in place of every secret.
    shown: TargetAuth,
    /// The secrets.
    sealed: Sealed,
}

/// Opened secrets that are not those of what they were sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed secrets are not those of the target's authentication")]
pub struct StoredAuthError;

impl StoredAuth {
    /// Of an authentication whose [secrets](TargetAuth::to_be_sealed) were sealed.
    #[must_use]
    pub fn new(auth: TargetAuth, sealed: Sealed) -> Self {
        Self { shown: auth.hidden(), sealed }
    }

    /// What the secrets are bound to: they open nowhere else, not even as the subscription's signing secret.
    #[must_use]
    pub fn owner(tenant: &TenantSlug, subscription: impl Display) -> Owner {
        Owner::new(tenant, format_args!("{subscription}/auth"))
    }

    /// The secrets, sealed.
    #[must_use]
    pub fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    /// All of it as people may see it.
    #[must_use]
    pub fn view(&self) -> &TargetAuth {
        &self.shown
    }

    /// All of it, with the secrets that were opened.
    ///
    /// # Errors
    /// When they are not its secrets.
    pub fn opened(&self, secrets: &SecretString) -> Result<TargetAuth, StoredAuthError> {
        let read = serde_json::from_str::<BTreeMap<SecretName, SecretText>>(secrets.expose_secret());
        let mut secrets = read.map_err(|_| StoredAuthError)?;
        let mut auth = self.shown.clone();
        for (name, secret) in auth.secrets_mut() {
            *secret = secrets.remove(&name).ok_or(StoredAuthError)?;
        }
        Ok(auth)
    }

    /// Tells it from what the same subscription had before, by what is sealed and shown. No secret can be guessed by it.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let text = serde_json::to_vec(self).unwrap_or_default();
        let digest = Sha256::digest(&text);
        digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}

impl TargetAuth {
    /// Its secrets as one text, which is to be sealed.
    #[must_use]
    pub fn to_be_sealed(&self) -> SecretString {
        let texts: BTreeMap<SecretName, &str> =
            self.secrets().into_iter().map(|(name, secret)| (name, secret.expose())).collect();
        SecretString::from(serde_json::to_string(&texts).unwrap_or_default())
    }
}
