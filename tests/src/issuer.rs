//! An issuer of signed tokens that publishes its keys, as identity providers do.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::Sink;

/// An issuer with one ES256 key.
pub struct Issuer {
    key: EcdsaKeyPair,
    server: Sink,
}

/// The name of the key.
const KID: &str = "key-1";
/// What the issuer calls itself.
pub const ISSUER: &str = "https://issuer.example";

impl Issuer {
    /// Starts an issuer that serves its keys on loopback.
    ///
    /// # Panics
    /// When no key can be made.
    pub async fn start() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random);
        let key = key.expect("the key that was just made");
        let server = Sink::start().await;
        let public = key.public_key().as_ref();
        let coordinate = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&public[range]);
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": KID,
            "x": coordinate(1..33), "y": coordinate(33..65),
        });
        server.serves(json!({ "keys": [jwk] }).to_string());
        Self { key, server }
    }

    /// Where its keys are.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        self.server.url("/jwks.json")
    }

    /// How often its keys were fetched.
    #[must_use]
    pub fn fetches(&self) -> usize {
        self.server.received().len()
    }

    /// A token for `audience` that is valid for five minutes from `now`.
    #[must_use]
    pub fn token(&self, audience: &str, now: Timestamp) -> String {
        let now = now.as_second();
        self.sign(&json!({"iss": ISSUER, "aud": audience, "iat": now, "exp": now + 300}))
    }

    /// A token with these claims.
    ///
    /// # Panics
    /// When it cannot be signed.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({"alg": "ES256", "typ": "JWT", "kid": KID})), part(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}
