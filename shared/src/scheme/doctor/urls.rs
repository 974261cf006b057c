//! URLs and methods: what the sender signed for may be written otherwise than what the request came to.

use std::collections::HashSet;

use url::form_urlencoded;

use super::bench::{Bench, Found, Trial};
use super::cause::Cause;
use super::places::settings_of;
use crate::scheme::Scheme;
use crate::scheme::settings::{PUBLIC_URL, Settings};
use crate::scheme::template::Piece;
use crate::scheme::view::{Request, View};

/// The most URLs that are tried.
const MAX_URLS: usize = 90;
/// The headers in which a proxy says under which host it was asked.
const HOST_HEADERS: [&str; 3] = ["host", "x-forwarded-host", "x-original-host"];
/// The headers in which a proxy says which part of the path it took off.
const PREFIX_HEADERS: [&str; 2] = ["x-forwarded-prefix", "x-forwarded-path"];
/// The headers in which a proxy says which path it was asked for.
const PATH_HEADERS: [&str; 4] = ["x-original-uri", "x-original-url", "x-rewrite-url", "x-forwarded-uri"];
/// What gateways put before paths most often.
const STAGES: [&str; 3] = ["/prod", "/dev", "/staging"];
/// The methods that are tried.
const METHODS: [&str; 7] = ["POST", "GET", "PUT", "PATCH", "DELETE", "post", "get"];

/// A URL in parts that are varied each.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Parts {
    scheme: String,
    authority: String,
    path: String,
    query: Option<String>,
}

/// Varies the URL alone, and then the method.
pub(super) fn find(bench: &Bench<'_>) -> Option<Found> {
    let signs = |pieces: &[Piece]| match &bench.scheme {
        Scheme::Signature(row) => pieces.iter().any(|piece| row.signed.has(piece)),
        Scheme::HttpMessageSignature(_) => true,
        Scheme::Token(_) | Scheme::Jws(_) => false,
    };
    let is_by_url = signs(&[Piece::Url, Piece::UrlDecoded, Piece::Path, Piece::Query]);
    let url = is_by_url.then(|| another_url(bench)).flatten();
    let method = || signs(&[Piece::Method]).then(|| another_method(bench)).flatten();
    url.or_else(method).map(Found::from)
}

fn another_method(bench: &Bench<'_>) -> Option<Cause> {
    let others = METHODS.into_iter().filter(|method| *method != bench.case.request.method);
    for method in others {
        let request = Request { method, ..bench.case.request };
        if bench.holds(&Trial { request, ..bench.trial() }) {
            return Some(Cause::MethodDiffers { signed: method.to_owned() });
        }
    }
    None
}

fn another_url(bench: &Bench<'_>) -> Option<Cause> {
    // The setting says what the URL is, whatever the request says: without it, the request is what is varied.
    let mut settings = settings_of(bench);
    settings.remove(PUBLIC_URL);
    let settings = Settings::from(settings);
    for url in candidates(bench) {
        let base_url = format!("{}://{}", url.scheme, url.authority);
        let path_and_query = match &url.query {
            Some(query) => format!("{}?{query}", url.path),
            None => url.path.clone(),
        };
        let request = Request { base_url: &base_url, path_and_query: &path_and_query, ..bench.case.request };
        if bench.holds(&Trial { request, settings: &settings, ..bench.trial() }) {
            return Some(Cause::UrlDiffers { signed: shown(&base_url, &url) });
        }
    }
    None
}

/// A URL without the values of its query string.
fn shown(base_url: &str, url: &Parts) -> String {
    let mut shown = format!("{base_url}{}", url.path);
    if let Some(query) = &url.query {
        let names: Vec<_> = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| format!("{name}=…")).collect();
        shown.push('?');
        shown.push_str(&names.join("&"));
    }
    shown
}

