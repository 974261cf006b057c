//! Issuers of signed tokens: their keys, as they publish them and as they sign with them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::proof::KeySet;

/// An RSA key whose other half was thrown away after it had signed the two tokens below.
const RSA_MODULUS: &str = "47N1Tx2iXip7MvgCXejkFlToTZEgnv5G4U2fqMUuHzTwRpJoRcziYC-sCy3vrWz8Tdg8B7TFLB4qJ5_HrGEwko3yOqcza4Wouj8u\
    kmMfwbwM3PXla01SwE0EqPz4Teps05uS0ToREvUvj-x4knOVbevbT-cJoVxyg14ZCSFEthb4Mxdtk7lDHSs947TgzwX0LVxAskGK\
    6AngblGgLAV9vBqwjYTPcw6Chvf2g_fz3ri9X0NU93-1YH5eENzCqBgJ9KPznA1mc09yhClnJMjCOQP5YTzMUCk98Vp50L4vRvyg\
    pfXiwzLXtmgSYF-yvKCagBC97DENN6pSA-MFu0tMgQ";

/// `{"alg":"RS256","kid":"rsa"}`, `{"exp":1800000000}`.
pub(super) const RS256: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.eyJleHAiOjE4MDAwMDAwMDB9.PhNDLqp_9dHIWIfiAwFYl1qcjcFrv4BVbaplTM\
    QySaA1U327huLAtQJrpVqBvCr3-bmY2C5Jjq3_v7EXZqXeBieqzkNiY34NGr-kpkSsAjFWb-iMejfsGcz79_uWLoMYB57dLhcylS\
    fSeOH5_1qC7Nqi0FKoV06Am0Zbyom_ubXjDjZQtpQTFysSCuCOgn-QaRIIshLo1Ckbiavi-CNPRviAfQ8Xqtx0oeZI4kbP9hPfiv\
    yR4v0FStxwhTsy-M2zEwSvefmjGZz0V1UtWm7ZRa3DkrOsoJ2aLBXa3LGD_M9LiEMPCJUxWjxdg6gRwc220Uhd4lkF4Aa6BV7qD5\
    5HMw";

/// `{"alg":"PS384","kid":"rsa"}`, `{"exp":1800000000}`.
pub(super) const PS384: &str = "eyJhbGciOiJQUzM4NCIsImtpZCI6InJzYSJ9.eyJleHAiOjE4MDAwMDAwMDB9.0-9V5DMMdTbzm2mUKz3eTSIgJCaMBjmgRsPlJb\
    amnjhh1FxeZsDVb5AdaG1QHuYG9blDO-5nKn3OPHnmLVrYQnoQjUwmcZF_ZGjfx5aoPnFQVdH3grE20OAyp-aO8ncjOC2frxGWJA\
    CdxEh0pvSrW4YgSOw1Q6NECfjus-EQain_p0UELSfd13fthmOgsDReZpKCi1LW38gh4e72-SNZGL2PTa8pO8HrbxsEpXDRlkAmFJ\
    zzBQhGKArFo-YhrWyHSEdo4AV1XmWmwIDosgsEGceauD4HSFLuYYqy6rJaflD4SkONNLRW70qoGFXxMXVuMBS4QPb04hoBJybieT\
    XFFw";

/// Where the keys are published.
pub(super) const URL: &str = "https://issuer.example/keys";

pub(super) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The two parts of a token that are signed.
pub(super) fn unsigned(head: &Value, claims: &Value) -> String {
    format!("{}.{}", base64url(head.to_string()), base64url(claims.to_string()))
}

/// An Ed25519 key, always the same one for the same number.
pub(super) struct Ed(Ed25519KeyPair);

impl Ed {
    pub(super) fn new(number: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap())
    }

    pub(super) fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    pub(super) fn jwk(&self, kid: &str) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "use": "sig", "x": base64url(self.public()) })
    }

    pub(super) fn sign(&self, head: &Value, claims: &Value) -> String {
        let message = unsigned(head, claims);
        let signature = base64url(self.0.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// A token with these claims, signed as it should be.
    pub(super) fn token(&self, kid: &str, claims: &Value) -> String {
        self.sign(&json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid }), claims)
    }
}

/// A fresh ECDSA key on P-256.
pub(super) struct Ec(EcdsaKeyPair);

impl Ec {
    pub(super) fn new() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap())
    }

    /// The point, uncompressed: 4, x and y.
    pub(super) fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    pub(super) fn jwk(&self, kid: &str) -> Value {
        let (x, y) = self.public()[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "kid": kid, "alg": "ES256", "x": base64url(x), "y": base64url(y) })
    }

    pub(super) fn token(&self, head: &Value, claims: &Value) -> String {
        let message = unsigned(head, claims);
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", base64url(signature))
    }
}

/// The key that [`RS256`] and [`PS384`] were signed with.
pub(super) fn rsa_jwk() -> Value {
    json!({ "kty": "RSA", "kid": "rsa", "use": "sig", "n": RSA_MODULUS, "e": "AQAB" })
}

/// The document that publishes these keys.
pub(super) fn document(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// These keys, published at [`URL`].
pub(super) fn key_set(keys: &[Value]) -> KeySet {
    KeySet::parse(URL, document(keys).as_bytes()).unwrap()
}
