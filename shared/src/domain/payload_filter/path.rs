//! Where in a payload a condition looks.

use serde_json::Value;

/// A dotted path: names of members and indices of elements.
#[derive(Clone, Debug)]
pub(super) struct Path(Vec<Segment>);

#[derive(Clone, Debug)]
struct Segment {
    name: String,
    /// What the name is to an array.
    index: Option<usize>,
}

impl Path {
    /// Reads `customer.address.city`; `None` if a segment is empty or starts with `$`.
    pub(super) fn read(text: &str) -> Option<Self> {
        text.split('.').map(Segment::read).collect::<Option<Vec<_>>>().map(Self)
    }

    /// The value there.
    pub(super) fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, |value, segment| match value {
            Value::Object(members) => members.get(&segment.name),
            Value::Array(items) => items.get(segment.index?),
            _ => None,
        })
    }
}

impl Segment {
    fn read(name: &str) -> Option<Self> {
        if name.is_empty() || name.starts_with('$') {
            return None;
        }
        // `+1` and `01` are names: they are read as numbers by nobody else.
        let is_index = name.bytes().all(|b| b.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
        let index = if is_index { name.parse().ok() } else { None };
        Some(Self { name: name.to_owned(), index })
    }
}
