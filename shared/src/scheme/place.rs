//! Places: where in a request a text is found.

use std::borrow::Cow;

use base64::Engine as _;
use http::HeaderName;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::view::{Absent, View};
use crate::domain::key_path::KeyPath;
use crate::proof::BASE64;

/// The most parts of a list in a header that are looked at.
pub const MAX_PARTS: usize = 20;
/// The most headers that one place names.
const MAX_HEADERS: usize = 10;
/// The longest name, separator or prefix of a place, in bytes.
const MAX_NAME_BYTES: usize = 128;

/// Where in a request a text is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Place {
    /// Where the whole text is.
    pub at: At,
    /// Which part of it counts.
    pub list: Option<List>,
    /// What the text must begin with; it is taken off.
    pub strip: Option<String>,
}

/// Where a whole text is.
#[derive(Clone, Debug, PartialEq)]
pub enum At {
    /// In the first of these headers that is there.
    Header(Vec<HeaderName>),
    /// In a parameter of the query string.
    Query(String),
    /// In a field of the form in the body.
    Form(String),
    /// In the JSON body.
    Json(KeyPath),
    /// In `Authorization: Basic`: user name, colon, password.
    Basic,
}

/// A text that is a list, of which some parts count.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// What stands between parts.
    pub split: String,
    /// What stands between the name of a part and its value; without it parts have no names.
    pub equals: Option<String>,
    /// The name of the parts that count; `None`: all, whatever they are called.
    pub part: Option<String>,
    /// From which part on they count, from 0.
    pub from: usize,
    /// How many count; `None`: all that follow.
    pub count: Option<usize>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header: Option<OneOrMany>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json: Option<KeyPath>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    basic: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    split: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    equals: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strip: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl TryFrom<Raw> for Place {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let texts = [&raw.query, &raw.form, &raw.split, &raw.equals, &raw.part, &raw.strip];
        if texts.into_iter().flatten().any(|text| text.is_empty() || text.len() > MAX_NAME_BYTES) {
            return Err(format!("a member of a place must have 1 to {MAX_NAME_BYTES} bytes"));
        }
        let at = match (raw.header, raw.query, raw.form, raw.json, raw.basic) {
            (Some(names), None, None, None, false) => At::Header(headers(names)?),
            (None, Some(name), None, None, false) => At::Query(name),
            (None, None, Some(name), None, false) => At::Form(name),
            (None, None, None, Some(path), false) => At::Json(path),
            (None, None, None, None, true) => At::Basic,
            _ => return Err("a place is exactly one of header, query, form, json and basic".to_owned()),
        };
        let list = match (raw.split, raw.equals, raw.part) {
            (None, None, None) if raw.from.is_none() && raw.count.is_none() => None,
            (None, ..) => return Err("equals, part, from and count need split".to_owned()),
            (Some(_), None, Some(_)) => return Err("part needs equals".to_owned()),
            (Some(split), equals, part) => {
                Some(List { split, equals, part, from: raw.from.unwrap_or(0), count: raw.count })
            }
        };
        Ok(Self { at, list, strip: raw.strip })
    }
}

fn headers(names: OneOrMany) -> Result<Vec<HeaderName>, String> {
    let names = match names {
        OneOrMany::One(name) => vec![name],
        OneOrMany::Many(names) => names,
    };
    if !(1..=MAX_HEADERS).contains(&names.len()) {
        return Err(format!("a place names 1 to {MAX_HEADERS} headers"));
    }
    let parsed = names.into_iter().map(|name| header_name(&name));
    parsed.collect()
}

/// Reads the name of a header.
pub(super) fn header_name(name: &str) -> Result<HeaderName, String> {
    match HeaderName::try_from(name) {
        Ok(name) if name.as_str().len() <= MAX_NAME_BYTES => Ok(name),
        _ => Err("no name of a header".to_owned()),
    }
}

impl From<Place> for Raw {
    fn from(place: Place) -> Self {
        let mut raw = Self { strip: place.strip, ..Self::default() };
        match place.at {
            At::Header(names) => {
                let mut names: Vec<_> = names.iter().map(|name| name.as_str().to_owned()).collect();
                raw.header =
                    Some(if names.len() == 1 { OneOrMany::One(names.remove(0)) } else { OneOrMany::Many(names) });
            }
            At::Query(name) => raw.query = Some(name),
            At::Form(name) => raw.form = Some(name),
            At::Json(path) => raw.json = Some(path),
            At::Basic => raw.basic = true,
        }
        if let Some(List { split, equals, part, from, count }) = place.list {
            raw.split = Some(split);
            raw.equals = equals;
            raw.part = part;
            raw.from = (from > 0).then_some(from);
            raw.count = count;
        }
        raw
    }
}

