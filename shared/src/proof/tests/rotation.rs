//! Two secrets at once, while one is on its way out.

use super::signatures::{hmac_proof, signature};
use super::*;
use crate::domain::inbound_webhook::HmacAlgorithm;

const UNTIL_S: i64 = NOW_S + 3600;

/// The secret `next` after `old`, which is taken until [`UNTIL_S`].
fn rotated(old: Sealed) -> Secrets {
    Secrets::new(old).rotated(sealed("next-secret-0123"), at(NOW_S), at(UNTIL_S))
}

#[test]
fn a_previous_bearer_token_is_taken_until_its_end_and_not_after() {
    let verifier = verifier(vec![Proof::Bearer { secret: rotated(sealed("old-secret-01234")) }]);
    let result = |token: &str, now| judged_at(&verifier, &[("authorization", token)], b"", now).result;
    let just_before = Timestamp::from_millisecond(UNTIL_S * 1000 - 1).unwrap();
    for now in [at(NOW_S), just_before] {
        assert_eq!(result("Bearer old-secret-01234", now), Ok(()));
        assert_eq!(result("Bearer next-secret-0123", now), Ok(()));
        assert_eq!(result("Bearer third-secret-012", now), Err(Refusal::CredentialMismatch));
    }
    for now in [at(UNTIL_S), at(UNTIL_S + 1)] {
        assert_eq!(result("Bearer old-secret-01234", now), Err(Refusal::CredentialMismatch));
        assert_eq!(result("Bearer next-secret-0123", now), Ok(()));
    }
}

#[test]
fn a_signature_by_the_previous_secret_costs_as_much_as_one_by_the_current() {
    let mut proof = hmac_proof(HmacAlgorithm::Sha256);
    proof.secret = rotated(sealed("old-secret-01234"));
    let verifier = verifier(vec![Proof::Hmac(proof)]);
    let judge = |secret: &str, now| {
        let tag = signature(secret, &[b"body"]);
        judged_at(&verifier, &[("x-webhook-signature", &tag)], b"body", now)
    };
    for secret in ["old-secret-01234", "next-secret-0123"] {
        assert_eq!(judge(secret, at(NOW_S)), Judged { result: Ok(()), macs: 2 });
    }
    let wrong = Err(Refusal::SignatureMismatch);
    assert_eq!(judge("third-secret-012", at(NOW_S)), Judged { result: wrong, macs: 2 });
    assert_eq!(judge("old-secret-01234", at(UNTIL_S)), Judged { result: wrong, macs: 1 });
    assert_eq!(judge("next-secret-0123", at(UNTIL_S)), Judged { result: Ok(()), macs: 1 });
}

#[test]
fn rotation_repairs_a_webhook_whose_secret_does_not_open() {
    let lost = sealed_on(OTHER_RING, "old-secret-01234");
    let verifier = verifier(vec![Proof::Bearer { secret: rotated(lost) }]);
    let result = |token: &str| judged(&verifier, &[("authorization", token)], b"").result;
    assert_eq!(result("Bearer next-secret-0123"), Ok(()));
    assert_eq!(result("Bearer old-secret-01234"), Err(Refusal::CredentialMismatch));
}

#[test]
fn a_current_secret_that_does_not_open_is_not_replaced_by_the_previous() {
    let lost = sealed_on(OTHER_RING, "next-secret-0123");
    let secret = Secrets::new(sealed("old-secret-01234")).rotated(lost, at(NOW_S), at(UNTIL_S));
    let verifier = verifier(vec![Proof::Bearer { secret }]);
    let result = judged(&verifier, &[("authorization", "Bearer old-secret-01234")], b"").result;
    assert_eq!(result, Err(Refusal::SecretUnusable));
}
