//! HMAC signatures over raw bodies.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use proptest::prelude::*;

use super::*;
use crate::domain::inbound_webhook::{DEFAULT_TOLERANCE_S, HmacAlgorithm, HmacProof, SignatureForm, TagEncoding};

const SECRET: &str = "test-secret";
const BODY: &[u8] = br#"{"event":"test"}"#;
const HEADER: &str = "x-webhook-signature";

const SHA1: &str = "544704e19c2172e3f791595c6aca0b90362f6a9e";
const SHA256: &str = "ad386d9a61a0540a089d2955a07280771439f9f8c41a4b94cd404a740061c3d9";
const SHA512: &str = "f9dc5ddb0e5218bb631f7fce2fd294970aef90f7dbab5f22914adaf8c08d55f7\
                      bcfb2c6b07dec4e2121c5980fb291a54e2fccc4d8e0c7d76a236bcbc4adaf581";

/// Algorithm, secret, body, tag: each recomputed by another implementation.
const GOLDEN: [(HmacAlgorithm, &str, &[u8], &str); 7] = [
    (HmacAlgorithm::Sha1, SECRET, BODY, SHA1),
    (HmacAlgorithm::Sha256, SECRET, BODY, SHA256),
    (HmacAlgorithm::Sha512, SECRET, BODY, SHA512),
    (
        HmacAlgorithm::Sha256,
        "It's a Secret to Everybody",
        b"Hello, World!",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    ),
    (
        HmacAlgorithm::Sha256,
        "0123456789abcdef0123456789abcdef",
        br#"{"status":"completed","status_percent":100}"#,
        "9589405464852c64f5f5426588e44f71a9636362d41579daa8a16c8fe8c409c7",
    ),
    (HmacAlgorithm::Sha256, SECRET, b"", "a41bc6d81d6413576ae0994995e0ad89a416ec97389515c3604f47722122eeeb"),
    (HmacAlgorithm::Sha1, SECRET, b"", "4b28dcf94896a8825bf4b7c14d2e056a2ab14d20"),
];

/// A proof under [`SECRET`], in hex and without a time.
pub(super) fn hmac_proof(algorithm: HmacAlgorithm) -> HmacProof {
    HmacProof {
        algorithm,
        headers: vec!["X-Webhook-Signature".into(), "X-Hub-Signature-256".into()],
        encoding: TagEncoding::Hex,
        form: SignatureForm::Body,
        secret: secrets(SECRET),
    }
}

/// The HMAC-SHA256 of `parts` in hex.
pub(super) fn signature(secret: &str, parts: &[&[u8]]) -> String {
    hex::encode(HmacKey::new(&SecretString::from(secret)).tag(parts))
}

fn plain(algorithm: HmacAlgorithm) -> Verifier {
    verifier(vec![Proof::Hmac(hmac_proof(algorithm))])
}

fn in_base64(algorithm: HmacAlgorithm) -> Verifier {
    verifier(vec![Proof::Hmac(HmacProof { encoding: TagEncoding::Base64, ..hmac_proof(algorithm) })])
}

fn result(verifier: &Verifier, value: &str, body: &[u8]) -> Result<(), Refusal> {
    judged(verifier, &[(HEADER, value)], body).result
}

#[test]
fn c4_golden_vectors_are_accepted_in_every_spelling() {
    for (algorithm, secret, body, tag) in GOLDEN {
        let verifier = verifier(vec![Proof::Hmac(HmacProof { secret: secrets(secret), ..hmac_proof(algorithm) })]);
        let name = algorithm.as_str();
        for value in [
            tag.to_owned(),
            tag.to_uppercase(),
            format!("{name}={tag}"),
            format!("{}={}", name.to_uppercase(), tag.to_uppercase()),
            format!("  {name}={tag} "),
        ] {
            assert_eq!(result(&verifier, &value, body), Ok(()), "{value}");
        }
    }
}

