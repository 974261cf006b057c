//! JSON Schemas of payloads: compiled once, and held against bodies in bounded time and memory.
//!
//! A schema is a tenant's and works where everybody's requests wait, so it must not be able to take a function down.
//! Nothing is fetched: references stay within the document. Patterns take linear time. How much work a schema can make
//! is found when it is compiled, and a body that would make too much of it is refused.

mod effort;

use std::fmt::{self, Write as _};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use self::effort::Effort;
use super::inbound_delivery::Violation;

#[cfg(test)]
mod tests;

/// The longest schema, in bytes of JSON.
pub const MAX_SCHEMA_BYTES: usize = 64 * 1024;
/// How deep the arrays and objects of a schema may be nested.
pub const MAX_SCHEMA_DEPTH: usize = 64;
/// The most patterns that one schema may have.
pub const MAX_PATTERNS: usize = 20;
/// How many parts of a schema may be held against one place of a body.
pub const MAX_JUDGEMENTS: u64 = 4_096;
/// How many parts of a schema may be at work within each other: what a small stack has room for.
pub const MAX_STACKED: usize = 512;

/// The most violations that are told.
const MAX_TOLD: usize = 5;
/// The longest message and path, in characters.
const MAX_MESSAGE_CHARS: usize = 200;
/// A longer part of a payload is not quoted.
const MAX_QUOTED_CHARS: usize = 40;
/// The memory of one compiled pattern, in bytes.
const PATTERN_BYTES: usize = 64 * 1024;
/// The most work that one body may make: its size times the judgements of one place.
const MAX_WORK: u64 = 1 << 30;
/// The most work of which each violation is found. Every one holds a copy of what it is about.
const MAX_EXPLAINED_WORK: u64 = 1 << 25;
/// What a value takes beside its text, in bytes.
const VALUE_BYTES: u64 = 32;

/// Why a document is not used as a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Not an object.
    #[error("must be a JSON object")]
    NotAnObject,
    /// Too long.
    #[error("must have at most 64 KiB as JSON")]
    TooLong,
    /// Too deep.
    #[error("must be nested at most {} deep", MAX_SCHEMA_DEPTH)]
    TooDeep,
    /// Of a draft that is not known.
    #[error("$schema must be that of draft 2020-12, 2019-09, 07 or 06")]
    Draft,
    /// A reference to another document, or by a name.
    #[error("$ref {0:?} must be # or begin with #/: nothing is fetched")]
    Remote(String),
    /// A reference to nothing.
    #[error("$ref {0:?} leads nowhere")]
    Dangling(String),
    /// A keyword that would move what references mean.
    #[error("must not use {0}")]
    Unsupported(&'static str),
    /// Too many patterns.
    #[error("must have at most {} patterns", MAX_PATTERNS)]
    TooManyPatterns,
    /// Parts that apply each other to the same place for ever.
    #[error("refers to itself without going deeper into the payload")]
    Endless,
    /// Parts that multiply.
    #[error("could hold more than {} of its parts against one place of a payload", MAX_JUDGEMENTS)]
    TooMuchWork,
    /// Parts within parts.
    #[error("could have more than {} of its parts at work within each other", MAX_STACKED)]
    TooStacked,
    /// No schema by the rules of its draft.
    #[error("{0}")]
    Invalid(String),
}

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    validator: Validator,
    effort: Effort,
}

