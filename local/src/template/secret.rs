//! Secrets that are made up when they are created.

use serde_json::{Map, Value, json};

use super::Request;
use super::error::TemplateError;
use super::node::Node;

/// A secret whose value is a JSON object with one generated member. Its local name is its logical id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedSecret {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The members that are given.
    pub members: Map<String, Value>,
    /// The name of the member that is generated.
    pub generated_member: String,
    /// How many letters and digits are generated.
    pub length: u32,
}

impl GeneratedSecret {
    pub(super) fn read(logical_id: &str, properties: &Node<'_>) -> Result<Self, TemplateError> {
        properties.only(&["GenerateSecretString"], &["Description", "Tags"])?;
        let generate = properties.require("GenerateSecretString")?;
        generate.only(&["SecretStringTemplate", "GenerateStringKey", "PasswordLength", "ExcludePunctuation"], &[])?;
        let template = generate.require("SecretStringTemplate")?;
        let Ok(members) = serde_json::from_str(template.text()?) else {
            return Err(template.expected("a JSON object"));
        };
        let alphabet = generate.require("ExcludePunctuation")?;
        if !alphabet.flag()? {
            return Err(alphabet.expected("true: only letters and digits are generated"));
        }
        let length = match generate.get("PasswordLength")? {
            Some(length) => length.number(1..=4_096)?,
            None => 32,
        };
        Ok(Self {
            logical_id: logical_id.to_owned(),
            members,
            generated_member: generate.require("GenerateStringKey")?.text()?.to_owned(),
            length,
        })
    }

    /// The Secrets Manager request that creates this secret with `generated` in its place.
    ///
    /// The caller makes it up: `length` letters and digits from a source that nobody can guess.
    #[must_use]
    pub fn create_request(&self, generated: &str) -> Request {
        let mut members = self.members.clone();
        members.insert(self.generated_member.clone(), json!(generated));
        let value = Value::Object(members).to_string();
        let body = json!({ "Name": self.logical_id, "SecretString": value });
        ("CreateSecret", body)
    }
}
