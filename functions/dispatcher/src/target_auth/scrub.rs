//! Takes secrets out of answers before they are judged and kept: some targets repeat what they were sent.

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
            if let Some(cleaned) = without(&response.body, secret) {
                response.body = cleaned;
            }
            for value in response.headers.values_mut() {
                if position(value.as_bytes(), secret).is_some() {
                    *value = HeaderValue::from_static(HIDDEN);
                }
            }
        }
    }
}

/// The text with something else in place of the secret; `None` when it is not there.
fn without(text: &[u8], secret: &[u8]) -> Option<Bytes> {
    let mut place = position(text, secret)?;
    let (mut cleaned, mut rest) = (Vec::with_capacity(text.len()), text);
    loop {
        cleaned.extend_from_slice(&rest[..place]);
        cleaned.extend_from_slice(HIDDEN.as_bytes());
        rest = &rest[place + secret.len()..];
        match position(rest, secret) {
            Some(next) => place = next,
            None => break,
        }
    }
    cleaned.extend_from_slice(rest);
    Some(cleaned.into())
}

fn position(text: &[u8], secret: &[u8]) -> Option<usize> {
    if secret.is_empty() {
        return None;
    }
    text.windows(secret.len()).position(|part| part == secret)
}
