//! Event types (`noun.verb`) and the patterns that subscriptions match them with.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Why a text is no event type or pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventTypeError {
    /// Not two or more words joined by dots.
    #[error("must be words of a-z, 0-9, _ and - joined by dots, such as invoice.paid, of at most 128 characters")]
    Type,
    /// Neither a type, nor `noun.*`, nor `*`.
    #[error("must be an event type such as invoice.paid, a prefix such as invoice.*, or *")]
    Pattern,
}

fn is_dotted(text: &str) -> bool {
    text.split('.').all(|word| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
    })
}

/// What happened, as `noun.verb`: two or more dotted words, at most 128 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, max_length = 128, example = "invoice.paid")]
pub struct EventType(String);

impl TryFrom<String> for EventType {
    type Error = EventTypeError;

    fn try_from(text: String) -> Result<Self, EventTypeError> {
        if text.len() <= 128 && text.contains('.') && is_dotted(&text) {
            Ok(Self(text))
        } else {
            Err(EventTypeError::Type)
        }
    }
}

impl EventType {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which event types a subscription wants: one exactly, all below a prefix (`noun.*`), or all (`*`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum EventPattern {
    /// Every type.
    All,
    /// Every type that starts with this text, its last character being the dot.
    Below(String),
    /// This type alone.
    Exactly(EventType),
}

impl PartialSchema for EventPattern {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(128))
            .description(Some("An event type such as invoice.paid, a prefix such as invoice.*, or *"))
            .examples(["invoice.*"])
            .into()
    }
}

impl ToSchema for EventPattern {}

impl EventPattern {
    /// Tells whether the pattern takes `event_type` in.
    #[must_use]
    pub fn matches(&self, event_type: &EventType) -> bool {
        match self {
            Self::All => true,
            Self::Below(prefix) => event_type.as_str().starts_with(prefix.as_str()),
            Self::Exactly(wanted) => wanted == event_type,
        }
    }
}

impl TryFrom<String> for EventPattern {
    type Error = EventTypeError;

    fn try_from(text: String) -> Result<Self, EventTypeError> {
        if text == "*" {
            return Ok(Self::All);
        }
        if let Some(prefix) = text.strip_suffix('*') {
            return match prefix.strip_suffix('.') {
                Some(noun) if text.len() <= 128 && is_dotted(noun) => Ok(Self::Below(prefix.to_owned())),
                _ => Err(EventTypeError::Pattern),
            };
        }
        EventType::try_from(text).map(Self::Exactly).map_err(|_| EventTypeError::Pattern)
    }
}

impl From<EventPattern> for String {
    fn from(pattern: EventPattern) -> Self {
        match pattern {
            EventPattern::All => "*".to_owned(),
            EventPattern::Below(prefix) => prefix + "*",
            EventPattern::Exactly(event_type) => event_type.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Result<EventPattern, EventTypeError> {
        EventPattern::try_from(text.to_owned())
    }

    fn event_type(text: &str) -> EventType {
        EventType::try_from(text.to_owned()).expect("a valid type")
    }

    #[test]
    fn patterns_match_exactly_by_noun_or_always() {
        let cases = [
            ("invoice.paid", "invoice.paid", true),
            ("invoice.paid", "invoice.paid.late", false),
            ("invoice.*", "invoice.paid", true),
            ("invoice.*", "invoice.paid.late", true),
            ("invoice.*", "invoices.paid", false),
            ("stripe.payment_intent.*", "stripe.payment_intent.succeeded", true),
            ("*", "anything.at_all", true),
        ];
        for (text, kind, expected) in cases {
            assert_eq!(pattern(text).map(|p| p.matches(&event_type(kind))), Ok(expected), "{text} {kind}");
        }
    }

    #[test]
    fn a_pattern_that_is_neither_type_nor_prefix_is_refused() {
        for bad in ["", "**", "*.paid", "invoice*", "invoice", "Invoice.paid", "invoice..paid", ".*", "a b.c"] {
            assert_eq!(pattern(bad), Err(EventTypeError::Pattern), "{bad}");
        }
    }

    #[test]
    fn a_pattern_is_written_as_it_was_read() {
        for text in ["*", "invoice.*", "invoice.paid"] {
            assert_eq!(pattern(text).map(String::from), Ok(text.to_owned()));
        }
    }
}
