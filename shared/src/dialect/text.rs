//! Texts of a dialect: what stands in headers, bodies and signatures, with pieces of the delivery in it.

use std::borrow::Cow;
use std::cell::Cell;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Unsendable;
use super::message::Message;

/// The longest text, in bytes.
pub const MAX_TEXT_BYTES: usize = 2_048;
/// The most pieces of one text.
const MAX_PIECES: usize = 64;

/// Text with pieces of a delivery in braces, such as `t={timestamp},v1={signature}`. `{{` and `}}` are braces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text {
    written: String,
    pieces: Vec<Piece>,
}

/// One piece of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Text as it stands there.
    Plain(String),
    /// Something of the delivery.
    Variable(Variable),
    /// A value of the event's data, by a JSON Pointer; all of it when the pointer is empty.
    Data {
        /// The pointer.
        pointer: String,
        /// What stands there when there is no such value. With one, a text that is nothing else stays a text.
        default: Option<String>,
    },
}

macro_rules! variables {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// Something of the delivery that a text can name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Variable {
            $($(#[$doc])* $name,)+
        }

        impl Variable {
            fn named(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

variables! {
    /// The id of the event, the same for all attempts.
    Id = "id",
    /// The type of the event.
    Type = "type",
    /// When the attempt is made, in seconds since 1970.
    Timestamp = "timestamp",
    /// When the attempt is made, as RFC 3339.
    Time = "time",
    /// When the event happened, as RFC 3339.
    OccurredAt = "occurred_at",
    /// The number of the attempt, from 1.
    Attempt = "attempt",
    /// The delivery.
    DeliveryId = "delivery_id",
    /// The subscription.
    SubscriptionId = "subscription_id",
    /// The tenant.
    Tenant = "tenant",
    /// Where the event came from, as a path.
    Source = "source",
    /// The type of the entity that the event is about.
    EntityType = "entity_type",
    /// The entity that the event is about.
    EntityId = "entity_id",
    /// The entity with its type before it.
    Subject = "subject",
    /// Where the event happened.
    Scope = "scope",
    /// The body that is sent.
    Body = "body",
    /// The signature.
    Signature = "signature",
}

impl TryFrom<String> for Text {
    type Error = String;

    fn try_from(written: String) -> Result<Self, String> {
        if written.len() > MAX_TEXT_BYTES {
            return Err(format!("a text has at most {MAX_TEXT_BYTES} bytes"));
        }
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = written.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let end = if brace == "{" { rest.find('}') } else { None };
            let Some(end) = end else { return Err("a brace that stands for itself is written twice".to_owned()) };
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            pieces.push(piece(&rest[..end])?);
            rest = &rest[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        if pieces.len() > MAX_PIECES {
            return Err(format!("a text has at most {MAX_PIECES} pieces"));
        }
        Ok(Self { written, pieces })
    }
}

fn piece(name: &str) -> Result<Piece, String> {
    let (name, default) = match name.split_once('|') {
        Some((name, default)) => (name, Some(default.to_owned())),
        None => (name, None),
    };
    let pointer = match name.split_once(':') {
        Some(("data", pointer)) => Some(pointer),
        _ if name == "data" => Some(""),
        _ => None,
    };
    match (pointer, Variable::named(name)) {
        (Some(pointer), _) if pointer.is_empty() || pointer.starts_with('/') => {
            Ok(Piece::Data { pointer: pointer.to_owned(), default })
        }
        (None, Some(variable)) if default.is_none() => Ok(Piece::Variable(variable)),
        _ => Err(format!("{{{name}}} is no piece of a text")),
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.written
    }
}

/// What pieces are taken from.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) message: &'a Message<'a>,
    /// The body as it is sent, once it is known.
    pub(super) body: &'a [u8],
    pub(super) signature: Option<&'a str>,
    /// How many bytes may still come from the delivery.
    pub(super) room: &'a Room,
}

/// How many bytes texts and shapes may still take from a delivery: a short row could else ask for many copies of a large
/// payload.
pub(super) struct Room(Cell<Option<usize>>);

impl Room {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Cell::new(Some(bytes)))
    }

    /// Takes so much; `false` when there was not so much left, from then on for good.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let left = self.0.get().and_then(|room| room.checked_sub(bytes));
        self.0.set(left);
        left.is_some()
    }

    /// Takes what a value is as JSON; nothing is written for one that is too large.
    pub(super) fn take_json(&self, value: &Value) -> bool {
        serde_json::to_writer(self, value).is_ok()
    }

    fn is_spent(&self) -> bool {
        self.0.get().is_none()
    }

    /// Fails when more was asked for than there was.
    pub(super) fn check(&self) -> Result<(), Unsendable> {
        self.0.get().map(drop).ok_or(Unsendable::TooLarge)
    }
}

/// Counts what is written as taken, and keeps none of it.
impl io::Write for &Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.take(bytes.len()) { Ok(bytes.len()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Text {
    /// Tells whether the text names this.
    #[must_use]
    pub fn has(&self, variable: Variable) -> bool {
        self.pieces.contains(&Piece::Variable(variable))
    }

    /// The one value of the event's data that the text is, if it is nothing else.
    #[must_use]
    pub fn as_data(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Piece::Data { pointer, default: None }] => Some(pointer),
            _ => None,
        }
    }

    /// The bytes, piece by piece, so that nobody copies a body to sign it. Stops where the room is spent.
    pub(super) fn parts<'c>(&'c self, context: &Context<'c>) -> Vec<Cow<'c, [u8]>> {
        let parts = self.pieces.iter().map_while(|piece| match piece {
            Piece::Variable(Variable::Body) => Some(Cow::Borrowed(context.body)),
            piece => {
                let part = match piece.text(context) {
                    Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                    Cow::Owned(text) => Cow::Owned(text.into_bytes()),
                };
                context.room.take(part.len()).then_some(part)
            }
        });
        parts.collect()
    }

    /// Tells whether all that the row itself says can stand in a header.
    pub(super) fn fits_headers(&self) -> bool {
        let is_fine = |piece: &Piece| match piece {
            Piece::Plain(plain) => plain.bytes().all(|b| (b' '..=b'~').contains(&b)),
            Piece::Variable(_) | Piece::Data { .. } => true,
        };
        self.pieces.iter().all(is_fine)
    }

    /// The text, with `escape` applied to what comes from the delivery. Stops where the room is spent.
    pub(super) fn render(&self, context: &Context<'_>, escape: impl Fn(Cow<'_, str>) -> String) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                // It is a failure already, and each further copy would be made in vain.
                _ if context.room.is_spent() => break,
                piece => {
                    let value = piece.text(context);
                    if context.room.take(value.len()) {
                        text.push_str(&escape(value));
                    }
                }
            }
        }
        text
    }
}

