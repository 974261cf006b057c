//! The vector of a row: one request that it must take, and refuse once it is changed.

use std::collections::BTreeMap;

use hookport::domain::refusal::Refusal;
use hookport::scheme::key::key_of_certificate;
use hookport::scheme::preset::Preset;
use hookport::scheme::settings::Settings;
use hookport::scheme::signature::Keys;
use hookport::scheme::view::View;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::{Error, Result};
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
    /// Makes sure that the row takes it, and does not take it with another secret: a row that takes everything proves
    /// nothing.
    pub(super) fn prove(self, preset: &Preset) -> Result<()> {
        let request = self.request.parsed("vector.request")?;
        let settings = Settings::from(self.settings);
        let certificate = self.certificate.as_deref();
        let certificate = certificate.and_then(|pem| key_of_certificate(pem.as_bytes(), self.at.as_second()));
        let judged = |secret: &SecretString, certificate: Option<&[u8]>| -> std::result::Result<(), Refusal> {
            let keys = Keys { secrets: &[secret], settings: &settings, certificate };
            preset.verify.judge(&View::new(request.as_request()), &keys, self.at).0
        };
        if let Err(refusal) = judged(&SecretString::from(self.secret.clone()), certificate.as_deref()) {
            return Err(Error::VectorRefused(refusal.code()));
        }
        let other = SecretString::from(format!("{}x", self.secret));
        if judged(&other, None).is_ok() {
            return Err(Error::field("row.verify", "takes the vector with another secret as well"));
        }
        Ok(())
    }
}
