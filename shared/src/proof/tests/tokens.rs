//! Signed tokens.

use proptest::prelude::*;
use serde_json::Value;

use super::issuer::{Ec, Ed, PS384, RS256, URL, base64url, key_set, rsa_jwk, unsigned};
use super::*;
use crate::domain::inbound_webhook::JwtProof;

/// A proof by a token of the issuer at [`URL`], of exactly its time.
fn proof() -> JwtProof {
    JwtProof { jwks_url: URL.into(), issuer: None, audience: None, leeway_s: 0 }
}

fn prove(proof: JwtProof, pairs: &[(&str, &str)], keys: Option<&KeySet>) -> Judged {
    let headers = headers(pairs);
    let evidence = Evidence::posted(&headers, b"{}", at(NOW_S));
    verifier(vec![Proof::Jwt(proof)]).prove(&evidence, keys)
}

fn result(proof: JwtProof, token: &str, keys: &KeySet) -> Result<(), Refusal> {
    let judged = prove(proof, &[("authorization", &format!("Bearer {token}"))], Some(keys));
    assert_eq!(judged.macs, 0);
    judged.result
}

fn valid() -> Value {
    json!({ "exp": NOW_S + 60, "nbf": NOW_S - 60, "iss": "https://issuer.example", "aud": "hooks" })
}

#[test]
fn a_token_by_a_published_key_is_accepted() {
    let (ed, ec) = (Ed::new(1), Ec::new());
    let keys = key_set(&[ed.jwk("ed"), ec.jwk("ec"), rsa_jwk()]);
    let by_ec = ec.token(&json!({ "alg": "ES256", "kid": "ec" }), &valid());
    for token in [ed.token("ed", &valid()), by_ec, RS256.to_owned(), PS384.to_owned()] {
        assert_eq!(result(proof(), &token, &keys), Ok(()), "{token}");
    }
}

#[test]
fn a_token_is_taken_from_its_beginning_until_its_end() {
    let ed = Ed::new(1);
    let keys = key_set(&[ed.jwk("ed")]);
    let judge = |leeway_s, claims: Value| result(JwtProof { leeway_s, ..proof() }, &ed.token("ed", &claims), &keys);
    assert_eq!(judge(0, json!({ "exp": NOW_S + 1 })), Ok(()));
    assert_eq!(judge(0, json!({ "exp": NOW_S as f64 + 0.5 })), Ok(()));
    assert_eq!(judge(0, json!({ "exp": NOW_S })), Err(Refusal::TokenExpired));
    assert_eq!(judge(30, json!({ "exp": NOW_S - 29 })), Ok(()));
    assert_eq!(judge(30, json!({ "exp": NOW_S - 30 })), Err(Refusal::TokenExpired));
    assert_eq!(judge(0, json!({ "exp": 0 })), Err(Refusal::TokenExpired));
    assert_eq!(judge(0, json!({ "exp": -1 })), Err(Refusal::TokenExpired));
    let end = NOW_S + 60;
    assert_eq!(judge(0, json!({ "exp": end, "nbf": NOW_S })), Ok(()));
    assert_eq!(judge(0, json!({ "exp": end, "nbf": NOW_S + 1 })), Err(Refusal::TokenExpired));
    assert_eq!(judge(30, json!({ "exp": end, "nbf": NOW_S + 30 })), Ok(()));
    assert_eq!(judge(30, json!({ "exp": end, "nbf": NOW_S + 31 })), Err(Refusal::TokenExpired));
}

#[test]
fn a_token_without_a_readable_end_is_malformed() {
    let ed = Ed::new(1);
    let keys = key_set(&[ed.jwk("ed")]);
    let ends = [json!({}), json!({ "exp": null }), json!({ "exp": "1800000000" }), json!([NOW_S + 60]), json!("exp")];
    for claims in ends {
        assert_eq!(result(proof(), &ed.token("ed", &claims), &keys), Err(Refusal::TokenMalformed), "{claims}");
    }
}

#[test]
fn the_issuer_and_the_audience_must_be_those_that_were_asked_for() {
    let ed = Ed::new(1);
    let keys = key_set(&[ed.jwk("ed")]);
    let judge = |claims: Value| {
        let proof = JwtProof { issuer: Some("issuer".into()), audience: Some("hooks".into()), ..proof() };
        result(proof, &ed.token("ed", &claims), &keys)
    };
    let claims = |iss: Value, aud: Value| json!({ "exp": NOW_S + 60, "iss": iss, "aud": aud });
    assert_eq!(judge(claims(json!("issuer"), json!("hooks"))), Ok(()));
    assert_eq!(judge(claims(json!("issuer"), json!(["other", "hooks"]))), Ok(()));
    for (iss, aud) in [
        (json!("Issuer"), json!("hooks")),
        (json!(null), json!("hooks")),
        (json!("issuer"), json!("hooks2")),
        (json!("issuer"), json!(["hook", "s"])),
        (json!("issuer"), json!([])),
        (json!("issuer"), json!(null)),
    ] {
        assert_eq!(judge(claims(iss.clone(), aud.clone())), Err(Refusal::TokenClaims), "{iss} {aud}");
    }
    assert_eq!(judge(json!({ "exp": NOW_S + 60 })), Err(Refusal::TokenClaims));
    let expired = json!({ "exp": NOW_S - 1, "iss": "issuer", "aud": "hooks" });
    assert_eq!(judge(expired), Err(Refusal::TokenExpired));
}

