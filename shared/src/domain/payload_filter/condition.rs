//! One condition on one value.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::Value;

use super::MAX_SEARCHED_BYTES;
use super::compare::{order, rank, same};

/// What a value must be. The negative operators are these within a `Node::Not`.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    Equals(Value),
    OneOf(Choices),
    Ordered { than: Value, accepts: fn(Ordering) -> bool },
    StartsWith(String),
    EndsWith(String),
    Matches(Regex),
}

impl Condition {
    /// Tells whether the value satisfies it, or one of its elements if it is an array.
    pub(super) fn holds(&self, value: &Value) -> bool {
        self.is(value) || value.as_array().is_some_and(|items| items.iter().any(|item| self.is(item)))
    }

    fn is(&self, value: &Value) -> bool {
        match self {
            Self::Equals(wanted) => same(wanted, value),
            Self::OneOf(choices) => choices.contains(value),
            Self::Ordered { than, accepts } => order(value, than).is_some_and(accepts),
            Self::StartsWith(start) => value.as_str().is_some_and(|text| text.starts_with(start)),
            Self::EndsWith(end) => value.as_str().is_some_and(|text| text.ends_with(end)),
            Self::Matches(pattern) => {
                value.as_str().is_some_and(|text| text.len() <= MAX_SEARCHED_BYTES && pattern.is_match(text))
            }
        }
    }
}

/// Scalars in order, so that each element of a long array costs a few comparisons and not one with every choice.
#[derive(Clone, Debug)]
pub(super) struct Choices(Vec<Value>);

impl Choices {
    /// Of scalars.
    pub(super) fn new(mut scalars: Vec<Value>) -> Self {
        scalars.sort_by(rank);
        Self(scalars)
    }

    fn contains(&self, value: &Value) -> bool {
        self.0.binary_search_by(|choice| rank(choice, value)).is_ok()
    }
}
