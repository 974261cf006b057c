//! What a receiver signs when it reports progress on a delivery, or reads one, with its subscription's secret.
//!
//! Receivers have HMAC code at hand for what they are sent, so each form in which a delivery is signed is taken back.

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::claim::{
    HUB_HEADERS, Standard, Tag, Timing, hub_tag, is_made_with_either, seconds, standard_tags, timing, value,
};

/// How far a signed time may lie from now.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Why a receiver is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackRefusal {
    /// No signature, or a Standard Webhooks signature without its id or time.
    #[error("the request is not signed")]
    Missing,
    /// No signature was made over the content with the secret, or there is no secret.
    #[error("the signature is wrong")]
    Wrong,
    /// The signature is right, and its time is more than five minutes away.
    #[error("the signed time is not within five minutes of now")]
    Stale,
}

impl CallbackRefusal {
    /// The stable name of the refusal, for logs and the API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "signature_missing",
            Self::Wrong => "signature_mismatch",
            Self::Stale => "signature_stale",
        }
    }
}

/// Judges a callback by any of the secrets, of which there are two while one is rotated.
///
/// `content` is the raw body, or the delivery's id when it is read. Taken are `X-Webhook-Signature` and
/// `X-Hub-Signature-256` with `sha256=<hex>` or bare hex, and the headers of Standard Webhooks.
///
/// # Errors
/// When nothing proves knowledge of a secret. Without any secret nothing can.
pub fn verify(
    secrets: &[SecretString],
    headers: &HeaderMap,
    content: &[u8],
    now: Timestamp,
) -> Result<(), CallbackRefusal> {
    if secrets.is_empty() {
        return Err(CallbackRefusal::Wrong);
    }
    let (hub, standard) = (hub_claim(headers), standard_claim(headers));
    if hub.is_none() && standard.is_none() {
        return Err(CallbackRefusal::Missing);
    }
    if hub.is_some_and(|tags| by_any(secrets, |secret| is_made_with_either(secret, &[content], &tags))) {
        return Ok(());
    }
    let standard = standard.filter(|claim| by_any(secrets, |secret| claim.is_made_with(secret, content)));
    let signed_s = standard.and_then(|claim| seconds(claim.time)).ok_or(CallbackRefusal::Wrong)?;
    match timing(signed_s, now, TOLERANCE) {
        Timing::Timely => Ok(()),
        Timing::TooOld { .. } | Timing::InFuture { .. } => Err(CallbackRefusal::Stale),
    }
}

/// Asks of every secret, also after one was right, so that the time does not tell which one it was.
fn by_any(secrets: &[SecretString], is_right: impl Fn(&SecretString) -> bool) -> bool {
    secrets.iter().fold(false, |found, secret| found | is_right(secret))
}

/// The readable tags, perhaps none; `None` when neither header is there.
fn hub_claim(headers: &HeaderMap) -> Option<Vec<Tag>> {
    let is_there = HUB_HEADERS.into_iter().any(|name| headers.contains_key(name));
    // One value of each: a client has no reason for more, and each is as good as another.
    is_there.then(|| HUB_HEADERS.into_iter().filter_map(|name| hub_tag(headers.get(name)?.as_bytes())).collect())
}

