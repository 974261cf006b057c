//! Bodies: how a dialect shapes what there is to say.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::Unsendable;
use super::message::Message;
use super::text::{Context, Room, Text, Variable, plain};

/// How many bytes a body may have from the delivery beyond the size of its payload.
const MORE_THAN_PAYLOAD: usize = 256 * 1024;
/// The deepest that a shape may go.
const MAX_DEPTH: usize = 16;
/// The most values of a shape.
const MAX_VALUES: usize = 256;

/// The shape of a body.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "snake_case", deny_unknown_fields)]
pub enum Body {
    /// What the subscription's payload mode renders.
    #[default]
    Payload,
    /// The event's data alone, without the envelope of published events.
    Data,
    /// A structured CloudEvent (CloudEvents 1.0, JSON format).
    Cloudevent,
    /// JSON made of texts.
    Json {
        /// The JSON. A text that is one `{data:…}` alone becomes that value, whatever its type.
        json: Shape,
        /// What is done to values that stand within texts.
        #[serde(default, skip_serializing_if = "Escape::is_none")]
        escape: Escape,
        /// The most characters of each value that stands within a text; longer ones are cut and end in `…`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_chars: Option<usize>,
    },
    /// Fields as HTML forms send them.
    Form {
        /// The fields.
        form: BTreeMap<String, Text>,
    },
    /// None.
    Empty,
}

/// What is done to values that stand within texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Escape {
    /// Nothing.
    #[default]
    None,
    /// `&`, `<` and `>` become entities, so that no value can call people, or be a link behind other words: Slack's rule.
    Entities,
}

impl Escape {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_none(&self) -> bool {
        *self == Self::None
    }

    fn apply(self, text: Cow<'_, str>) -> String {
        match self {
            Self::None => text.into_owned(),
            Self::Entities => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        }
    }
}

/// JSON whose texts have pieces of the delivery in them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Shape {
    /// A text.
    Text(Text),
    /// The members of an object.
    Object(Vec<(String, Shape)>),
    /// The elements of a list.
    List(Vec<Shape>),
    /// A number, true, false or null.
    Plain(Value),
}

impl TryFrom<Value> for Shape {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let mut left = MAX_VALUES;
        shape(value, MAX_DEPTH, &mut left)
    }
}

fn shape(value: Value, depth: usize, left: &mut usize) -> Result<Shape, String> {
    *left = left.checked_sub(1).ok_or_else(|| format!("body: has at most {MAX_VALUES} values"))?;
    let depth = depth.checked_sub(1).ok_or_else(|| format!("body: goes at most {MAX_DEPTH} deep"))?;
    match value {
        Value::String(text) => Text::try_from(text).map(Shape::Text),
        Value::Array(list) => {
            list.into_iter().map(|value| shape(value, depth, left)).collect::<Result<_, _>>().map(Shape::List)
        }
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| Ok((name, shape(value, depth, left)?)));
            members.collect::<Result<_, String>>().map(Shape::Object)
        }
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => Ok(Shape::Plain(plain)),
    }
}

impl From<Shape> for Value {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Text(text) => Self::String(text.into()),
            Shape::List(list) => Self::Array(list.into_iter().map(Self::from).collect()),
            Shape::Object(members) => {
                Self::Object(members.into_iter().map(|(name, shape)| (name, shape.into())).collect())
            }
            Shape::Plain(plain) => plain,
        }
    }
}

impl Shape {
    fn render(&self, context: &Context<'_>, escape: Escape, most: Option<usize>) -> Value {
        match self {
            Self::Text(text) => match text.as_data() {
                Some(pointer) => {
                    let value = context.message.data().and_then(|data| data.pointer(pointer));
                    value.filter(|value| context.room.take_json(value)).cloned().unwrap_or(Value::Null)
                }
                None => Value::String(text.render(context, |value| escape.apply(cut(value, most)))),
            },
            Self::List(list) => list.iter().map(|shape| shape.render(context, escape, most)).collect(),
            Self::Object(members) => {
                let members = members.iter().map(|(name, shape)| (name.clone(), shape.render(context, escape, most)));
                Value::Object(members.collect())
            }
            Self::Plain(plain) => plain.clone(),
        }
    }

    fn texts<'s>(&'s self, found: &mut Vec<&'s Text>) {
        match self {
            Self::Text(text) => found.push(text),
            Self::List(list) => list.iter().for_each(|shape| shape.texts(found)),
            Self::Object(members) => members.iter().for_each(|(_, shape)| shape.texts(found)),
            Self::Plain(_) => {}
        }
    }
}

