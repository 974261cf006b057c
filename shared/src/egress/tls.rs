//! Whom the gateway believes in a TLS handshake, and what it shows of itself there.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::identity::ClientIdentity;

/// Authorities of the operator's own, believed beside the public ones.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ExtraRoots(Vec<CertificateDer<'static>>);

/// A text that names no authorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be certificates of authorities in PEM")]
pub struct ExtraRootsError;

impl ExtraRoots {
    /// Reads certificates in PEM; `\n` may stand for a line's end, where a setting cannot have one.
    ///
    /// # Errors
    /// When there is none, or one that cannot be an authority's.
    pub fn parse(pem: &str) -> Result<Self, ExtraRootsError> {
        let pem = pem.replace("\\n", "\n");
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let roots = read.map_err(|_| ExtraRootsError)?;
        let mut store = RootCertStore::empty();
        let are_anchors = roots.iter().all(|root: &CertificateDer<'static>| store.add(root.clone()).is_ok());
        if roots.is_empty() || !are_anchors { Err(ExtraRootsError) } else { Ok(Self(roots)) }
    }
}

impl fmt::Debug for ExtraRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtraRoots({})", self.0.len())
    }
}

/// Makes the TLS side of connections. Its list of authorities is made once.
pub(super) struct Tls {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
}

impl Tls {
    pub(super) fn new(extra: &ExtraRoots) -> Self {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        roots.add_parsable_certificates(extra.0.iter().cloned());
        Self { provider: Arc::new(default_provider()), roots: Arc::new(roots) }
    }

    /// TLS 1.2 or 1.3. Each configuration remembers sessions of its own, so that none is resumed as somebody else.
    pub(super) fn config(&self, identity: Option<&ClientIdentity>) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .expect("the provider supports TLS 1.2 and 1.3")
            .with_root_certificates(Arc::clone(&self.roots));
        match identity {
            Some(identity) => builder.with_client_cert_resolver(identity.resolver()),
            None => builder.with_no_client_auth(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CA: &str = include_str!("../../../tests/fixtures/mtls/ca.pem");

    #[test]
    fn authorities_are_believed_beside_the_public_ones() {
        let public = Tls::new(&ExtraRoots::default()).roots.len();
        for text in [CA.to_owned(), CA.replace('\n', "\\n")] {
            let extra = ExtraRoots::parse(&text).unwrap();
            assert_eq!(Tls::new(&extra).roots.len(), public + 1);
            assert_eq!(format!("{extra:?}"), "ExtraRoots(1)");
        }
    }

    #[test]
    fn what_is_no_certificate_is_no_authority() {
        let key = include_str!("../../../tests/fixtures/mtls/client.key");
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "authority", key, broken, &format!("{CA}{broken}")] {
            assert_eq!(ExtraRoots::parse(text), Err(ExtraRootsError));
        }
    }
}