fn standard_claim(headers: &HeaderMap) -> Option<Standard<'_>> {
    value(headers, "webhook-signature")?;
    Some(Standard {
        id: value(headers, "webhook-id")?,
        time: value(headers, "webhook-timestamp")?,
        tags: standard_tags(headers, "webhook-signature"),
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::super::claim::headers_of;
    use super::super::standard::SigningKey;
    use super::*;
    use crate::proof::HmacKey;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const BODY: &[u8] = br#"{"status":"completed","status_percent":100}"#;
    const BODY_TAG: &str = "9589405464852c64f5f5426588e44f71a9636362d41579daa8a16c8fe8c409c7";
    const ID: &[u8] = b"018f3c1e-7b2a-7c3d-9e4f-0123456789ab";
    const ID_TAG: &str = "130396669db7b8d996ca5386c5121d19eb9de83336bef5882a566139fdc0e289";
    const NOW_S: i64 = 1_790_000_000;

    fn now() -> Timestamp {
        Timestamp::from_second(NOW_S).expect("a time")
    }

    fn judge(list: &[(&str, &str)], content: &[u8]) -> Result<(), CallbackRefusal> {
        verify(&[SECRET.into()], &headers_of(list), content, now())
    }

    /// What `webhook-signature` says of the content, signed by `secret` at `second`.
    fn standard(secret: &str, second: i64, content: &[u8]) -> String {
        let key = SigningKey::new(&secret.into()).expect("a secret");
        key.sign("cb_1", Timestamp::from_second(second).expect("a time"), content)
    }

    fn judge_standard(second: i64, signature: &str, content: &[u8]) -> Result<(), CallbackRefusal> {
        let second = second.to_string();
        let list = [("webhook-id", "cb_1"), ("webhook-timestamp", second.as_str()), ("webhook-signature", signature)];
        judge(&list, content)
    }

    #[test]
    fn b17_the_golden_status_callback_is_believed_in_every_form() {
        for name in ["X-Webhook-Signature", "X-Hub-Signature-256"] {
            let upper = BODY_TAG.to_ascii_uppercase();
            for signature in [format!("sha256={BODY_TAG}"), BODY_TAG.into(), upper.clone(), format!("sha256={upper}")] {
                assert_eq!(judge(&[(name, &signature)], BODY), Ok(()), "{name}: {signature}");
            }
        }
    }

    #[test]
    fn b24_the_golden_signature_over_the_id_reads_the_delivery() {
        assert_eq!(judge(&[("X-Webhook-Signature", &format!("sha256={ID_TAG}"))], ID), Ok(()));
        assert_eq!(judge(&[("X-Webhook-Signature", BODY_TAG)], ID), Err(CallbackRefusal::Wrong));
        assert_eq!(judge_standard(NOW_S, &standard(SECRET, NOW_S, ID), ID), Ok(()));
    }

    #[test]
    fn b17_an_unsigned_callback_is_refused() {
        assert_eq!(judge(&[], BODY), Err(CallbackRefusal::Missing));
        assert_eq!(judge(&[("authorization", BODY_TAG)], BODY), Err(CallbackRefusal::Missing));
    }

    #[test]
    fn b17_a_wrong_signature_is_refused() {
        let flipped = format!("8{}", &BODY_TAG[1..]);
        for signature in [
            "",
            "sha256=",
            &format!("sha1={BODY_TAG}"),
            &format!("sha256:{BODY_TAG}"),
            &format!("sha256=sha256={BODY_TAG}"),
            &BODY_TAG[1..],
            &BODY_TAG[2..],
            &format!("{BODY_TAG}00"),
            &format!("sha256={}zz", &BODY_TAG[2..]),
            &flipped,
            ID_TAG,
        ] {
            let judged = judge(&[("X-Webhook-Signature", signature)], BODY);
            assert_eq!(judged, Err(CallbackRefusal::Wrong), "{signature}");
        }
    }

    #[test]
    fn b17_another_body_or_another_secret_is_refused() {
        let list = [("X-Webhook-Signature", BODY_TAG)];
        let changed = br#"{"status":"completed","status_percent":101}"#;
        assert_eq!(judge(&list, changed), Err(CallbackRefusal::Wrong));
        assert_eq!(judge(&list, b""), Err(CallbackRefusal::Wrong));
        let other = [SecretString::from("1123456789abcdef0123456789abcdef")];
        assert_eq!(verify(&other, &headers_of(&list), BODY, now()), Err(CallbackRefusal::Wrong));
    }

    /// Defect 5: a subscription without a secret does not let everybody in, nor whoever signs with an empty key.
    #[test]
    fn defect_5_no_secret_proves_nothing() {
        let empty_key = hex::encode(HmacKey::from_bytes(b"").tag(&[BODY]));
        let content = [&b"cb_1.1790000000."[..], BODY].concat();
        let empty_standard = STANDARD.encode(HmacKey::from_bytes(b"").tag(&[&content]));
        let headers = headers_of(&[
            ("X-Webhook-Signature", &empty_key),
            ("webhook-id", "cb_1"),
            ("webhook-timestamp", "1790000000"),
            ("webhook-signature", &format!("v1,{empty_standard}")),
        ]);
        for secrets in [vec![], vec![SecretString::from("")], vec![SecretString::from("whsec_")]] {
            assert_eq!(verify(&secrets, &headers, BODY, now()), Err(CallbackRefusal::Wrong));
            assert!(verify(&secrets, &headers_of(&[]), BODY, now()).is_err());
        }
    }

    #[test]
    fn a_base64_secret_counts_as_text_and_as_the_bytes_it_says() {
        let bytes = [7_u8; 32];
        for secret in [format!("whsec_{}", STANDARD.encode(bytes)), STANDARD.encode(bytes)] {
            for key in [secret.as_bytes(), &bytes] {
                let tag = hex::encode(HmacKey::from_bytes(key).tag(&[BODY]));
                let headers = headers_of(&[("X-Webhook-Signature", &tag)]);
                assert_eq!(verify(&[secret.as_str().into()], &headers, BODY, now()), Ok(()));
            }
        }
    }

    #[test]
    fn both_secrets_are_taken_while_one_is_rotated() {
        let secrets = [SecretString::from("another-secret-of-ours"), SecretString::from(SECRET)];
        let headers = headers_of(&[("X-Webhook-Signature", BODY_TAG)]);
        assert_eq!(verify(&secrets, &headers, BODY, now()), Ok(()));
    }

    #[test]
    fn a_standard_signature_may_stand_among_others() {
        let right = standard(SECRET, NOW_S, BODY);
        let wrong = standard("another-secret-of-ours", NOW_S, BODY);
        assert_eq!(judge_standard(NOW_S, &right, BODY), Ok(()));
        assert_eq!(judge_standard(NOW_S, &format!("v1a,AAAA {wrong} {right}"), BODY), Ok(()));
        for signature in [wrong.as_str(), "", "v1,", "v1,!!", &right.replace("v1,", "v2,"), &right[3..]] {
            assert!(judge_standard(NOW_S, signature, BODY).is_err(), "{signature}");
        }
        assert_eq!(judge_standard(NOW_S, &right, b"{}"), Err(CallbackRefusal::Wrong));
        assert_eq!(judge_standard(NOW_S + 1, &right, BODY), Err(CallbackRefusal::Wrong));
    }

    #[test]
    fn a_standard_signature_lives_five_minutes_either_way() {
        for (second, expected) in [
            (NOW_S - 300, Ok(())),
            (NOW_S + 300, Ok(())),
            (NOW_S - 301, Err(CallbackRefusal::Stale)),
            (NOW_S + 301, Err(CallbackRefusal::Stale)),
        ] {
            assert_eq!(judge_standard(second, &standard(SECRET, second, BODY), BODY), expected, "{second}");
        }
        let stale_and_wrong = standard("another-secret-of-ours", 0, BODY);
        assert_eq!(judge_standard(0, &stale_and_wrong, BODY), Err(CallbackRefusal::Wrong));
    }

    #[test]
    fn a_standard_signature_needs_its_id_and_its_time() {
        let signature = standard(SECRET, NOW_S, BODY);
        let list =
            [("webhook-signature", signature.as_str()), ("webhook-id", "cb_1"), ("webhook-timestamp", "1790000000")];
        assert_eq!(judge(&list, BODY), Ok(()));
        assert_eq!(judge(&list[..2], BODY), Err(CallbackRefusal::Missing));
        assert_eq!(judge(&[list[0], list[2]], BODY), Err(CallbackRefusal::Missing));
    }
}