/// The URLs that differ in one part from that of the request, then those that differ in two.
fn candidates(bench: &Bench<'_>) -> Vec<Parts> {
    let request = &bench.case.request;
    let asked = format!("{}{}", request.base_url, request.path_and_query);
    let known = match bench.case.settings.public_url() {
        Some(url) if View::new(*request).query().is_empty() || url.contains('?') => url.to_owned(),
        Some(url) => format!("{url}?{}", View::new(*request).query()),
        None => asked.clone(),
    };
    let Some(own) = parts(&known) else { return Vec::new() };
    let schemes = [own.scheme.clone(), if own.scheme == "https" { "http" } else { "https" }.to_owned()];
    let (authorities, paths, queries) = (authorities(bench, &own), paths(bench, &own), queries(&own));
    let mut found = Vec::new();
    let mut tried = HashSet::from([own.clone()]);
    let mut add = |url: Parts| {
        if found.len() < MAX_URLS && tried.insert(url.clone()) {
            found.push(url);
        }
    };
    parts(&asked).into_iter().for_each(&mut add);
    for differences in [1, 2] {
        for (q, query) in queries.iter().enumerate() {
            for (p, path) in paths.iter().enumerate() {
                for (a, authority) in authorities.iter().enumerate() {
                    for (s, scheme) in schemes.iter().enumerate() {
                        if [s, a, p, q].into_iter().filter(|n| *n > 0).count() == differences {
                            let (scheme, authority) = (scheme.clone(), authority.clone());
                            add(Parts { scheme, authority, path: path.clone(), query: query.clone() });
                        }
                    }
                }
            }
        }
    }
    found
}

fn parts(url: &str) -> Option<Parts> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    Some(Parts { scheme: scheme.to_owned(), authority: authority.to_owned(), path: path.to_owned(), query })
}

/// The host and port as they are, without the port, with those that are not written, and as proxies say.
fn authorities(bench: &Bench<'_>, own: &Parts) -> Vec<String> {
    let bare = |authority: &str| match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|c| c.is_ascii_digit()) => host.to_owned(),
        _ => authority.to_owned(),
    };
    let host = bare(&own.authority);
    let mut all = vec![own.authority.clone(), format!("{host}:443"), format!("{host}:80"), host];
    let view = View::new(bench.case.request);
    for name in HOST_HEADERS {
        if let Ok(value) = view.header(name) {
            let first = value.split(',').next().unwrap_or_default().trim();
            all.extend([first.to_owned(), bare(first)]);
        }
    }
    distinct(all)
}

/// The path as it is, with or without a slash at its end, and with or without what gateways put before it.
fn paths(bench: &Bench<'_>, own: &Parts) -> Vec<String> {
    let path = own.path.as_str();
    let mut all = vec![path.to_owned()];
    all.push(path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned));
    if let Some((_, rest)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) {
        all.push(format!("/{rest}"));
    }
    let view = View::new(bench.case.request);
    for value in PREFIX_HEADERS.into_iter().filter_map(|name| view.header(name).ok()) {
        all.push(format!("/{}{path}", value.trim_matches('/')));
    }
    for value in PATH_HEADERS.into_iter().filter_map(|name| view.header(name).ok()) {
        all.extend(value.split('?').next().filter(|path| path.starts_with('/')).map(str::to_owned));
    }
    all.extend(STAGES.map(|stage| format!("{stage}{path}")));
    distinct(all)
}

/// The query string as it is, none, and with blanks in the other form.
fn queries(own: &Parts) -> Vec<Option<String>> {
    let Some(query) = &own.query else { return vec![None] };
    let mut all = vec![Some(query.clone()), None];
    for varied in [query.replace('+', "%20"), query.replace("%20", "+")] {
        if varied != *query {
            all.push(Some(varied));
        }
    }
    all
}

fn distinct(all: Vec<String>) -> Vec<String> {
    let mut known = HashSet::new();
    all.into_iter().filter(|text| known.insert(text.clone())).collect()
}