/// Leaves a value as it is.
pub(super) fn plain(value: Cow<'_, str>) -> String {
    value.into_owned()
}

impl Piece {
    fn text<'c>(&'c self, context: &Context<'c>) -> Cow<'c, str> {
        let message = context.message;
        let variable = match self {
            Self::Plain(plain) => return Cow::Borrowed(plain),
            Self::Data { pointer, default } => {
                return match message.data().and_then(|data| data.pointer(pointer)) {
                    Some(Value::String(text)) => Cow::Borrowed(text),
                    Some(Value::Null) | None => Cow::Borrowed(default.as_deref().unwrap_or_default()),
                    Some(other) => Cow::Owned(other.to_string()),
                };
            }
            Self::Variable(variable) => *variable,
        };
        match variable {
            Variable::Id => Cow::Borrowed(message.id),
            Variable::Type => Cow::Borrowed(message.event_type),
            Variable::Timestamp => Cow::Owned(message.at.as_second().to_string()),
            Variable::Time => Cow::Owned(message.at.to_string()),
            Variable::OccurredAt => Cow::Owned(message.occurred_at().to_string()),
            Variable::Attempt => Cow::Owned(message.attempt.to_string()),
            Variable::DeliveryId => Cow::Owned(message.delivery_id.to_string()),
            Variable::SubscriptionId => Cow::Owned(message.subscription_id.to_string()),
            Variable::Tenant => Cow::Borrowed(message.tenant.as_str()),
            Variable::Source => Cow::Owned(message.source()),
            Variable::EntityType => Cow::Borrowed(message.entity_type().unwrap_or_default()),
            Variable::EntityId => Cow::Borrowed(message.entity_id().unwrap_or_default()),
            Variable::Subject => Cow::Owned(message.subject()),
            Variable::Scope => Cow::Owned(message.scope()),
            Variable::Body => String::from_utf8_lossy(context.body),
            Variable::Signature => Cow::Borrowed(context.signature.unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(written: &str) -> Result<Text, String> {
        Text::try_from(written.to_owned())
    }

    #[test]
    fn braces_hold_known_pieces_or_are_written_twice() {
        for good in ["", "plain", "{id}", "t={timestamp},v1={signature}", "{{}}", "{data}", "{data:/a/b|none}", "a{{b"]
        {
            assert_eq!(text(good).map(String::from).as_deref(), Ok(good));
        }
        for bad in ["{", "}", "{id", "id}", "{}", "{nothing}", "{data:a}", "{id|x}", &"x".repeat(2_049)] {
            assert!(text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_text_that_is_one_value_is_known_as_such() {
        assert_eq!(text("{data:/a}").expect("a text").as_data(), Some("/a"));
        assert_eq!(text("{data}").expect("a text").as_data(), Some(""));
        for other in ["{data:/a|x}", "{data|}", " {data:/a}", "{id}"] {
            assert_eq!(text(other).expect("a text").as_data(), None, "{other}");
        }
    }
}
