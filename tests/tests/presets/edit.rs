//! Changes to a request at the places where a row looks.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::domain::key_path::KeyPath;
use hookport::scheme::place::{At, List, Place};
use hookport::scheme::signature::Each;
use hookport::scheme::view::View;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::vectors::Shown;

/// What becomes of a text; `None` takes it away.
pub type Change<'c> = &'c dyn Fn(&str) -> Option<String>;

/// The whole text at a place, with whatever else stands there.
pub fn whole(shown: &Shown, at: &At) -> Option<String> {
    text(shown, &Place { at: at.clone(), list: None, strip: None })
}

/// The one text at a place.
pub fn text(shown: &Shown, place: &Place) -> Option<String> {
    let view = View::new(shown.as_request());
    place.text(&view).ok().map(Cow::into_owned)
}

/// The same request with another whole text at a place, or none. `None` when it cannot stand there.
pub fn put(shown: &Shown, at: &At, text: Option<&str>) -> Option<Shown> {
    let mut shown = shown.clone();
    match at {
        At::Header(names) => {
            let name = names.iter().find(|name| shown.headers.contains_key(*name)).or(names.first())?.clone();
            for name in names {
                shown.headers.remove(name);
            }
            if let Some(text) = text {
                shown.headers.insert(name, HeaderValue::from_bytes(text.as_bytes()).ok()?);
            }
        }
        At::Basic => {
            shown.headers.remove(AUTHORIZATION);
            if let Some(text) = text {
                let value = format!("Basic {}", STANDARD.encode(text));
                shown.headers.insert(AUTHORIZATION, HeaderValue::try_from(value).ok()?);
            }
        }
        At::Query(name) => {
            let (path, query) = shown.path_and_query.split_once('?').unwrap_or((&shown.path_and_query, ""));
            let query = paired(query, name, text);
            let all = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
            shown.path_and_query = all;
        }
        At::Form(name) => {
            let form = paired(std::str::from_utf8(&shown.body).ok()?, name, text);
            shown.body = form.into_bytes();
        }
        At::Json(path) => {
            let mut json: Value = serde_json::from_slice(&shown.body).ok()?;
            let member = path.at_mut(&mut json)?;
            let changed = match (text, &*member) {
                (None, _) => Value::Null,
                (Some(text), Value::Number(_)) => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
                (Some(text), _) => Value::from(text),
            };
            *member = changed;
            shown.body = json.to_string().into_bytes();
        }
    }
    Some(shown)
}

/// The same request with something else in its JSON body.
pub fn put_json(shown: &Shown, path: &KeyPath, value: Value) -> Option<Shown> {
    let mut json: Value = serde_json::from_slice(&shown.body).ok()?;
    *path.at_mut(&mut json)? = value;
    Some(Shown { body: json.to_string().into_bytes(), ..shown.clone() })
}

/// `name=value` pairs with another value for one name, or without it.
fn paired(pairs: &str, name: &str, value: Option<&str>) -> String {
    let new = value.map(|value| format!("{}={}", encoded(name), encoded(value)));
    let (mut kept, mut is_there) = (Vec::new(), false);
    for pair in pairs.split('&').filter(|pair| !pair.is_empty()) {
        let found = pair.split('=').next().unwrap_or_default();
        if found == name || found == encoded(name) {
            is_there = true;
            kept.extend(new.clone());
        } else {
            kept.push(pair.to_owned());
        }
    }
    if !is_there {
        kept.extend(new);
    }
    kept.join("&")
}

/// A text as it stands in a query string or a form.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-_.".contains(&b) {
            encoded.push(char::from(b));
        } else {
            encoded.push_str(&format!("%{b:02X}"));
        }
    }
    encoded
}

/// The same request with each text that counts at a place changed. `None` when there is none.
pub fn edit(shown: &Shown, place: &Place, change: Change<'_>) -> Option<Shown> {
    let whole = whole(shown, &place.at)?;
    let prefix = place.strip.as_deref().unwrap_or_default();
    let changed = |text: &str| {
        let text = change(text.strip_prefix(prefix)?)?;
        Some(format!("{prefix}{text}"))
    };
    let Some(list) = &place.list else { return put(shown, &place.at, changed(&whole).as_deref()) };
    let mut parts = Vec::new();
    for (n, part) in whole.split(list.split.as_str()).map(str::trim).enumerate() {
        let equals = list.equals.as_deref();
        let named = equals.and_then(|equals| part.split_once(equals));
        let (name, value) = named.map_or(("", part), |(name, value)| (name, value));
        let is_counted = n >= list.from && list.count.is_none_or(|count| n - list.from < count);
        let is_named = list.part.as_deref().is_none_or(|wanted| wanted == name.trim());
        if is_counted && is_named {
            let lead = equals.filter(|_| named.is_some()).map_or_else(String::new, |equals| format!("{name}{equals}"));
            parts.extend(changed(value).map(|text| format!("{lead}{text}")));
        } else {
            parts.push(part.to_owned());
        }
    }
    put(shown, &place.at, Some(&parts.join(list.split.as_str())))
}

