//! What queues and topics have in common: messages of text with attributes, and groups.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::domain::target::MessageGroup;
use sha2::{Digest as _, Sha256};

use crate::failure::TargetError;
use crate::parcel::Parcel;

/// The most attributes of a message.
const MAX_ATTRIBUTES: usize = 10;
/// The longest name of an attribute.
const MAX_NAME_BYTES: usize = 256;
/// The longest name of a group.
const MAX_GROUP_BYTES: usize = 128;
/// The type of every attribute; it counts towards a message's size.
pub(crate) const TEXT: &str = "String";

/// A message of text.
pub(crate) struct Message<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Message<'a> {
    /// The body as it is where it is text, else in base64, with as many attributes as a message may have.
    pub(crate) fn of(parcel: &'a Parcel, service: &str, max_bytes: usize) -> Result<Self, TargetError> {
        if parcel.body.is_empty() {
            return Err(TargetError::empty(service));
        }
        let mut attributes = Vec::with_capacity(MAX_ATTRIBUTES);
        let text = match std::str::from_utf8(&parcel.body) {
            Ok(text) if text.chars().all(is_legal) => Cow::Borrowed(text),
            _ => {
                attributes.push(("hookport-body-encoding", "base64"));
                Cow::Owned(STANDARD.encode(&parcel.body))
            }
        };
        attributes.push(("content-type", parcel.content_type.as_str()));
        let more = parcel.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        attributes.extend(more);
        attributes.retain(|(name, value)| is_attribute(name, value));
        attributes.truncate(MAX_ATTRIBUTES);
        let carried: usize = attributes.iter().map(|(name, value)| name.len() + TEXT.len() + value.len()).sum();
        let bytes = text.len() + carried;
        if bytes > max_bytes {
            return Err(TargetError::too_large(service, bytes, max_bytes));
        }
        Ok(Self { text, attributes })
    }
}

fn is_attribute(name: &str, value: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    let is_kept = ["aws.", "amazon."].iter().any(|start| name.to_ascii_lowercase().starts_with(start));
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name.bytes().all(is_allowed)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !is_kept
        && !value.is_empty()
        && value.chars().all(is_legal)
}

/// Says whether XML 1.0 has the character, which is what messages are made of.
fn is_legal(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// The group of a message; `None`: none. What keeps order has to have one.
pub(crate) fn group(asked: Option<MessageGroup>, is_fifo: bool, parcel: &Parcel) -> Option<String> {
    let asked = asked.or(is_fifo.then_some(MessageGroup::Subscription))?;
    Some(match asked {
        MessageGroup::Subscription => parcel.subscription_id.to_string(),
        MessageGroup::EventType => named(&parcel.event_type),
        MessageGroup::Entity => parcel.entity.as_deref().map_or_else(|| parcel.subscription_id.to_string(), named),
    })
}

/// A text as the name of a group: as it is, or its SHA-256 where it cannot be one.
fn named(text: &str) -> String {
    let is_name = (1..=MAX_GROUP_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if is_name { text.to_owned() } else { hex::encode(Sha256::digest(text)) }
}
