//! Where in a JSON body an idempotency key stands: a JSONPath (RFC 9535) that names one place.
//!
//! Only names and indexes are taken. Filters, slices, wildcards and descents can name many places, and can take long
//! on a body that a sender chose; what is left is evaluated in time linear in the body.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json_path::JsonPath;

/// The longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 256;

/// Why a text is no such path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyPathError {
    /// Too long or empty.
    #[error("must have 1 to 256 bytes")]
    Length,
    /// More than names and indexes.
    #[error("must name one place by names and indexes only, such as $.alert.id or $['items'][0]")]
    NotSingular,
    /// Not JSONPath.
    #[error("is not a JSONPath, such as $.alert.id")]
    Syntax,
}

/// A JSONPath that names one place.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyPath {
    text: String,
    path: JsonPath,
}

impl PartialEq for KeyPath {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for KeyPath {}

impl fmt::Debug for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<KeyPath> for String {
    fn from(path: KeyPath) -> Self {
        path.text
    }
}

impl TryFrom<String> for KeyPath {
    type Error = KeyPathError;

    fn try_from(text: String) -> Result<Self, KeyPathError> {
        if text.is_empty() || text.len() > MAX_PATH_BYTES {
            return Err(KeyPathError::Length);
        }
        // Before the parser sees it: nested filters take it exponential time.
        if !is_singular(&text) {
            return Err(KeyPathError::NotSingular);
        }
        let path = JsonPath::parse(&text).map_err(|_| KeyPathError::Syntax)?;
        Ok(Self { text, path })
    }
}

/// Tells whether, outside quotes, nothing stands that could name more than one place.
fn is_singular(text: &str) -> bool {
    let mut quote = None;
    let mut before = ' ';
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '?' | '*' | ',' | ':' | '(' | ')' | '@') => return false,
            (None, '.') if before == '.' => return false,
            (None, _) => {}
        }
        before = c;
    }
    true
}

impl KeyPath {
    /// The path as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The value at the place.
    #[must_use]
    pub fn at<'v>(&self, body: &'v Value) -> Option<&'v Value> {
        self.path.query(body).at_most_one().ok()?
    }

    /// The value at the place, to be changed.
    pub fn at_mut<'v>(&self, body: &'v mut Value) -> Option<&'v mut Value> {
        let located = self.path.query_located(body).at_most_one().ok()??;
        let pointer = located.location().to_json_pointer();
        body.pointer_mut(&pointer)
    }

    /// The text at the place: a string as it is, an integer of at most 64 bits or a flag as JSON writes it; `None` for
    /// anything else.
    #[must_use]
    pub fn find(&self, body: &Value) -> Option<String> {
        match self.at(body)? {
            Value::String(text) => Some(text.clone()),
            // Integers that do not fit are read as fractions, and different ones then look alike.
            Value::Number(number) if number.is_f64() => None,
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> Result<KeyPath, KeyPathError> {
        KeyPath::try_from(text.to_owned())
    }

    #[test]
    fn a_key_is_a_text_a_number_or_a_flag() {
        let body = json!({"alert": {"id": "a-1", "n": 42, "on": true, "none": null, "huge": 1.2345678901234568e20, "part": 1.5, "list": ["x"]}, "we?ird,*": "w"});
        let cases = [
            ("$.alert.id", Some("a-1")),
            ("$['alert']['id']", Some("a-1")),
            ("$.alert.n", Some("42")),
            ("$.alert.on", Some("true")),
            ("$.alert.list[0]", Some("x")),
            ("$.alert.list[-1]", Some("x")),
            ("$['we?ird,*']", Some("w")),
            ("$.alert.huge", None),
            ("$.alert.part", None),
            ("$.alert.none", None),
            ("$.alert.list", None),
            ("$.alert", None),
            ("$.missing.deep", None),
        ];
        for (text, expected) in cases {
            assert_eq!(path(text).expect(text).find(&body).as_deref(), expected, "{text}");
        }
        assert_eq!(path("$.id").expect("a path").find(&json!([1])), None);
    }

    #[test]
    fn what_names_more_than_one_place_is_refused_before_it_is_parsed() {
        for text in ["$..id", "$.*", "$[*]", "$[0,1]", "$[0:2]", "$[?@.a]", "$[?(@.a==1)]", "$.a[?length(@.b)>1]"] {
            assert_eq!(path(text).err(), Some(KeyPathError::NotSingular), "{text}");
        }
        for text in ["", &"$".repeat(257)] {
            assert_eq!(path(text).err(), Some(KeyPathError::Length));
        }
        for text in ["id", "$.", "$[", "$['a", "alert.id", "$.a b"] {
            assert_eq!(path(text).err(), Some(KeyPathError::Syntax), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_name_two_places(text in ".{0,60}") {
            if let Ok(path) = path(&text) {
                let _ = path.find(&json!({"a": [1, {"b": "c"}], "": 1}));
            }
        }
    }
}
