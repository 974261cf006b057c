//! The keys that a subscription's deliveries are signed with.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::signature::{Ed25519KeyPair, KeyPair};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::random::Random;
use crate::signature::standard::{SigningKey, key_bytes};

/// What the public part of a tenant's key starts with, as Standard Webhooks writes it.
pub const PUBLIC_PREFIX: &str = "whpk_";

/// A secret of a subscription, ready for use.
#[derive(Clone)]
pub struct Key {
    text: SecretString,
    standard: Option<(SigningKey, Arc<Zeroizing<Vec<u8>>>)>,
}

impl Key {
    /// Prepares a secret. Whether it is one as Standard Webhooks writes them shows when such a signature is asked for.
    #[must_use]
    pub fn new(text: SecretString) -> Self {
        let bytes = key_bytes(&text).ok().map(Arc::new);
        let standard = SigningKey::new(&text).ok().zip(bytes);
        Self { text, standard }
    }

    /// The bytes of the text itself.
    pub(super) fn bytes(&self) -> &[u8] {
        self.text.expose_secret().as_bytes()
    }

    /// The bytes that Standard Webhooks takes it for.
    pub(super) fn standard_bytes(&self) -> Option<&[u8]> {
        self.standard.as_ref().map(|(_, bytes)| bytes.as_slice())
    }

    /// Tells whether Standard Webhooks can be signed with it.
    #[must_use]
    pub fn is_standard(&self) -> bool {
        self.standard.is_some()
    }
}

/// A key that signs for a tenant.
pub struct TenantKey {
    kid: String,
    pair: Ed25519KeyPair,
    /// Until when it signs.
    until: Option<Timestamp>,
}

impl fmt::Debug for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantKey").field("kid", &self.kid).field("until", &self.until).finish_non_exhaustive()
    }
}

impl TenantKey {
    /// Makes the seed of a key: base64 of 32 random bytes.
    #[must_use]
    pub fn seed(random: &Random) -> SecretString {
        SecretString::from(STANDARD.encode(random.bytes::<32>()))
    }

    /// Reads the seed of a key; `None` when it is none.
    #[must_use]
    pub fn new(kid: String, seed: &SecretString, until: Option<Timestamp>) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(seed.expose_secret()).ok()?);
        let pair = Ed25519KeyPair::from_seed_unchecked(&bytes).ok()?;
        Some(Self { kid, pair, until })
    }

    /// Its id.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Signs a text.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    /// The public part: 32 bytes as JSON Web Keys write them.
    #[must_use]
    pub fn public_base64url(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref())
    }

    /// The public part, as Standard Webhooks writes it.
    #[must_use]
    pub fn public_text(&self) -> String {
        format!("{PUBLIC_PREFIX}{}", STANDARD.encode(self.pair.public_key().as_ref()))
    }
}

/// The keys of a subscription and of its tenant.
#[derive(Clone)]
pub struct Keys {
    current: Key,
    previous: Option<(Key, Timestamp)>,
    tenant: Arc<[TenantKey]>,
}

impl Keys {
    /// Takes the current secret, and the previous one with the time until which it signs as well.
    #[must_use]
    pub fn new(current: Key, previous: Option<(Key, Timestamp)>) -> Self {
        Self { current, previous, tenant: Arc::new([]) }
    }

    /// The same with the keys of the tenant, the newest first.
    #[must_use]
    pub fn with_tenant(self, tenant: Arc<[TenantKey]>) -> Self {
        Self { tenant, ..self }
    }

    /// The same without the secret before, for what has to prove the current one.
    #[must_use]
    pub fn current_alone(&self) -> Self {
        Self { previous: None, ..self.clone() }
    }

    pub(super) fn current(&self) -> &Key {
        &self.current
    }

    pub(super) fn previous(&self, at: Timestamp) -> Option<&Key> {
        self.previous.as_ref().filter(|(_, until)| at < *until).map(|(key, _)| key)
    }

    /// The keys that sign as Standard Webhooks at that time; `None` when the current secret is none of its secrets.
    pub(super) fn standard(&self, at: Timestamp) -> Option<impl Iterator<Item = &SigningKey>> {
        let (current, _) = self.current.standard.as_ref()?;
        let previous = self.previous(at).and_then(|key| key.standard.as_ref()).map(|(key, _)| key);
        Some(std::iter::once(current).chain(previous))
    }

    /// The keys of the tenant that sign at that time, the newest first.
    pub(super) fn of_tenant(&self, at: Timestamp) -> impl Iterator<Item = &TenantKey> {
        self.tenant.iter().filter(move |key| key.until.is_none_or(|until| at < until))
    }
}
