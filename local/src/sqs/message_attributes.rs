//! What a message says beside its body, and which of it a receive is told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::refusal::Refusal;

/// The most that one message may have.
const MOST: usize = 10;
const LONGEST_NAME: usize = 256;
/// The types that values can be of; a label may follow after a dot.
const TYPES: [&str; 3] = ["String", "Number", "Binary"];

/// One attribute. A binary value stays in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attribute {
    data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
}

/// The attributes of one message.
pub(super) type MessageAttributes = BTreeMap<String, Attribute>;

/// Checks the attributes of a message, and counts the bytes that they add to it.
pub(super) fn check(attributes: &MessageAttributes) -> Result<usize, Refusal> {
    if attributes.len() > MOST {
        let reason =
            format!("Number of message attributes [{}] exceeds the allowed maximum [{MOST}].", attributes.len());
        return Err(Refusal::InvalidParameterValue(reason));
    }
    let mut bytes = 0;
    for (name, attribute) in attributes {
        if !is_name(name) {
            return Err(Refusal::InvalidParameterValue(format!("The message attribute name '{name}' is invalid.")));
        }
        bytes += name.len() + attribute.check(name)?;
    }
    Ok(bytes)
}

fn is_name(name: &str) -> bool {
    let is_legal = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    let lower = name.to_ascii_lowercase();
    (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(is_legal)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !lower.starts_with("aws.")
        && !lower.starts_with("amazon.")
}

impl Attribute {
    fn check(&self, name: &str) -> Result<usize, Refusal> {
        let refused =
            |what: &str| Refusal::InvalidParameterValue(format!("The message attribute '{name}' must contain {what}."));
        let kind = self.data_type.split('.').next().unwrap_or_default();
        if !TYPES.contains(&kind) {
            return Err(refused("a type of String, Number or Binary"));
        }
        let value = if kind == "Binary" { &self.binary_value } else { &self.string_value };
        match value.as_deref() {
            None | Some("") => Err(refused("a non-empty value")),
            Some(value) if !value.chars().all(super::send::is_legal) => Err(Refusal::InvalidMessageContents),
            Some(value) => Ok(self.data_type.len() + value.len()),
        }
    }
}

/// Which attributes a receive asks for: names, beginnings of names before `.*`, or all.
#[derive(Default)]
pub(super) struct Asked(Vec<String>);

impl Asked {
    pub(super) fn new(names: Vec<String>) -> Self {
        Self(names)
    }

    /// The stored attributes that are asked for, as they are told; `None` when there are none of them.
    pub(super) fn of(&self, stored: Option<&str>) -> Option<Box<RawValue>> {
        if self.0.is_empty() {
            return None;
        }
        let mut attributes: MessageAttributes = serde_json::from_str(stored?).ok()?;
        attributes.retain(|name, _| self.0.iter().any(|asked| takes_in(asked, name)));
        if attributes.is_empty() {
            return None;
        }
        serde_json::value::to_raw_value(&attributes).ok()
    }
}

fn takes_in(asked: &str, name: &str) -> bool {
    match asked.strip_suffix(".*") {
        Some(start) => name.starts_with(start),
        None => asked == "All" || asked == name,
    }
}
