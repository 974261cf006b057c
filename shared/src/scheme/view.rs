//! A request as a row looks at it: headers, query, form and JSON, each read once and only when a row asks.

use std::borrow::Cow;
use std::cell::OnceCell;

use http::HeaderMap;
use serde_json::Value;
use url::form_urlencoded;

/// The most fields of a form or a query string that are looked at.
const MAX_FIELDS: usize = 1_000;
/// The largest body that is read before a request has proved itself, in bytes.
const MAX_UNPROVEN_BYTES: usize = 512 * 1024;

/// Why a text is not found at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// There is none.
    Missing,
    /// There is more than one, or something else than a text.
    Malformed,
}

/// What a request shows to a row.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The HTTP method, in upper case.
    pub method: &'a str,
    /// What stands before the path in the URL that the sender was given: scheme, host and port.
    pub base_url: &'a str,
    /// Path and query string, as they were sent.
    pub path_and_query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, as it came.
    pub body: &'a [u8],
}

/// A request, and what was read of it so far.
pub struct View<'a> {
    request: Request<'a>,
    json: Json<'a>,
    form: OnceCell<Option<Vec<Field<'a>>>>,
    /// The largest body that is read as JSON or as a form, in bytes.
    most: usize,
}

/// The name of a field, and its value.
type Field<'a> = (Cow<'a, str>, Cow<'a, str>);

enum Json<'a> {
    /// The body, once it was read; `None`: it is not JSON.
    Body(OnceCell<Option<Value>>),
    /// One element of a list in the body.
    Element(&'a Value),
}

impl<'a> View<'a> {
    /// A view of `request` of which nothing was read yet.
    #[must_use]
    pub fn new(request: Request<'a>) -> Self {
        Self { request, json: Json::Body(OnceCell::new()), form: OnceCell::new(), most: usize::MAX }
    }

    /// A view of a request that has proved nothing yet. A body beyond 512 KiB is not read: as values it would take many
    /// times its size.
    #[must_use]
    pub fn unproven(request: Request<'a>) -> Self {
        Self { most: MAX_UNPROVEN_BYTES, ..Self::new(request) }
    }

    /// The same request, with an element of a list in its body in place of the body's JSON.
    #[must_use]
    pub fn at<'e>(&'e self, element: &'e Value) -> View<'e> {
        View { request: self.request, json: Json::Element(element), form: OnceCell::new(), most: self.most }
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request<'a> {
        &self.request
    }

    /// The path, without the query string.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.request.path_and_query.split_once('?').map_or(self.request.path_and_query, |(path, _)| path)
    }

    /// The query string, as it was sent.
    #[must_use]
    pub fn query(&self) -> &'a str {
        self.request.path_and_query.split_once('?').map_or("", |(_, query)| query)
    }

    /// The JSON that places begin at; `None` when the body is none.
    #[must_use]
    pub fn json(&self) -> Option<&Value> {
        match &self.json {
            Json::Body(cell) => cell.get_or_init(|| serde_json::from_slice(self.readable()?).ok()).as_ref(),
            Json::Element(value) => Some(value),
        }
    }

    fn readable(&self) -> Option<&'a [u8]> {
        Some(self.request.body).filter(|body| body.len() <= self.most)
    }

    /// The fields of the form in the body, in their order; none when the body says it is something else.
    #[must_use]
    pub fn form(&self) -> &[Field<'a>] {
        let fields = self.form.get_or_init(|| {
            let content_type = self.request.headers.get(http::header::CONTENT_TYPE)?;
            let is_form = crate::inbound::is_form(content_type.as_bytes());
            let body = self.readable().filter(|_| is_form)?;
            Some(form_urlencoded::parse(body).take(MAX_FIELDS + 1).collect())
        });
        fields.as_deref().unwrap_or_default()
    }

    /// Tells whether the body says that it is a form.
    #[must_use]
    pub fn is_form(&self) -> bool {
        let content_type = self.request.headers.get(http::header::CONTENT_TYPE);
        content_type.is_some_and(|kind| crate::inbound::is_form(kind.as_bytes()))
    }

    /// Tells whether the form has more fields than are looked at.
    #[must_use]
    pub fn is_beyond_limits(&self) -> bool {
        self.form().len() > MAX_FIELDS
    }

    /// The one parameter of the query string with this name.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn parameter(&self, name: &str) -> Result<Cow<'a, str>, Absent> {
        only(form_urlencoded::parse(self.query().as_bytes()).take(MAX_FIELDS), name)
    }

    /// The one field of the form with this name.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn field(&self, name: &str) -> Result<Cow<'_, str>, Absent> {
        only(self.form().iter().map(|(name, value)| (Cow::Borrowed(&**name), Cow::Borrowed(&**value))), name)
    }

    /// The one header with this name, trimmed.
    ///
    /// # Errors
    /// When there is none, more than one, or one that is no text.
    pub fn header(&self, name: &str) -> Result<&'a str, Absent> {
        let mut values = self.request.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Err(Absent::Missing),
            (Some(value), None) => std::str::from_utf8(value.as_bytes()).map(str::trim).map_err(|_| Absent::Malformed),
            (Some(_), Some(_)) => Err(Absent::Malformed),
        }
    }
}

fn only<'v>(pairs: impl Iterator<Item = (Cow<'v, str>, Cow<'v, str>)>, name: &str) -> Result<Cow<'v, str>, Absent> {
    let mut found = pairs.filter(|(found, _)| found == name);
    match (found.next(), found.next()) {
        (None, _) => Err(Absent::Missing),
        (Some((_, value)), None) => Ok(value),
        (Some(_), Some(_)) => Err(Absent::Malformed),
    }
}
