//! Reading what signature headers claim, and comparing it; what follows from it is decided by the callers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq as _};

use super::standard::key_bytes;
use crate::proof::HmacKey;
pub(super) use crate::proof::seconds;

/// The headers of `sha256=<hex>`.
pub(super) const HUB_HEADERS: [&str; 2] = ["x-webhook-signature", "x-hub-signature-256"];
/// The most tags of one request that are looked at.
const MAX_TAGS: usize = 10;
/// The characters of a tag in base64, padded.
const BASE64_CHARS: usize = 44;

/// An HMAC-SHA256.
pub(super) type Tag = [u8; 32];

/// What the headers of Standard Webhooks claim.
pub(super) struct Standard<'h> {
    pub(super) id: &'h [u8],
    /// The text of the time, as it is signed.
    pub(super) time: &'h [u8],
    pub(super) tags: Vec<Tag>,
}

impl Standard<'_> {
    /// Tells whether one of the tags was made over `content` with the secret.
    pub(super) fn is_made_with(&self, secret: &SecretString, content: &[u8]) -> bool {
        key_bytes(secret).is_ok_and(|key| {
            let tag = HmacKey::from_bytes(&key).tag(&[self.id, b".", self.time, b".", content]);
            is_among(&tag, &self.tags)
        })
    }
}

/// The trimmed value of a header; `None` when it is absent or empty.
pub(super) fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    headers.get(name).map(|value| value.as_bytes().trim_ascii()).filter(|value| !value.is_empty())
}

/// The `v1` tags of a `webhook-signature` header, which holds several while a secret is rotated.
pub(super) fn standard_tags(headers: &HeaderMap, name: &str) -> Vec<Tag> {
    let values = headers.get_all(name).iter();
    let parts = values.flat_map(|value| value.as_bytes().split(u8::is_ascii_whitespace));
    parts.filter_map(|part| base64_tag(part.strip_prefix(b"v1,")?)).take(MAX_TAGS).collect()
}

/// Reads `sha256=<hex>`, or the hex alone; letters of either case.
pub(super) fn hub_tag(value: &[u8]) -> Option<Tag> {
    let value = value.trim_ascii();
    match value.split_at_checked(b"sha256=".len()) {
        Some((name, tag)) if name.eq_ignore_ascii_case(b"sha256=") => hex_tag(tag),
        _ => hex_tag(value),
    }
}

/// Reads a tag in hex.
pub(super) fn hex_tag(text: &[u8]) -> Option<Tag> {
    let mut tag = [0; 32];
    hex::decode_to_slice(text, &mut tag).ok().map(|()| tag)
}

fn base64_tag(text: &[u8]) -> Option<Tag> {
    if text.len() != BASE64_CHARS {
        return None;
    }
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// Tells whether one of the tags was made over `parts` with the text of the secret, or with what its base64 says.
///
/// Receivers hold one text and cannot tell which of the two a sender meant by it.
pub(super) fn is_made_with_either(secret: &SecretString, parts: &[&[u8]], tags: &[Tag]) -> bool {
    let text = secret.expose_secret().as_bytes();
    let of_text = (!text.is_empty()).then(|| HmacKey::from_bytes(text));
    let decoded = key_bytes(secret).ok().filter(|key| key.as_slice() != text);
    let of_bytes = decoded.map(|key| HmacKey::from_bytes(&key));
    [of_text, of_bytes].iter().flatten().fold(false, |is_right, key| is_right | is_among(&key.tag(parts), tags))
}

/// Tells, in constant time, whether the tag is one of those that are claimed.
fn is_among(tag: &Tag, claimed: &[Tag]) -> bool {
    claimed.iter().fold(Choice::from(0), |found, one| found | tag.as_slice().ct_eq(one.as_slice())).into()
}

/// How a signed time lies to now. The seconds are those beyond the tolerance, rounded up.
pub(super) enum Timing {
    Timely,
    TooOld { by_s: u64 },
    InFuture { by_s: u64 },
}

/// Compares a signed time with now; exactly the tolerance apart is timely.
pub(super) fn timing(signed_s: i64, now: Timestamp, tolerance: SignedDuration) -> Timing {
    let age_ms = i128::from(now.as_millisecond()) - i128::from(signed_s) * 1000;
    let beyond_ms = age_ms.abs() - tolerance.as_millis().max(0);
    match u64::try_from(beyond_ms).unwrap_or(0).div_ceil(1000) {
        0 => Timing::Timely,
        by_s if age_ms > 0 => Timing::TooOld { by_s },
        by_s => Timing::InFuture { by_s },
    }
}

/// Headers for tests.
#[cfg(test)]
pub(super) fn headers_of(list: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        let name = http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
        headers.append(name, http::HeaderValue::from_str(value).expect("a value"));
    }
    headers
}
