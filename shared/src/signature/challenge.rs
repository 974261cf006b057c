//! The challenge that a target answers before it is sent events: its body, and what counts as an answer.
//!
//! Making the value, sending it and counting failures are not decided here.

use bytes::Bytes;
use serde_json::Value;

/// The longest answer that is read, in bytes.
pub const MAX_ANSWER_BYTES: usize = 1024;

/// Why an answer does not pass. It says neither the value that was sent nor the one that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeFailure {
    /// A status other than 200.
    #[error("The target answered with status {0}; a challenge is passed with status 200 only.")]
    Status(u16),
    /// A body that is no JSON.
    #[error("The body of the answer is not JSON.")]
    NotJson,
    /// JSON other than an object.
    #[error("The body of the answer is JSON, but not an object.")]
    NotAnObject,
    /// An object without `challenge`.
    #[error("The body of the answer has no member `challenge`.")]
    Missing,
    /// `challenge` is something else than the value that was sent.
    #[error("The member `challenge` of the answer is not the value that was sent.")]
    WrongValue,
    /// A body longer than is read.
    #[error("The body of the answer is larger than 1 KiB.")]
    TooLarge,
    /// A status that is no success.
    #[error("The target answered with status {0}, which is no success.")]
    NotSuccess(u16),
    /// A body that is something else than the value.
    #[error("The body of the answer is not the value that was sent.")]
    NotTheValue,
    /// No leave for the gateway.
    #[error("The header WebHook-Allowed-Origin of the answer neither names the gateway nor is *.")]
    OriginNotAllowed,
}

impl ChallengeFailure {
    /// The stable name of the failure, for logs and the API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Status(_) => "challenge_status",
            Self::NotJson => "challenge_not_json",
            Self::NotAnObject => "challenge_not_an_object",
            Self::Missing => "challenge_missing",
            Self::WrongValue => "challenge_wrong_value",
            Self::TooLarge => "challenge_too_large",
            Self::NotSuccess(_) => "challenge_status",
            Self::NotTheValue => "challenge_wrong_value",
            Self::OriginNotAllowed => "challenge_origin_not_allowed",
        }
    }
}

