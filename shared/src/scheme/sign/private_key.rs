//! Signing with private keys, for samples of presets that verify by public ones.

use ring::rand::SystemRandom;
use ring::signature::{
    self as ring_signature, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaEncoding, RsaKeyPair,
};
use secrecy::{ExposeSecret, SecretString};

use super::SignError;
use crate::scheme::MessageAlgorithm;
use crate::scheme::algorithm::Algorithm;
use crate::scheme::key::der;

pub(super) fn sign(algorithm: Algorithm, pem: &SecretString, message: &[u8]) -> Result<Vec<u8>, SignError> {
    match algorithm {
        Algorithm::Ed25519 => ed25519(pem, message),
        Algorithm::EcdsaP256Sha256 => ecdsa(&ring_signature::ECDSA_P256_SHA256_ASN1_SIGNING, pem, message),
        Algorithm::RsaSha256 => rsa(&ring_signature::RSA_PKCS1_SHA256, pem, message),
        Algorithm::RsaSha1 => Err(SignError::Unsupported("nothing here signs with RSA and SHA-1 any more")),
        Algorithm::HmacSha1
        | Algorithm::HmacSha256
        | Algorithm::HmacSha384
        | Algorithm::HmacSha512
        | Algorithm::Sha256 => Err(SignError::Secret),
    }
}

pub(super) fn sign_message(
    algorithm: MessageAlgorithm,
    pem: &SecretString,
    message: &[u8],
) -> Result<Vec<u8>, SignError> {
    match algorithm {
        MessageAlgorithm::Ed25519 => ed25519(pem, message),
        MessageAlgorithm::EcdsaP256Sha256 => ecdsa(&ring_signature::ECDSA_P256_SHA256_FIXED_SIGNING, pem, message),
        MessageAlgorithm::RsaSha256 => rsa(&ring_signature::RSA_PKCS1_SHA256, pem, message),
        MessageAlgorithm::RsaPssSha512 => rsa(&ring_signature::RSA_PSS_SHA512, pem, message),
        MessageAlgorithm::HmacSha256 => Err(SignError::Secret),
    }
}

fn pkcs8(pem: &SecretString) -> Result<Vec<u8>, SignError> {
    der(pem.expose_secret()).ok_or(SignError::Secret)
}

fn ed25519(pem: &SecretString, message: &[u8]) -> Result<Vec<u8>, SignError> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8(pem)?).map_err(|_| SignError::Secret)?;
    Ok(pair.sign(message).as_ref().to_vec())
}

fn ecdsa(by: &'static EcdsaSigningAlgorithm, pem: &SecretString, message: &[u8]) -> Result<Vec<u8>, SignError> {
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(by, &pkcs8(pem)?, &random).map_err(|_| SignError::Secret)?;
    let signature = pair.sign(&random, message).map_err(|_| SignError::Secret)?;
    Ok(signature.as_ref().to_vec())
}

fn rsa(by: &'static dyn RsaEncoding, pem: &SecretString, message: &[u8]) -> Result<Vec<u8>, SignError> {
    let pair = RsaKeyPair::from_pkcs8(&pkcs8(pem)?).map_err(|_| SignError::Secret)?;
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(by, &SystemRandom::new(), message, &mut signature).map_err(|_| SignError::Secret)?;
    Ok(signature)
}