#[test]
fn c4_golden_vectors_are_accepted_in_base64() {
    for (algorithm, tag) in [
        (HmacAlgorithm::Sha1, "VEcE4ZwhcuP3kVlcasoLkDYvap4="),
        (HmacAlgorithm::Sha256, "rThtmmGgVAoInSlVoHKAdxQ5+fjEGkuUzUBKdABhw9k="),
        (
            HmacAlgorithm::Sha512,
            "+dxd2w5SGLtjH3/OL9KUlwrvkPfbq18ikUra+MCNVfe8+yxrB97E4hIcWYD7KRpU4vzMTY4MfXaiNry8Str1gQ==",
        ),
    ] {
        let verifier = in_base64(algorithm);
        let bare = tag.trim_end_matches('=');
        let name = algorithm.as_str();
        for value in [tag.to_owned(), bare.to_owned(), format!("{name}={tag}"), format!("{name}={bare}")] {
            assert_eq!(result(&verifier, &value, BODY), Ok(()), "{value}");
        }
        assert_eq!(result(&verifier, tag, b"other"), Err(Refusal::SignatureMismatch));
        assert_eq!(result(&verifier, &format!("md5={tag}"), BODY), Err(Refusal::SignatureAlgorithm));
        assert_eq!(result(&verifier, &tag.replace('V', "-"), BODY), Err(Refusal::SignatureMalformed));
        assert_eq!(result(&verifier, &tag[4..], BODY), Err(Refusal::SignatureMalformed));
        assert_eq!(result(&verifier, &format!("AAAA{tag}"), BODY), Err(Refusal::SignatureMalformed));
    }
}

#[test]
fn c4_anything_else_is_refused_with_its_reason() {
    let tags = [(HmacAlgorithm::Sha1, SHA1), (HmacAlgorithm::Sha256, SHA256), (HmacAlgorithm::Sha512, SHA512)];
    for (algorithm, good) in tags {
        let verifier = plain(algorithm);
        let (name, wrong) = (algorithm.as_str(), good.replacen(char::is_numeric, "a", 1));
        let cases = [
            (format!("md5={good}"), Refusal::SignatureAlgorithm),
            (format!("={good}"), Refusal::SignatureAlgorithm),
            (format!("{name}6={good}"), Refusal::SignatureAlgorithm),
            (good[1..].to_owned(), Refusal::SignatureMalformed),
            (good[2..].to_owned(), Refusal::SignatureMalformed),
            (format!("{good}00"), Refusal::SignatureMalformed),
            (good.replace('a', "g"), Refusal::SignatureMalformed),
            (format!("{name}={name}={good}"), Refusal::SignatureMalformed),
            (String::new(), Refusal::SignatureMalformed),
            (format!("{name}="), Refusal::SignatureMalformed),
            (wrong, Refusal::SignatureMismatch),
        ];
        for (value, refusal) in cases {
            assert_eq!(result(&verifier, &value, BODY), Err(refusal), "{value}");
        }
        for body in [&b""[..], br#"{"event":"tesT"}"#] {
            assert_eq!(result(&verifier, good, body), Err(Refusal::SignatureMismatch));
        }
        assert_eq!(judged(&verifier, &[], BODY).result, Err(Refusal::SignatureMissing));
    }
    assert_eq!(
        result(&plain(HmacAlgorithm::Sha256), &format!("sha1={SHA256}"), BODY),
        Err(Refusal::SignatureAlgorithm)
    );
    assert_eq!(result(&plain(HmacAlgorithm::Sha512), SHA256, BODY), Err(Refusal::SignatureMalformed));
}

#[test]
fn c4_the_first_configured_header_that_is_present_is_judged() {
    let verifier = plain(HmacAlgorithm::Sha256);
    let judge = |pairs: &[(&str, &str)]| judged(&verifier, pairs, BODY).result;
    assert_eq!(judge(&[("X-Hub-Signature-256", SHA256)]), Ok(()));
    assert_eq!(judge(&[("x-hub-signature-256", "wrong"), (HEADER, SHA256)]), Ok(()));
    let malformed = Err(Refusal::SignatureMalformed);
    assert_eq!(judge(&[("x-hub-signature-256", SHA256), (HEADER, "wrong")]), malformed);
    assert_eq!(judge(&[(HEADER, SHA256), (HEADER, SHA256)]), malformed);
}

#[test]
fn d1_a_signature_in_another_header_is_missing() {
    let verifier = plain(HmacAlgorithm::Sha256);
    let judge = |pairs: &[(&str, &str)]| judged(&verifier, pairs, BODY).result;
    assert_eq!(judge(&[(HEADER, &SHA256.to_uppercase())]), Ok(()));
    assert_eq!(judge(&[("x-hub-signature", SHA256)]), Err(Refusal::SignatureMissing));
    assert_eq!(judge(&[("authorization", SHA256)]), Err(Refusal::SignatureMissing));
    assert_eq!(judge(&[]), Err(Refusal::SignatureMissing));
    let no_header = verifier_of(HmacProof { headers: vec![], ..hmac_proof(HmacAlgorithm::Sha256) });
    assert_eq!(result(&no_header, SHA256, BODY), Err(Refusal::SignatureMissing));
}

