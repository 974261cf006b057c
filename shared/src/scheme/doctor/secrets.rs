//! Secrets: another one, one with blanks around it, or one that became a key in another way.

use base64::Engine as _;
use hex::FromHex as _;
use secrecy::{ExposeSecret, SecretString};

use super::bench::{Bench, Found, Trial};
use super::cause::Cause;
use super::detail::{BlanksAt, SecretForm};
use crate::proof::BASE64;
use crate::scheme::Scheme;
use crate::scheme::key::{KeyEncoding, KeySource, KeyText};

/// The most secrets of others that are tried as they are.
const MAX_OTHERS: usize = 100;
/// The most secrets of others that are tried together with something else.
pub(super) const FEW_OTHERS: usize = 10;
/// The prefix that a secret has most often.
const PREFIX: &str = "whsec_";

/// Varies the secret alone.
pub(super) fn find(bench: &Bench<'_>) -> Option<Found> {
    let cause = blanks(bench).or_else(|| another(bench)).or_else(|| decoding(bench, &bench.own))?;
    Some(cause.into())
}

/// Varies the secret, and how it is used.
pub(super) fn pairs(bench: &Bench<'_>) -> Option<Found> {
    for other in bench.others(FEW_OTHERS) {
        let is_trimmed = trimmed(other.secret).is_some_and(|secret| bench.with_secrets(&[&secret]));
        let also = if is_trimmed {
            Some(Cause::SecretWhitespace { side: BlanksAt::Gateway })
        } else {
            decoding(bench, &[other.secret])
        };
        if also.is_some() {
            return Some(Found { cause: Cause::WrongSecret { of: other.of.clone() }, also });
        }
    }
    None
}

fn trimmed(secret: &SecretString) -> Option<SecretString> {
    let text = secret.expose_secret();
    (text.trim() != text).then(|| SecretString::from(text.trim()))
}

fn blanks(bench: &Bench<'_>) -> Option<Cause> {
    if bench.scheme.has_public_key() {
        return None;
    }
    for own in &bench.own {
        if trimmed(own).is_some_and(|secret| bench.with_secrets(&[&secret])) {
            return Some(Cause::SecretWhitespace { side: BlanksAt::Gateway });
        }
        for blank in ["\n", "\r\n", " "] {
            let secret = SecretString::from(format!("{}{blank}", own.expose_secret()));
            if bench.with_secrets(&[&secret]) {
                return Some(Cause::SecretWhitespace { side: BlanksAt::Sender });
            }
        }
    }
    None
}

fn another(bench: &Bench<'_>) -> Option<Cause> {
    let others = bench.others(MAX_OTHERS);
    let right = others.into_iter().find(|other| bench.with_secrets(&[other.secret]))?;
    Some(Cause::WrongSecret { of: right.of.clone() })
}

/// Makes the key in other ways than the row says.
fn decoding(bench: &Bench<'_>, secrets: &[&SecretString]) -> Option<Cause> {
    if bench.scheme.has_public_key() {
        return None;
    }
    let Some(row) = bench.scheme.key_text() else { return decoded_text(bench, secrets) };
    for (cause, key) in forms(row) {
        let Some(scheme) = with_key(&bench.scheme, key) else { continue };
        if bench.holds(&Trial { scheme: &scheme, secrets, ..bench.trial() }) {
            return Some(cause);
        }
    }
    None
}

fn forms(row: &KeyText) -> Vec<(Cause, KeyText)> {
    let prefix = row.strip.as_deref().unwrap_or(PREFIX);
    let key = |encoding, strip: Option<&str>| KeyText { encoding, strip: strip.map(str::to_owned), hash: row.hash };
    let short = if row.encoding == KeyEncoding::Text {
        Cause::SecretDecoding { how: SecretForm::TextAfterPrefix }
    } else {
        Cause::SecretAsText { without_prefix: true }
    };
    let how = |how| Cause::SecretDecoding { how };
    let mut forms = vec![
        (Cause::SecretAsText { without_prefix: false }, key(KeyEncoding::Text, None)),
        (short, key(KeyEncoding::Text, Some(prefix))),
        (how(SecretForm::Hex), key(KeyEncoding::Hex, None)),
        (how(SecretForm::Base64), key(KeyEncoding::Base64, None)),
        (how(SecretForm::Base64AfterPrefix), key(KeyEncoding::Base64, Some(prefix))),
        (how(SecretForm::NotHashed), KeyText { hash: None, ..row.clone() }),
    ];
    forms.retain(|(_, key)| key != row);
    forms
}

fn with_key(scheme: &Scheme, key: KeyText) -> Option<Scheme> {
    let mut scheme = scheme.clone();
    match &mut scheme {
        Scheme::Signature(row) => row.key = KeySource::Secret(key),
        Scheme::HttpMessageSignature(row) => row.key = key,
        Scheme::Token(_) | Scheme::Jws(_) => return None,
    }
    Some(scheme)
}

/// Decodes the secret of a row that takes its text as it is. What is no text then cannot be tried.
fn decoded_text(bench: &Bench<'_>, secrets: &[&SecretString]) -> Option<Cause> {
    for secret in secrets {
        let text = secret.expose_secret();
        let ways = [
            (SecretForm::Hex, Vec::from_hex(text).ok()),
            (SecretForm::Base64, BASE64.decode(text).ok()),
            (SecretForm::TextAfterPrefix, text.strip_prefix(PREFIX).map(|rest| rest.as_bytes().to_vec())),
        ];
        for (how, key) in ways {
            let key = key.and_then(|key| String::from_utf8(key).ok()).filter(|key| !key.is_empty());
            if key.is_some_and(|key| bench.with_secrets(&[&SecretString::from(key)])) {
                return Some(Cause::SecretDecoding { how });
            }
        }
    }
    None
}
