//! How much work a schema can make, found from its text alone.
//!
//! The parts of a schema are the points of a graph. A part applies others **in place** (`allOf`, `$ref`, `if` and their
//! like) or **below**: to the members and items of what it is held against. Parts that refer to themselves in place
//! would never end. Parts that refer to themselves below, twice or more for the same member, multiply with every level
//! of a payload: 2^100 for one of a kilobyte. Both are found here, by counting how many parts can be held against one
//! place.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{MAX_JUDGEMENTS, MAX_PATTERNS, MAX_STACKED, SchemaError};

/// No payload that was parsed is nested deeper.
const MAX_PAYLOAD_DEPTH: usize = 128;
/// The longest reference that is quoted, in characters.
const MAX_QUOTED_CHARS: usize = 100;

/// How much work a schema can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Effort {
    /// The most parts that can be held against one place of a payload.
    pub(super) judgements: u64,
    /// The longest list of values that a place is compared with one by one: texts and integers are looked up instead.
    pub(super) options: u64,
    /// The most parts that can be at work within each other.
    stack: Stack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stack {
    /// At most this many, whatever the payload.
    Bounded(usize),
    /// At most this many for each level of the payload.
    PerLevel(usize),
}

impl Effort {
    /// Measures a schema.
    pub(super) fn of(root: &Value) -> Result<Self, SchemaError> {
        let graph = Graph::of(root)?;
        let order = sorted(graph.parts.len(), |part| graph.parts[part].in_place.clone()).ok_or(SchemaError::Endless)?;
        let stack = match sorted(graph.parts.len(), |part| graph.parts[part].all()) {
            Some(order) => Stack::Bounded(longest(&order, |part| graph.parts[part].all())),
            None => Stack::PerLevel(longest(&order, |part| graph.parts[part].in_place.clone())),
        };
        let effort = Self { judgements: graph.judgements(&order), options: graph.options, stack };
        if effort.judgements > MAX_JUDGEMENTS {
            return Err(SchemaError::TooMuchWork);
        }
        // Even a payload that is not nested at all must fit.
        if effort.stacked(1) > MAX_STACKED {
            return Err(SchemaError::TooStacked);
        }
        Ok(effort)
    }

    /// The most parts that can be at work within each other for a payload that is nested this deep.
    pub(super) fn stacked(self, depth: usize) -> usize {
        match self.stack {
            Stack::Bounded(parts) => parts,
            Stack::PerLevel(parts) => parts.saturating_mul(depth.saturating_add(1)),
        }
    }
}

/// One part of a schema: which others it applies.
#[derive(Default)]
struct Part {
    /// To the same place.
    in_place: Vec<usize>,
    /// To members or items, of which each is of one of these at most.
    either: Vec<usize>,
    /// To members or items beside those.
    also: Vec<usize>,
    /// Whether it looks at its parts a second time, to know what they have seen.
    looks_again: bool,
}

impl Part {
    fn all(&self) -> Vec<usize> {
        [self.in_place.as_slice(), &self.either, &self.also].concat()
    }
}

struct Graph<'a> {
    root: &'a Value,
    parts: Vec<Part>,
    /// The parts that were found so far, in the order of their numbers.
    found: Vec<&'a Map<String, Value>>,
    numbers: HashMap<*const Map<String, Value>, usize>,
    patterns: usize,
    options: u64,
}

/// How many values of an `enum` are compared one by one.
fn compared(options: &Value) -> u64 {
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    let looked_up = options.iter().all(Value::is_string) || options.iter().all(Value::is_i64);
    if looked_up { 0 } else { options.len() as u64 }
}

impl<'a> Graph<'a> {
    fn of(root: &'a Value) -> Result<Self, SchemaError> {
        let (parts, found, numbers) = (Vec::new(), Vec::new(), HashMap::new());
        let mut graph = Self { root, parts, found, numbers, patterns: 0, options: 0 };
        graph.one(root);
        while let Some(members) = graph.found.get(graph.parts.len()).copied() {
            let part = graph.part(members)?;
            graph.parts.push(part);
        }
        if graph.patterns > MAX_PATTERNS {
            return Err(SchemaError::TooManyPatterns);
        }
        Ok(graph)
    }

    /// The number of a schema. One that is true or false applies nothing and has none.
    fn one(&mut self, schema: &'a Value) -> Option<usize> {
        let members = schema.as_object()?;
        let next = self.found.len();
        let number = *self.numbers.entry(std::ptr::from_ref(members)).or_insert(next);
        if number == next {
            self.found.push(members);
        }
        Some(number)
    }

    /// The numbers of the schemas in a list, or under names.
    fn many(&mut self, schemas: &'a Value) -> Vec<usize> {
        match schemas {
            Value::Array(items) => items.iter().filter_map(|item| self.one(item)).collect(),
            Value::Object(members) => members.values().filter_map(|member| self.one(member)).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        }
    }