fn verifier_of(proof: HmacProof) -> Verifier {
    verifier(vec![Proof::Hmac(proof)])
}

/// The body is never decoded: a byte order mark and what is no text are signed as they are.
#[test]
fn the_raw_bytes_are_signed_even_when_they_are_no_text() {
    let verifier = plain(HmacAlgorithm::Sha256);
    for body in [&[0xff, 0xfe, 0x00, b'{'][..], b"\xef\xbb\xbf{}", b"{}\r\n"] {
        assert_eq!(result(&verifier, &signature(SECRET, &[body]), body), Ok(()));
    }
    let with_a_mark = signature(SECRET, &[b"\xef\xbb\xbf{}"]);
    assert_eq!(result(&verifier, &with_a_mark, b"{}"), Err(Refusal::SignatureMismatch));
}

/// The timestamped form under `secret`, taken with the default tolerance.
fn timestamped(secret: &str) -> HmacProof {
    HmacProof {
        form: SignatureForm::Timestamped { tolerance_s: DEFAULT_TOLERANCE_S },
        secret: secrets(secret),
        ..hmac_proof(HmacAlgorithm::Sha256)
    }
}

/// A true value of the timestamped form.
fn signed_at(time: &str) -> String {
    format!("t={time},v1={}", signature(SECRET, &[time.as_bytes(), b".", BODY]))
}

