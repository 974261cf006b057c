//! What a request's event is called, and what tells it from others.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::place::Place;
use super::view::View;
use crate::domain::event_type::EventType;
use crate::domain::own_event::is_own;

/// The longest key that is kept as it is, in bytes; of a longer one, its digest is.
const MAX_PLAIN_KEY_BYTES: usize = 256;
/// The most places that make a name.
pub const MAX_PLACES: usize = 4;

/// How the events of a webhook are called by what is in the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Naming {
    /// The first word.
    pub prefix: String,
    /// The places whose texts follow, joined by dots.
    #[serde(rename = "type")]
    pub places: Vec<Place>,
}

impl Naming {
    /// The event type of a request; `None` when a text is not there, makes no name, or one that the gateway alone tells.
    #[must_use]
    pub fn of(&self, view: &View<'_>) -> Option<EventType> {
        let mut name = self.prefix.clone();
        for place in &self.places {
            let text = place.text(view).ok()?;
            let words = normal(&text);
            if words.is_empty() {
                return None;
            }
            name.push('.');
            name.push_str(&words);
        }
        EventType::try_from(name).ok().filter(|named| !is_own(named))
    }
}

/// A text as words of an event type: lower case; slashes, colons and white space are dots, and what else no event type
/// has is an underscore.
#[must_use]
pub fn normal(text: &str) -> String {
    let mapped: String = text
        .trim()
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '_' | '-' | '.') => c,
            '/' | ':' => '.',
            c if c.is_whitespace() => '.',
            _ => '_',
        })
        .collect();
    mapped.split('.').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(".")
}

/// What tells the events of a webhook apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Dedupe {
    /// A word that says how.
    Named(Named),
    /// The text at a place.
    Place(Place),
    /// The texts at several places together, one after another; an absent one is empty.
    Places(Vec<Place>),
}

/// Ways that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Named {
    /// The digest of the body.
    Body,
    /// Nothing: the provider sends the same bytes for different events.
    None,
}

impl Dedupe {
    /// The key of a request: that of its body where all places are empty; `None` when nothing is told apart.
    ///
    /// A provider that leaves its id out once does not get its event in twice for that.
    #[must_use]
    pub fn key(&self, view: &View<'_>) -> Option<String> {
        self.key_over(view, || None)
    }

    /// The same, with what `whole` gives in place of the body: what is signed of a request whose body can be written in
    /// several ways. It is asked only when no place has a text.
    #[must_use]
    pub fn key_over(&self, view: &View<'_>, whole: impl FnOnce() -> Option<Vec<u8>>) -> Option<String> {
        let texts: Vec<_> = match self {
            Self::Named(Named::Body) => Vec::new(),
            Self::Named(Named::None) => return None,
            Self::Place(place) => vec![place.text(view).unwrap_or_default()],
            Self::Places(places) => places.iter().map(|place| place.text(view).unwrap_or_default()).collect(),
        };
        let escaped = |text: &Cow<'_, str>| match texts.len() {
            0 | 1 => text.to_string(),
            _ => text.replace('\\', "\\\\").replace('|', "\\|"),
        };
        Some(match texts.iter().map(escaped).collect::<Vec<_>>().join("|") {
            _ if texts.iter().all(|text| text.is_empty()) => {
                whole().map_or_else(|| body_key(view.request().body), |whole| body_key(&whole))
            }
            key if key.len() > MAX_PLAIN_KEY_BYTES => body_key(key.as_bytes()),
            key => key,
        })
    }

    /// The places that it reads.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        match self {
            Self::Named(_) => &[],
            Self::Place(place) => std::slice::from_ref(place),
            Self::Places(places) => places,
        }
    }
}

/// The key of a body: its SHA-256, marked as such.
#[must_use]
pub fn body_key(body: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_name_becomes_words_of_an_event_type() {
        for (text, expected) in [
            ("push", "push"),
            ("orders/create", "orders.create"),
            ("repo:push", "repo.push"),
            ("Invoice Paid", "invoice.paid"),
            ("AUTHORISATION", "authorisation"),
            ("a//b..c/", "a.b.c"),
            ("Zahlung-für", "zahlung-f_r"),
            (" ", ""),
        ] {
            assert_eq!(normal(text), expected, "{text}");
        }
    }
}