    /// Reads which others a schema applies. Keywords of all drafts are read alike: too many at worst.
    fn part(&mut self, members: &'a Map<String, Value>) -> Result<Part, SchemaError> {
        let is_root = self.parts.is_empty();
        let mut part = Part::default();
        for (keyword, value) in members {
            match keyword.as_str() {
                "$ref" => part.in_place.extend(self.target(value)?),
                "$dynamicRef" => return Err(SchemaError::Unsupported("$dynamicRef")),
                "$recursiveRef" => return Err(SchemaError::Unsupported("$recursiveRef")),
                "$id" if !is_root => return Err(SchemaError::Unsupported("$id within the schema")),
                "not" | "if" | "then" | "else" => part.in_place.extend(self.one(value)),
                "allOf" | "anyOf" | "oneOf" | "dependentSchemas" | "dependencies" => {
                    part.in_place.extend(self.many(value));
                }
                "properties" | "prefixItems" => part.either.extend(self.many(value)),
                "items" if value.is_array() => part.either.extend(self.many(value)),
                "items" | "additionalItems" | "additionalProperties" => part.either.extend(self.one(value)),
                "unevaluatedItems" | "unevaluatedProperties" => {
                    part.looks_again = true;
                    part.either.extend(self.one(value));
                }
                "contains" | "propertyNames" => part.also.extend(self.one(value)),
                "enum" => self.options = self.options.max(compared(value)),
                "pattern" => self.patterns += 1,
                "patternProperties" => {
                    let several = self.many(value);
                    self.patterns += several.len().max(value.as_object().map_or(0, Map::len));
                    part.also.extend(several);
                }
                _ => {}
            }
        }
        Ok(part)
    }

    /// The number of what a reference leads to.
    fn target(&mut self, reference: &'a Value) -> Result<Option<usize>, SchemaError> {
        // The draft's own rules say that it must be a text.
        let Some(reference) = reference.as_str() else { return Ok(None) };
        let quoted = || reference.chars().take(MAX_QUOTED_CHARS).collect::<String>();
        let pointer = reference.strip_prefix('#').filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let pointer = pointer.filter(|rest| !rest.contains('%')).ok_or_else(|| SchemaError::Remote(quoted()))?;
        let target = self.root.pointer(pointer).ok_or_else(|| SchemaError::Dangling(quoted()))?;
        Ok(self.one(target))
    }

    /// The most parts that can be held against one place, given the parts ordered by what they apply in place.
    fn judgements(&self, order: &[usize]) -> u64 {
        // How many are held against one place so many levels below one that a part is held against.
        let mut above = vec![0_u64; self.parts.len()];
        let mut most = 0;
        for depth in 0..=MAX_PAYLOAD_DEPTH {
            let mut here = vec![0_u64; self.parts.len()];
            for number in order {
                let part = &self.parts[*number];
                let own = u64::from(depth == 0);
                let in_place = part.in_place.iter().map(|applied| here[*applied]);
                let either = part.either.iter().map(|applied| above[*applied]).max();
                let also = part.also.iter().map(|applied| above[*applied]);
                let sum = in_place.chain(either).chain(also).fold(0, u64::saturating_add);
                here[*number] = sum.saturating_mul(if part.looks_again { 2 } else { 1 }).saturating_add(own);
            }
            most = most.max(here[0]);
            if most > MAX_JUDGEMENTS || here.iter().all(|count| *count == 0) {
                break;
            }
            above = here;
        }
        most
    }
}

/// Orders parts so that each comes after those that it applies; `None` when there is a circle.
fn sorted(count: usize, applied: impl Fn(usize) -> Vec<usize>) -> Option<Vec<usize>> {
    let mut waiting = vec![0_usize; count];
    let mut appliers = vec![Vec::new(); count];
    for (part, waits_for) in waiting.iter_mut().enumerate() {
        for other in applied(part) {
            *waits_for += 1;
            appliers[other].push(part);
        }
    }
    let mut order: Vec<usize> = (0..count).filter(|part| waiting[*part] == 0).collect();
    let mut next = 0;
    while let Some(done) = order.get(next).copied() {
        next += 1;
        for applier in &appliers[done] {
            waiting[*applier] -= 1;
            if waiting[*applier] == 0 {
                order.push(*applier);
            }
        }
    }
    (order.len() == count).then_some(order)
}

/// The length of the longest chain of parts that apply each other.
fn longest(order: &[usize], applied: impl Fn(usize) -> Vec<usize>) -> usize {
    let mut lengths = vec![0_usize; order.len()];
    for part in order {
        lengths[*part] = 1 + applied(*part).into_iter().map(|other| lengths[other]).max().unwrap_or(0);
    }
    lengths.into_iter().max().unwrap_or(0)
}
