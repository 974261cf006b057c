//! The template's parameters, which take their defaults locally.

use std::collections::BTreeMap;

use serde_norway::Value;
use serde_norway::value::TaggedValue;

use super::error::TemplateError;
use super::node::{Node, intrinsic};

/// The default of every parameter. One without a default is refused: nobody could be asked for it.
pub(super) fn defaults(root: &Node<'_>) -> Result<BTreeMap<String, Value>, TemplateError> {
    let Some(parameters) = root.get("Parameters")? else {
        return Ok(BTreeMap::new());
    };
    let mut defaults = BTreeMap::new();
    for (name, parameter) in parameters.entries()? {
        let default = parameter.require("Default")?;
        defaults.insert(name.to_owned(), default.value().clone());
    }
    Ok(defaults)
}

/// Puts the default in the place of each `!Ref` to a parameter. References to resources stay.
pub(super) fn with_defaults(value: &Value, defaults: &BTreeMap<String, Value>) -> Value {
    if let Some((function, Value::String(target))) = intrinsic(value)
        && function == "Ref"
        && let Some(default) = defaults.get(target)
    {
        return default.clone();
    }
    match value {
        Value::Mapping(mapping) => {
            Value::Mapping(mapping.iter().map(|(name, value)| (name.clone(), with_defaults(value, defaults))).collect())
        }
        Value::Sequence(items) => Value::Sequence(items.iter().map(|item| with_defaults(item, defaults)).collect()),
        Value::Tagged(tagged) => Value::Tagged(Box::new(TaggedValue {
            tag: tagged.tag.clone(),
            value: with_defaults(&tagged.value, defaults),
        })),
        scalar => scalar.clone(),
    }
}

/// Lays a function's own properties over the global ones, as SAM does: mappings are merged, lists are joined, and of
/// two scalars the function's own wins.
pub(super) fn merged(global: &Value, own: &Value) -> Value {
    if intrinsic(global).is_some() || intrinsic(own).is_some() {
        return own.clone();
    }
    match (global, own) {
        (Value::Mapping(global), Value::Mapping(own)) => {
            let mut result = global.clone();
            for (name, value) in own {
                let value = match global.get(name) {
                    Some(inherited) => merged(inherited, value),
                    None => value.clone(),
                };
                result.insert(name.clone(), value);
            }
            Value::Mapping(result)
        }
        (Value::Sequence(global), Value::Sequence(own)) => Value::Sequence(global.iter().chain(own).cloned().collect()),
        _ => own.clone(),
    }
}
