//! When a request is a handshake: its method, and what must hold of it.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::scheme::algorithm::equal;
use crate::scheme::key::Hosts;
use crate::scheme::place::{At, Place, joined, parted};
use crate::scheme::settings::Settings;
use crate::scheme::view::View;

/// The methods that handshakes come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HandshakeMethod {
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// OPTIONS.
    Options,
    /// POST.
    Post,
    /// PUT.
    Put,
}

impl HandshakeMethod {
    /// Tells whether it is this method.
    #[must_use]
    pub fn is(self, method: &str) -> bool {
        let own = match self {
            Self::Get => Method::GET,
            Self::Head => Method::HEAD,
            Self::Options => Method::OPTIONS,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
        };
        own.as_str() == method
    }
}

/// What must hold of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct Condition {
    /// Where the text is.
    pub place: Place,
    /// What it must be.
    pub holds: Holds,
}

/// What a text must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// There.
    Present,
    /// This.
    Is(String),
    /// This setting.
    Setting(String),
    /// An empty list of the JSON body.
    EmptyList,
    /// Not there.
    Absent,
    /// Made of nothing else than these characters, and not longer.
    Made(Chars, usize),
}

/// Characters that a text may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Chars {
    /// Hex digits.
    Hex,
    /// Letters, digits, `_` and `-`.
    Word,
}

#[derive(Default, Serialize, Deserialize)]
struct OfCondition {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    setting: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    empty: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    absent: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chars: Option<Chars>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<usize>,
}

impl TryFrom<Map<String, Value>> for Condition {
    type Error = String;

    fn try_from(members: Map<String, Value>) -> Result<Self, String> {
        let (own, place): (OfCondition, Place) =
            parted(members, &["is", "setting", "empty", "absent", "chars", "max"])?;
        if own.absent {
            let is_alone = own.is.is_none() && own.setting.is_none() && !own.empty && own.chars.is_none();
            return match is_alone {
                true => Ok(Self { place, holds: Holds::Absent }),
                false => Err("a condition with absent has nothing beside it".to_owned()),
            };
        }
        let holds = match (own.is, own.setting, own.empty, own.chars.zip(own.max)) {
            (None, None, false, Some((chars, most))) => Holds::Made(chars, most),
            (None, None, false, None) if own.chars.is_none() && own.max.is_none() => Holds::Present,
            (Some(text), None, false, None) => Holds::Is(text),
            (None, Some(name), false, None) => Holds::Setting(name),
            (None, None, true, None) if matches!(place.at, At::Json(_)) => Holds::EmptyList,
            _ => {
                return Err(
                    "a condition has one of is, setting, empty (of json), and chars with max, at most".to_owned()
                );
            }
        };
        Ok(Self { place, holds })
    }
}

impl From<Condition> for Map<String, Value> {
    fn from(condition: Condition) -> Self {
        let mut own = OfCondition::default();
        match condition.holds {
            Holds::Present => {}
            Holds::Is(text) => own.is = Some(text),
            Holds::Setting(name) => own.setting = Some(name),
            Holds::EmptyList => own.empty = true,
            Holds::Absent => own.absent = true,
            Holds::Made(chars, most) => (own.chars, own.max) = (Some(chars), Some(most)),
        }
        joined(&own, &condition.place)
    }
}

impl Condition {
    /// Tells whether it holds.
    #[must_use]
    pub fn is_met(&self, view: &View<'_>, settings: &Settings) -> bool {
        match &self.holds {
            Holds::Present => self.place.text(view).is_ok(),
            Holds::Absent => match &self.place.at {
                At::Json(path) => view.json().is_none_or(|json| path.at(json).is_none()),
                At::Header(_) | At::Query(_) | At::Form(_) | At::Basic => {
                    self.place.text(view) == Err(crate::scheme::view::Absent::Missing)
                }
            },
            Holds::Is(wanted) => self.place.text(view).is_ok_and(|found| found == *wanted),
            Holds::Setting(name) => match (self.place.text(view), settings.get(name)) {
                (Ok(found), Some(wanted)) => !wanted.is_empty() && equal(found.as_bytes(), wanted.as_bytes()),
                _ => false,
            },
            Holds::Made(chars, most) => {
                let is_allowed = |b: u8| match chars {
                    Chars::Hex => b.is_ascii_hexdigit(),
                    Chars::Word => b.is_ascii_alphanumeric() || b == b'_' || b == b'-',
                };
                self.place
                    .text(view)
                    .is_ok_and(|text| (1..=*most).contains(&text.len()) && text.bytes().all(is_allowed))
            }
            Holds::EmptyList => match &self.place.at {
                At::Json(path) => {
                    let found = view.json().and_then(|json| path.at(json));
                    found.and_then(Value::as_array).is_some_and(Vec::is_empty)
                }
                At::Header(_) | At::Query(_) | At::Form(_) | At::Basic => false,
            },
        }
    }
}

/// A URL that is fetched before the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct Visit {
    /// Where the URL is.
    pub place: Place,
    /// The hosts that it may name.
    pub hosts: Hosts,
}

#[derive(Serialize, Deserialize)]
struct OfVisit {
    hosts: Hosts,
}

impl TryFrom<Map<String, Value>> for Visit {
    type Error = String;

    fn try_from(members: Map<String, Value>) -> Result<Self, String> {
        let (own, place): (OfVisit, Place) = parted(members, &["hosts"])?;
        Ok(Self { place, hosts: own.hosts })
    }
}

impl From<Visit> for Map<String, Value> {
    fn from(visit: Visit) -> Self {
        joined(&OfVisit { hosts: visit.hosts }, &visit.place)
    }
}