/// The body of a challenge. Receivers sign and compare these exact bytes.
#[must_use]
pub fn challenge_body(challenge: &str) -> Bytes {
    let challenge = Value::from(challenge);
    Bytes::from(format!(r#"{{"type":"webhook.challenge","challenge":{challenge}}}"#))
}

/// Judges an answer: status 200 and a JSON object whose `challenge` is the value; other members are ignored.
///
/// `truncated` says that there was more of the body than was read.
///
/// # Errors
/// When the answer does not pass.
pub fn echoes(challenge: &str, status: u16, body: &[u8], truncated: bool) -> Result<(), ChallengeFailure> {
    if status != 200 {
        return Err(ChallengeFailure::Status(status));
    }
    if truncated || body.len() > MAX_ANSWER_BYTES {
        return Err(ChallengeFailure::TooLarge);
    }
    let answer: Value = serde_json::from_slice(body).map_err(|_| ChallengeFailure::NotJson)?;
    let members = answer.as_object().ok_or(ChallengeFailure::NotAnObject)?;
    let echo = members.get("challenge").ok_or(ChallengeFailure::Missing)?;
    if echo.as_str() == Some(challenge) { Ok(()) } else { Err(ChallengeFailure::WrongValue) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::HmacKey;

    const VALUE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn judge(status: u16, body: &str) -> Result<(), ChallengeFailure> {
        echoes(VALUE, status, body.as_bytes(), false)
    }

    /// A11, defect 3: the body that is signed is that of the golden vector, byte for byte.
    #[test]
    fn a11_the_signed_challenge_is_that_of_the_golden_vector() {
        let body = challenge_body(VALUE);
        assert_eq!(body, format!("{{\"type\":\"webhook.challenge\",\"challenge\":\"{VALUE}\"}}"));
        let key = HmacKey::from_bytes(b"0123456789abcdef0123456789abcdef");
        let tag = hex::encode(key.tag(&[&body]));
        assert_eq!(tag, "69a8fa48bb569e8dc861dc50842ee6a003648cb05d55887e8da3f85cf4074572");
    }

    #[test]
    fn a_value_with_quotes_still_makes_json() {
        let body: Value = serde_json::from_slice(&challenge_body("a\"b\\")).expect("JSON");
        assert_eq!(body["challenge"], "a\"b\\");
    }

    #[test]
    fn an_exact_echo_passes() {
        assert_eq!(judge(200, &format!(r#"{{"challenge":"{VALUE}"}}"#)), Ok(()));
        assert_eq!(judge(200, &format!(" {{ \"challenge\" : \"{VALUE}\" }}\r\n")), Ok(()));
    }

    /// A9, defect 2: what stands beside the echo may be of any type.
    #[test]
    fn a9_other_members_are_ignored() {
        for other in [r#""ok":true"#, r#""n":1"#, r#""list":[{}]"#, r#""nothing":null"#, r#""text":"x""#] {
            assert_eq!(judge(200, &format!(r#"{{{other},"challenge":"{VALUE}"}}"#)), Ok(()), "{other}");
        }
    }

    #[test]
    fn a8_a_status_other_than_200_fails_also_with_the_right_echo() {
        for status in [199, 201, 202, 204, 206, 301, 302, 307, 400, 401, 500, 503] {
            let judged = judge(status, &format!(r#"{{"challenge":"{VALUE}"}}"#));
            assert_eq!(judged, Err(ChallengeFailure::Status(status)));
        }
    }

    #[test]
    fn a8_each_wrong_body_has_its_own_reason() {
        let upper = VALUE.to_ascii_uppercase();
        for (body, why) in [
            (String::new(), ChallengeFailure::NotJson),
            ("ok".into(), ChallengeFailure::NotJson),
            (format!(r#"{{"challenge":"{VALUE}""#), ChallengeFailure::NotJson),
            (format!(r#"{{"challenge":"{VALUE}"}}{{}}"#), ChallengeFailure::NotJson),
            (VALUE.into(), ChallengeFailure::NotJson),
            (format!("\"{VALUE}\""), ChallengeFailure::NotAnObject),
            (format!("[\"{VALUE}\"]"), ChallengeFailure::NotAnObject),
            ("null".into(), ChallengeFailure::NotAnObject),
            ("{}".into(), ChallengeFailure::Missing),
            (format!(r#"{{"Challenge":"{VALUE}"}}"#), ChallengeFailure::Missing),
            (format!(r#"{{"data":{{"challenge":"{VALUE}"}}}}"#), ChallengeFailure::Missing),
            (r#"{"challenge":""}"#.into(), ChallengeFailure::WrongValue),
            (r#"{"challenge":null}"#.into(), ChallengeFailure::WrongValue),
            (r#"{"challenge":11}"#.into(), ChallengeFailure::WrongValue),
            (format!(r#"{{"challenge":["{VALUE}"]}}"#), ChallengeFailure::WrongValue),
            (format!(r#"{{"challenge":" {VALUE}"}}"#), ChallengeFailure::WrongValue),
            (format!(r#"{{"challenge":"{upper}"}}"#), ChallengeFailure::WrongValue),
        ] {
            assert_eq!(judge(200, &body), Err(why), "{body}");
        }
        assert_eq!(echoes(VALUE, 200, b"{\"challenge\":\"\xff\"}", false), Err(ChallengeFailure::NotJson));
    }

    #[test]
    fn a8_an_answer_above_1_kib_is_too_large() {
        let echo = format!(r#"{{"challenge":"{VALUE}"}}"#);
        let padded = |bytes: usize| format!("{echo}{}", " ".repeat(bytes - echo.len()));
        assert_eq!(judge(200, &padded(1024)), Ok(()));
        assert_eq!(judge(200, &padded(1025)), Err(ChallengeFailure::TooLarge));
        assert_eq!(echoes(VALUE, 200, echo.as_bytes(), true), Err(ChallengeFailure::TooLarge));
    }

    /// Defect 8: a reason is stored, shown and logged, so it holds neither value.
    #[test]
    fn defect_8_a_reason_names_no_challenge_value() {
        let failure = judge(200, r#"{"challenge":"another"}"#).expect_err("another value");
        for text in [failure.to_string(), format!("{failure:?}"), failure.code().to_owned()] {
            assert!(!text.contains(VALUE) && !text.contains("another"), "{text}");
        }
    }
}