impl Schema {
    /// Compiles a document; of draft 2020-12 unless its `$schema` says otherwise.
    ///
    /// # Errors
    /// Says what is wrong with the document.
    pub fn compile(document: &Value) -> Result<Self, SchemaError> {
        if !document.is_object() {
            return Err(SchemaError::NotAnObject);
        }
        if Size::of(document).depth > MAX_SCHEMA_DEPTH {
            return Err(SchemaError::TooDeep);
        }
        if document.to_string().len() > MAX_SCHEMA_BYTES {
            return Err(SchemaError::TooLong);
        }
        let draft = Draft::default().detect(document);
        if !matches!(draft, Draft::Draft202012 | Draft::Draft201909 | Draft::Draft7 | Draft::Draft6) {
            return Err(SchemaError::Draft);
        }
        let effort = Effort::of(document)?;
        let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES);
        let compiled = jsonschema::options().with_draft(draft).with_pattern_options(patterns).offline().build(document);
        let validator = compiled.map_err(|error| {
            let Violation { path, message } = violation(&error);
            SchemaError::Invalid(if path.is_empty() { message } else { format!("{path}: {message}") })
        })?;
        Ok(Self { validator, effort })
    }

    /// Holds a body against the schema.
    ///
    /// # Errors
    /// Tells the first places that are not as they should be, at least one.
    pub fn validate(&self, body: &Value) -> Result<(), Vec<Violation>> {
        let whole = |message: &str| Err(vec![Violation { path: String::new(), message: message.to_owned() }]);
        let size = Size::of(body);
        if self.effort.stacked(size.depth) > MAX_STACKED {
            return whole("is nested too deep for its schema");
        }
        let work = size.bytes.saturating_mul(self.effort.judgements.max(self.effort.options));
        if work > MAX_WORK {
            return whole("is too large for its schema");
        }
        if self.validator.is_valid(body) {
            return Ok(());
        }
        if work <= MAX_EXPLAINED_WORK {
            let told: Vec<_> = self.validator.iter_errors(body).take(MAX_TOLD).map(|error| violation(&error)).collect();
            if !told.is_empty() {
                return Err(told);
            }
        }
        whole("is not what its schema asks for; it is too large to tell where")
    }
}

fn violation(error: &ValidationError<'_>) -> Violation {
    Violation { path: cut(error.instance_path().as_str()), message: cut(&message(error)) }
}

/// What is wrong, quoting short values only: a payload may hold what its sender's logs should not.
fn message(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::PropertyNames { error } => format!("the name of a property: {}", message(error)),
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected }
            if unexpected.iter().any(|name| name.chars().count() > MAX_QUOTED_CHARS) =>
        {
            "has properties that are not allowed".to_owned()
        }
        _ if is_short(error.instance()) => error.to_string(),
        _ => error.masked().to_string(),
    }
}

/// Tells whether a value takes few characters as JSON, without writing more than those.
fn is_short(value: &Value) -> bool {
    struct Room(usize);

    impl fmt::Write for Room {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 = self.0.checked_sub(text.chars().count()).ok_or(fmt::Error)?;
            Ok(())
        }
    }

    write!(Room(MAX_QUOTED_CHARS), "{value}").is_ok()
}

fn cut(text: &str) -> String {
    if text.chars().count() <= MAX_MESSAGE_CHARS {
        return text.to_owned();
    }
    text.chars().take(MAX_MESSAGE_CHARS - 1).chain(['…']).collect()
}

/// How much there is of a value.
#[derive(Clone, Copy)]
struct Size {
    /// About its bytes in memory.
    bytes: u64,
    /// How deep its arrays and objects are nested; 0 for anything else.
    depth: usize,
}

impl Size {
    /// Measures a value. It was parsed, and parsers stop at a depth of 128.
    fn of(value: &Value) -> Self {
        let text = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX);
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self { bytes: VALUE_BYTES, depth: 0 },
            Value::String(string) => Self { bytes: VALUE_BYTES + text(string), depth: 0 },
            Value::Array(items) => Self::around(items.iter().map(Self::of)),
            Value::Object(members) => Self::around(members.iter().map(|(name, member)| {
                let member = Self::of(member);
                Self { bytes: member.bytes + VALUE_BYTES + text(name), ..member }
            })),
        }
    }

    fn around(inner: impl Iterator<Item = Self>) -> Self {
        inner.fold(Self { bytes: VALUE_BYTES, depth: 1 }, |whole, part| Self {
            bytes: whole.bytes + part.bytes,
            depth: whole.depth.max(part.depth + 1),
        })
    }
}
