//! Bearer tokens, passwords, and keys in a header or in the query string.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use proptest::prelude::*;

use super::*;

const TOKEN: &str = "a-token-of-26-characters!!";

fn result(verifier: &Verifier, pairs: &[(&str, &str)]) -> Result<(), Refusal> {
    judged(verifier, pairs, b"{}").result
}

#[test]
fn d2_the_right_bearer_token_is_accepted_however_its_scheme_is_written() {
    let verifier = verifier(vec![bearer(TOKEN)]);
    for scheme in ["Bearer ", "bearer ", "BEARER ", "Bearer   ", "  Bearer "] {
        assert_eq!(result(&verifier, &[("authorization", &format!("{scheme}{TOKEN} "))]), Ok(()), "{scheme:?}");
    }
    assert_eq!(judged(&verifier, &[("authorization", &format!("Bearer {TOKEN}"))], b"{}").macs, 0);
}

#[test]
fn d2_any_other_bearer_token_is_refused_with_its_reason() {
    let verifier = verifier(vec![bearer(TOKEN)]);
    let right = format!("Bearer {TOKEN}");
    let cases: &[(&[(&str, &str)], Refusal)] = &[
        (&[], Refusal::CredentialMissing),
        (&[("x-authorization", &right)], Refusal::CredentialMissing),
        (&[("authorization", &right), ("authorization", &right)], Refusal::CredentialMalformed),
        (&[("authorization", TOKEN)], Refusal::CredentialMalformed),
        (&[("authorization", "")], Refusal::CredentialMalformed),
        (&[("authorization", "Bearer ")], Refusal::CredentialMalformed),
        (&[("authorization", &right.replace("Bearer", "Token"))], Refusal::CredentialMalformed),
        (&[("authorization", &right.replace(' ', ""))], Refusal::CredentialMalformed),
        (&[("authorization", &right.replace("!!", "\t!"))], Refusal::CredentialMalformed),
        (&[("authorization", &right.replace("a-", "A-"))], Refusal::CredentialMismatch),
        (&[("authorization", &right[..right.len() - 1])], Refusal::CredentialMismatch),
        (&[("authorization", &format!("{right}!"))], Refusal::CredentialMismatch),
    ];
    for (pairs, refusal) in cases {
        assert_eq!(result(&verifier, pairs), Err(*refusal), "{pairs:?}");
    }
}

#[test]
fn a_bearer_token_that_is_no_ascii_text_is_refused() {
    let verifier = verifier(vec![bearer(TOKEN)]);
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap());
    let evidence = Evidence::posted(&headers, b"", at(NOW_S));
    assert_eq!(verifier.prove(&evidence, None).result, Err(Refusal::CredentialMalformed));
}

fn basic() -> Verifier {
    verifier(vec![Proof::Basic { username: "shop".into(), secret: secrets("pass:word:0123456") }])
}

#[test]
fn a_basic_password_may_contain_colons_and_its_base64_may_be_unpadded() {
    let verifier = basic();
    let pair = "shop:pass:word:0123456";
    for encoded in [STANDARD.encode(pair), STANDARD_NO_PAD.encode(pair)] {
        for scheme in ["Basic", "basic", "BASIC"] {
            assert_eq!(result(&verifier, &[("authorization", &format!("{scheme} {encoded}"))]), Ok(()), "{encoded}");
        }
    }
}

#[test]
fn any_other_user_or_password_is_refused() {
    let verifier = basic();
    let of = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    let cases = [
        (of("shop:pass"), Refusal::CredentialMismatch),
        (of("shop:"), Refusal::CredentialMismatch),
        (of("Shop:pass:word:0123456"), Refusal::CredentialMismatch),
        (of(":pass:word:0123456"), Refusal::CredentialMismatch),
        (of("shop:pass:word:01234567"), Refusal::CredentialMismatch),
        (of("shop"), Refusal::CredentialMalformed),
        ("Basic !!!".to_owned(), Refusal::CredentialMalformed),
        ("Basic shop:pass:word:0123456".to_owned(), Refusal::CredentialMalformed),
        (of("shop:pass:word:0123456").replace("Basic", "Bearer"), Refusal::CredentialMalformed),
    ];
    for (value, refusal) in cases {
        assert_eq!(result(&verifier, &[("authorization", &value)]), Err(refusal), "{value}");
    }
    assert_eq!(result(&verifier, &[]), Err(Refusal::CredentialMissing));
}