/// Parts an object into the members of `Own` and those of a place. Members of neither are an error.
pub(super) fn parted<Own: DeserializeOwned>(
    mut members: Map<String, Value>,
    own: &[&str],
) -> Result<(Own, Place), String> {
    let mine: Map<_, _> = own.iter().filter_map(|name| members.remove_entry(*name)).collect();
    let mine = serde_json::from_value(Value::Object(mine)).map_err(|error| error.to_string())?;
    let place = serde_json::from_value(Value::Object(members)).map_err(|error| error.to_string())?;
    Ok((mine, place))
}

/// The opposite of [`parted`].
pub(super) fn joined<Own: Serialize>(own: &Own, place: &Place) -> Map<String, Value> {
    let mut members = Map::new();
    for part in [serde_json::to_value(own), serde_json::to_value(place)] {
        if let Ok(Value::Object(part)) = part {
            members.extend(part);
        }
    }
    members
}

impl Place {
    /// The one text at the place.
    ///
    /// # Errors
    /// When there is none, or not exactly one.
    pub fn text<'v>(&self, view: &'v View<'_>) -> Result<Cow<'v, str>, Absent> {
        let mut texts = self.texts(view)?;
        match (texts.pop(), texts.is_empty()) {
            (Some(text), true) => Ok(text),
            (None, _) => Err(Absent::Missing),
            (Some(_), false) => Err(Absent::Malformed),
        }
    }

    /// All texts at the place: more than one only where it is a list.
    ///
    /// # Errors
    /// When there is none, or something that is no text.
    pub fn texts<'v>(&self, view: &'v View<'_>) -> Result<Vec<Cow<'v, str>>, Absent> {
        let whole = self.whole(view)?;
        let Some(list) = &self.list else { return Ok(vec![self.stripped(whole)?]) };
        if whole.matches(list.split.as_str()).count() >= MAX_PARTS {
            return Err(Absent::Malformed);
        }
        let parts = whole.split(list.split.as_str()).map(str::trim);
        let counted = parts.skip(list.from).take(list.count.unwrap_or(MAX_PARTS));
        let mut texts = Vec::new();
        for part in counted {
            let value = match &list.equals {
                None => part,
                Some(equals) => {
                    let (name, value) = part.split_once(equals.as_str()).ok_or(Absent::Malformed)?;
                    if list.part.as_deref().is_some_and(|wanted| wanted != name.trim()) {
                        continue;
                    }
                    value
                }
            };
            texts.push(self.stripped(Cow::Owned(value.to_owned()))?);
        }
        if texts.is_empty() { Err(Absent::Missing) } else { Ok(texts) }
    }

    fn whole<'v>(&self, view: &'v View<'_>) -> Result<Cow<'v, str>, Absent> {
        match &self.at {
            At::Header(names) => {
                let present = names.iter().find(|name| view.request().headers.contains_key(*name));
                view.header(present.ok_or(Absent::Missing)?.as_str()).map(Cow::Borrowed)
            }
            At::Query(name) => view.parameter(name),
            At::Form(name) => view.field(name),
            At::Json(path) => {
                let found = path.at(view.json().ok_or(Absent::Missing)?).ok_or(Absent::Missing)?;
                match found {
                    Value::String(text) => Ok(Cow::Borrowed(text)),
                    Value::Null => Err(Absent::Missing),
                    _ => path.find(view.json().ok_or(Absent::Missing)?).map(Cow::Owned).ok_or(Absent::Malformed),
                }
            }
            At::Basic => {
                let value = view.header("authorization")?;
                let (scheme, encoded) = value.split_once(' ').ok_or(Absent::Malformed)?;
                if !scheme.eq_ignore_ascii_case("basic") {
                    return Err(Absent::Malformed);
                }
                let pair = BASE64.decode(encoded.trim()).map_err(|_| Absent::Malformed)?;
                String::from_utf8(pair).map(Cow::Owned).map_err(|_| Absent::Malformed)
            }
        }
    }

    fn stripped<'v>(&self, text: Cow<'v, str>) -> Result<Cow<'v, str>, Absent> {
        let Some(prefix) = &self.strip else { return Ok(text) };
        match text {
            Cow::Borrowed(text) => text.strip_prefix(prefix.as_str()).map(Cow::Borrowed),
            Cow::Owned(text) => text.strip_prefix(prefix.as_str()).map(|rest| Cow::Owned(rest.to_owned())),
        }
        .ok_or(Absent::Malformed)
    }

    /// The headers that hold it; they may carry a credential.
    pub(super) fn headers(&self) -> impl Iterator<Item = &str> {
        let (named, basic): (&[HeaderName], _) = match &self.at {
            At::Header(names) => (names, None),
            At::Basic => (&[], Some("authorization")),
            At::Query(_) | At::Form(_) | At::Json(_) => (&[], None),
        };
        named.iter().map(HeaderName::as_str).chain(basic)
    }
}
