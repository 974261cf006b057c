//! A request in the making: texts are written to where a row reads them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use url::Url;
use url::form_urlencoded;

use super::{SignError, SignedRequest, Signer};
use crate::domain::key_path::KeyPath;
use crate::scheme::place::{At, List, Place};
use crate::scheme::preset::SampleRequest;
use crate::scheme::signature::{Each, TimeFormat};
use crate::scheme::view::{Request, View};

/// What a text of a sample begins with that is sent in base64.
const BASE64_MARK: &str = "@base64:";

/// A request in the making.
pub(super) struct Draft {
    method: String,
    base_url: String,
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: DraftBody,
    /// What the name of a part is that has none.
    nameless: String,
}

enum DraftBody {
    Json(Value),
    Form(Vec<(String, String)>),
    Text(String),
}

/// A draft as it would be sent now.
pub(super) struct Snapshot {
    method: String,
    base_url: String,
    path_and_query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Snapshot {
    pub(super) fn as_request(&self) -> Request<'_> {
        Request {
            method: &self.method,
            base_url: &self.base_url,
            path_and_query: &self.path_and_query,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// The texts that stand for what must be fresh.
struct Fresh {
    texts: BTreeMap<&'static str, String>,
}

impl Fresh {
    fn new(signer: &Signer<'_>) -> Self {
        let write = |format: TimeFormat| format.write(signer.now);
        let [a, b, c, d, ..] = signer.random;
        Self {
            texts: BTreeMap::from([
                // No more than 31 bits: some libraries of providers read no larger id.
                ("@number", (u32::from_be_bytes([a, b, c, d]) >> 1).to_string()),
                ("@uuid", uuid::Builder::from_random_bytes(signer.random).into_uuid().to_string()),
                ("@seconds", write(TimeFormat::Seconds)),
                ("@millis", write(TimeFormat::Milliseconds)),
                ("@rfc3339", write(TimeFormat::Rfc3339)),
            ]),
        }
    }

    fn fill(&self, text: &str) -> String {
        let encoded = text.strip_prefix(BASE64_MARK);
        let mut filled = encoded.unwrap_or(text).to_owned();
        for (marker, fresh) in &self.texts {
            filled = filled.replace(marker, fresh);
        }
        if encoded.is_some() { STANDARD.encode(filled) } else { filled }
    }

    fn fill_json(&self, json: &Value) -> Value {
        match json {
            Value::String(text) if ["@seconds", "@millis", "@number"].contains(&text.as_str()) => {
                self.fill(text).parse::<i64>().map_or_else(|_| json.clone(), Value::from)
            }
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(values) => values.iter().map(|value| self.fill_json(value)).collect(),
            Value::Object(members) => {
                let members = members.iter().map(|(name, value)| (name.clone(), self.fill_json(value)));
                Value::Object(members.collect::<Map<_, _>>())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => json.clone(),
        }
    }
}

impl Draft {
    pub(super) fn new(sample: &SampleRequest, url: &str, signer: &Signer<'_>) -> Result<Self, SignError> {
        let fresh = Fresh::new(signer);
        let parsed = Url::parse(url).map_err(|_| SignError::Url)?;
        let base_url = parsed.origin().ascii_serialization();
        let mut query: Vec<(String, String)> = parsed.query_pairs().into_owned().collect();
        query.extend(sample.query.iter().map(|(name, value)| (name.clone(), fresh.fill(value))));
        let mut draft = Self {
            method: sample.method.clone().unwrap_or_else(|| "POST".to_owned()),
            base_url,
            path: parsed.path().to_owned(),
            query,
            headers: HeaderMap::new(),
            body: DraftBody::Text(String::new()),
            nameless: signer.settings.only().unwrap_or("sample").to_owned(),
        };
        let kind = if let Some(json) = &sample.body {
            draft.body = DraftBody::Json(fresh.fill_json(json));
            "application/json"
        } else if let Some(form) = &sample.form {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), |text| fresh.fill(text));
            draft.body = DraftBody::Form(form.iter().map(|(name, value)| (name.clone(), text(value))).collect());
            "application/x-www-form-urlencoded"
        } else {
            draft.body = DraftBody::Text(fresh.fill(sample.text.as_deref().unwrap_or_default()));
            "text/plain"
        };
        draft.set_header("content-type", kind)?;
        for (name, value) in &sample.headers {
            draft.set_header(name, &fresh.fill(value))?;
        }
        Ok(draft)
    }

    pub(super) fn set_header(&mut self, name: &str, value: &str) -> Result<(), SignError> {
        let wrong = || SignError::Sample(format!("a value of the header {name} that can be sent"));
        let parsed = HeaderName::try_from(name).map_err(|_| wrong())?;
        let value = HeaderValue::try_from(value).map_err(|_| wrong())?;
        self.headers.insert(parsed, value);
        Ok(())
    }

    pub(super) fn is_form(&self) -> bool {
        matches!(self.body, DraftBody::Form(_))
    }

    pub(super) fn body(&self) -> Vec<u8> {
        match &self.body {
            DraftBody::Json(json) => json.to_string().into_bytes(),
            DraftBody::Form(fields) => encoded(fields).into_bytes(),
            DraftBody::Text(text) => text.clone().into_bytes(),
        }
    }

    fn path_and_query(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, encoded(&self.query)) }
    }

