//! Headers that a subscription adds to each request: never one of the gateway's own, and never one that breaks a line.

use std::collections::BTreeMap;
use std::fmt;

use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::egress::is_connection_header;

/// The most headers of one subscription.
pub const MAX_HEADERS: usize = 20;
/// The most characters of a header's name.
pub const MAX_NAME_CHARS: usize = 64;
/// The most characters of a header's value.
pub const MAX_VALUE_CHARS: usize = 1024;
/// What is shown in place of a value that looks like a credential.
pub const HIDDEN: &str = "(hidden)";

/// What the gateway writes itself, or what would speak for somebody else.
const SYSTEM: [&str; 7] =
    ["content-type", "content-encoding", "x-webhook-signature", "x-hub-signature-256", "cookie", "forwarded", "via"];
const SYSTEM_PREFIXES: [&str; 3] = ["webhook-", "hookport-", "x-forwarded-"];
/// A header whose name has one of these in it is taken for a credential; `authorization` is one by the last.
const CREDENTIALS: [&str; 6] = ["token", "secret", "key", "password", "credential", "auth"];

/// Why headers were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StaticHeadersError {
    /// More than a subscription may have.
    #[error("takes at most 20 headers")]
    TooMany,
    /// Not the name of a header.
    #[error("{name:?} is no header name of 1 to 64 letters, digits and other token characters")]
    Name {
        /// The beginning of the text.
        name: String,
    },
    /// A header that is not the subscription's to set.
    #[error("{name} is written by the gateway or belongs to the connection")]
    System {
        /// The header.
        name: String,
    },
    /// Two names that differ in case only.
    #[error("{name} is given twice")]
    Twice {
        /// The header.
        name: String,
    },
    /// A value that is too long or would break the line.
    #[error("{name} must have at most 1024 visible ASCII characters, spaces and tabs")]
    Value {
        /// The header.
        name: String,
    },
    /// A hidden value was given back for a header that had none.
    #[error("{name} is (hidden), and there is no earlier value to keep")]
    Hidden {
        /// The header.
        name: String,
    },
}

/// Headers by lower-case name.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct StaticHeaders(BTreeMap<String, String>);

/// Names alone: the values may be credentials.
impl fmt::Debug for StaticHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl TryFrom<BTreeMap<String, String>> for StaticHeaders {
    type Error = StaticHeadersError;

    fn try_from(given: BTreeMap<String, String>) -> Result<Self, StaticHeadersError> {
        if given.len() > MAX_HEADERS {
            return Err(StaticHeadersError::TooMany);
        }
        let mut headers = BTreeMap::new();
        for (name, value) in given {
            let name = allowed_name(&name)?;
            if value.len() > MAX_VALUE_CHARS || !value.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)) {
                return Err(StaticHeadersError::Value { name });
            }
            if headers.contains_key(&name) {
                return Err(StaticHeadersError::Twice { name });
            }
            headers.insert(name, value);
        }
        Ok(Self(headers))
    }
}

/// The name in lower case, if a subscription may set it.
///
/// # Errors
/// When it is no name of a header, or that of one that the gateway writes.
pub fn allowed_name(text: &str) -> Result<String, StaticHeadersError> {
    let refused = || StaticHeadersError::Name { name: text.chars().take(MAX_NAME_CHARS).collect() };
    if text.len() > MAX_NAME_CHARS {
        return Err(refused());
    }
    let header = HeaderName::from_bytes(text.as_bytes()).map_err(|_| refused())?;
    let name = header.as_str().to_owned();
    let is_system = is_connection_header(&header)
        || SYSTEM.contains(&name.as_str())
        || SYSTEM_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    if is_system { Err(StaticHeadersError::System { name }) } else { Ok(name) }
}

/// Tells whether a header (lower-case name) is taken for a credential.
pub(crate) fn is_credential(name: &str) -> bool {
    CREDENTIALS.iter().any(|word| name.contains(word))
}

impl PartialSchema for StaticHeaders {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(text().pattern(Some("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$"))))
            .additional_properties(Some(text().max_length(Some(MAX_VALUE_CHARS)).pattern(Some("^[\\t -~]*$"))))
            .max_properties(Some(MAX_HEADERS))
            .description(Some("Headers added to each request, by name; never one that the gateway writes"))
            .into()
    }
}

impl ToSchema for StaticHeaders {}

impl StaticHeaders {
    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether this header is among them.
    #[must_use]
    pub fn has(&self, name: &HeaderName) -> bool {
        self.0.contains_key(name.as_str())
    }

