//! The vector of a row: one request that it must take, and refuse once it is changed.

use std::collections::BTreeMap;

use hookport::random::Random;
use hookport::scheme::Scheme;
use hookport::scheme::key::key_of_certificate;
use hookport::scheme::preset::Preset;
use hookport::scheme::settings::Settings;
use hookport::scheme::signature::Keys;
use hookport::scheme::template::Piece;
use hookport::scheme::view::{Request, View};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::inbound_webhook::made_row_secret;
use crate::recorded::RecordedRequest;

/// A request, and what proves it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Vector {
    /// The secret, or public key; absent where the row has none.
    #[serde(default)]
    secret: String,
    /// The settings that the row reads.
    #[serde(default)]
    settings: BTreeMap<String, String>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The request.
    request: RecordedRequest,
    /// The certificate in PEM that the request names, where the row asks for one.
    certificate: Option<String>,
}

impl Vector {
    /// Makes sure that the row takes it, and does not take it with another secret or, where it says that the body is signed,
    /// with another body: a row that takes everything proves nothing.
    pub(super) fn prove(self, preset: &Preset, random: &Random) -> Result<()> {
        let request = self.request.parsed("vector.request")?;
        let settings = Settings::from(self.settings);
        let certificate = self.certificate.as_deref();
        let certificate = certificate.and_then(|pem| key_of_certificate(pem.as_bytes(), self.at.as_second()));
        let judged = |body: &[u8], secret: &SecretString, certificate: Option<&[u8]>| {
            let keys = Keys { secrets: &[secret], settings: &settings, certificate };
            let request = Request { body, ..request.as_request() };
            preset.verify.judge(&View::new(request), &keys, self.at).0
        };
        let own = SecretString::from(self.secret.clone());
        if let Err(refusal) = judged(&request.body, &own, certificate.as_deref()) {
            return Err(Error::VectorRefused(refusal.code()));
        }
        let others = [SecretString::from(format!("{}x", self.secret)), made_row_secret(&preset.verify, random)];
        if others.iter().any(|other| judged(&request.body, other, None).is_ok()) {
            return Err(Error::field("row.verify", "takes the vector with another secret as well"));
        }
        let covers_body = match &preset.verify {
            Scheme::Signature(signature) => signature.signed.has(&Piece::Body) || signature.digest.is_some(),
            Scheme::Jws(jws) => jws.digest_claim.is_some(),
            Scheme::Token(_) | Scheme::HttpMessageSignature(_) => false,
        };
        let changed = [&request.body, b"x".as_slice()].concat();
        if covers_body && judged(&changed, &own, certificate.as_deref()).is_ok() {
            return Err(Error::field("row.verify", "takes the vector with another body as well"));
        }
        Ok(())
    }
}
