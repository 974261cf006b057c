//! Signature headers from anyone, under every form: no panic, and no signature is right by chance.
#![no_main]

use hookport::domain::inbound_webhook::{Auth, HmacAlgorithm, HmacProof, Proof, Secrets, SignatureForm, TagEncoding};
use hookport::proof::{Evidence, Verifier};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;

fuzz_target!(|data: &[u8]| {
    let Some((choice, value)) = data.split_first() else { return };
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    let algorithm = [HmacAlgorithm::Sha1, HmacAlgorithm::Sha256, HmacAlgorithm::Sha512][usize::from(choice % 3)];
    let encoding = if choice & 4 == 0 { TagEncoding::Hex } else { TagEncoding::Base64 };
    let form = if choice & 8 == 0 { SignatureForm::Body } else { SignatureForm::Timestamped { tolerance_s: 300 } };
    // What is sealed is not opened here; the secret is given beside it.
    let secret = Secrets::new(serde_json::from_str("\"unused\"").expect("a text"));
    let hmac = HmacProof { algorithm, headers: vec!["x-signature".to_owned()], encoding, form, secret };
    let auth = Auth { allowed_ips: None, proofs: vec![Proof::Hmac(hmac)] };
    let verifier = Verifier::with_secret(&auth, &SecretString::from("a secret that no input holds"));
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("x-signature"), value);
    let evidence = Evidence::posted(&headers, b"{}", Timestamp::UNIX_EPOCH);
    assert!(verifier.prove(&evidence, None).result.is_err());
});