#[test]
fn a_key_is_looked_for_in_its_header_alone_and_once() {
    let verifier = verifier(vec![Proof::HeaderKey { header: "X-Shop-Key".into(), secret: secrets(TOKEN) }]);
    type Case<'a> = (&'a [(&'a str, &'a str)], Result<(), Refusal>);
    let cases: &[Case<'_>] = &[
        (&[("x-shop-key", TOKEN)], Ok(())),
        (&[("X-SHOP-KEY", TOKEN)], Ok(())),
        (&[("x-other-key", TOKEN)], Err(Refusal::CredentialMissing)),
        (&[], Err(Refusal::CredentialMissing)),
        (&[("x-shop-key", "")], Err(Refusal::CredentialMismatch)),
        (&[("x-shop-key", "wrong")], Err(Refusal::CredentialMismatch)),
        (&[("x-shop-key", TOKEN), ("x-shop-key", TOKEN)], Err(Refusal::CredentialMalformed)),
    ];
    for (pairs, expected) in cases {
        assert_eq!(result(&verifier, pairs), *expected, "{pairs:?}");
    }
}

#[test]
fn a_header_that_cannot_exist_is_never_present() {
    let verifier = verifier(vec![Proof::HeaderKey { header: "not a header".into(), secret: secrets(TOKEN) }]);
    assert_eq!(result(&verifier, &[("not-a-header", TOKEN)]), Err(Refusal::CredentialMissing));
}

#[test]
fn d4_a_path_token_is_one_decoded_parameter_of_the_query() {
    let verifier = verifier(vec![Proof::QueryKey { param: "token".into(), secret: secrets("a+b/c d=e&f-0123") }]);
    let cases = [
        (Some("token=a%2Bb%2Fc+d%3De%26f-0123"), Ok(())),
        (Some("x=1&token=a%2bb/c%20d=e%26f-0123&y"), Ok(())),
        (Some("%74oken=a%2Bb%2Fc%20d%3De%26f-0123"), Ok(())),
        (None, Err(Refusal::CredentialMissing)),
        (Some(""), Err(Refusal::CredentialMissing)),
        (Some("Token=a%2Bb%2Fc+d%3De%26f-0123"), Err(Refusal::CredentialMissing)),
        (Some("tokens=a%2Bb%2Fc+d%3De%26f-0123"), Err(Refusal::CredentialMissing)),
        (Some("token"), Err(Refusal::CredentialMismatch)),
        (Some("token="), Err(Refusal::CredentialMismatch)),
        (Some("token=a+b/c d=e&f-0123"), Err(Refusal::CredentialMismatch)),
        (Some("token=a%2Bb%2Fc+d%3De%26f-0123%20"), Err(Refusal::CredentialMismatch)),
        (Some("token=x&token=a%2Bb%2Fc+d%3De%26f-0123"), Err(Refusal::CredentialMalformed)),
    ];
    for (query, expected) in cases {
        let headers = HeaderMap::new();
        let path_and_query = query.map_or_else(|| "/".to_owned(), |query: &str| format!("/?{query}"));
        let evidence = Evidence { path_and_query: &path_and_query, ..Evidence::posted(&headers, b"{}", at(NOW_S)) };
        assert_eq!(verifier.prove(&evidence, None).result, expected, "{query:?}");
    }
}

#[test]
fn whatever_stands_in_authorization_proves_nothing_by_chance() {
    let verifiers = [basic(), verifier(vec![bearer(TOKEN)])];
    let schemes = proptest::sample::select(vec!["", "Basic ", "Bearer "]);
    let bytes = proptest::collection::vec(any::<u8>(), 0..80);
    proptest!(|(scheme in schemes, junk in bytes, encode in any::<bool>())| {
        let junk = if encode { STANDARD.encode(&junk).into_bytes() } else { junk };
        let Ok(value) = HeaderValue::from_bytes(&[scheme.as_bytes(), &junk].concat()) else { return Ok(()) };
        let mut headers = HeaderMap::new();
        headers.insert("authorization", value);
        for verifier in &verifiers {
            let evidence = Evidence::posted(&headers, b"", at(NOW_S));
            prop_assert!(verifier.prove(&evidence, None).result.is_err());
        }
    });
}
