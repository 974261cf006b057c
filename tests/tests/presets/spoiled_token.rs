//! What spoils a fixed text, and a compact JWS.

use std::borrow::Cow;

use hookport::domain::refusal::Refusal;
use hookport::scheme::algorithm::{Algorithm, Encoding, tag};
use hookport::scheme::key::KeyText;
use hookport::scheme::place::{At, Place};
use hookport::scheme::{Jws, Token};
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::edit::{absolute, edit, element, header, put, put_json, text, whole};
use crate::spoiled::Spoils;
use crate::spoiled_key::other_secret;
use crate::spoiled_signature::{spoil_bytes, spoil_list};

pub fn spoil_token(row: &Token, spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    let place = absolute(&row.place, row.each.as_ref());
    let with = |change: fn(&str) -> Option<String>| edit(shown, &place, &change);
    spoils.add("token missing", with(|_| None));
    spoils.add("token empty", with(|_| Some(String::new())));
    spoils.add("first byte of the token changed", with(|text| Some(changed(text, 0))));
    spoils.add("last byte of the token changed", with(|text| Some(changed(text, text.len() - 1))));
    spoils.add("token truncated", with(|text| text.get(..text.len() - 1).map(str::to_owned)));
    spoils.add("token without its beginning", with(|text| text.get(1..).map(str::to_owned)));
    spoils.add("token extended", with(|text| Some(format!("{text}x"))));
    spoils.add("something before the token", with(|text| Some(format!("x{text}"))));
    spoils.add("token twice in one text", with(|text| Some(format!("{text},{text}"))));
    spoils.add("token in the other case", with(|text| Some(text.chars().map(other_case).collect())));
    spoils.add("a blank in the token", with(|text| text.split_at_checked(1).map(|(a, b)| format!("{a} {b}"))));
    spoils.named("token", std::slice::from_ref(&place));
    if place.at == At::Basic {
        spoils.add("user name alone", with(|text| text.split(':').next().map(str::to_owned)));
        let scheme = whole(shown, &header(AUTHORIZATION)).map(|value| value.replacen("Basic", "Bearer", 1));
        spoils.add("another scheme", put(shown, &header(AUTHORIZATION), scheme.as_deref()));
        let plain = whole(shown, &place.at).map(|pair| format!("Basic {pair}"));
        spoils.add("user and password in the open", put(shown, &header(AUTHORIZATION), plain.as_deref()));
    }
    spoil_secret(spoils);
    if let Some(each) = &row.each {
        spoil_list(each, spoils);
        let first: Option<Value> =
            serde_json::from_slice::<Value>(&shown.body).ok().and_then(|json| each.json.at(&json)?.get(0).cloned());
        if let (Some(first), At::Json(path)) = (first, &row.place.at) {
            let two = put_json(shown, &each.json, Value::Array(vec![first.clone(), first]));
            let second = Place { at: At::Json(element(each, 1, path)), ..row.place.clone() };
            let spoiled = two.and_then(|two| edit(&two, &second, &|text| Some(format!("{text}x"))));
            spoils.add("a wrong token in the second element", spoiled);
        }
    }
}

/// The same text with another character at a place.
fn changed(text: &str, at: usize) -> String {
    let other = |c: char| if c == 'a' { 'b' } else { 'a' };
    text.char_indices().map(|(n, c)| if n == at { other(c) } else { c }).collect()
}

fn other_case(c: char) -> char {
    if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() }
}

fn spoil_secret(spoils: &mut Spoils<'_>) {
    let other = other_secret(&KeyText::default(), &spoils.original.means.secret);
    spoils.add_means("another secret", None, |means| means.secret = other);
    spoils.add_means("no secret", None, |means| means.secret.clear());
}

pub fn spoil_jws(row: &Jws, spoils: &mut Spoils<'_>) {
    let shown = &spoils.original.shown;
    let place = &row.place;
    let Some(token) = text(shown, place) else { return };
    let (signed, signature) = token.rsplit_once('.').expect("a compact JWS");
    let (head, claims) = signed.split_once('.').expect("a compact JWS");
    let with = |token: String| edit(shown, place, &|_| Some(token.clone()));
    spoils.add("token missing", edit(shown, place, &|_| None));
    spoils.add("token empty", with(String::new()));
    spoils.add("two parts", with(signed.to_owned()));
    spoils.add("four parts", with(format!("{token}.{signature}")));
    spoils.add("one part", with(head.to_owned()));
    spoils.add("signature missing", with(format!("{signed}.")));
    spoils.add("parts in another order", with(format!("{claims}.{head}.{signature}")));
    spoils.add("token of other characters", with("!.$.%".to_owned()));
    spoils.add("a longer token than any", with(format!("{signed}{}.{signature}", "A".repeat(8_192))));
    let tail =
        Place { strip: Some(format!("{}{signed}.", place.strip.as_deref().unwrap_or_default())), ..place.clone() };
    spoil_bytes(Encoding::Base64Url, &[tail], spoils);
    spoils.named("token", std::slice::from_ref(place));
    spoil_secret(spoils);
    spoil_header(row, (head, claims, signature), spoils);
    spoil_claims(row, claims, spoils);
    if row.digest_claim.is_some() {
        spoils.body();
    }
}

