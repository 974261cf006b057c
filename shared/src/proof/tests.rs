//! The engine with secrets that a real vault sealed. The key sets come from a real server on loopback.

mod certificates;
mod credentials;
mod issuer;
mod key_sets;
mod rotation;
mod signatures;
mod sources;
mod tokens;

use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use serde_json::json;

use super::*;
use crate::aws::clients::{AwsClients, AwsCredentials, AwsSettings};
use crate::aws::in_process::{self, NoAnswer};
use crate::aws::secrets::SecretStore;
use crate::domain::text::TenantSlug;
use crate::random::Random;

const NOW_S: i64 = 1_790_000_000;
const RING: &str = r#"{"k1":"0123456789abcdef0123456789abcdef"}"#;
const OTHER_RING: &str = r#"{"k2":"fedcba9876543210fedcba9876543210"}"#;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A vault over this keyring; without one, the keyring cannot be fetched.
fn vault(ring: Option<&'static str>) -> Vault {
    let transport = in_process::transport(move |_| {
        let answer = ring.ok_or(NoAnswer::Broken).map(|ring| {
            let secret = json!({ "ARN": "arn", "Name": "keyring", "SecretString": ring }).to_string();
            http::Response::new(Bytes::from(secret))
        });
        Box::pin(async move { answer })
    });
    let credentials =
        AwsCredentials { access_key_id: "id".into(), secret_access_key: "key".into(), session_token: None };
    let settings = AwsSettings {
        region: "eu-central-1".into(),
        endpoint_url: None,
        credentials,
        max_attempts: 1,
        initial_backoff: Duration::ZERO,
        report_capacity: false,
    };
    Vault::new(SecretStore::new(&AwsClients::new(&settings, transport), "keyring"), Random::from_os())
}

fn owner(id: &str) -> Owner {
    Owner::new(&TenantSlug::try_from("acme".to_owned()).unwrap(), id)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn sealed_on(ring: &'static str, secret: &str) -> Sealed {
    run(vault(Some(ring)).seal(&SecretString::from(secret), &owner("webhook"), at(NOW_S))).unwrap()
}

fn sealed(secret: &str) -> Sealed {
    sealed_on(RING, secret)
}

fn secrets(secret: &str) -> Secrets {
    Secrets::new(sealed(secret))
}

fn opened(auth: &Auth) -> Verifier {
    run(Verifier::open(auth, &vault(Some(RING)), &owner("webhook"), at(NOW_S))).unwrap()
}

fn verifier(proofs: Vec<Proof>) -> Verifier {
    opened(&Auth { allowed_ips: None, proofs })
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pairs = pairs.iter().map(|(name, value)| (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value)));
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name, value.unwrap());
    }
    headers
}

/// A request at [`NOW_S`] with these headers, judged without any published keys.
fn judged(verifier: &Verifier, pairs: &[(&str, &str)], body: &[u8]) -> Judged {
    judged_at(verifier, pairs, body, at(NOW_S))
}

fn judged_at(verifier: &Verifier, pairs: &[(&str, &str)], body: &[u8], now: Timestamp) -> Judged {
    verifier.prove(&Evidence::posted(&headers(pairs), body, now), None)
}

fn bearer(secret: &str) -> Proof {
    Proof::Bearer { secret: secrets(secret) }
}

fn key_in_a_header(secret: &str) -> Proof {
    Proof::HeaderKey { header: "X-Key".into(), secret: secrets(secret) }
}

#[test]
fn all_proofs_must_hold_and_the_first_that_fails_is_named() {
    let verifier = verifier(vec![bearer("the-bearer-token"), key_in_a_header("the-header-key")]);
    let (token, key) = (("authorization", "Bearer the-bearer-token"), ("x-key", "the-header-key"));
    let result = |pairs: &[(&str, &str)]| judged(&verifier, pairs, b"{}").result;
    assert_eq!(result(&[token, key]), Ok(()));
    assert_eq!(result(&[token]), Err(Refusal::CredentialMissing));
    assert_eq!(result(&[token, ("x-key", "wrong")]), Err(Refusal::CredentialMismatch));
    assert_eq!(result(&[key]), Err(Refusal::CredentialMissing));
    assert_eq!(result(&[("authorization", "Basic eA"), ("x-key", "wrong")]), Err(Refusal::CredentialMalformed));
}

#[test]
fn nothing_asked_for_is_proved_by_anything() {
    assert_eq!(judged(&verifier(vec![]), &[], b"{}"), Judged { result: Ok(()), macs: 0 });
}

/// A proof whose secret is gone must refuse, never be skipped.
#[test]
fn a_secret_that_does_not_open_refuses_everybody() {
    let token = [("authorization", "Bearer the-bearer-token")];
    let foreign = run(vault(Some(RING)).seal(&"the-bearer-token".into(), &owner("other"), at(NOW_S))).unwrap();
    for unusable in [foreign, sealed_on(OTHER_RING, "the-bearer-token"), sealed("")] {
        let verifier = verifier(vec![Proof::Bearer { secret: Secrets::new(unusable) }]);
        for pairs in [&token[..], &[("authorization", "Bearer ")], &[]] {
            assert_eq!(judged(&verifier, pairs, b"").result, Err(Refusal::SecretUnusable), "{pairs:?}");
        }
    }
}

#[test]
fn an_empty_secret_given_directly_refuses_everybody() {
    let auth =
        Auth { allowed_ips: None, proofs: vec![bearer("unused-secret-01"), key_in_a_header("unused-secret-01")] };
    let verifier = Verifier::with_secret(&auth, &SecretString::from(""));
    let pairs = [("authorization", "Bearer "), ("x-key", "")];
    assert_eq!(judged(&verifier, &pairs, b"").result, Err(Refusal::SecretUnusable));
}

#[test]
fn a_keyring_that_cannot_be_had_is_an_error_worth_another_try() {
    let auth = Auth { allowed_ips: None, proofs: vec![bearer("the-bearer-token")] };
    let open = |ring| run(Verifier::open(&auth, &vault(ring), &owner("webhook"), at(NOW_S))).err();
    assert!(matches!(open(None), Some(VaultError::Fetch(_))));
    assert!(matches!(open(Some("{}")), Some(VaultError::Keyring(KeyringError::Empty))));
    assert!(open(Some(RING)).is_none());
}

#[test]
fn nobody_spends_on_a_key_that_is_not_known() {
    let nobody = Nobody::new([7; 32]);
    nobody.spend(b"body", 3);
    assert_ne!(nobody.0.tag(&[b"body"]), HmacKey::from_bytes(&[0; 32]).tag(&[b"body"]));
}
