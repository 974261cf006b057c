//! Judging by a row, with its secrets and settings opened.

use jiff::Timestamp;
use secrecy::SecretString;
use url::Url;

use super::{Evidence, Judged, Live};
use crate::scheme::Scheme;
use crate::scheme::handshake::Means;
use crate::scheme::key::key_of_certificate;
use crate::scheme::settings::Settings;
use crate::scheme::signature::Keys;

/// A proof by a row, with its secrets ready.
pub(super) struct SchemeCheck {
    scheme: Scheme,
    secrets: Option<Live<SecretString>>,
    settings: Settings,
}

impl SchemeCheck {
    pub(super) fn new(scheme: Scheme, secrets: Option<Live<SecretString>>, settings: Settings) -> Self {
        Self { scheme, secrets, settings }
    }

    pub(super) fn judge(&self, evidence: &Evidence<'_>) -> Judged {
        let secrets: Vec<_> = self.secrets.iter().flat_map(|secrets| secrets.at(evidence.now)).collect();
        let certificate = evidence.certificate.and_then(|pem| key_of_certificate(pem, evidence.now.as_second()));
        let keys = Keys { secrets: &secrets, settings: &self.settings, certificate: certificate.as_deref() };
        let (result, macs) = self.scheme.judge(&evidence.view(), &keys, evidence.now);
        Judged { result, macs }
    }

    /// The URL of the certificate that a request names, at a host that the row allows.
    pub(super) fn certificate_url(&self, evidence: &Evidence<'_>) -> Option<Url> {
        let certificate = self.scheme.certificate()?;
        let view = evidence.view();
        let url = certificate.url.text(&view).ok()?;
        certificate.hosts.take(&url)
    }

    pub(super) fn means(&self, now: Timestamp) -> Means<'_> {
        Means {
            secret: self.secrets.as_ref().and_then(|secrets| secrets.at(now).next()),
            key: self.scheme.key_text(),
            settings: &self.settings,
        }
    }
}
