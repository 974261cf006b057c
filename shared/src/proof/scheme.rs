//! Judging by a row, with its secrets and settings opened.

use jiff::Timestamp;
use secrecy::SecretString;
use url::Url;

use super::{Evidence, Judged, Live};
use crate::domain::refusal::Refusal;
use crate::scheme::Scheme;
use crate::scheme::handshake::{Handshake, Means};
use crate::scheme::key::key_of_certificate;
use crate::scheme::settings::Settings;
use crate::scheme::signature::Keys;
use crate::scheme::view::View;

/// A proof by a row, with its secrets ready.
pub(super) struct SchemeCheck {
    scheme: Scheme,
    secrets: Option<Live<SecretString>>,
    settings: Settings,
    /// Whether an open handshake has tokens hashed with the key: what is signed must then be more than a token.
    hashes_for_strangers: bool,
}

impl SchemeCheck {
    pub(super) fn new(scheme: Scheme, secrets: Option<Live<SecretString>>, settings: Settings) -> Self {
        Self { scheme, secrets, settings, hashes_for_strangers: false }
    }

    /// Says which handshakes are answered beside it.
    pub(super) fn beside(&mut self, handshakes: &[Handshake]) {
        self.hashes_for_strangers = handshakes.iter().any(Handshake::hashes_for_strangers);
    }

    /// What stands for a request in its key, where not its body does.
    pub(super) fn signed_instead(&self, view: &View<'_>) -> Option<Vec<u8>> {
        self.scheme.signed_instead(view, &self.settings)
    }

    pub(super) fn judge(&self, evidence: &Evidence<'_>) -> Judged {
        let secrets: Vec<_> = self.secrets.iter().flat_map(|secrets| secrets.at(evidence.now)).collect();
        let certificate = evidence.certificate.and_then(|pem| key_of_certificate(pem, evidence.now.as_second()));
        let keys = Keys { secrets: &secrets, settings: &self.settings, certificate: certificate.as_deref() };
        let view = evidence.unproven();
        let (mut result, macs) = self.scheme.judge(&view, &keys, evidence.now);
        if result.is_ok() && self.hashes_for_strangers && self.scheme.signs_bare_token(&view, &self.settings) {
            result = Err(Refusal::SignatureMismatch);
        }
        Judged { result, macs }
    }

    /// The URL of the certificate that a request names, at a host that the row allows.
    pub(super) fn certificate_url(&self, evidence: &Evidence<'_>) -> Option<Url> {
        let Scheme::Signature(signature) = &self.scheme else { return None };
        let certificate = signature.certificate()?;
        let view = evidence.unproven();
        // What can be seen without the key is looked at first: nobody has anything fetched for nothing.
        if !signature.is_worth_a_fetch(&view, &self.settings) {
            return None;
        }
        let url = certificate.url.text(&view).ok()?;
        certificate.take(&url)
    }

    pub(super) fn means(&self, now: Timestamp) -> Means<'_> {
        Means {
            secret: self.secrets.as_ref().and_then(|secrets| secrets.at(now).next()),
            key: self.scheme.key_text(),
            settings: &self.settings,
        }
    }
}