fn spoil_header(row: &Jws, (head, claims, signature): (&str, &str, &str), spoils: &mut Spoils<'_>) {
    let secret = &spoils.original.means.secret;
    let shown = &spoils.original.shown;
    let (old_head, old_claims) = (read(head), read(claims));
    let with = |token: String| edit(shown, &row.place, &|_| Some(token.clone()));
    for alg in ["none", "None", "HS384", "HS512", "RS256", "hs256", ""] {
        let mut other = old_head.clone();
        other["alg"] = Value::from(alg);
        spoils.add("another algorithm", with(forged(secret, &other, &old_claims)));
        let part = written(&other);
        spoils.add("another algorithm, unsigned", with(format!("{part}.{claims}.")));
        spoils.add("another algorithm over the old signature", with(format!("{part}.{claims}.{signature}")));
    }
    let mut critical = old_head.clone();
    critical["crit"] = json!(["exp"]);
    spoils.add("a header that must be understood", with(forged(secret, &critical, &old_claims)));
    spoils.add("no algorithm", with(forged(secret, &json!({ "typ": "JWT" }), &old_claims)));
    spoils.add("claims that are none", with(forged(secret, &old_head, &json!("claims"))));
}

fn spoil_claims(row: &Jws, claims: &str, spoils: &mut Spoils<'_>) {
    let secret = &spoils.original.means.secret;
    let shown = &spoils.original.shown;
    let head = json!({ "alg": "HS256", "typ": "JWT" });
    let old = read(claims);
    let now_s = spoils.original.means.now.as_second();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut claims = old.clone();
        change(&mut claims);
        let token = forged(secret, &head, &claims);
        edit(shown, &row.place, &|_| Some(token.clone()))
    };
    let expired = Some(Refusal::TokenExpired);
    spoils.add_for("expired", expired, with(&|claims| claims["exp"] = json!(now_s - 61)));
    spoils.add_for("not valid yet", expired, with(&|claims| claims["nbf"] = json!(now_s + 61)));
    spoils.add("an expiry that is no time", with(&|claims| claims["exp"] = json!("tomorrow")));
    if let Some(exp) = old.get("exp").and_then(Value::as_i64) {
        let after = jiff::Timestamp::from_second(exp + 61).expect("a time");
        spoils.add_means("after its expiry", expired, |means| means.now = after);
    }
    if row.issuer.is_some() {
        let claim = Some(Refusal::TokenClaims);
        spoils.add_for("another issuer", claim, with(&|claims| claims["iss"] = json!("another")));
        spoils.add_for("no issuer", claim, with(&|claims| claims["iss"] = Value::Null));
    }
    if let Some(name) = &row.digest_claim {
        let mismatch = Some(Refusal::SignatureMismatch);
        spoils.add_for("a digest of nothing", mismatch, with(&|claims| claims[name] = json!("00".repeat(32))));
        spoils.add_for("no digest", mismatch, with(&|claims| claims[name] = Value::Null));
    }
    // What was signed for one event does not prove another.
    let mut other = old.clone();
    other["iss"] = json!("changed");
    let unsigned = edit(shown, &row.place, &|token| {
        let (head, rest) = token.split_once('.')?;
        Some(format!("{head}.{}.{}", written(&other), rest.split_once('.')?.1))
    });
    spoils.add("other claims under the old signature", unsigned);
}

/// What a part of a JWS says.
fn read(part: &str) -> Value {
    let bytes = Encoding::Base64Url.decode(part).expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn written(value: &Value) -> String {
    Encoding::Base64Url.encode(value.to_string().as_bytes())
}

/// A JWS with these parts, signed with HS256 whatever it says of itself.
pub fn forged(secret: &str, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", written(header), written(claims));
    let tag = tag(Algorithm::HmacSha256, secret.as_bytes(), &[Cow::Borrowed(message.as_bytes())]);
    format!("{message}.{}", Encoding::Base64Url.encode(&tag.expect("a shared secret")))
}
