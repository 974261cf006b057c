//! Random secrets, as CloudFormation's `GenerateSecretString` makes them.

use rand::TryRng as _;
use rand::rngs::{SysError, SysRng};
use serde_json::{Map, Value};

const LETTERS_AND_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const WITH_PUNCTUATION: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

const LONGEST: usize = 4096;

/// Why a secret could not be generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The template is not a JSON object.
    #[error("the template of a generated secret must be a JSON object")]
    Template(#[source] serde_json::Error),
    /// The template has a value where the random one belongs.
    #[error("the template of a generated secret has the key {0} already")]
    KeyTaken(String),
    /// The length cannot hold one character of each kind, or is over 4096.
    #[error("a generated secret cannot have {0} characters")]
    Length(usize),
    /// The operating system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random(#[source] SysError),
}

pub(super) fn generate(
    template: &str,
    key: &str,
    length: usize,
    exclude_punctuation: bool,
) -> Result<String, GenerateError> {
    let mut object: Map<String, Value> = serde_json::from_str(template).map_err(GenerateError::Template)?;
    if object.contains_key(key) {
        return Err(GenerateError::KeyTaken(key.to_owned()));
    }
    object.insert(key.to_owned(), password(length, exclude_punctuation)?.into());
    Ok(Value::Object(object).to_string())
}

/// Draws letters and digits.
pub(super) fn alphanumeric(length: usize) -> Result<String, GenerateError> {
    draw(length, LETTERS_AND_DIGITS)
}

fn password(length: usize, exclude_punctuation: bool) -> Result<String, GenerateError> {
    let (alphabet, kinds) = if exclude_punctuation { (LETTERS_AND_DIGITS, 3) } else { (WITH_PUNCTUATION, 4) };
    if !(kinds..=LONGEST).contains(&length) {
        return Err(GenerateError::Length(length));
    }
    // Drawing again favours no text among those that have every kind; putting missing kinds in would.
    loop {
        let password = draw(length, alphabet)?;
        if has_every_kind(&password, exclude_punctuation) {
            return Ok(password);
        }
    }
}

fn has_every_kind(text: &str, exclude_punctuation: bool) -> bool {
    let has = |kind: fn(&u8) -> bool| text.as_bytes().iter().any(kind);
    has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
        && (exclude_punctuation || has(u8::is_ascii_punctuation))
}

fn draw(length: usize, alphabet: &[u8]) -> Result<String, GenerateError> {
    // Bytes beyond the last whole alphabet would favour its first characters.
    let usable = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length {
        SysRng.try_fill_bytes(&mut bytes).map_err(GenerateError::Random)?;
        let missing = length - text.len();
        let drawn = bytes.iter().map(|byte| usize::from(*byte));
        let kept = drawn.filter(|byte| *byte < usable);
        text.extend(kept.map(|byte| char::from(alphabet[byte % alphabet.len()])).take(missing));
    }
    Ok(text)
}