#[test]
fn the_golden_timestamped_vector_is_accepted() {
    let verifier = verifier_of(timestamped("shh"));
    let value = "t=1700000000,v1=be310eac0f84daf469d630347a950258de768b365563ab68f29f2f783473d547";
    let judge = |body: &[u8]| judged_at(&verifier, &[(HEADER, value)], body, at(1_700_000_000));
    assert_eq!(judge(br#"{"a":1}"#), Judged { result: Ok(()), macs: 1 });
    assert_eq!(judge(br#"{"a":2}"#).result, Err(Refusal::SignatureMismatch));
}

#[test]
fn a_signed_time_may_be_off_by_the_tolerance_and_no_more() {
    let verifier = verifier_of(timestamped(SECRET));
    let value = signed_at(&NOW_S.to_string());
    let judge = |now_ms| {
        judged_at(&verifier, &[(HEADER, &value)], BODY, Timestamp::from_millisecond(NOW_S * 1000 + now_ms).unwrap())
            .result
    };
    for now_ms in [-300_000, -1, 0, 1, 300_000] {
        assert_eq!(judge(now_ms), Ok(()), "{now_ms}");
    }
    assert_eq!(judge(300_001), Err(Refusal::SignatureStale));
    assert_eq!(judge(-300_001), Err(Refusal::SignatureFuture));
}

#[test]
fn only_of_a_true_signature_is_it_said_that_it_is_stale() {
    let verifier = verifier_of(timestamped(SECRET));
    let old = signed_at("1000000000");
    assert_eq!(result(&verifier, &old, BODY), Err(Refusal::SignatureStale));
    assert_eq!(result(&verifier, &old, b"other"), Err(Refusal::SignatureMismatch));
    assert_eq!(result(&verifier, &signed_at("999999999999999"), BODY), Err(Refusal::SignatureFuture));
    assert_eq!(
        result(&verifier, &old.replace("1000000000", &NOW_S.to_string()), BODY),
        Err(Refusal::SignatureMismatch)
    );
}

#[test]
fn parts_come_in_any_order_and_one_right_tag_is_enough() {
    let verifier = verifier_of(timestamped(SECRET));
    let time = NOW_S.to_string();
    let good = signature(SECRET, &[time.as_bytes(), b".", BODY]);
    let bad = "0".repeat(64);
    for value in [
        format!("v1={good},t={time}"),
        format!(" t={time} ,\tv1={} ", good.to_uppercase()),
        format!("t={time},v1={bad},v1={good}"),
        format!("t={time},v1={good},v1={bad}"),
        format!("v0=x,t={time},v1a=not,v1={good},key="),
        format!("t={time},v1={good}{}", format!(",v1={bad}").repeat(8)),
    ] {
        assert_eq!(judged(&verifier, &[(HEADER, &value)], BODY), Judged { result: Ok(()), macs: 1 }, "{value}");
    }
    let padded = format!("0{time}");
    assert_eq!(result(&verifier, &signed_at(&padded), BODY), Ok(()), "the time is signed as it is written");
    assert_eq!(result(&verifier, &format!("t={padded},v1={good}"), BODY), Err(Refusal::SignatureMismatch));
}

#[test]
fn a_timestamped_value_without_its_parts_is_malformed() {
    let verifier = verifier_of(timestamped(SECRET));
    let time = NOW_S.to_string();
    let good = signature(SECRET, &[time.as_bytes(), b".", BODY]);
    for value in [
        String::new(),
        ",".to_owned(),
        good.clone(),
        format!("sha256={good}"),
        format!("t={time}"),
        format!("v1={good}"),
        format!("t={time},v1a={good}"),
        format!("T={time},V1={good}"),
        format!("t={time},v1="),
        format!("t={time},v1={good},v1=beef"),
        format!("t={time},t={time},v1={good}"),
        format!("t=,v1={good}"),
        format!("t=-{time},v1={good}"),
        format!("t=+{time},v1={good}"),
        format!("t={time}.0,v1={good}"),
        format!("t=1{:0>15},v1={good}", 0),
        format!("t={time},v1={good},"),
        format!("t={time},v1={good}{}", ",v0=x".repeat(9)),
    ] {
        assert_eq!(result(&verifier, &value, BODY), Err(Refusal::SignatureMalformed), "{value}");
    }
}

/// What is wrong with a signature must not show in the work that it causes.
#[test]
fn as_many_macs_are_made_for_no_signature_as_for_a_wrong_one() {
    let rotated = |proof: HmacProof| {
        let secret = secrets("older-secret").rotated(sealed(SECRET), at(NOW_S), at(NOW_S + 60));
        HmacProof { secret, ..proof }
    };
    let sha1 = hmac_proof(HmacAlgorithm::Sha1);
    for (proof, macs) in
        [(sha1.clone(), 1), (timestamped(SECRET), 1), (rotated(sha1), 2), (rotated(timestamped(SECRET)), 2)]
    {
        let wrong = match proof.form {
            SignatureForm::Body => "0".repeat(40),
            SignatureForm::Timestamped { .. } => format!("t={NOW_S},v1={},v1={}", "0".repeat(64), "1".repeat(64)),
        };
        let verifier = verifier_of(proof);
        let cases: [(&[(&str, &str)], Refusal); 4] = [
            (&[], Refusal::SignatureMissing),
            (&[(HEADER, "nonsense")], Refusal::SignatureMalformed),
            (&[(HEADER, &wrong), (HEADER, &wrong)], Refusal::SignatureMalformed),
            (&[(HEADER, &wrong)], Refusal::SignatureMismatch),
        ];
        for (pairs, refusal) in cases {
            assert_eq!(judged(&verifier, pairs, BODY), Judged { result: Err(refusal), macs }, "{pairs:?}");
        }
    }
}

/// The pieces that signatures are made of, and some that they are not.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let known =
        proptest::sample::select(vec!["t=", "v1=", "sha256=", "sha1=", "=", ",", " ", "1790000000", SHA256, SHA1]);
    let piece =
        prop_oneof![known.prop_map(|piece| piece.as_bytes().to_vec()), proptest::collection::vec(any::<u8>(), 0..70),];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

#[test]
fn whatever_stands_in_the_header_proves_nothing_by_chance() {
    let base64 = HmacProof { encoding: TagEncoding::Base64, ..timestamped(SECRET) };
    let plain = [HmacAlgorithm::Sha1, HmacAlgorithm::Sha256, HmacAlgorithm::Sha512].map(plain);
    let verifiers: Vec<Verifier> = plain
        .into_iter()
        .chain([in_base64(HmacAlgorithm::Sha256), verifier_of(base64), verifier_of(timestamped(SECRET))])
        .collect();
    proptest!(|(value in pieces(), encode in any::<bool>())| {
        let unpadded = STANDARD_NO_PAD.encode(&value).into_bytes();
        let value = if encode { unpadded } else { value };
        let Ok(value) = HeaderValue::from_bytes(&value) else { return Ok(()) };
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, value);
        for verifier in &verifiers {
            let evidence = Evidence::posted(&headers, b"a body of its own", at(NOW_S));
            let judged = verifier.prove(&evidence, None);
            prop_assert!(judged.result.is_err());
            prop_assert_eq!(judged.macs, 1);
        }
    });
}

#[test]
fn base64_of_any_bytes_is_read_padded_or_not() {
    let verifier = in_base64(HmacAlgorithm::Sha256);
    proptest!(|(body in proptest::collection::vec(any::<u8>(), 0..200))| {
        let tag = HmacKey::new(&SecretString::from(SECRET)).tag(&[&body]);
        for value in [STANDARD.encode(tag), STANDARD_NO_PAD.encode(tag)] {
            prop_assert_eq!(result(&verifier, &value, &body), Ok(()));
        }
    });
}
