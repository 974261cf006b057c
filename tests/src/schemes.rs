//! Every way in which a sender can prove itself, as configuration and as what the sender then does.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::issuer::{ISSUER, Issuer};
use crate::senders::{SenderRequest, hmac_sha256, tag};

/// The secret of every scheme that has one.
pub const SECRET: &str = "a secret of the scheme";

type Prove = Arc<dyn Fn(SenderRequest, Timestamp) -> SenderRequest + Send + Sync>;

/// One way to prove.
#[derive(Clone)]
pub struct Scheme {
    /// Its name, for messages and slugs.
    pub name: &'static str,
    /// `auth_type` and `auth_config`.
    pub settings: Value,
    /// What stands behind the path of the URL.
    pub query: &'static str,
    /// What stands there when the proof is wrong.
    pub wrong_query: &'static str,
    prove: Prove,
    spoil: Prove,
}

impl Scheme {
    /// The request with its proof, made at `now`.
    #[must_use]
    pub fn prove(&self, request: SenderRequest, now: Timestamp) -> SenderRequest {
        (self.prove)(request, now)
    }

    /// The request with a proof that is wrong.
    #[must_use]
    pub fn spoil(&self, request: SenderRequest, now: Timestamp) -> SenderRequest {
        (self.spoil)(request, now)
    }
}

fn scheme(
    name: &'static str,
    config: Value,
    prove: impl Fn(SenderRequest, Timestamp, &str) -> SenderRequest + Send + Sync + 'static,
) -> Scheme {
    let prove = Arc::new(prove);
    let spoilt = Arc::clone(&prove);
    Scheme {
        name,
        settings: json!({"auth_type": config["type"], "auth_config": config}),
        query: "",
        wrong_query: "",
        prove: Arc::new(move |request, now| prove(request, now, SECRET)),
        spoil: Arc::new(move |request, now| spoilt(request, now, "a secret of someone else")),
    }
}

/// Every scheme. The issuer of the signed tokens must live as long as they are used.
#[must_use]
pub fn all(issuer: &Arc<Issuer>) -> Vec<Scheme> {
    let hmac = |kind: &str, more: Value| {
        let mut config = json!({"type": kind, "signature_header": "X-Signature", "secret": SECRET});
        crate::gateway::merge(&mut config, more);
        config
    };
    let bearer = json!({"type": "bearer", "token": SECRET});
    let with_bearer = |r: SenderRequest, secret: &str| r.with("authorization", &format!("Bearer {secret}"));
    let jwks_url = issuer.jwks_url();
    let issuer = Arc::clone(issuer);
    let path_token = Scheme {
        query: "?token=a%20secret+of%20the%20scheme",
        wrong_query: "?token=a+secret+of+someone+else",
        ..scheme("path-token", json!({"type": "path_token", "query_param": "token", "token": SECRET}), |r, _, _| r)
    };
    let from = |r: SenderRequest, secret: &str| {
        if secret == SECRET { r.from("2001:db8::7") } else { r.from("198.51.100.7") }
    };
    vec![
        scheme("hmac-sha256", hmac("hmac_sha256", json!({})), |r, _, secret| {
            let value = format!("sha256={}", hex::encode(hmac_sha256(secret, &r.body)));
            r.with("x-signature", &value)
        }),
        scheme("hmac-sha1", hmac("hmac_sha1", json!({})), |r, _, secret| {
            let value = hex::encode_upper(tag::<Hmac<Sha1>>(secret, &[&r.body]));
            r.with("x-signature", &value)
        }),
        scheme("hmac-sha512-base64", hmac("hmac_sha512", json!({"encoding": "base64"})), |r, _, secret| {
            let value = STANDARD.encode(tag::<Hmac<Sha512>>(secret, &[&r.body]));
            r.with("x-signature", &value)
        }),
        scheme("timestamped", hmac("hmac_sha256", json!({"format": "timestamped"})), |r, now, secret| {
            let t = now.as_second().to_string();
            let tag = tag::<Hmac<Sha256>>(secret, &[t.as_bytes(), b".", &r.body]);
            r.with("x-signature", &format!("t={t},v1={}", hex::encode(tag)))
        }),
        scheme("bearer", bearer.clone(), move |r, _, secret| with_bearer(r, secret)),
        scheme("basic", json!({"type": "basic", "username": "sender", "password": SECRET}), |r, _, secret| {
            let value = STANDARD.encode(format!("sender:{secret}"));
            r.with("authorization", &format!("Basic {value}"))
        }),
        scheme("api-key", json!({"type": "api_key", "header": "X-Key", "key": SECRET}), |r, _, secret| {
            r.with("x-key", secret)
        }),
        path_token,
        scheme("ip-allowlist", json!({"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24", "2001:db8::/32"]}), {
            move |r, _, secret| from(r, secret)
        }),
        scheme(
            "jwt",
            json!({"type": "jwt", "jwks_url": jwks_url, "issuer": ISSUER, "audience": "hookport"}),
            move |r, now, secret| {
                let audience = if secret == SECRET { "hookport" } else { "someone else" };
                r.with("authorization", &format!("Bearer {}", issuer.token(audience, now)))
            },
        ),
        scheme(
            "all",
            json!({"type": "all", "of": [
                hmac("hmac_sha256", json!({})),
                bearer,
                {"type": "ip_allowlist", "ip_cidrs": ["2001:db8::7"]},
            ]}),
            move |r, _, secret| {
                let value = hex::encode(hmac_sha256(secret, &r.body));
                with_bearer(from(r, secret), secret).with("x-signature", &value)
            },
        ),
    ]
}
