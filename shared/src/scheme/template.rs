//! Templates: what is signed or answered, as text with pieces of the request in it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::place::{At, Place, header_name};
use super::view::{Absent, View};
use crate::domain::key_path::KeyPath;
use crate::scheme::settings::Settings;

/// The longest template, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 2_048;
/// The most pieces of one template.
const MAX_PIECES: usize = 64;

/// Text with pieces of a request in it, such as `v0:{timestamp}:{body}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

/// One piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Text as it stands there.
    Text(String),
    /// The body, as it came.
    Body,
    /// The time, as it was sent.
    Timestamp,
    /// The id, as it was sent.
    Id,
    /// The HTTP method.
    Method,
    /// The URL that the sender was given, with the query string as it was sent.
    Url,
    /// The same, decoded as HubSpot does.
    UrlDecoded,
    /// The path.
    Path,
    /// The query string, as it was sent.
    Query,
    /// The secret itself.
    Secret,
    /// A setting.
    Setting(String),
    /// The text at a place.
    At {
        /// The place.
        place: Place,
        /// Whether it is empty when there is none.
        is_optional: bool,
    },
    /// The fields of the form, sorted by name, each name followed by its value.
    FormSorted,
    /// The SHA-256 of the body, in hex.
    BodySha256,
    /// The CRC-32 of the body, in decimal.
    BodyCrc32,
    /// A text member of the JSON body: its name, a line feed, its value, a line feed.
    Line {
        /// The member.
        name: String,
        /// Whether it is nothing when it is not there.
        is_optional: bool,
        /// Whether the value may have line feeds: only the first one's, or a value could pass for the lines after it.
        is_first: bool,
    },
    /// What a handshake computes.
    Hash,
}

/// What pieces are taken from.
pub struct Context<'a, 'v> {
    /// The request.
    pub view: &'a View<'v>,
    /// The time, as it was sent.
    pub timestamp: Option<&'a str>,
    /// The id, as it was sent.
    pub id: Option<&'a str>,
    /// The secret.
    pub secret: Option<&'a [u8]>,
    /// The settings.
    pub settings: &'a Settings,
    /// What was computed.
    pub hash: Option<&'a str>,
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() > MAX_TEMPLATE_BYTES {
            return Err(format!("a template has at most {MAX_TEMPLATE_BYTES} bytes"));
        }
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text.as_str());
        while let Some(at) = rest.find('{') {
            plain.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('{') {
                plain.push('{');
                rest = after;
                continue;
            }
            let (name, after) = rest.split_once('}').ok_or("a piece of a template has no end")?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            let is_first = pieces.is_empty();
            pieces.push(match name.strip_prefix("line") {
                Some(line) => line_of(line, is_first)?,
                None => piece(name)?,
            });
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        if pieces.len() > MAX_PIECES {
            return Err(format!("a template has at most {MAX_PIECES} pieces"));
        }
        Ok(Self { text, pieces })
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

/// Reads `:Name` or `?:Name`.
fn line_of(text: &str, is_first: bool) -> Result<Piece, String> {
    let (is_optional, rest) = text.strip_prefix('?').map_or((false, text), |rest| (true, rest));
    match rest.strip_prefix(':').filter(|name| !name.is_empty()) {
        Some(name) => Ok(Piece::Line { name: name.to_owned(), is_optional, is_first }),
        None => Err(format!("{{line{text}}} is no piece of a template")),
    }
}

fn piece(name: &str) -> Result<Piece, String> {
    let (kind, argument) = name.split_once(':').map_or((name, None), |(kind, argument)| (kind, Some(argument)));
    let (kind, is_optional) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
    let at = |at| Ok(Piece::At { place: Place { at, list: None, strip: None }, is_optional });
    match (kind, argument) {
        ("header", Some(name)) => at(At::Header(vec![header_name(name)?])),
        ("query", Some(name)) => at(At::Query(name.to_owned())),
        ("form", Some(name)) => at(At::Form(name.to_owned())),
        ("json", Some(path)) => at(At::Json(KeyPath::try_from(path.to_owned()).map_err(|error| error.to_string())?)),
        _ if is_optional => Err(format!("{{{name}}} cannot be optional")),
        ("body", None) => Ok(Piece::Body),
        ("timestamp", None) => Ok(Piece::Timestamp),
        ("id", None) => Ok(Piece::Id),
        ("method", None) => Ok(Piece::Method),
        ("url", None) => Ok(Piece::Url),
        ("url_decoded", None) => Ok(Piece::UrlDecoded),
        ("path", None) => Ok(Piece::Path),
        ("query", None) => Ok(Piece::Query),
        ("secret", None) => Ok(Piece::Secret),
        ("hash", None) => Ok(Piece::Hash),
        ("form_sorted", None) => Ok(Piece::FormSorted),
        ("setting", Some(name)) => Ok(Piece::Setting(name.to_owned())),
        ("sha256", Some("body")) => Ok(Piece::BodySha256),
        ("crc32", Some("body")) => Ok(Piece::BodyCrc32),
        _ => Err(format!("{{{name}}} is no piece of a template")),
    }
}

impl Template {
    /// Its pieces.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Its text, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Tells whether it has this piece.
    #[must_use]
    pub fn has(&self, piece: &Piece) -> bool {
        self.pieces.contains(piece)
    }

    /// The bytes, piece by piece, so that nobody copies a body to sign it.
    ///
    /// # Errors
    /// When something is not there that must be.
    pub fn render<'c>(&'c self, context: &Context<'c, '_>) -> Result<Vec<Cow<'c, [u8]>>, Absent> {
        self.pieces.iter().map(|piece| piece.render(context)).collect()
    }

    /// The text, for an answer.
    ///
    /// # Errors
    /// When something is not there that must be, or is no text.
    pub fn text(&self, context: &Context<'_, '_>) -> Result<String, Absent> {
        let bytes = self.render(context)?.concat();
        String::from_utf8(bytes).map_err(|_| Absent::Malformed)
    }
}

