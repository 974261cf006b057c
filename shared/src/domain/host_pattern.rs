//! Patterns of hosts, as an operator lists those that are denied or allowed.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[cfg(test)]
mod tests;

/// The most characters a pattern may have: as many as a host name.
pub const MAX_LENGTH: usize = 253;

/// A pattern of host names or IP addresses: `*` is any run of characters, dots included, and `?` is one character.
///
/// It is held against the whole host in its normal form: a lower-case name in punycode, or the text of an address
/// without brackets. `*.example.internal` takes in the names below `example.internal` at any depth and not that name
/// itself: list both to have both.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 253, example = "*.example.internal")]
pub struct HostPattern(String);

/// Why a text is no host pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostPatternError {
    /// Empty, or longer than any host.
    #[error("a host pattern must have 1 to {} characters", MAX_LENGTH)]
    Length,
    /// Something that no host in its normal form contains.
    #[error("a host pattern consists of letters, digits, - . : * and ?; other letters are written in punycode")]
    Character,
    /// A dot at the end, which no host in its normal form has.
    #[error("a host pattern must not end with a dot")]
    TrailingDot,
}

impl HostPattern {
    /// The pattern, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether the pattern takes in a host, which may be an IPv6 address in brackets.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        glob(self.0.as_bytes(), bare.as_bytes())
    }
}

/// Matches without recursion: only the last star is ever tried again, so the work is at most one length times the other.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut in_pattern, mut in_text) = (0, 0);
    // What follows the last star, and where in the text that was tried last.
    let mut retry = None;
    while let Some(character) = text.get(in_text) {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                in_pattern += 1;
                retry = Some((in_pattern, in_text));
            }
            Some(wanted) if *wanted == b'?' || *wanted == character.to_ascii_lowercase() => {
                in_pattern += 1;
                in_text += 1;
            }
            _ => {
                let Some((after_star, tried)) = retry else {
                    return false;
                };
                in_pattern = after_star;
                in_text = tried + 1;
                retry = Some((after_star, in_text));
            }
        }
    }
    pattern[in_pattern..].iter().all(|wanted| *wanted == b'*')
}

impl TryFrom<String> for HostPattern {
    type Error = HostPatternError;

    fn try_from(mut text: String) -> Result<Self, HostPatternError> {
        if !(1..=MAX_LENGTH).contains(&text.chars().count()) {
            return Err(HostPatternError::Length);
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:*?".contains(&b)) {
            return Err(HostPatternError::Character);
        }
        if text.ends_with('.') {
            return Err(HostPatternError::TrailingDot);
        }
        text.make_ascii_lowercase();
        Ok(Self(text))
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