/// A change at all of some places; `None` when it could be made at none of them.
pub fn at_all(shown: &Shown, places: &[Place], change: impl Fn(&Shown, &Place) -> Option<Shown>) -> Option<Shown> {
    let mut changed: Option<Shown> = None;
    for place in places {
        let next = change(changed.as_ref().unwrap_or(shown), place);
        changed = next.or(changed);
    }
    changed
}

/// The same request with the text of a place under another name.
pub fn renamed(shown: &Shown, at: &At) -> Option<Shown> {
    let text = match at {
        At::Basic => whole(shown, &header(AUTHORIZATION))?,
        _ => whole(shown, at)?,
    };
    let other = match at {
        At::Header(_) | At::Basic => header(HeaderName::from_static("x-another-name")),
        At::Query(name) => At::Query(format!("{name}-x")),
        At::Form(name) => At::Form(format!("{name}-x")),
        At::Json(_) => return None,
    };
    put(&put(shown, at, None)?, &other, Some(&text))
}

/// The same request with the text of a place twice.
pub fn twice(shown: &Shown, at: &At) -> Option<Shown> {
    let text = whole(shown, at)?;
    let mut shown = shown.clone();
    match at {
        At::Header(names) => {
            let name = names.iter().find(|name| shown.headers.contains_key(*name))?;
            let value = shown.headers.get(name)?.clone();
            shown.headers.append(name.clone(), value);
        }
        At::Basic => {
            let value = shown.headers.get(AUTHORIZATION)?.clone();
            shown.headers.append(AUTHORIZATION, value);
        }
        At::Query(name) => {
            let pair = format!("&{}={}", encoded(name), encoded(&text));
            shown.path_and_query.push_str(&pair);
        }
        At::Form(name) => shown.body.extend(format!("&{}={}", encoded(name), encoded(&text)).into_bytes()),
        At::Json(_) => return None,
    }
    Some(shown)
}

/// The same request with a list where the JSON body has a text.
pub fn no_text(shown: &Shown, at: &At) -> Option<Shown> {
    let At::Json(path) = at else { return None };
    put_json(shown, path, Value::from(vec![whole(shown, at)?]))
}

/// The same request with the counted parts of a list under another name.
pub fn misnamed(shown: &Shown, place: &Place) -> Option<Shown> {
    let list = place.list.as_ref()?;
    let (wanted, equals) = (list.part.as_deref()?, list.equals.as_deref()?);
    let parts = List { equals: None, part: None, ..list.clone() };
    let parts = Place { at: place.at.clone(), list: Some(parts), strip: None };
    edit(shown, &parts, &|part| {
        Some(match part.split_once(equals) {
            Some((name, value)) if name.trim() == wanted => format!("{name}x{equals}{value}"),
            _ => part.to_owned(),
        })
    })
}

/// The same request with something else before the texts of a place than must be there.
pub fn unprefixed(shown: &Shown, place: &Place, lead: &str) -> Option<Shown> {
    let prefix = place.strip.as_deref()?;
    let bare = Place { strip: None, ..place.clone() };
    edit(shown, &bare, &|text| Some(format!("{lead}{}", text.strip_prefix(prefix)?)))
}

/// A header as a place.
pub fn header(name: HeaderName) -> At {
    At::Header(vec![name])
}

/// A place in the first element of a list as one in the body.
pub fn absolute(place: &Place, each: Option<&Each>) -> Place {
    match (&place.at, each) {
        (At::Json(path), Some(each)) => Place { at: At::Json(element(each, 0, path)), ..place.clone() },
        _ => place.clone(),
    }
}

/// A path in an element of a list as one in the body.
pub fn element(each: &Each, n: usize, path: &KeyPath) -> KeyPath {
    let rest = path.as_str().strip_prefix('$').unwrap_or_default();
    KeyPath::try_from(format!("{}[{n}]{rest}", each.json.as_str())).expect("a path in a path")
}

/// The same URL for somewhere that it must not lead to.
pub fn foreign_urls(url: &str) -> Vec<(&'static str, String)> {
    let (host, path) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/')).expect("a URL with a path");
    vec![
        ("without TLS", format!("http://{host}/{path}")),
        ("at another port", format!("https://{host}:8443/{path}")),
        ("with a user", format!("https://user@{host}/{path}")),
        ("with a password", format!("https://user:password@{host}/{path}")),
        ("at another host", format!("https://hooks.example.com/{path}")),
        ("at a host that begins so", format!("https://{host}.example.com/{path}")),
        ("at a host that ends so", format!("https://evil{host}/{path}")),
        ("at a label too many", format!("https://evil.{host}/{path}")),
        ("with the host as a user", format!("https://{host}@hooks.example.com/{path}")),
        ("at an address", format!("https://192.0.2.1/{path}")),
        ("of another scheme", format!("ftp://{host}/{path}")),
        ("that is a path", format!("/{path}")),
        ("that is empty", String::new()),
    ]
}
