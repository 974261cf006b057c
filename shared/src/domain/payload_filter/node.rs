//! A compiled filter: conditions, where they look and how they are joined.

use serde_json::Value;

use super::condition::Condition;
use super::path::Path;

/// A part of a filter. Its depth is bounded by that of the filter's text.
#[derive(Clone, Debug)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    /// The rest is about what is at the path.
    At(Path, Box<Node>),
    Exists(bool),
    Is(Condition),
}

impl Node {
    /// Tells whether it holds for a value, or for the lack of one.
    pub(super) fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.holds(value)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(value)),
            Self::Not(node) => !node.holds(value),
            Self::At(path, node) => node.holds(value.and_then(|value| path.find(value))),
            Self::Exists(wanted) => value.is_some() == *wanted,
            Self::Is(condition) => value.is_some_and(|value| condition.holds(value)),
        }
    }

    /// What holds exactly when `node` does not.
    pub(super) fn not(node: Self) -> Self {
        Self::Not(Box::new(node))
    }
}