    pub(super) fn request(&self) -> Snapshot {
        Snapshot {
            method: self.method.clone(),
            base_url: self.base_url.clone(),
            path_and_query: self.path_and_query(),
            headers: self.headers.clone(),
            body: self.body(),
        }
    }

    /// The text at a place, if there is one.
    pub(super) fn text(&self, place: &Place) -> Option<String> {
        let request = self.request();
        let view = View::new(request.as_request());
        place.text(&view).ok().map(std::borrow::Cow::into_owned).filter(|text| !text.is_empty())
    }

    /// What is signed one by one: the elements of a list, or the whole.
    pub(super) fn elements(&self, each: Option<&Each>) -> Vec<Option<usize>> {
        let Some(each) = each else { return vec![None] };
        let request = self.request();
        let view = View::new(request.as_request());
        let count = each.elements(&view).map_or(0, <[Value]>::len);
        (0..count).map(Some).collect()
    }

    /// Writes a text to a place, in an element of a list if it is one's.
    pub(super) fn write(
        &mut self,
        place: &Place,
        text: &str,
        element: Option<(usize, &Each)>,
    ) -> Result<(), SignError> {
        let text = format!("{}{text}", place.strip.as_deref().unwrap_or_default());
        let text = match &place.list {
            None => text,
            Some(list) => {
                let whole = self.whole(place).filter(|whole| !whole.is_empty());
                let laid_out = whole.as_deref().and_then(|whole| filled_in(whole, list, &text));
                let part = match &list.equals {
                    None => text,
                    Some(equals) => format!("{}{equals}{text}", list.part.as_deref().unwrap_or(&self.nameless)),
                };
                match (laid_out, whole) {
                    (Some(laid_out), _) => laid_out,
                    (None, Some(whole)) => format!("{whole}{}{part}", list.split),
                    (None, None) => part,
                }
            }
        };
        match &place.at {
            At::Header(names) => {
                let present = names.iter().find(|name| self.headers.contains_key(*name));
                let name = present.or(names.first()).map(ToString::to_string);
                self.set_header(&name.unwrap_or_default(), &text)
            }
            At::Basic => self.set_header("authorization", &format!("Basic {}", STANDARD.encode(text))),
            At::Query(name) => {
                set(&mut self.query, name, text);
                Ok(())
            }
            At::Form(name) => match &mut self.body {
                DraftBody::Form(fields) => {
                    set(fields, name, text);
                    Ok(())
                }
                DraftBody::Json(_) | DraftBody::Text(_) => Err(SignError::Sample("a form".to_owned())),
            },
            At::Json(path) => self.write_json(path, text, element),
        }
    }

    fn whole(&self, place: &Place) -> Option<String> {
        self.text(&Place { at: place.at.clone(), list: None, strip: None })
    }

    fn write_json(&mut self, path: &KeyPath, text: String, element: Option<(usize, &Each)>) -> Result<(), SignError> {
        let lacks = || SignError::Sample(format!("a member at {}", path.as_str()));
        let DraftBody::Json(json) = &mut self.body else { return Err(lacks()) };
        let root = match element {
            None => json,
            Some((n, each)) => each.json.at_mut(json).and_then(|list| list.get_mut(n)).ok_or_else(lacks)?,
        };
        let member = path.at_mut(root).ok_or_else(lacks)?;
        // A time stays the number that the sample says it is.
        *member = match (&*member, text.parse::<i64>()) {
            (Value::Number(_), Ok(number)) => Value::from(number),
            _ => Value::String(text),
        };
        Ok(())
    }

    pub(super) fn finish(self) -> SignedRequest {
        let Snapshot { method, base_url, path_and_query, headers, body } = self.request();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        SignedRequest { method, url: format!("{base_url}{path_and_query}"), headers: headers.collect(), body }
    }
}

/// A list of which the sample left this part empty, with the part: so a sample decides the order and the blanks.
fn filled_in(whole: &str, list: &List, text: &str) -> Option<String> {
    let empty = format!("{}{}", list.part.as_deref()?, list.equals.as_deref()?);
    let mut parts: Vec<_> = whole.split(list.split.as_str()).map(str::to_owned).collect();
    let part = parts.iter_mut().find(|part| part.trim() == empty)?;
    part.push_str(text);
    Some(parts.join(list.split.as_str()))
}

fn set(pairs: &mut Vec<(String, String)>, name: &str, value: String) {
    match pairs.iter_mut().find(|(found, _)| found == name) {
        Some((_, found)) => *found = value,
        None => pairs.push((name.to_owned(), value)),
    }
}

fn encoded(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
