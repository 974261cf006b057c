//! Tokens: fixed texts and compact JWS that stand elsewhere, in another form, or say something else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::form_urlencoded;

use super::bench::{Bench, Found};
use super::cause::Cause;
use super::detail::Written;
use super::headers::candidates;
use super::places::name_of;
use super::time::claims;
use crate::scheme::algorithm::Encoding;
use crate::scheme::place::{At, Place};
use crate::scheme::view::{Absent, View};
use crate::scheme::{Jws, Scheme, Token};

/// What stands before a token most often.
const PREFIXES: [&str; 6] = ["Bearer ", "bearer ", "Token ", "token ", "Basic ", "ApiKey "];
/// The most parameters of a query string that are looked at.
const MAX_PARAMETERS: usize = 20;
/// The algorithms of tokens that are known and do not count.
const ALGORITHMS: [&str; 13] = [
    "none", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
];

/// Varies where a token stands, and what stands before it.
pub(super) fn find(bench: &Bench<'_>) -> Option<Found> {
    let (place, with): (&Place, Box<dyn Fn(Place) -> Scheme + '_>) = match &bench.scheme {
        Scheme::Token(row) => (&row.place, Box::new(|place| Scheme::Token(Token { place, each: row.each.clone() }))),
        Scheme::Jws(row) => (&row.place, Box::new(|place| Scheme::Jws(Jws { place, ..row.clone() }))),
        Scheme::Signature(_) | Scheme::HttpMessageSignature(_) => return None,
    };
    let view = View::new(bench.case.request);
    let is_elsewhere = matches!(place.text(&view), Err(Absent::Missing));
    let cause = if is_elsewhere {
        elsewhere(bench, place, &*with)
    } else {
        prefix(bench, place, &*with).or_else(|| encoded(bench))
    };
    cause.map(Found::from)
}

fn prefix(bench: &Bench<'_>, place: &Place, with: &dyn Fn(Place) -> Scheme) -> Option<Cause> {
    let forms = std::iter::once(None).chain(PREFIXES.map(Some)).map(|strip| strip.map(str::to_owned));
    for strip in forms.filter(|strip| *strip != place.strip) {
        if bench.with_scheme(&with(Place { strip, ..place.clone() })) {
            return Some(Cause::WrongPrefix { expected: place.strip.clone() });
        }
    }
    None
}

fn elsewhere(bench: &Bench<'_>, place: &Place, with: &dyn Fn(Place) -> Scheme) -> Option<Cause> {
    let view = View::new(bench.case.request);
    let parameters = form_urlencoded::parse(view.query().as_bytes()).take(MAX_PARAMETERS);
    let parameters = parameters.map(|(name, _)| At::Query(name.into_owned()));
    let places = candidates(bench).map(|name| At::Header(vec![name.clone()])).chain(parameters);
    for at in places {
        for strip in [None, Some("Bearer "), place.strip.as_deref()] {
            let found = Place { at: at.clone(), list: None, strip: strip.map(str::to_owned) };
            let name = name_of(&found);
            if bench.with_scheme(&with(found)) {
                return Some(Cause::WrongHeader { found: name, expected: name_of(place) });
            }
        }
    }
    None
}

/// A fixed text that was sent in base64 or hex.
fn encoded(bench: &Bench<'_>) -> Option<Cause> {
    let Scheme::Token(_) = &bench.scheme else { return None };
    for own in &bench.own {
        let text = own.expose_secret();
        for (found, sent) in [(Written::Base64, STANDARD.encode(text)), (Written::Hex, hex::encode(text))] {
            if bench.with_secrets(&[&SecretString::from(sent)]) {
                return Some(Cause::WrongEncoding { expected: Written::Text, found });
            }
        }
    }
    None
}

/// The claim of a signed token that is not what it should be.
pub(super) fn claim(bench: &Bench<'_>) -> Option<Cause> {
    let Scheme::Jws(row) = &bench.scheme else { return None };
    let view = View::new(bench.case.request);
    let claims = claims(&row.place.text(&view).ok()?)?;
    let is_foreign =
        row.issuer.as_deref().is_some_and(|wanted| claims.get("iss").and_then(Value::as_str) != Some(wanted));
    let claim = if is_foreign { "iss" } else { "iat" };
    Some(Cause::ClaimDiffers { claim: claim.to_owned() })
}

/// The algorithm that a token names, if that is what is wrong with it.
pub(super) fn algorithm(bench: &Bench<'_>) -> Option<Cause> {
    let Scheme::Jws(row) = &bench.scheme else { return None };
    let view = View::new(bench.case.request);
    let token = row.place.text(&view).ok()?;
    let header = Encoding::Base64Url.decode_long(token.split('.').next()?)?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    let named = header.get("alg").and_then(Value::as_str).filter(|named| *named != "HS256")?;
    let found = ALGORITHMS.into_iter().find(|known| *known == named).unwrap_or("unlisted");
    Some(Cause::WrongAlgorithm { found: found.to_owned() })
}
