//! Short texts with rules: names, descriptions, slugs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Empty or longer than allowed, after trimming.
    #[error("must have 1 to {max} characters")]
    Length {
        /// The greatest number of characters.
        max: usize,
    },
    /// A control character, which no name needs.
    #[error("must not contain control characters")]
    Control,
    /// Not lower-case letters, digits and inner hyphens.
    #[error("must match ^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$")]
    Slug,
    /// A slug that is kept for bundled integrations.
    #[error("is reserved")]
    Reserved,
}

fn trimmed(text: &str, max: usize) -> Result<String, TextError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > max {
        return Err(TextError::Length { max });
    }
    if text.chars().any(char::is_control) {
        return Err(TextError::Control);
    }
    Ok(text.to_owned())
}

/// A name for people: 1 to 255 characters, trimmed, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 255)]
pub struct Name(String);

impl TryFrom<String> for Name {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        trimmed(&text, 255).map(Self)
    }
}

/// A description for people: 1 to 2,000 characters, trimmed; line breaks are fine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 2000)]
pub struct Description(String);

impl TryFrom<String> for Description {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > 2000 {
            return Err(TextError::Length { max: 2000 });
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(TextError::Control);
        }
        Ok(Self(text.to_owned()))
    }
}

fn slug(text: &str) -> Result<String, TextError> {
    if text.is_empty() || text.len() > 64 {
        return Err(TextError::Length { max: 64 });
    }
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !text.bytes().all(allowed) || text.starts_with('-') || text.ends_with('-') {
        return Err(TextError::Slug);
    }
    Ok(text.to_owned())
}

/// The last segment of an inbound webhook's URL: 1 to 64 lower-case letters, digits and inner hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$", max_length = 64)]
pub struct Slug(String);

/// Slugs that bundled integrations use elsewhere; a sender's URL must not be mistaken for one of them.
const RESERVED: [&str; 15] = [
    "ninjaone",
    "tacticalrmm",
    "tactical_rmm",
    "tanium",
    "xero",
    "xero_csv",
    "qbo",
    "quickbooks_online",
    "quickbooks_desktop",
    "quickbooks_csv",
    "entra",
    "entra_id",
    "microsoft_graph",
    "microsoft",
    "google",
];

impl TryFrom<String> for Slug {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        let text = text.trim();
        if RESERVED.contains(&text.to_ascii_lowercase().as_str()) {
            return Err(TextError::Reserved);
        }
        slug(text).map(Self)
    }
}

/// The name of a tenant: the isolation boundary that every stored key starts from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$", max_length = 64)]
pub struct TenantSlug(String);

impl TryFrom<String> for TenantSlug {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        slug(&text).map(Self)
    }
}

/// Lets texts be read and shown.
macro_rules! texts {
    ($($name:ident),+) => {$(
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}
pub(crate) use texts;

texts!(Name, Description, Slug, TenantSlug);

#[cfg(test)]
mod tests {
    use super::*;

    fn slug_of(text: &str) -> Result<Slug, TextError> {
        Slug::try_from(text.to_owned())
    }

    #[test]
    fn a_slug_has_lower_case_letters_digits_and_inner_hyphens() {
        for good in ["a", "github", "git-hub-2", "0"] {
            assert!(slug_of(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a b", "a/b", "ü", "a_b"] {
            assert!(slug_of(bad).is_err(), "{bad}");
        }
        assert!(slug_of(&"a".repeat(64)).is_ok());
        assert_eq!(slug_of(&"a".repeat(65)), Err(TextError::Length { max: 64 }));
    }

    #[test]
    fn a_reserved_slug_is_refused_however_it_is_written() {
        assert_eq!(slug_of(" Xero "), Err(TextError::Reserved));
        assert_eq!(slug_of("microsoft_graph"), Err(TextError::Reserved));
    }

    #[test]
    fn a_name_is_trimmed_and_bounded() {
        assert_eq!(Name::try_from("  x ".to_owned()).map(|n| n.to_string()), Ok("x".into()));
        assert!(Name::try_from("é".repeat(255)).is_ok());
        assert_eq!(Name::try_from("é".repeat(256)), Err(TextError::Length { max: 255 }));
        assert_eq!(Name::try_from("a\u{7}b".to_owned()), Err(TextError::Control));
        assert_eq!(Name::try_from("   ".to_owned()), Err(TextError::Length { max: 255 }));
    }
}
