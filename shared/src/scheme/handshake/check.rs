//! Whether the parts of a handshake make sense together.

use serde_json::Value;

use super::{
    Computed, FORBIDDEN_PREFIXES, HEADER_PREFIXES, Handshake, HandshakeMethod, HandshakeProof, MAX_DEPTH, MAX_ENTRIES,
};
use crate::scheme::algorithm::Algorithm;
use crate::scheme::place;
use crate::scheme::template::{Piece, Template};

impl Handshake {
    /// Holds its parts against each other.
    ///
    /// # Errors
    /// When they make no sense together; the text says which.
    pub fn check(&self) -> Result<(), String> {
        let at = |rule: &str| format!("handshake {}: {rule}", self.name);
        let is_name = (1..=64).contains(&self.name.len())
            && self.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b == b'.');
        if !is_name {
            return Err("a handshake's name has 1 to 64 characters of a-z, A-Z, 0-9, _, . and -".to_owned());
        }
        if self.methods.is_empty() || self.methods.len() > MAX_ENTRIES || self.when.len() > MAX_ENTRIES {
            return Err(at("must have 1 to 10 methods and at most 10 conditions"));
        }
        let takes_events = |method: &HandshakeMethod| matches!(method, HandshakeMethod::Post | HandshakeMethod::Put);
        if self.when.is_empty() && self.methods.iter().any(takes_events) {
            return Err(at("must have a condition, or every event would be one"));
        }
        if !(200..=299).contains(&self.answer.status.unwrap_or(200)) {
            return Err(at("must be answered with a status from 200 to 299"));
        }
        if self.answer.text.is_some() && self.answer.json.is_some() {
            return Err(at("has text or json, not both"));
        }
        if self.answer.headers.len() > MAX_ENTRIES {
            return Err(at("has at most 10 headers"));
        }
        for name in self.answer.headers.keys() {
            let name = place::header_name(name).map_err(|rule| at(&rule))?;
            let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.as_str().starts_with(prefix));
            let may = name == http::header::ALLOW || (begins(&HEADER_PREFIXES) && !begins(&FORBIDDEN_PREFIXES));
            if !may {
                return Err(at("may not set this header"));
            }
        }
        if self.visit.is_some() && self.proof != HandshakeProof::Verified {
            return Err(at("must be verified before anything is fetched"));
        }
        if let Some(json) = &self.answer.json {
            check_json(json, 0).map_err(|rule| at(&rule))?;
        }
        let templates = self.templates();
        let reads = |piece: &Piece| templates.iter().any(|template| template.has(piece));
        if reads(&Piece::Secret) || reads(&Piece::Timestamp) || reads(&Piece::Id) {
            return Err(at("may not tell {secret}, {timestamp} or {id}"));
        }
        if reads(&Piece::Hash) != self.hash.is_some() {
            return Err(at("must have hash exactly when {hash} is answered"));
        }
        match &self.hash {
            Some(Computed { algorithm: Algorithm::Sha256, key: None, .. }) | None => Ok(()),
            Some(Computed { algorithm, key: Some(key), .. })
                if algorithm.is_symmetric()
                    && *algorithm != Algorithm::Sha256
                    && (key == "secret" || key.starts_with("setting:")) =>
            {
                Ok(())
            }
            Some(_) => Err(at("hash: an HMAC needs the key secret or setting:<name>, a digest needs none")),
        }
    }
}

fn check_json(json: &Value, depth: usize) -> Result<(), String> {
    match json {
        _ if depth > MAX_DEPTH => Err("json is too deep".to_owned()),
        Value::String(template) => Template::try_from(template.clone()).map(drop),
        Value::Array(values) => values.iter().try_for_each(|value| check_json(value, depth + 1)),
        Value::Object(members) => members.values().try_for_each(|value| check_json(value, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}