impl Piece {
    fn render<'c>(&'c self, context: &Context<'c, '_>) -> Result<Cow<'c, [u8]>, Absent> {
        let request = context.view.request();
        let text = |text: &'c str| Ok(Cow::Borrowed(text.as_bytes()));
        match self {
            Self::Text(plain) => text(plain),
            Self::Body => Ok(Cow::Borrowed(request.body)),
            Self::Timestamp => text(context.timestamp.ok_or(Absent::Missing)?),
            Self::Id => text(context.id.ok_or(Absent::Missing)?),
            Self::Method => text(request.method),
            Self::Url => Ok(owned(url_of(context))),
            Self::UrlDecoded => Ok(owned(decoded(&url_of(context)))),
            Self::Path => text(context.view.path()),
            Self::Query => text(context.view.query()),
            Self::Secret => context.secret.map(Cow::Borrowed).ok_or(Absent::Missing),
            Self::Setting(name) => text(context.settings.get(name).ok_or(Absent::Missing)?),
            Self::At { place, is_optional } => match place.text(context.view) {
                Ok(Cow::Borrowed(found)) => text(found),
                Ok(Cow::Owned(found)) => Ok(owned(found)),
                Err(Absent::Missing) if *is_optional => Ok(Cow::Borrowed(&[])),
                Err(absent) => Err(absent),
            },
            Self::FormSorted => {
                if context.view.is_beyond_limits() {
                    return Err(Absent::Malformed);
                }
                let mut fields: Vec<_> = context.view.form().iter().collect();
                fields.sort();
                // Twilio signs a field that came twice with one value once.
                fields.dedup();
                let mut all = String::new();
                for (name, value) in fields {
                    all.push_str(name);
                    all.push_str(value);
                }
                Ok(owned(all))
            }
            Self::BodySha256 => Ok(owned(hex::encode(Sha256::digest(request.body)))),
            Self::BodyCrc32 => Ok(owned(crc32fast::hash(request.body).to_string())),
            Self::Line { name, is_optional, is_first } => match context.view.json().and_then(|json| json.get(name)) {
                Some(Value::String(value)) if *is_first || !value.contains('\n') => {
                    Ok(owned(format!("{name}\n{value}\n")))
                }
                None if *is_optional => Ok(Cow::Borrowed(&[])),
                None => Err(Absent::Missing),
                Some(_) => Err(Absent::Malformed),
            },
            Self::Hash => text(context.hash.ok_or(Absent::Missing)?),
        }
    }
}

fn owned<'c>(text: String) -> Cow<'c, [u8]> {
    Cow::Owned(text.into_bytes())
}

/// The URL as the sender knows it: a setting says so where the request came through something that changes it.
fn url_of(context: &Context<'_, '_>) -> String {
    public_url(context.view, context.settings)
}

/// The same, for those who have no template.
pub(super) fn public_url(view: &View<'_>, settings: &Settings) -> String {
    let request = view.request();
    match settings.public_url() {
        Some(url) if view.query().is_empty() => url.to_owned(),
        Some(url) => format!("{url}?{}", view.query()),
        None => format!("{}{}", request.base_url, request.path_and_query),
    }
}

/// Decodes the characters that HubSpot decodes, and no other.
fn decoded(url: &str) -> String {
    const DECODED: [(&str, &str); 11] = [
        ("%3A", ":"),
        ("%2F", "/"),
        ("%3F", "?"),
        ("%40", "@"),
        ("%21", "!"),
        ("%24", "$"),
        ("%27", "'"),
        ("%28", "("),
        ("%29", ")"),
        ("%2A", "*"),
        ("%2C", ","),
    ];
    let mut url = url.to_owned();
    for (encoded, plain) in DECODED.into_iter().chain([("%3B", ";")]) {
        url = url.replace(encoded, plain).replace(&encoded.to_ascii_lowercase(), plain);
    }
    url
}
