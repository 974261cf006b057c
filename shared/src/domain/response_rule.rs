//! What an answer must be to count as a success, beyond being a 2xx.

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ArrayBuilder, ObjectBuilder, Type};

use super::key_path::KeyPath;

/// The most statuses that a rule may name.
pub const MAX_STATUSES: usize = 10;
/// The most characters of an answer that are quoted.
const MAX_QUOTED_CHARS: usize = 100;

/// Why something is no response rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResponseRuleError {
    /// Too many statuses, or one that is no success.
    #[error("must name at most 10 statuses of 200 to 299")]
    Statuses,
}

/// What an answer must be to count as a success.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResponseRule {
    /// The statuses that are a success; empty: every 2xx.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "read_statuses")]
    #[schema(schema_with = statuses_schema)]
    pub statuses: Vec<u16>,
    /// What must stand in the body, which is JSON then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<Assertion>,
}

/// What must stand at one place of a JSON body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// The place, a JSONPath of names and indexes.
    #[schema(value_type = String, min_length = 1, max_length = 256, example = "$.ok")]
    pub path: KeyPath,
    /// The value that must stand there.
    #[schema(value_type = Value)]
    pub equals: Value,
}

/// Takes statuses as those of a rule.
///
/// # Errors
/// When there are more than ten, or one is not 200 to 299.
pub fn statuses(given: Vec<u16>) -> Result<Vec<u16>, ResponseRuleError> {
    let are_right = given.len() <= MAX_STATUSES && given.iter().all(|status| (200..=299).contains(status));
    if are_right { Ok(given) } else { Err(ResponseRuleError::Statuses) }
}

fn read_statuses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u16>, D::Error> {
    statuses(Vec::deserialize(deserializer)?).map_err(de::Error::custom)
}

fn statuses_schema() -> Array {
    let status = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(200)).maximum(Some(299));
    ArrayBuilder::new()
        .items(status)
        .max_items(Some(MAX_STATUSES))
        .description(Some("The statuses that are a success; empty: every 2xx"))
        .build()
}

impl ResponseRule {
    /// Says, for people, what about a 2xx answer breaks the rule; `None` when nothing does.
    #[must_use]
    pub fn broken_by(&self, status: u16, body: &[u8]) -> Option<String> {
        if !self.statuses.is_empty() && !self.statuses.contains(&status) {
            let wanted: Vec<_> = self.statuses.iter().map(u16::to_string).collect();
            return Some(format!("the status should be {} and is {status}", wanted.join(", ")));
        }
        self.assertion.as_ref()?.broken_by(body)
    }
}

impl Assertion {
    fn broken_by(&self, body: &[u8]) -> Option<String> {
        let should = format!("{} should be {}", self.path.as_str(), quoted(&self.equals.to_string()));
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            let start = &body[..body.len().min(4 * MAX_QUOTED_CHARS)];
            return Some(format!("{should}, and the body is not JSON: {}", quoted(&String::from_utf8_lossy(start))));
        };
        match self.path.at(&body) {
            Some(found) if *found == self.equals => None,
            Some(found) => Some(format!("{should} and is {}", quoted(&found.to_string()))),
            None => Some(format!("{should} and is not there")),
        }
    }
}

/// The beginning of a text, on one line.
fn quoted(text: &str) -> String {
    let mut start: String = text.chars().take(MAX_QUOTED_CHARS).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(value: Value) -> Result<ResponseRule, serde_json::Error> {
        serde_json::from_value(value)
    }

    fn asserting(path: &str, equals: Value) -> ResponseRule {
        rule(json!({"assertion": {"path": path, "equals": equals}})).unwrap()
    }

    #[test]
    fn a_rule_without_conditions_is_never_broken() {
        assert_eq!(rule(json!({})).unwrap(), ResponseRule::default());
        assert_eq!(ResponseRule::default().broken_by(204, b""), None);
    }

    #[test]
    fn a_status_that_is_not_named_breaks_the_rule() {
        let rule = rule(json!({"statuses": [200, 202]})).unwrap();
        assert_eq!(rule.broken_by(202, b""), None);
        assert_eq!(rule.broken_by(204, b"").as_deref(), Some("the status should be 200, 202 and is 204"));
    }

    #[test]
    fn a_body_must_hold_the_value_at_the_place() {
        let rule = asserting("$.items[0].ok", json!(true));
        let cases: [(&[u8], Option<&str>); 5] = [
            (br#"{"items":[{"ok":true}]}"#, None),
            (br#"{"items":[{"ok":false}]}"#, Some("$.items[0].ok should be true and is false")),
            (br#"{"items":[{"ok":"true"}]}"#, Some("$.items[0].ok should be true and is \"true\"")),
            (br#"{"items":[]}"#, Some("$.items[0].ok should be true and is not there")),
            (b"no\r\nJSON", Some("$.items[0].ok should be true, and the body is not JSON: no  JSON")),
        ];
        for (body, expected) in cases {
            assert_eq!(rule.broken_by(200, body).as_deref(), expected);
        }
        assert_eq!(asserting("$.a", json!({"b": [1, null]})).broken_by(200, br#"{"a":{"b":[1,null]}}"#), None);
    }

    #[test]
    fn a_null_is_not_the_same_as_nothing() {
        let rule = asserting("$.error", Value::Null);
        assert_eq!(rule.broken_by(200, br#"{"error":null}"#), None);
        assert_eq!(rule.broken_by(200, b"{}").as_deref(), Some("$.error should be null and is not there"));
    }

    #[test]
    fn at_most_a_hundred_characters_of_an_answer_are_quoted() {
        let rule = asserting("$.a", json!(1));
        let texts = ["é".repeat(1_000), json!({"a": "é".repeat(1_000)}).to_string()];
        for body in texts {
            let text = rule.broken_by(200, body.as_bytes()).unwrap();
            assert!(text.matches('é').count() <= 100 && text.ends_with('…'), "{text}");
        }
        assert!(rule.broken_by(200, &[0xff; 500]).is_some());
    }

    #[test]
    fn a_rule_outside_the_limits_is_refused() {
        let refused = [
            json!({"statuses": [199]}),
            json!({"statuses": [300]}),
            json!({"statuses": vec![200; 11]}),
            json!({"assertion": {"path": "$..a", "equals": 1}}),
            json!({"assertion": {"path": "$.a"}}),
            json!({"assertion": {"path": "$.a", "equals": 1, "extra": 1}}),
            json!({"extra": 1}),
        ];
        for value in refused {
            assert!(rule(value.clone()).is_err(), "{value}");
        }
        assert!(rule(json!({"statuses": vec![200; 10]})).is_ok());
    }

    #[test]
    fn a_rule_is_written_as_it_was_read() {
        for value in [json!({}), json!({"statuses": [201], "assertion": {"path": "$['a']", "equals": [1]}})] {
            assert_eq!(serde_json::to_value(rule(value.clone()).unwrap()).unwrap(), value);
        }
    }
}
