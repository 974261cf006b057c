//! Who the gateway is in a TLS handshake: a certificate chain and the key that belongs to it.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use sha2::{Digest as _, Sha256};

/// The most certificates of a chain.
const MAX_CERTIFICATES: usize = 10;

/// A client certificate, those behind it, and its key. Debugging shows none of it.
#[derive(Clone)]
pub struct ClientIdentity {
    key: Arc<CertifiedKey>,
    fingerprint: Fingerprint,
}

/// What tells one certificate chain from another. A key belongs to its certificate, so the chain says it all.
pub(super) type Fingerprint = [u8; 32];

/// Why texts are no identity. Nothing of them is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// No certificates, or something that is none.
    #[error("must be 1 to 10 X.509 version 3 certificates in PEM, the gateway's own first, 16 KiB at most")]
    Certificate,
    /// No key, or one that cannot sign.
    #[error(
        "must be an RSA, P-256, P-384 or Ed25519 key in PEM (PKCS#8, SEC 1 or PKCS#1), not encrypted, 8 KiB at most"
    )]
    Key,
    /// The key of another certificate.
    #[error("does not belong to the certificate")]
    Mismatch,
}

impl ClientIdentity {
    /// Reads a chain of certificates and the key of its first one.
    ///
    /// # Errors
    /// When either cannot be read, or they do not belong together.
    pub fn from_pem(certificates: &str, private_key: &str) -> Result<Self, IdentityError> {
        let chain: Result<Vec<CertificateDer<'static>>, _> =
            CertificateDer::pem_slice_iter(certificates.as_bytes()).collect();
        let chain = chain.map_err(|_| IdentityError::Certificate)?;
        if !(1..=MAX_CERTIFICATES).contains(&chain.len()) {
            return Err(IdentityError::Certificate);
        }
        let fingerprint = fingerprint(&chain);
        let key = PrivateKeyDer::from_pem_slice(private_key.as_bytes()).map_err(|_| IdentityError::Key)?;
        let key = default_provider().key_provider.load_private_key(key).map_err(|_| IdentityError::Key)?;
        let key = CertifiedKey::new(chain, key);
        match key.keys_match() {
            Ok(()) => Ok(Self { key: Arc::new(key), fingerprint }),
            Err(rustls::Error::InconsistentKeys(_)) => Err(IdentityError::Mismatch),
            Err(_) => Err(IdentityError::Certificate),
        }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Shows the certificate to every server that asks for one.
    pub(super) fn resolver(&self) -> Arc<SingleCertAndKey> {
        Arc::new(SingleCertAndKey::from(Arc::clone(&self.key)))
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(…)")
    }
}

fn fingerprint(chain: &[CertificateDer<'static>]) -> Fingerprint {
    let mut hash = Sha256::new();
    for certificate in chain {
        hash.update(certificate.len().to_be_bytes());
        hash.update(certificate);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! pem {
        ($name:literal) => {
            include_str!(concat!("../../../tests/fixtures/mtls/", $name))
        };
    }

    #[test]
    fn keys_of_every_form_are_read() {
        for (certificate, key) in [
            (pem!("client.pem"), pem!("client.key")),
            (pem!("client.pem"), pem!("client.sec1.key")),
            (pem!("rsa.pem"), pem!("rsa.key")),
        ] {
            let chain = format!("{certificate}{}", pem!("ca.pem"));
            let alone = ClientIdentity::from_pem(certificate, key).unwrap();
            let chained = ClientIdentity::from_pem(&chain, key).unwrap();
            assert_ne!(alone.fingerprint(), chained.fingerprint());
            assert_eq!(alone.fingerprint(), ClientIdentity::from_pem(certificate, key).unwrap().fingerprint());
            assert_eq!(format!("{alone:?}"), "ClientIdentity(…)");
        }
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let (certificate, key) = (pem!("client.pem"), pem!("client.key"));
        let broken = certificate.replace("MII", "MIJ");
        let many = certificate.repeat(11);
        for (certificate, key, expected) in [
            (certificate, pem!("stranger.key"), IdentityError::Mismatch),
            (certificate, pem!("rsa.key"), IdentityError::Mismatch),
            (certificate, certificate, IdentityError::Key),
            (certificate, "", IdentityError::Key),
            (certificate, &key[..key.len() / 2], IdentityError::Key),
            (key, key, IdentityError::Certificate),
            ("", key, IdentityError::Certificate),
            ("certificate", key, IdentityError::Certificate),
            (many.as_str(), key, IdentityError::Certificate),
        ] {
            assert_eq!(ClientIdentity::from_pem(certificate, key).err(), Some(expected));
        }
        assert!(ClientIdentity::from_pem(&broken, key).is_err());
    }
}
