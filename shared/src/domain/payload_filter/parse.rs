//! Reads the JSON of a filter within its limits, and says where one is broken.

use std::cmp::Ordering;
use std::fmt::Display;

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::condition::{Choices, Condition};
use super::node::Node;
use super::path::Path;
use super::{
    MAX_BRANCHES, MAX_CHOICES, MAX_CONDITIONS, MAX_FILTER_BYTES, MAX_FILTER_DEPTH, MAX_PATTERN_CHARS, MAX_PATTERNS,
    PayloadFilterError,
};

/// The memory of one compiled pattern, in bytes.
const PATTERN_BYTES: usize = 1 << 16;

/// What may stand below a field.
const OPERATORS: [&str; 13] = [
    "$eq",
    "$neq",
    "$in",
    "$nin",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$exist",
    "$startsWith",
    "$endsWith",
    "$regex",
    "$not",
];

type Result<T> = std::result::Result<T, PayloadFilterError>;

/// Compiles a filter.
pub(super) fn parse(text: &Value) -> Result<Node> {
    let whole = Place { name: String::new(), depth: 0 };
    if text.to_string().len() > MAX_FILTER_BYTES {
        return Err(whole.refuse(format_args!("must have at most {} KiB as JSON", MAX_FILTER_BYTES / 1024)));
    }
    if text.as_object().is_some_and(Map::is_empty) {
        return Err(whole.refuse("must have a condition: leave the filter out to take every payload"));
    }
    Parser { conditions: 0, patterns: 0 }.filter(text, &whole)
}

/// A place in a filter, as it is told, and how many objects are around it.
struct Place {
    name: String,
    depth: usize,
}

impl Place {
    fn member(&self, key: &str) -> Self {
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        Self { name, depth: self.depth + 1 }
    }

    fn item(&self, index: usize) -> Self {
        Self { name: format!("{}[{index}]", self.name), depth: self.depth }
    }

    fn refuse(&self, reason: impl Display) -> PayloadFilterError {
        let name = &self.name;
        PayloadFilterError(if name.is_empty() { reason.to_string() } else { format!("{name}: {reason}") })
    }

    fn too_deep(&self) -> PayloadFilterError {
        self.refuse(format_args!("must not be nested more than {MAX_FILTER_DEPTH} deep"))
    }

    /// The members of an object with some, within the depth.
    fn object<'a>(&self, value: &'a Value) -> Result<&'a Map<String, Value>> {
        match value {
            Value::Object(_) if self.depth >= MAX_FILTER_DEPTH => Err(self.too_deep()),
            Value::Object(members) if members.is_empty() => Err(self.refuse("must have a condition")),
            Value::Object(members) => Ok(members),
            _ => Err(self.refuse("must be a JSON object")),
        }
    }

    /// Any value, within the depth.
    fn literal(&self, value: &Value) -> Result<Value> {
        if fits(value, MAX_FILTER_DEPTH.saturating_sub(self.depth)) { Ok(value.clone()) } else { Err(self.too_deep()) }
    }

    fn string<'a>(&self, value: &'a Value) -> Result<&'a str> {
        value.as_str().ok_or_else(|| self.refuse("must be a string"))
    }

    fn ordered(&self, value: &Value, accepts: fn(Ordering) -> bool) -> Result<Node> {
        match value {
            Value::Number(_) | Value::String(_) => Ok(Node::Is(Condition::Ordered { than: value.clone(), accepts })),
            _ => Err(self.refuse("must be a number or a string")),
        }
    }

    fn choices(&self, value: &Value) -> Result<Node> {
        match value.as_array() {
            Some(items) if (1..=MAX_CHOICES).contains(&items.len()) && items.iter().all(is_scalar) => {
                Ok(Node::Is(Condition::OneOf(Choices::new(items.clone()))))
            }
            _ => Err(self.refuse(format_args!(
                "must be an array of 1 to {MAX_CHOICES} values, each a string, a number, a boolean or null"
            ))),
        }
    }

    fn pattern(&self, value: &Value) -> Result<Regex> {
        let text = self.string(value)?;
        if text.chars().count() > MAX_PATTERN_CHARS {
            return Err(self.refuse(format_args!("must have at most {MAX_PATTERN_CHARS} characters")));
        }
        RegexBuilder::new(text).size_limit(PATTERN_BYTES).build().map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                self.refuse("takes too much memory: use fewer or smaller repetitions and classes")
            }
            error => {
                // The lines before the last one draw the pattern.
                let drawn = error.to_string();
                let reason = drawn.lines().last().unwrap_or_default();
                self.refuse(format_args!(
                    "is no regular expression: {}",
                    reason.strip_prefix("error: ").unwrap_or(reason)
                ))
            }
        })
    }
}

