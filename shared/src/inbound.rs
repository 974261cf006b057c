//! What the receiver and the management function share when they keep a request: the check of its body, and the hint to
//! the dispatcher.

use jiff::SignedDuration;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use tracing::warn;

use crate::app::App;
use crate::domain::inbound_delivery::Violation;
use crate::domain::schema::Schema;
use crate::message::{InboundMessage, Message};

/// Why no event can be made from a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is JSON by its content type, and not by its bytes.
    InvalidJson,
    /// It is not what the schema of the event type asks for.
    Schema(Vec<Violation>),
}

impl Unfit {
    /// The stable code of the reason, as rows and answers have it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::Schema(_) => "schema_mismatch",
        }
    }

    /// The places where the schema is broken.
    #[must_use]
    pub fn into_violations(self) -> Vec<Violation> {
        match self {
            Self::InvalidJson => Vec::new(),
            Self::Schema(violations) => violations,
        }
    }
}

/// What a body is, by what its content type promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// JSON, an empty body being null. The value is there if it was asked for.
    Json(Option<Value>),
    /// The fields of a form, as an object of texts; a field that came more than once is a list.
    Form(Value),
    /// Anything else, to be taken as it is.
    Raw,
}

impl Content {
    /// The value, if there is one.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Json(value) => value.as_ref(),
            Self::Form(fields) => Some(fields),
            Self::Raw => None,
        }
    }
}

fn essence(content_type: &[u8]) -> Vec<u8> {
    content_type.split(|b| *b == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase()
}

/// Tells whether a content type promises JSON.
#[must_use]
pub fn is_json(content_type: &[u8]) -> bool {
    let essence = essence(content_type);
    essence == b"application/json" || essence == b"text/json" || essence.ends_with(b"+json")
}

/// Tells whether a content type promises the fields of a form.
#[must_use]
pub fn is_form(content_type: &[u8]) -> bool {
    essence(content_type) == b"application/x-www-form-urlencoded"
}

/// The fields of a form.
#[must_use]
pub fn fields(body: &[u8]) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        let value = Value::String(value.into_owned());
        match fields.get_mut(name.as_ref()) {
            None => {
                fields.insert(name.into_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    fields
}

/// Looks at a body. Its value is built only when it is `needed`; JSON is otherwise only seen to be well formed.
///
/// # Errors
/// When it is JSON by its content type, and not by its bytes.
pub fn content(content_type: Option<&[u8]>, body: &[u8], needed: bool) -> Result<Content, Unfit> {
    match content_type {
        Some(kind) if is_json(kind) => {
            let body: &[u8] = if body.trim_ascii().is_empty() { b"null" } else { body };
            if needed {
                let value = serde_json::from_slice(body).map_err(|_| Unfit::InvalidJson)?;
                return Ok(Content::Json(Some(value)));
            }
            // Bytes inside strings are taken as they are, whatever their encoding.
            serde_json::from_slice::<IgnoredAny>(body).map_err(|_| Unfit::InvalidJson)?;
            Ok(Content::Json(None))
        }
        Some(kind) if needed && is_form(kind) => Ok(Content::Form(Value::Object(fields(body)))),
        _ => Ok(Content::Raw),
    }
}

/// Holds what a body was found to be against the schema of its event type. What has no value breaks every schema: no
/// other content type gets around it.
///
/// # Errors
/// When it is not what the schema asks for.
pub fn holds(content: &Content, schema: &Schema) -> Result<(), Unfit> {
    match content.value() {
        Some(value) => schema.validate(value).map_err(Unfit::Schema),
        None => {
            let message =
                "is neither JSON nor a form by its content type, so that its schema cannot be held against it";
            Err(Unfit::Schema(vec![Violation { path: String::new(), message: message.to_owned() }]))
        }
    }
}

/// Holds a body against what its content type promises and its event type asks for.
///
/// # Errors
/// When no event can be made from it.
pub fn check(content_type: Option<&[u8]>, body: &[u8], schema: Option<&Schema>) -> Result<(), Unfit> {
    let content = content(content_type, body, schema.is_some())?;
    schema.map_or(Ok(()), |schema| holds(&content, schema))
}

/// Tells the dispatcher that a request is kept, if the queue takes it in time; the sweeper finds the row otherwise.
pub async fn hint(app: &App, message: InboundMessage) {
    let delivery_id = message.delivery_id;
    let body = Message::Inbound(message).encode();
    if let Err(code) = app.inbound_queue.hint(body, SignedDuration::ZERO).await {
        warn!(delivery.id = %delivery_id, code, "inbound.hint_lost");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_must_parse_and_anything_else_is_taken_as_it_is() {
        let json = Some(b"application/vnd.github+json; charset=utf-8".as_slice());
        for (content_type, body, is_fit) in [
            (json, "{\"a\":1}", true),
            (json, " ", true),
            (json, "{", false),
            (Some(b"text/plain".as_slice()), "{", true),
            (None, "{", true),
        ] {
            let checked = check(content_type, body.as_bytes(), None);
            assert_eq!(checked.is_ok(), is_fit, "{body}: {checked:?}");
        }
        assert_eq!(check(json, b"{", None).map_err(|unfit| unfit.code()), Err("invalid_json"));
    }

    #[test]
    fn a_schema_is_held_against_forms_too_and_nothing_gets_around_it() {
        let document = serde_json::json!({"type": "object", "required": ["a"]});
        let schema = Schema::compile(&document).expect("a schema");
        for (content_type, body, is_fit) in [
            ("application/json", r#"{"a":1}"#, true),
            ("application/json", r#"{"b":1}"#, false),
            ("application/x-www-form-urlencoded", "a=1", true),
            ("application/x-www-form-urlencoded", "b=1", false),
            ("text/plain", r#"{"a":1}"#, false),
            ("", r#"{"a":1}"#, false),
        ] {
            let kind = Some(content_type).filter(|kind| !kind.is_empty()).map(str::as_bytes);
            let checked = check(kind, body.as_bytes(), Some(&schema));
            assert_eq!(checked.is_ok(), is_fit, "{content_type} {body}: {checked:?}");
        }
    }

    #[test]
    fn json_is_recognised_by_its_content_type() {
        for yes in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.github+json"] {
            assert!(is_json(yes.as_bytes()), "{yes}");
        }
        for no in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "json"] {
            assert!(!is_json(no.as_bytes()), "{no}");
        }
    }
}