    /// The headers, their values marked as sensitive.
    pub fn iter(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> + '_ {
        self.0.iter().map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("names are checked when headers are made");
            let mut value = HeaderValue::from_str(value).expect("values are checked when headers are made");
            value.set_sensitive(true);
            (name, value)
        })
    }

    /// The headers as people may see them: values that look like credentials are hidden.
    #[must_use]
    pub fn shown(&self) -> BTreeMap<String, String> {
        let show = |name: &str, value: &str| if is_credential(name) { HIDDEN.to_owned() } else { value.to_owned() };
        self.0.iter().map(|(name, value)| (name.clone(), show(name, value))).collect()
    }

    /// These headers with each hidden value as it was `before`, so that what was shown can be sent back.
    ///
    /// # Errors
    /// When `before` has no value for a hidden one.
    pub fn restored(mut self, before: &Self) -> Result<Self, StaticHeadersError> {
        for (name, value) in self.0.iter_mut().filter(|(_, value)| value.as_str() == HIDDEN) {
            let known = before.0.get(name).ok_or_else(|| StaticHeadersError::Hidden { name: name.clone() })?;
            value.clone_from(known);
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[(&str, &str)]) -> Result<StaticHeaders, StaticHeadersError> {
        let given: BTreeMap<_, _> = given.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        StaticHeaders::try_from(given)
    }

    #[test]
    fn headers_are_kept_by_lower_case_name_and_sent_as_sensitive() {
        let headers = headers(&[("X-Team", "a b\tc~"), ("User-Agent", "acme/1"), ("X-Empty", "")]).unwrap();
        let sent: Vec<_> = headers.iter().map(|(n, v)| (n.to_string(), v.is_sensitive(), v)).collect();
        assert_eq!(sent.iter().map(|(n, ..)| n.as_str()).collect::<Vec<_>>(), ["user-agent", "x-empty", "x-team"]);
        assert!(sent.iter().all(|(_, is_sensitive, _)| *is_sensitive));
        assert_eq!(sent[2].2, "a b\tc~");
    }

    /// B11: what the gateway or the connection writes cannot be given, however it is spelt.
    #[test]
    fn b11_headers_of_the_system_are_refused_by_name() {
        let system = [
            "Host",
            "Content-Length",
            "transfer-encoding",
            "Connection",
            "Content-Type",
            "content-encoding",
            "Webhook-Id",
            "webhook-signature",
            "Hookport-Attempt",
            "X-Webhook-Signature",
            "X-Hub-Signature-256",
            "Cookie",
            "Forwarded",
            "X-Forwarded-For",
            "x-forwarded-host",
            "Via",
        ];
        for name in system {
            let expected = StaticHeadersError::System { name: name.to_ascii_lowercase() };
            assert_eq!(headers(&[("x-a", "1"), (name, "1")]), Err(expected.clone()));
            assert!(expected.to_string().starts_with(&name.to_ascii_lowercase()));
        }
    }

    /// B11: nothing in a name or a value can end its line.
    #[test]
    fn b11_a_line_cannot_be_broken_by_a_name_or_a_value() {
        for value in ["a\r\nx-evil: 1", "a\n", "a\r", "a\0", "a\u{7f}", "é", "\u{1b}"] {
            assert_eq!(headers(&[("X-A", value)]), Err(StaticHeadersError::Value { name: "x-a".into() }), "{value:?}");
        }
        for name in ["", "a b", "a:", "a\r\nb", "ü", "a\0"] {
            assert_eq!(headers(&[(name, "1")]), Err(StaticHeadersError::Name { name: name.into() }), "{name:?}");
        }
    }

    #[test]
    fn number_and_lengths_are_bounded() {
        let many = |n: usize| {
            StaticHeaders::try_from((0..n).map(|i| (format!("x-{i}"), "v".into())).collect::<BTreeMap<_, _>>())
        };
        assert!(many(20).is_ok());
        assert_eq!(many(21), Err(StaticHeadersError::TooMany));
        assert!(headers(&[(&"n".repeat(64), &"v".repeat(1024))]).is_ok());
        assert_eq!(headers(&[("x", &"v".repeat(1025))]), Err(StaticHeadersError::Value { name: "x".into() }));
        assert_eq!(headers(&[(&"n".repeat(65), "v")]), Err(StaticHeadersError::Name { name: "n".repeat(64) }));
        assert_eq!(headers(&[("X-A", "1"), ("x-a", "2")]), Err(StaticHeadersError::Twice { name: "x-a".into() }));
    }

    #[test]
    fn values_that_look_like_credentials_are_not_shown() {
        let given = [
            ("Authorization", "Bearer x"),
            ("X-Api-Key", "x"),
            ("X-Access-Token", "x"),
            ("X-Shared-Secret", "x"),
            ("X-Password", "x"),
            ("X-Credential", "x"),
            ("X-Team", "blue"),
        ];
        let headers = headers(&given).unwrap();
        let open: Vec<_> = headers.shown().into_iter().filter(|(_, value)| value != HIDDEN).collect();
        assert_eq!(open, [("x-team".to_owned(), "blue".to_owned())]);
        assert!(!format!("{headers:?}").contains("Bearer"));
    }

    #[test]
    fn a_hidden_value_that_is_sent_back_stays_what_it_was() {
        let before = headers(&[("Authorization", "Bearer x"), ("X-Team", "blue")]).unwrap();
        let sent_back = StaticHeaders::try_from(before.shown()).unwrap();
        assert_eq!(sent_back.restored(&before), Ok(before.clone()));

        let changed = headers(&[("Authorization", "Bearer y")]).unwrap();
        assert_eq!(changed.clone().restored(&before), Ok(changed));
        let unknown = headers(&[("X-Api-Key", HIDDEN)]).unwrap();
        assert_eq!(unknown.restored(&before), Err(StaticHeadersError::Hidden { name: "x-api-key".into() }));
    }

    #[test]
    fn headers_are_stored_as_a_map_of_their_values() {
        let headers = headers(&[("X-Team", "blue")]).unwrap();
        let stored = serde_json::to_string(&headers).unwrap();
        assert_eq!(stored, r#"{"x-team":"blue"}"#);
        assert_eq!(serde_json::from_str::<StaticHeaders>(&stored).unwrap(), headers);
        assert!(serde_json::from_str::<StaticHeaders>(r#"{"Host":"evil"}"#).is_err());
    }
}
