//! Conditions and updates, written once as values and turned into DynamoDB's expressions here.
//!
//! Attribute names are short constants that are no reserved words, so they stand in expressions as they are; all but
//! `ttl`, which the tables' definitions name and which is one.

use std::collections::HashMap;
use std::fmt::Write as _;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

/// A value of an attribute.
#[derive(Clone, Debug)]
pub struct Value(pub(super) AttributeValue);

impl Value {
    /// Any serialisable value, as it would be stored.
    ///
    /// # Panics
    /// When the value cannot be an attribute (a map with keys that are no text); our own types always can.
    #[must_use]
    pub fn of(value: impl Serialize) -> Self {
        Self(serde_dynamo::to_attribute_value(value).expect("our values can be attributes"))
    }
}

/// What must hold for a write to happen. All tests of a write must hold.
#[derive(Clone, Debug)]
pub enum Test {
    /// No item has this key.
    ItemAbsent,
    /// An item has this key.
    ItemPresent,
    /// No item has this key, or its attribute is at most the value.
    ItemAbsentOrAtMost(&'static str, Value),
    /// The attribute, or the member of one that the path names, is not there.
    AttributeAbsent(&'static str),
    /// The attribute is not there, or is at most this value.
    AttributeAbsentOrAtMost(&'static str, Value),
    /// The attribute has this value.
    Is(&'static str, Value),
    /// The attribute is at most this value.
    AtMost(&'static str, Value),
}

/// Collects values while an expression is written.
#[derive(Default)]
pub(super) struct Values(pub(super) HashMap<String, AttributeValue>);

impl Values {
    fn name(&mut self, value: &Value) -> String {
        let name = format!(":{}", self.0.len());
        self.0.insert(name.clone(), value.0.clone());
        name
    }

    pub(super) fn or_none(self) -> Option<HashMap<String, AttributeValue>> {
        (!self.0.is_empty()).then_some(self.0)
    }
}

pub(super) fn condition(tests: &[Test], values: &mut Values) -> Option<String> {
    let mut text = String::new();
    for test in tests {
        if !text.is_empty() {
            text.push_str(" AND ");
        }
        let _ = match test {
            Test::ItemAbsent => write!(text, "attribute_not_exists(pk)"),
            Test::ItemPresent => write!(text, "attribute_exists(pk)"),
            Test::ItemAbsentOrAtMost(attribute, value) => {
                write!(text, "(attribute_not_exists(pk) OR {attribute} <= {})", values.name(value))
            }
            Test::AttributeAbsent(attribute) => write!(text, "attribute_not_exists({attribute})"),
            Test::AttributeAbsentOrAtMost(attribute, value) => {
                write!(text, "(attribute_not_exists({attribute}) OR {attribute} <= {})", values.name(value))
            }
            Test::Is(attribute, value) => write!(text, "{attribute} = {}", values.name(value)),
            Test::AtMost(attribute, value) => write!(text, "{attribute} <= {}", values.name(value)),
        };
    }
    (!text.is_empty()).then_some(text)
}

/// When the table forgets an item; its name is a reserved word.
const TTL: &str = "ttl";

/// How an attribute is written in an expression.
fn spelt(attribute: &'static str) -> &'static str {
    if attribute == TTL { "#ttl" } else { attribute }
}

/// A change of some attributes of one item.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    sets: Vec<(&'static str, Value)>,
    adds: Vec<(&'static str, Value)>,
    removes: Vec<&'static str>,
}

impl Changes {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the attribute a value.
    #[must_use]
    pub fn set(mut self, attribute: &'static str, value: impl Serialize) -> Self {
        self.sets.push((attribute, Value::of(value)));
        self
    }

    /// Adds to a number, which counts as 0 when it is not there.
    #[must_use]
    pub fn add(mut self, attribute: &'static str, number: u64) -> Self {
        self.adds.push((attribute, Value::of(number)));
        self
    }

    /// Takes from a number.
    #[must_use]
    pub fn subtract(mut self, attribute: &'static str, number: u32) -> Self {
        self.adds.push((attribute, Value::of(-i64::from(number))));
        self
    }

    /// Removes the attribute.
    #[must_use]
    pub fn remove(mut self, attribute: &'static str) -> Self {
        self.removes.push(attribute);
        self
    }

    /// The names that stand for reserved words in the expression, if there are any.
    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        let is_needed = self.sets.iter().any(|(attribute, _)| *attribute == TTL);
        is_needed.then(|| HashMap::from([(spelt(TTL).to_owned(), TTL.to_owned())]))
    }

    pub(super) fn expression(&self, values: &mut Values) -> String {
        let mut text = String::new();
        let mut clause = |word: &str, parts: Vec<String>| {
            if !parts.is_empty() {
                let _ = write!(text, "{word} {} ", parts.join(", "));
            }
        };
        clause("SET", self.sets.iter().map(|(a, v)| format!("{} = {}", spelt(a), values.name(v))).collect());
        clause("ADD", self.adds.iter().map(|(a, v)| format!("{a} {}", values.name(v))).collect());
        clause("REMOVE", self.removes.iter().map(|a| (*a).to_owned()).collect());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_and_tests_become_expressions_with_numbered_values() {
        let mut values = Values::default();
        let changes = Changes::new().set("st", "d").add("n", 1).remove("da");
        assert_eq!(changes.expression(&mut values), "SET st = :0 ADD n :1 REMOVE da ");
        assert_eq!(changes.names(), None);
        let expiring = Changes::new().set("ttl", 5);
        assert_eq!(expiring.expression(&mut Values::default()), "SET #ttl = :0 ");
        assert_eq!(expiring.names(), Some(HashMap::from([("#ttl".into(), "ttl".into())])));
        let tests = [Test::Is("st", Value::of("p")), Test::ItemAbsentOrAtMost("e", Value::of(5))];
        let text = condition(&tests, &mut values).expect("two tests");
        assert_eq!(text, "st = :2 AND (attribute_not_exists(pk) OR e <= :3)");
        assert_eq!(values.0[":3"], AttributeValue::N("5".into()));
    }
}