struct Parser {
    conditions: usize,
    patterns: usize,
}

impl Parser {
    fn filter(&mut self, value: &Value, place: &Place) -> Result<Node> {
        let members = place.object(value)?;
        let nodes = members.iter().map(|(key, value)| self.member(key, value, &place.member(key)));
        nodes.collect::<Result<_>>().map(Node::All)
    }

    fn filters(&mut self, value: &Value, place: &Place) -> Result<Vec<Node>> {
        match value.as_array() {
            Some(items) if (1..=MAX_BRANCHES).contains(&items.len()) => {
                items.iter().enumerate().map(|(index, item)| self.filter(item, &place.item(index))).collect()
            }
            _ => Err(place.refuse(format_args!("must be an array of 1 to {MAX_BRANCHES} filters"))),
        }
    }

    fn member(&mut self, key: &str, value: &Value, place: &Place) -> Result<Node> {
        match key {
            "$and" => self.filters(value, place).map(Node::All),
            "$or" => self.filters(value, place).map(Node::Any),
            "$not" => self.filter(value, place).map(Node::not),
            key if OPERATORS.contains(&key) => {
                Err(place.refuse(format_args!(r#"must stand below a field, as in {{"field": {{"{key}": …}}}}"#)))
            }
            key if key.starts_with('$') => Err(place.refuse("must be $and, $or or $not, or a field without $")),
            key => match Path::read(key) {
                Some(path) => Ok(Node::At(path, Box::new(self.field(value, place)?))),
                None => {
                    Err(place.refuse("a field must be names joined by dots, none of them empty or starting with $"))
                }
            },
        }
    }

    fn field(&mut self, value: &Value, place: &Place) -> Result<Node> {
        let Value::Object(members) = value else {
            self.count(place)?;
            return Ok(Node::Is(Condition::Equals(place.literal(value)?)));
        };
        match members.keys().filter(|key| key.starts_with('$')).count() {
            0 => self.filter(value, place),
            operators if operators == members.len() => self.operators(value, place),
            _ => Err(place.refuse("must hold either operators or fields")),
        }
    }

    fn operators(&mut self, value: &Value, place: &Place) -> Result<Node> {
        let members = place.object(value)?;
        let nodes = members.iter().map(|(key, value)| self.operator(key, value, &place.member(key)));
        nodes.collect::<Result<_>>().map(Node::All)
    }

    fn operator(&mut self, key: &str, value: &Value, place: &Place) -> Result<Node> {
        if key == "$not" {
            return self.operators(value, place).map(Node::not);
        }
        self.count(place)?;
        let node = match key {
            "$eq" => Node::Is(Condition::Equals(place.literal(value)?)),
            "$neq" => Node::not(Node::Is(Condition::Equals(place.literal(value)?))),
            "$in" => place.choices(value)?,
            "$nin" => Node::not(place.choices(value)?),
            "$gt" => place.ordered(value, Ordering::is_gt)?,
            "$gte" => place.ordered(value, Ordering::is_ge)?,
            "$lt" => place.ordered(value, Ordering::is_lt)?,
            "$lte" => place.ordered(value, Ordering::is_le)?,
            "$exist" => Node::Exists(value.as_bool().ok_or_else(|| place.refuse("must be true or false"))?),
            "$startsWith" => Node::Is(Condition::StartsWith(place.string(value)?.to_owned())),
            "$endsWith" => Node::Is(Condition::EndsWith(place.string(value)?.to_owned())),
            "$regex" => {
                self.patterns += 1;
                if self.patterns > MAX_PATTERNS {
                    return Err(
                        place.refuse(format_args!("is one pattern too many: a filter has at most {MAX_PATTERNS}"))
                    );
                }
                Node::Is(Condition::Matches(place.pattern(value)?))
            }
            "$and" | "$or" => return Err(place.refuse("must stand beside fields, not below one")),
            _ => return Err(place.refuse(format_args!("must be one of {}", OPERATORS.join(", ")))),
        };
        Ok(node)
    }

    fn count(&mut self, place: &Place) -> Result<()> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            return Err(place.refuse(format_args!("is one condition too many: a filter has at most {MAX_CONDITIONS}")));
        }
        Ok(())
    }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

/// Tells whether arrays and objects are nested at most `levels` deep, without looking deeper.
fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(members) => levels > 0 && members.values().all(|member| fits(member, levels - 1)),
        _ => true,
    }
}