#[test]
fn a_key_is_found_by_its_id_or_by_being_the_only_one() {
    let (one, two) = (Ed::new(1), Ed::new(2));
    let (only, both) = (key_set(&[one.jwk("one")]), key_set(&[one.jwk("one"), two.jwk("two")]));
    let nameless = one.sign(&json!({ "alg": "EdDSA" }), &valid());
    assert_eq!(result(proof(), &nameless, &only), Ok(()));
    assert_eq!(result(proof(), &nameless, &both), Err(Refusal::TokenMalformed));
    assert_eq!(result(proof(), &nameless, &key_set(&[])), Err(Refusal::TokenMalformed));
    assert_eq!(result(proof(), &two.token("two", &valid()), &both), Ok(()));
    assert_eq!(result(proof(), &two.token("two", &valid()), &only), Err(Refusal::TokenMalformed));
    assert_eq!(result(proof(), &two.token("one", &valid()), &both), Err(Refusal::TokenMismatch));
}

#[test]
fn a_changed_token_does_not_match() {
    let ed = Ed::new(1);
    let keys = key_set(&[ed.jwk("ed")]);
    let token = ed.token("ed", &valid());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (head, _) = message.split_once('.').unwrap();
    let later = base64url(json!({ "exp": NOW_S + 9_999 }).to_string());
    assert_eq!(result(proof(), &format!("{head}.{later}.{signature}"), &keys), Err(Refusal::TokenMismatch));
    assert_eq!(result(proof(), &format!("{message}.{}", base64url([0_u8; 64])), &keys), Err(Refusal::TokenMismatch));
    assert_eq!(result(proof(), &format!("{message}."), &keys), Err(Refusal::TokenMismatch));
}

/// Who can read a public key must not be able to sign with it.
#[test]
fn a_public_key_is_no_secret_of_an_hmac() {
    let (ed, ec) = (Ed::new(1), Ec::new());
    let symmetric = json!({ "kty": "oct", "kid": "oct", "alg": "HS256", "k": base64url(b"published") });
    let keys = key_set(&[ed.jwk("ed"), ec.jwk("ec"), rsa_jwk(), symmetric.clone()]);
    let x = base64url(ed.public());
    let known: [(&str, &[u8]); 5] =
        [("ed", ed.public()), ("ed", x.as_bytes()), ("ec", ec.public()), ("rsa", b"AQAB"), ("oct", b"published")];
    for (kid, secret) in known {
        for algorithm in ["HS256", "EdDSA", "ES256"] {
            let message = unsigned(&json!({ "alg": algorithm, "kid": kid }), &valid());
            let tag = HmacKey::from_bytes(secret).tag(&[message.as_bytes()]);
            let forged = result(proof(), &format!("{message}.{}", base64url(tag)), &keys);
            assert!(matches!(forged, Err(Refusal::TokenMalformed | Refusal::TokenMismatch)), "{kid} {algorithm}");
        }
    }
    let nameless = unsigned(&json!({ "alg": "HS256" }), &valid());
    let tag = HmacKey::from_bytes(b"published").tag(&[nameless.as_bytes()]);
    let forged = result(proof(), &format!("{nameless}.{}", base64url(tag)), &key_set(&[symmetric]));
    assert_eq!(forged, Err(Refusal::TokenMalformed));
}

#[test]
fn an_algorithm_that_does_not_fit_the_key_is_refused() {
    let (ed, ec) = (Ed::new(1), Ec::new());
    let keys = key_set(&[ed.jwk("ed"), ec.jwk("ec"), rsa_jwk()]);
    for (algorithm, kid) in [("ES256", "ed"), ("RS256", "ed"), ("EdDSA", "ec"), ("ES384", "ec"), ("EdDSA", "rsa")] {
        let token = ed.sign(&json!({ "alg": algorithm, "kid": kid }), &valid());
        assert_eq!(result(proof(), &token, &keys), Err(Refusal::TokenMalformed), "{algorithm} {kid}");
    }
    let mut rs256_only = rsa_jwk();
    rs256_only["alg"] = json!("RS256");
    let keys = key_set(&[rs256_only]);
    assert_eq!(result(proof(), RS256, &keys), Ok(()));
    assert_eq!(result(proof(), PS384, &keys), Err(Refusal::TokenMalformed));
}