/// At most so many characters, the last of them `…` where something is missing.
fn cut(text: Cow<'_, str>, most: Option<usize>) -> Cow<'_, str> {
    let Some(most) = most.filter(|most| text.chars().nth(*most).is_some()) else { return text };
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    Cow::Owned(kept + "…")
}

impl Body {
    /// The bytes, and their content type.
    pub(super) fn render(&self, message: &Message<'_>) -> Result<(Bytes, Option<String>), Unsendable> {
        let room = Room::new(message.payload.len() + MORE_THAN_PAYLOAD);
        let context = Context { message, body: message.payload, signature: None, room: &room };
        let rendered = match self {
            Self::Payload => (message.payload.clone(), message.content_type.map(str::to_owned)),
            Self::Data => {
                let (data, content_type) = message.data_bytes();
                (data, content_type.map(str::to_owned))
            }
            Self::Cloudevent => {
                let content_type = "application/cloudevents+json; charset=utf-8".to_owned();
                (cloudevent(message), Some(content_type))
            }
            Self::Json { json, escape, max_chars } => {
                let value = json.render(&context, *escape, *max_chars);
                (Bytes::from(value.to_string()), Some("application/json".to_owned()))
            }
            Self::Form { form } => {
                let mut fields = form_urlencoded::Serializer::new(String::new());
                for (name, text) in form {
                    fields.append_pair(name, &text.render(&context, plain));
                }
                (Bytes::from(fields.finish()), Some("application/x-www-form-urlencoded".to_owned()))
            }
            Self::Empty => (Bytes::new(), None),
        };
        room.check()?;
        Ok(rendered)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let mut texts = Vec::new();
        match self {
            Self::Payload | Self::Data | Self::Cloudevent | Self::Empty => {}
            Self::Json { json, .. } => json.texts(&mut texts),
            Self::Form { form } => texts.extend(form.values()),
        }
        if texts.iter().any(|text| text.has(Variable::Signature) || text.has(Variable::Body)) {
            return Err("body: has neither {body} nor {signature}: those are made of it".to_owned());
        }
        match self {
            Self::Json { max_chars: Some(0), .. } => Err("body.max_chars: must be at least 1".to_owned()),
            Self::Form { form } if form.len() > 64 => Err("body.form: has at most 64 fields".to_owned()),
            _ => Ok(()),
        }
    }
}

/// An event in the JSON format of CloudEvents 1.0. Data that is JSON stands there as it was written.
fn cloudevent(message: &Message<'_>) -> Bytes {
    let (data, content_type) = message.data_bytes();
    let mut members = Map::new();
    members.insert("specversion".to_owned(), "1.0".into());
    members.insert("id".to_owned(), message.id.into());
    members.insert("source".to_owned(), message.source().into());
    members.insert("type".to_owned(), message.event_type.into());
    members.insert("time".to_owned(), message.occurred_at().to_string().into());
    if let Some(content_type) = content_type {
        members.insert("datacontenttype".to_owned(), content_type.into());
    }
    let subject = message.subject();
    if !subject.is_empty() {
        members.insert("subject".to_owned(), subject.into());
    }
    let mut text = Value::Object(members).to_string();
    text.pop();
    match std::str::from_utf8(&data) {
        Ok(written)
            if is_json(content_type) && serde_json::from_str::<&serde_json::value::RawValue>(written).is_ok() =>
        {
            text.push_str(",\"data\":");
            text.push_str(written.trim());
        }
        Ok(written) => {
            text.push_str(",\"data\":");
            text.push_str(&Value::from(written).to_string());
        }
        Err(_) => {
            text.push_str(",\"data_base64\":");
            text.push_str(&Value::from(STANDARD.encode(&data)).to_string());
        }
    }
    text.push('}');
    Bytes::from(text)
}

fn is_json(content_type: Option<&str>) -> bool {
    let Some(media) = content_type.and_then(|text| text.split(';').next()).map(|text| text.trim().to_ascii_lowercase())
    else {
        return false;
    };
    media == "application/json" || media.ends_with("+json") || media == "text/json"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_is_cut_with_a_mark() {
        let cases = [
            ("abcd", Some(4), "abcd"),
            ("abcde", Some(4), "abc…"),
            ("äöüß€", Some(3), "äö…"),
            ("abcde", None, "abcde"),
        ];
        for (text, most, expected) in cases {
            assert_eq!(cut(Cow::Borrowed(text), most), expected);
        }
    }

    #[test]
    fn json_is_known_by_its_media_type() {
        for json in ["application/json", "application/problem+json; charset=utf-8", "Application/JSON"] {
            assert!(is_json(Some(json)), "{json}");
        }
        for other in [Some("text/plain"), Some("application/xml"), None] {
            assert!(!is_json(other), "{other:?}");
        }
    }
}
