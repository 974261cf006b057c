//! What a row has to be: its parts held against each other, and against what is the gateway's to write.

use super::Dialect;
use super::proof::ProofStyle;
use super::signing::Signing;
use super::text::Variable;
use crate::domain::static_headers::{allowed_name, is_credential};

/// The most headers of one dialect.
const MAX_HEADERS: usize = 20;
/// The most signatures of one dialect.
const MAX_SIGNATURES: usize = 4;
/// The headers above, by name.
const OWN: [&str; 6] = [
    "webhook-id",
    "webhook-timestamp",
    "hookport-event-type",
    "hookport-delivery-id",
    "hookport-subscription-id",
    "hookport-attempt",
];

impl Dialect {
    /// Tells whether signatures can stand in its requests: what they need is there, and no two write one header.
    ///
    /// # Errors
    /// When they cannot; the text says which.
    pub fn carries<'s>(&self, signings: impl IntoIterator<Item = &'s Signing> + Clone) -> Result<(), String> {
        let has = |name: &str| {
            let is_own = OWN.iter().any(|own| own.eq_ignore_ascii_case(name));
            (self.own_headers && is_own) || self.headers.keys().any(|known| known.eq_ignore_ascii_case(name))
        };
        for signing in signings.clone() {
            if let Some(missing) = signing.needs().into_iter().find(|name| !has(name)) {
                return Err(format!("signatures: {missing} is needed, which the dialect {} does not write", self.name));
            }
        }
        let mut written: Vec<(String, &Signing)> = Vec::new();
        for signing in signings {
            let names = match signing {
                Signing::Mac(mac) => mac.headers.clone(),
                // Receivers know one by its label.
                Signing::HttpMessageSignature(message) => vec![format!("signature ({})", message.label)],
                Signing::Standard | Signing::StandardAsymmetric => continue,
            };
            for name in names {
                let name = name.to_ascii_lowercase();
                if written.iter().any(|(known, by)| *known == name && *by != signing) {
                    return Err(format!("signatures: two write {name}"));
                }
                written.push((name, signing));
            }
        }
        Ok(())
    }

    /// Holds its parts against each other. Those of tenants may not write what is the gateway's.
    ///
    /// # Errors
    /// When they make no sense together; the text says which.
    pub fn check(&self) -> Result<(), String> {
        if self.summary.chars().count() > 200 {
            return Err("summary: has at most 200 characters".to_owned());
        }
        if self.headers.len() > MAX_HEADERS {
            return Err(format!("headers: has at most {MAX_HEADERS} entries"));
        }
        for (name, text) in &self.headers {
            if is_credential(&name.to_ascii_lowercase()) {
                return Err(format!("headers.{name}: a credential belongs to a subscription, where it is hidden"));
            }
            if allowed_name(name).is_err() && !is_signature_like(name) {
                return Err(format!("headers.{name}: is written by the gateway or belongs to the connection"));
            }
            if text.has(Variable::Body) || text.has(Variable::Signature) {
                return Err(format!("headers.{name}: has neither {{body}} nor {{signature}}"));
            }
            if !text.fits_headers() {
                return Err(format!("headers.{name}: has no other characters than visible ASCII and spaces"));
            }
        }
        if self.signatures.len() > MAX_SIGNATURES {
            return Err(format!("signatures: has at most {MAX_SIGNATURES} entries"));
        }
        for signing in &self.signatures {
            signing.check()?;
            if let Signing::Mac(mac) = signing {
                for name in &mac.headers {
                    let name = &name.to_ascii_lowercase();
                    let is_taken = name.starts_with("hookport-")
                        || name.starts_with("webhook-")
                        || ["signature", "signature-input", "content-digest"].contains(&name.as_str());
                    if is_taken || (allowed_name(name).is_err() && !is_signature_like(name)) {
                        return Err(format!("signatures.headers: {name} is no name for a signature"));
                    }
                }
            }
        }
        self.carries(&self.signatures)?;
        for (what, text) in [("user_agent", &self.user_agent), ("content_type", &self.content_type)] {
            let is_fine =
                |text: &String| (1..=200).contains(&text.len()) && text.bytes().all(|b| (b' '..=b'~').contains(&b));
            if !text.as_ref().is_none_or(is_fine) {
                return Err(format!("{what}: must have 1 to 200 visible ASCII characters"));
            }
        }
        if self.proof == ProofStyle::Message {
            return Err("proof: message belongs to the gateway's templates".to_owned());
        }
        self.body.check()
    }
}

/// Headers that are the gateway's to write, and so a dialect's.
fn is_signature_like(name: &str) -> bool {
    ["x-webhook-signature", "x-hub-signature-256"].iter().any(|known| known.eq_ignore_ascii_case(name))
}