#[test]
fn a_token_without_a_signature_is_refused() {
    let ed = Ed::new(1);
    let keys = key_set(&[ed.jwk("ed")]);
    for algorithm in ["none", "None", "NONE", "", "EdDSA "] {
        let message = unsigned(&json!({ "alg": algorithm, "kid": "ed" }), &valid());
        for token in [message.clone(), format!("{message}."), format!("{message}.AAAA")] {
            assert_eq!(result(proof(), &token, &keys), Err(Refusal::TokenMalformed), "{token}");
        }
    }
}

#[test]
fn extensions_that_must_be_understood_are_refused() {
    let ed = Ed::new(1);
    let head = json!({ "alg": "EdDSA", "kid": "ed", "crit": ["b64"], "b64": false });
    let token = ed.sign(&head, &valid());
    assert_eq!(result(proof(), &token, &key_set(&[ed.jwk("ed")])), Err(Refusal::TokenMalformed));
}

#[test]
fn no_token_at_all_and_what_is_no_token_are_refused() {
    let ed = Ed::new(1);
    let keys = key_set(&[ed.jwk("ed")]);
    assert_eq!(prove(proof(), &[], Some(&keys)).result, Err(Refusal::CredentialMissing));
    let good = ed.token("ed", &valid());
    let (basic, twice) = (format!("Basic {good}"), format!("Bearer {good}"));
    let one = [("authorization", basic.as_str())];
    let two = [("authorization", twice.as_str()); 2];
    for pairs in [&one[..], &two[..]] {
        assert_eq!(prove(proof(), pairs, Some(&keys)).result, Err(Refusal::TokenMalformed));
    }
    let long = ed.token("ed", &json!({ "exp": NOW_S + 60, "x": "x".repeat(16 * 1024) }));
    let garbage =
        ["x", "..", "a.b.c", "{}.{}.{}", &good.replace('.', ""), &format!("{good}.x"), &format!(".{good}"), &long];
    for token in garbage {
        assert_eq!(result(proof(), token, &keys), Err(Refusal::TokenMalformed), "{token}");
    }
}

#[test]
fn without_the_keys_of_its_own_issuer_nothing_is_proved() {
    let ed = Ed::new(1);
    let token = format!("Bearer {}", ed.token("ed", &valid()));
    let pairs = [("authorization", token.as_str())];
    assert_eq!(prove(proof(), &pairs, None).result, Err(Refusal::TokenKeysUnavailable));
    let elsewhere = JwtProof { jwks_url: "https://other.example/keys".into(), ..proof() };
    let keys = key_set(&[ed.jwk("ed")]);
    assert_eq!(prove(elsewhere.clone(), &pairs, Some(&keys)).result, Err(Refusal::TokenKeysUnavailable));

    let both = verifier(vec![Proof::Jwt(proof()), Proof::Jwt(elsewhere)]);
    assert_eq!(both.key_set_url(), Some(URL));
    let headers = headers(&pairs);
    let evidence = Evidence::posted(&headers, b"", at(NOW_S));
    assert_eq!(both.prove(&evidence, Some(&keys)).result, Err(Refusal::TokenKeysUnavailable));
    assert_eq!(verifier(vec![bearer("the-bearer-token")]).key_set_url(), None);
}

#[test]
fn the_id_of_the_key_is_read_before_anything_is_proved() {
    let kid_of = |value: &str| kid_of(&headers(&[("authorization", value)]));
    let token = |kid: Value| format!("Bearer {}.x.y", base64url(json!({ "alg": "EdDSA", "kid": kid }).to_string()));
    assert_eq!(kid_of(&token(json!("ed"))).as_deref(), Some("ed"));
    assert_eq!(kid_of(&token(json!("k".repeat(256)))), Some("k".repeat(256)));
    for value in [token(json!("k".repeat(257))), token(json!(null)), token(json!(7)), "Bearer x".into(), "x".into()] {
        assert_eq!(kid_of(&value), None, "{value}");
    }
}

#[test]
fn whatever_stands_for_a_token_proves_nothing_by_chance() {
    let ed = Ed::new(1);
    let keys = key_set(&[ed.jwk("ed"), rsa_jwk()]);
    let verifier = verifier(vec![Proof::Jwt(proof())]);
    let good = ed.token("ed", &valid());
    let parts: Vec<String> = good.split('.').chain(RS256.split('.')).map(str::to_owned).collect();
    let part = prop_oneof![
        proptest::sample::select(parts),
        proptest::collection::vec(any::<u8>(), 0..60).prop_map(base64url),
        proptest::collection::vec(b' '..=b'~', 0..40).prop_map(|text| String::from_utf8(text).unwrap()),
    ];
    proptest!(|(parts in proptest::collection::vec(part, 0..5))| {
        let token = parts.join(".");
        prop_assume!(token != good && token != RS256);
        let headers = headers(&[("authorization", &format!("Bearer {token}"))]);
        let evidence = Evidence::posted(&headers, b"", at(NOW_S));
        prop_assert!(verifier.prove(&evidence, Some(&keys)).result.is_err());
        let _ = kid_of(&headers);
    });
}
