//! Signatures: B1 for every dialect, by implementations that share nothing with the signing ones.

use std::borrow::Cow;

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use secrecy::SecretString;
use serde_json::json;
use sfv::{Dictionary, ListEntry, Parser};
use standardwebhooks::Webhook;

use super::{AT, SECRET, SEED, Sent, at, keys_of, text};
use crate::dialect::{Key, Keys, Unsendable, Written, catalogue};
use crate::scheme::MessageSignature;
use crate::scheme::settings::Settings;
use crate::scheme::signature::Keys as ProofKeys;
use crate::scheme::view::{Request, View};
use crate::signature::explain::{Claimed, Verified, explain};

fn explained(written: &Written, secret: &str) -> Verified {
    explain(&Claimed {
        secret: &SecretString::from(secret),
        headers: &written.headers,
        body: &written.body,
        tolerance: SignedDuration::from_secs(300),
        now: at(),
    })
}

fn is_ed25519(message: &[u8], signature: &str) -> bool {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    let seed = engine.decode(SEED).expect("base64");
    let public = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed");
    let signature = engine.decode(signature).expect("base64");
    UnparsedPublicKey::new(&ED25519, public.public_key().as_ref()).verify(message, &signature).is_ok()
}

/// The vector that the specification of Standard Webhooks publishes.
#[test]
fn b1_the_vector_of_standard_webhooks_is_signed_as_published() {
    let at = Timestamp::from_second(1_614_265_330).expect("a time");
    let key = crate::signature::standard::SigningKey::new(&SecretString::from(SECRET)).expect("a secret");
    let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    let mut headers = HeaderMap::new();
    super::set(&mut headers, "webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek");
    super::set(&mut headers, "webhook-timestamp", "1614265330");
    super::set(&mut headers, "webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    let secret = SecretString::from(SECRET);
    let good = Claimed {
        secret: &secret,
        headers: &headers,
        body: br#"{"test": 2432232314}"#,
        tolerance: SignedDuration::from_secs(300),
        now: at,
    };
    assert_eq!(explain(&good), Verified::Valid { scheme: "standard" });
    let bad = Claimed { body: br#"{"test": 2432232315}"#, ..good };
    assert!(matches!(explain(&bad), Verified::Invalid { .. }));
}

#[test]
fn b1_standard_deliveries_are_taken_by_the_reference_implementation_and_by_no_other_secret() {
    let sent = Sent::in_dialect("standard");
    let written = sent.write();
    let now = explained(&written, SECRET);
    assert_eq!(now, Verified::Valid { scheme: "standard" });
    let oracle = Webhook::new(SECRET).expect("a secret");
    assert_eq!(text(&written, "webhook-signature"), oracle.sign("evt_1", AT, br#"{"a":1}"#).expect("signed"));
    assert!(matches!(explained(&written, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Verified::Invalid { .. }));
}

#[test]
fn b1_v1a_is_signed_with_the_tenants_key_over_the_standard_content() {
    let written = Sent::in_dialect("standard-v1a").write();
    let signature = text(&written, "webhook-signature").strip_prefix("v1a,").expect("v1a").to_owned();
    assert!(is_ed25519(br#"evt_1.1700000000.{"a":1}"#, &signature));
    assert!(!is_ed25519(br#"evt_1.1700000000.{"a":2}"#, &signature));
    let none = Sent { keys: Keys::new(Key::new(SecretString::from(SECRET)), None), ..Sent::in_dialect("standard-v1a") };
    assert_eq!(none.try_write().err(), Some(Unsendable::TenantKey), "without a key nothing is sent");
}

/// Section 8's vectors: TMI's challenge body, and Alga's header.
#[test]
fn b1_hub_and_timestamped_are_the_golden_vectors() {
    let tmi = "0123456789abcdef0123456789abcdef";
    let body = r#"{"type":"webhook.challenge","challenge":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}"#;
    let written = Sent { keys: keys_of(tmi), ..Sent::in_dialect("hub").body(body) }.write();
    let expected = "sha256=69a8fa48bb569e8dc861dc50842ee6a003648cb05d55887e8da3f85cf4074572";
    assert_eq!(text(&written, "x-hub-signature-256"), expected);
    assert_eq!(text(&written, "x-webhook-signature"), expected);
    assert_eq!(explained(&written, tmi), Verified::Valid { scheme: "hub" });
    assert!(matches!(explained(&written, "another secret of 32 characters!"), Verified::Invalid { .. }));

    let written = Sent { keys: keys_of("shh"), ..Sent::in_dialect("timestamped") }.write();
    let expected = "t=1700000000,v1=be310eac0f84daf469d630347a950258de768b365563ab68f29f2f783473d547";
    assert_eq!(text(&written, "x-hookport-signature"), expected);
    assert_eq!(explained(&written, "shh"), Verified::Valid { scheme: "timestamped" });
    assert!(matches!(explained(&written, "hush"), Verified::Invalid { .. }));
}

#[test]
fn b1_message_signatures_are_taken_by_the_verifier_and_cover_the_body() {
    for (name, algorithm, secret) in [("rfc9421", "hmac-sha256", SECRET), ("rfc9421-ed25519", "ed25519", "")] {
        let written = Sent::in_dialect(name).write();
        let row = json!({
            "algorithm": algorithm,
            "components": ["@method", "@target-uri", "content-digest", "content-type", "webhook-id", "webhook-timestamp"],
            "label": "hookport",
            "tolerance_seconds": 300,
            "key": { "encoding": if algorithm == "ed25519" { "base64" } else { "text" } },
        });
        let row: MessageSignature = serde_json::from_value(row).expect("a row");
        let public = crate::dialect::TenantKey::new("k".to_owned(), &SecretString::from(SEED), None).expect("a seed");
        let public = public.public_text().trim_start_matches(crate::dialect::keys::PUBLIC_PREFIX).to_owned();
        let secret = SecretString::from(if algorithm == "ed25519" { public } else { secret.to_owned() });
        let secrets = [&secret];
        let settings = Settings::default();
        let judge = |body: &[u8], method: &str| {
            let request = Request {
                method,
                base_url: "https://example.com",
                path_and_query: "/hooks?x=1",
                headers: &written.headers,
                body,
            };
            let keys = ProofKeys { secrets: &secrets, certificate: None, settings: &settings };
            row.judge(&View::new(request), &keys, at())
        };
        assert_eq!(judge(&written.body, "POST"), Ok(()), "{name}");
        assert!(judge(br#"{"a":2}"#, "POST").is_err(), "{name}: another body");
        assert!(judge(&written.body, "PUT").is_err(), "{name}: another method");
    }
}

/// RFC 9421, appendix B.2.5: the base and the signature, as published.
#[test]
fn b1_the_vector_of_rfc_9421_is_signed_as_published() {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    let mut headers = HeaderMap::new();
    super::set(&mut headers, "host", "example.com");
    super::set(&mut headers, "date", "Tue, 20 Apr 2021 02:07:55 GMT");
    super::set(&mut headers, "content-type", "application/json");
    let request = Request {
        method: "POST",
        base_url: "https://example.com",
        path_and_query: "/foo?param=Value&Pet=dog",
        headers: &headers,
        body: br#"{"hello": "world"}"#,
    };
    let input = r#"sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#;
    let read: Dictionary = Parser::new(input).parse().expect("a dictionary");
    let Some((_, ListEntry::InnerList(list))) = read.iter().next() else { panic!("no list") };
    let base = crate::scheme::message_signature_base(&View::new(request), &Settings::default(), list).expect("a base");
    let expected = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@authority\": example.com\n\
        \"content-type\": application/json\n\
        \"@signature-params\": (\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\"";
    assert_eq!(base, expected);
    let key = engine
        .decode("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==")
        .expect("base64");
    let parts = [Cow::Borrowed(base.as_bytes())];
    let tag =
        crate::scheme::algorithm::tag(crate::scheme::algorithm::Algorithm::HmacSha256, &key, &parts).expect("a tag");
    assert_eq!(engine.encode(tag.as_slice()), "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=");
}

#[test]
fn several_schemes_stand_side_by_side_for_a_migration() {
    let also = ["hub", "timestamped", "standard-v1a"].map(|name| catalogue::dialect(name).expect("a dialect"));
    let written = Sent { also: also.to_vec(), ..Sent::in_dialect("standard") }.write();
    let signatures: Vec<&str> = text(&written, "webhook-signature").split(' ').collect();
    assert!(matches!(signatures[..], [v1, v1a] if v1.starts_with("v1,") && v1a.starts_with("v1a,")), "{signatures:?}");
    assert!(text(&written, "x-hub-signature-256").starts_with("sha256="));
    assert!(text(&written, "x-hookport-signature").starts_with("t=1700000000,v1="));
    let plain = Sent::in_dialect("standard").write();
    assert_eq!(written.body, plain.body, "the body is that of the subscription's own dialect");
}

#[test]
fn two_secrets_sign_until_the_overlap_ends_where_the_scheme_has_room_for_both() {
    let keys_until = |until| {
        let previous = Key::new(SecretString::from("the secret that was there before"));
        Keys::new(Key::new(SecretString::from("the secret that is there from now")), Some((previous, until)))
    };
    let both =
        Sent { keys: keys_until(at() + SignedDuration::from_secs(1)), ..Sent::in_dialect("timestamped") }.write();
    assert_eq!(text(&both, "x-hookport-signature").matches("v1=").count(), 2);
    for secret in ["the secret that was there before", "the secret that is there from now"] {
        assert_eq!(explained(&both, secret), Verified::Valid { scheme: "timestamped" }, "{secret}");
    }
    let over = Sent { keys: keys_until(at()), ..Sent::in_dialect("timestamped") }.write();
    assert_eq!(text(&over, "x-hookport-signature").matches("v1=").count(), 1);
    let one = Sent { keys: keys_until(at() + SignedDuration::from_secs(1)), ..Sent::in_dialect("hub") }.write();
    assert_eq!(explained(&one, "the secret that is there from now"), Verified::Valid { scheme: "hub" });
}

#[test]
fn a_secret_that_standard_webhooks_cannot_read_signs_other_dialects_only() {
    let odd = "whsec_this is not base64 at all";
    let standard = Sent { keys: keys_of(odd), ..Sent::in_dialect("standard") };
    assert_eq!(standard.try_write().err(), Some(Unsendable::Secret));
    let hub = Sent { keys: keys_of(odd), ..Sent::in_dialect("hub") };
    assert!(hub.try_write().is_ok());
}

/// A subscription may have changed to such a dialect while its secret from before still signs.
#[test]
fn a_secret_from_before_that_the_dialect_cannot_sign_with_does_not_sign() {
    let row = json!({ "name": "acme", "signatures": [{
        "type": "mac", "algorithm": "hmac-sha256", "encoding": "base64", "key": "standard", "signed": "{body}",
        "headers": ["x-s"], "value": "v1,{signature}", "also": " v1,{signature}",
    }] });
    let sent = |previous: &str| {
        let previous = (Key::new(SecretString::from(previous)), at() + SignedDuration::from_secs(1));
        let keys = Keys::new(Key::new(SecretString::from(SECRET)), Some(previous));
        Sent { keys, ..Sent::declared(row.clone()) }.write()
    };
    assert_eq!(text(&sent("whsec_this is not base64 at all"), "x-s").matches("v1,").count(), 1);
    assert_eq!(text(&sent(SECRET), "x-s").matches("v1,").count(), 2);
}
