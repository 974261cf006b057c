//! What a published event says of itself beside its payload: what it is about, where it happened, and who caused it.
//!
//! Filters, permissions and keys-only payloads read these and never the payload. An event that was received by an
//! inbound webhook has none.

use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

use super::text::texts;

/// The most characters of a scope.
pub const MAX_SCOPE_CHARS: usize = 512;
/// The most segments of a scope.
pub const MAX_SCOPE_SEGMENTS: usize = 16;
/// The most characters of one segment of a scope.
const MAX_SEGMENT_CHARS: usize = 64;

/// Why a text says nothing about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    /// Not the type of an entity.
    #[error("must have 1 to 64 characters of A-Z, a-z, 0-9, _, . and -")]
    EntityType,
    /// Not the id of an entity.
    #[error("must have 1 to 256 characters and no control characters")]
    EntityId,
    /// Not a scope.
    #[error(
        "must be 1 to 16 segments joined by /, of 1 to 64 characters of A-Z, a-z, 0-9, ., _, ~ and - each, of at most \
         512 characters in all"
    )]
    Scope,
    /// Not the name of an owner.
    #[error("must have 1 to 128 characters, without white space, control characters, /, # and *")]
    Owner,
}

/// Where an event happened: a path such as `acme/berlin/line-3`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(
    value_type = String,
    max_length = 512,
    pattern = r"^[A-Za-z0-9._~-]{1,64}(/[A-Za-z0-9._~-]{1,64}){0,15}$",
    example = "acme/berlin/line-3"
)]
pub struct Scope(String);

impl TryFrom<String> for Scope {
    type Error = FactError;

    fn try_from(text: String) -> Result<Self, FactError> {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"._~-".contains(&b);
        let is_segment = |s: &str| (1..=MAX_SEGMENT_CHARS).contains(&s.len()) && s.bytes().all(is_allowed);
        let is_scope = text.len() <= MAX_SCOPE_CHARS
            && text.split('/').count() <= MAX_SCOPE_SEGMENTS
            && text.split('/').all(is_segment);
        if is_scope { Ok(Self(text)) } else { Err(FactError::Scope) }
    }
}

impl Scope {
    /// Tells whether `other` is this scope or lies below it, counted in whole segments.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Names a principal of the caller's: an owner of subscriptions, or who caused an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 128, example = "ann@example.com")]
pub struct OwnerName(String);

impl TryFrom<String> for OwnerName {
    type Error = FactError;

    fn try_from(text: String) -> Result<Self, FactError> {
        let is_refused = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '#' | '*');
        if has_chars(&text, 128) && !text.contains(is_refused) { Ok(Self(text)) } else { Err(FactError::Owner) }
    }
}

texts!(Scope, OwnerName);

fn has_chars(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most
}

/// What a published event says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventFacts {
    /// The type of the entity that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read_entity_type")]
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_.-]+$")]
    pub entity_type: Option<String>,
    /// The entity that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read_entity_id")]
    #[schema(min_length = 1, max_length = 256)]
    pub entity_id: Option<String>,
    /// Where it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// On whose behalf it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerName>,
    /// Who caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiator: Option<OwnerName>,
}

/// Takes a text as the type of an entity.
///
/// # Errors
/// When it is empty, longer than 64 characters, or has others than letters, digits, `_`, `.` and `-`.
pub fn entity_type(text: String) -> Result<String, FactError> {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    if has_chars(&text, 64) && text.bytes().all(is_allowed) { Ok(text) } else { Err(FactError::EntityType) }
}

/// Takes a text as the id of an entity.
///
/// # Errors
/// When it is empty, longer than 256 characters, or has control characters.
pub fn entity_id(text: String) -> Result<String, FactError> {
    if has_chars(&text, 256) && !text.contains(char::is_control) { Ok(text) } else { Err(FactError::EntityId) }
}

fn read_entity_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(deserializer)?.map(entity_type).transpose().map_err(de::Error::custom)
}

fn read_entity_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(deserializer)?.map(entity_id).transpose().map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope(text: &str) -> Result<Scope, FactError> {
        Scope::try_from(text.to_owned())
    }

    fn owner(text: &str) -> Result<OwnerName, FactError> {
        OwnerName::try_from(text.to_owned())
    }

    #[test]
    fn a_scope_is_a_path_of_whole_segments() {
        let deepest = ["a"; 16].join("/");
        for good in ["acme", "acme/berlin", "A.b_c~d-9/x", deepest.as_str(), &"s".repeat(64)] {
            assert_eq!(scope(good).map(|s| s.to_string()), Ok(good.to_owned()));
        }
        let too_deep = ["a"; 17].join("/");
        let too_long = ["x".repeat(60).as_str(); 9].join("/");
        for bad in
            ["", "/", "/acme", "acme/", "a//b", "a b", "a/ü", "a#b", "a/*", &"s".repeat(65), &too_deep, &too_long]
        {
            assert_eq!(scope(bad), Err(FactError::Scope), "{bad}");
        }
    }

    #[test]
    fn a_scope_covers_itself_and_what_lies_below_it() {
        let cases = [
            ("acme", "acme", true),
            ("acme", "acme/berlin", true),
            ("acme", "acme/berlin/line-3", true),
            ("acme", "acme-2", false),
            ("acme", "acme2/berlin", false),
            ("acme/berlin", "acme", false),
            ("acme/berlin", "acme/bern", false),
            ("berlin", "acme/berlin", false),
        ];
        for (above, below, expected) in cases {
            let covers = scope(above).and_then(|above| scope(below).map(|below| above.covers(&below)));
            assert_eq!(covers, Ok(expected), "{above} {below}");
        }
    }

    #[test]
    fn an_owner_may_be_named_by_an_e_mail_address() {
        for good in ["ann@example.com", "42", "söfting", "auth0|5f7c", &"é".repeat(128)] {
            assert_eq!(owner(good).map(|o| o.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "a b", "a\tb", "a\u{a0}b", "a\u{7}b", "a/b", "a#b", "*", &"é".repeat(129)] {
            assert_eq!(owner(bad), Err(FactError::Owner), "{bad:?}");
        }
    }

    #[test]
    fn facts_are_read_as_they_are_written_and_absent_ones_are_left_out() {
        let text =
            json!({"entity_type": "ticket", "entity_id": "4 2", "scope": "acme", "owner": "ann", "initiator": "bo"});
        let facts: EventFacts = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(serde_json::to_value(&facts).unwrap(), text);
        assert_eq!(serde_json::to_value(EventFacts::default()).unwrap(), json!({}));
        assert_eq!(serde_json::from_value::<EventFacts>(json!({"entity_id": null})).unwrap(), EventFacts::default());
    }

    #[test]
    fn facts_that_break_a_rule_are_refused() {
        let long_type = "t".repeat(65);
        let long_id = "é".repeat(257);
        let broken = [
            json!({"entity_type": ""}),
            json!({"entity_type": "a b"}),
            json!({"entity_type": long_type}),
            json!({"entity_id": ""}),
            json!({"entity_id": "a\nb"}),
            json!({"entity_id": long_id}),
            json!({"scope": "/acme"}),
            json!({"owner": "a b"}),
            json!({"initiator": ""}),
        ];
        for facts in broken {
            assert!(serde_json::from_value::<EventFacts>(facts.clone()).is_err(), "{facts}");
        }
    }
}
