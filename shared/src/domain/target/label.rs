//! What events on a bus say of themselves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::text::texts;

/// Why a text cannot stand on an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Not a source.
    #[error("must have 1 to 256 of A-Z, a-z, 0-9, ., _, -, / and must not start with aws.")]
    Source,
    /// Not a type.
    #[error("must have 1 to 128 characters and no control characters")]
    DetailType,
}

/// What an event says it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 256, example = "com.example.orders")]
pub struct EventSource(String);

impl TryFrom<String> for EventSource {
    type Error = LabelError;

    fn try_from(text: String) -> Result<Self, LabelError> {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
        // The bus keeps this beginning for what its own services send.
        let is_kept = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws."));
        let is_source = (1..=256).contains(&text.len()) && text.bytes().all(is_allowed) && !is_kept;
        if is_source { Ok(Self(text)) } else { Err(LabelError::Source) }
    }
}

/// What an event says it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 128, example = "order placed")]
pub struct DetailType(String);

impl TryFrom<String> for DetailType {
    type Error = LabelError;

    fn try_from(text: String) -> Result<Self, LabelError> {
        let is_type = (1..=128).contains(&text.len()) && !text.contains(char::is_control);
        if is_type { Ok(Self(text)) } else { Err(LabelError::DetailType) }
    }
}

texts!(EventSource, DetailType);
