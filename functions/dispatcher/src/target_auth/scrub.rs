//! Takes secrets out of answers before they are judged and kept: some targets repeat what they were sent.

use std::ops::Range;

use bytes::Bytes;
use hookport::domain::static_headers::HIDDEN;
use hookport::domain::target_auth::{SecretText, TargetAuth};
use hookport::egress::OutgoingResponse;
use http::HeaderValue;

/// The texts that no answer may show.
#[derive(Default)]
pub(super) struct Scrub(Vec<SecretText>);

impl Scrub {
    /// All that is sent of an authentication.
    pub(super) fn of(auth: &TargetAuth) -> Self {
        Self(auth.traces())
    }

    /// Takes them out of an answer, and the token that it answers as well. What a cut leaves of one stays.
    pub(super) fn clean(&self, response: &mut OutgoingResponse, token: Option<&SecretText>) {
        for secret in self.0.iter().chain(token) {
            let secret = secret.expose().as_bytes();
            for writing in Writing::ALL {
                if let Some(cleaned) = without(&response.body, secret, writing) {
                    response.body = cleaned;
                }
                for value in response.headers.values_mut() {
                    if position(value.as_bytes(), secret, writing).is_some() {
                        *value = HeaderValue::from_static(HIDDEN);
                    }
                }
            }
        }
    }
}

/// How a target may write down what it was sent. Programs differ in what they escape, so any character may be.
#[derive(Clone, Copy)]
enum Writing {
    /// As it is.
    Plain,
    /// As part of a JSON string.
    Json,
    /// As part of a URL or a form.
    Url,
}

impl Writing {
    const ALL: [Self; 3] = [Self::Plain, Self::Json, Self::Url];

    /// How many bytes at the beginning of `text` stand for `byte`; `None` when they stand for another.
    fn stands_for(self, byte: u8, text: &[u8]) -> Option<usize> {
        match (self, text) {
            (Self::Json, [b'\\', b'u', b'0', b'0', high, low, ..]) => is_hex_of(byte, *high, *low).then_some(6),
            (Self::Json, [b'\\', escaped, ..]) => (*escaped == byte && b"\"\\/".contains(&byte)).then_some(2),
            (Self::Url, [b'%', high, low, ..]) => is_hex_of(byte, *high, *low).then_some(3),
            (Self::Url, [b'+', ..]) if byte == b' ' => Some(1),
            (Self::Plain | Self::Json | Self::Url, [first, ..]) => (*first == byte).then_some(1),
            (Self::Plain | Self::Json | Self::Url, []) => None,
        }
    }
}

fn is_hex_of(byte: u8, high: u8, low: u8) -> bool {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    digit(high) == Some(u32::from(byte >> 4)) && digit(low) == Some(u32::from(byte & 15))
}

/// The text with something else in place of the secret; `None` when it is not there.
fn without(text: &[u8], secret: &[u8], writing: Writing) -> Option<Bytes> {
    let mut place = position(text, secret, writing)?;
    let (mut cleaned, mut rest) = (Vec::with_capacity(text.len()), text);
    loop {
        cleaned.extend_from_slice(&rest[..place.start]);
        cleaned.extend_from_slice(HIDDEN.as_bytes());
        rest = &rest[place.end..];
        match position(rest, secret, writing) {
            Some(next) => place = next,
            None => break,
        }
    }
    cleaned.extend_from_slice(rest);
    Some(cleaned.into())
}

/// Where the secret stands first.
fn position(text: &[u8], secret: &[u8], writing: Writing) -> Option<Range<usize>> {
    if secret.is_empty() {
        return None;
    }
    let end =
        |start: usize| secret.iter().try_fold(start, |at, byte| Some(at + writing.stands_for(*byte, &text[at..])?));
    (0..text.len()).find_map(|start| Some(start..end(start)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_however_a_target_writes_it_down() {
        let secret = br#"ab/c+d "\%z"#;
        let written = [
            r#"ab/c+d "\%z"#,
            r#"ab\/c+d \"\\%z"#,
            r#"ab/c\u002Bd\u0020\u0022\\\u0025z"#,
            "ab%2Fc%2Bd+%22%5C%25z",
            "ab/c%2bd%20%22%5c%25z",
        ];
        for text in written {
            let text = format!("<{text}><{text}>");
            let mut found = Writing::ALL.into_iter().filter_map(|writing| without(text.as_bytes(), secret, writing));
            assert_eq!(found.next().as_deref(), Some(&b"<(hidden)><(hidden)>"[..]), "{text}");
        }
        for other in ["ab/c+d", "ab/c+d %22", "", "ab%", "ab\\"] {
            assert!(Writing::ALL.into_iter().all(|writing| position(other.as_bytes(), secret, writing).is_none()));
        }
    }
}
