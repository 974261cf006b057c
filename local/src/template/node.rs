//! One value of the template together with where it stands, so that every refusal can name the place.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use serde_norway::{Mapping, Value};

use super::error::{Refusal, TemplateError};

/// The type of every resource, by logical id.
pub(super) type Kinds<'a> = BTreeMap<&'a str, &'a str>;

/// A value, the resource it belongs to and its path below that resource.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    resource: &'a str,
    path: String,
    value: &'a Value,
}

/// `!Ref target` or `!GetAtt target.attribute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    pub(super) target: &'a str,
    pub(super) attribute: Option<&'a str>,
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attribute {
            Some(attribute) => write!(f, "{}.{attribute}", self.target),
            None => f.write_str(self.target),
        }
    }
}

/// Takes an intrinsic function apart, in its short form (`!Ref x`) or its long one (`Ref: x`, `Fn::Sub: x`).
pub(super) fn intrinsic(value: &Value) -> Option<(String, &Value)> {
    match value {
        Value::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            Some((tag.trim_start_matches('!').to_owned(), &tagged.value))
        }
        Value::Mapping(mapping) if mapping.len() == 1 => {
            let (Value::String(name), argument) = mapping.iter().next()? else {
                return None;
            };
            let name = match name.as_str() {
                "Ref" => "Ref",
                other => other.strip_prefix("Fn::")?,
            };
            Some((name.to_owned(), argument))
        }
        _ => None,
    }
}

impl<'a> Node<'a> {
    /// Stands at the top of a resource's definition, or of its properties.
    pub(super) fn new(resource: &'a str, value: &'a Value) -> Self {
        Self { resource, path: String::new(), value }
    }

    /// The value as it was written.
    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    /// Makes this value the top of its resource: paths start below it.
    pub(super) fn as_top(&self) -> Self {
        Self::new(self.resource, self.value)
    }

    /// Refuses this value.
    pub(super) fn refuse(&self, refusal: Refusal) -> TemplateError {
        let property = if self.path.is_empty() { "definition" } else { self.path.as_str() };
        TemplateError::Refused { resource: self.resource.to_owned(), property: property.to_owned(), refusal }
    }

    /// Refuses this value for not being what it should be.
    pub(super) fn expected(&self, what: impl Into<String>) -> TemplateError {
        self.refuse(Refusal::Expected(what.into()))
    }

    fn below(&self, name: &str, value: &'a Value) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { resource: self.resource, path, value }
    }

    /// Refuses intrinsic functions: nothing here could tell what they give.
    fn plain(&self) -> Result<&'a Value, TemplateError> {
        match intrinsic(self.value) {
            Some((name, _)) => Err(self.refuse(Refusal::Intrinsic(name))),
            None => Ok(self.value),
        }
    }

    fn mapping(&self) -> Result<&'a Mapping, TemplateError> {
        match self.plain()? {
            Value::Mapping(mapping) => Ok(mapping),
            _ => Err(self.expected("a mapping")),
        }
    }

    /// Finds a property.
    pub(super) fn get(&self, name: &str) -> Result<Option<Self>, TemplateError> {
        let value = self.mapping()?.get(name);
        Ok(value.map(|value| self.below(name, value)))
    }

    /// Finds a property that must be there.
    pub(super) fn require(&self, name: &str) -> Result<Self, TemplateError> {
        self.get(name)?.ok_or_else(|| self.below(name, self.value).refuse(Refusal::Missing))
    }

    /// Lists the properties in the order they were written.
    pub(super) fn entries(&self) -> Result<Vec<(&'a str, Self)>, TemplateError> {
        self.mapping()?
            .iter()
            .map(|(name, value)| match name {
                Value::String(name) => Ok((name.as_str(), self.below(name, value))),
                _ => Err(self.expected("names as keys")),
            })
            .collect()
    }

    /// Refuses every property but those that are `honoured` here and those that are `harmless`: they change nothing
    /// that a request or a message could see.
    pub(super) fn only(&self, honoured: &[&str], harmless: &[&str]) -> Result<(), TemplateError> {
        for (name, property) in self.entries()? {
            if !honoured.contains(&name) && !harmless.contains(&name) {
                return Err(property.refuse(Refusal::UnknownProperty));
            }
        }
        Ok(())
    }

    /// Lists the items of a sequence.
    pub(super) fn items(&self) -> Result<Vec<Self>, TemplateError> {
        let Value::Sequence(items) = self.plain()? else {
            return Err(self.expected("a list"));
        };
        Ok(items.iter().enumerate().map(|(index, item)| self.below(&index.to_string(), item)).collect())
    }

    /// Reads a string.
    pub(super) fn text(&self) -> Result<&'a str, TemplateError> {
        match self.plain()? {
            Value::String(text) => Ok(text),
            _ => Err(self.expected("a string")),
        }
    }

    /// Reads any scalar as the string that CloudFormation would make of it.
    pub(super) fn scalar(&self) -> Result<String, TemplateError> {
        match self.plain()? {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            _ => Err(self.expected("a string, a number or a boolean")),
        }
    }

    /// Reads a boolean.
    pub(super) fn flag(&self) -> Result<bool, TemplateError> {
        match self.scalar()?.as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.expected("true or false")),
        }
    }

    /// Reads a whole number within the limits that AWS sets for it.
    pub(super) fn number(&self, range: RangeInclusive<u32>) -> Result<u32, TemplateError> {
        let number: Option<u32> = self.scalar()?.parse().ok();
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.expected(format!("a whole number from {} to {}", range.start(), range.end())))
    }

    /// Reads `!Ref` or `!GetAtt`; nothing if the value is neither, and no other function.
    pub(super) fn reference(&self) -> Result<Option<Reference<'a>>, TemplateError> {
        let Some((name, argument)) = intrinsic(self.value) else {
            return Ok(None);
        };
        let reference = match (name.as_str(), argument) {
            ("Ref", Value::String(target)) => Reference { target: target.as_str(), attribute: None },
            ("GetAtt", Value::String(dotted)) => {
                let Some((target, attribute)) = dotted.split_once('.') else {
                    return Err(self.expected("a resource, a dot and its attribute"));
                };
                Reference { target, attribute: Some(attribute) }
            }
            ("GetAtt", Value::Sequence(parts)) => {
                let [Value::String(target), Value::String(attribute)] = parts.as_slice() else {
                    return Err(self.expected("a resource and its attribute"));
                };
                Reference { target: target.as_str(), attribute: Some(attribute.as_str()) }
            }
            _ => return Err(self.refuse(Refusal::Intrinsic(name.clone()))),
        };
        Ok(Some(reference))
    }

    /// Reads `!Ref` of a resource of one type.
    pub(super) fn ref_to(&self, kind: &str, kinds: &Kinds<'_>) -> Result<String, TemplateError> {
        self.target(kind, kinds, None)
    }

    /// Reads `!GetAtt x.Arn` of a resource of one type.
    pub(super) fn arn_of(&self, kind: &str, kinds: &Kinds<'_>) -> Result<String, TemplateError> {
        self.target(kind, kinds, Some("Arn"))
    }

    fn target(&self, kind: &str, kinds: &Kinds<'_>, attribute: Option<&str>) -> Result<String, TemplateError> {
        let Some(reference) = self.reference()? else {
            return Err(self.expected("a reference to a resource"));
        };
        let fits = kinds.get(reference.target).is_some_and(|found| *found == kind);
        if fits && reference.attribute == attribute {
            Ok(reference.target.to_owned())
        } else {
            Err(self.refuse(Refusal::UnknownReference(reference.to_string())))
        }
    }
}
