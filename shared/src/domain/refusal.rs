//! Why a request was not taken. The owner of the webhook sees the reason; the sender sees what its URL's form allows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What came of judging a sender's proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthStatus {
    /// All that was asked for was shown.
    Verified,
    /// A signature or a signed token is missing or wrong.
    RejectedSignature,
    /// A bearer token, password or key is missing or wrong.
    RejectedBearer,
    /// The request came from a network that is not allowed, or from an unknown one.
    RejectedIp,
    /// Proof was not judged: there was nothing to prove it to, or the request was refused before.
    RejectedNoAuth,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $auth:ident;)+) => {
        /// Why a request was not taken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Refusal {
            $($(#[$doc])* $name,)+
        }

        impl Refusal {
            /// Every reason there is.
            pub const EVERY: &'static [Self] = &[$(Self::$name,)+];

            /// The stable name of the reason, for logs and the API. The same text as in JSON.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// What it says of the sender's proof.
            #[must_use]
            pub fn auth_status(self) -> AuthStatus {
                match self {
                    $(Self::$name => AuthStatus::$auth,)+
                }
            }
        }
    };
}

refusals! {
    /// No such tenant, slug or key, or the tenant takes nothing in.
    Unknown = "unknown", RejectedNoAuth;
    /// The webhook is switched off.
    Disabled = "disabled", RejectedNoAuth;
    /// The body is larger than the webhook takes.
    TooLarge = "too_large", RejectedNoAuth;
    /// The body is larger than the deployment takes, whoever sends it; nothing else was judged.
    OverCap = "over_cap", RejectedNoAuth;
    /// The source address is not in the allow-list.
    IpNotAllowed = "ip_not_allowed", RejectedIp;
    /// There is an allow-list, and nobody knows where the request comes from.
    IpUnknown = "ip_unknown", RejectedIp;
    /// None of the configured signature headers is there.
    SignatureMissing = "signature_missing", RejectedSignature;
    /// The signature names another algorithm.
    SignatureAlgorithm = "signature_algorithm", RejectedSignature;
    /// The signature is not written as it should be.
    SignatureMalformed = "signature_malformed", RejectedSignature;
    /// The signature is well formed and wrong.
    SignatureMismatch = "signature_mismatch", RejectedSignature;
    /// The signed time is too old.
    SignatureStale = "signature_stale", RejectedSignature;
    /// The signed time is too far in the future.
    SignatureFuture = "signature_future", RejectedSignature;
    /// Something that is signed beside the body is not there, such as the time or an id.
    SignaturePartMissing = "signature_part_missing", RejectedSignature;
    /// The signature is right, and for somebody else: another account, topic or receiver than this webhook's.
    SignatureForeign = "signature_foreign", RejectedSignature;
    /// The signed token is not written as it should be, or by an unknown key or algorithm.
    TokenMalformed = "token_malformed", RejectedSignature;
    /// The signed token's signature is wrong.
    TokenMismatch = "token_mismatch", RejectedSignature;
    /// The signed token has run out or is not valid yet.
    TokenExpired = "token_expired", RejectedSignature;
    /// The signed token is of another issuer or for another audience.
    TokenClaims = "token_claims", RejectedSignature;
    /// The issuer's keys could not be read.
    TokenKeysUnavailable = "token_keys_unavailable", RejectedSignature;
    /// There is no credential where it should be.
    CredentialMissing = "credential_missing", RejectedBearer;
    /// The credential is not written as it should be.
    CredentialMalformed = "credential_malformed", RejectedBearer;
    /// The credential is wrong.
    CredentialMismatch = "credential_mismatch", RejectedBearer;
    /// The secret that the proof needs cannot be read; nobody is let in without it.
    SecretUnusable = "secret_unusable", RejectedNoAuth;
    /// Somebody asks whether the URL is ours, and lacks what the answer is made of.
    HandshakeMalformed = "handshake_malformed", RejectedNoAuth;
    /// Too many requests to this webhook.
    RateWebhook = "rate_webhook", RejectedNoAuth;
    /// Too many requests from this address.
    RateSource = "rate_source", RejectedNoAuth;
    /// Too many requests to this tenant.
    RateTenant = "rate_tenant", RejectedNoAuth;
    /// Too many requests to this deployment.
    RateGlobal = "rate_global", RejectedNoAuth;
    /// The idempotency key is longer than a row can hold.
    IdempotencyKeyTooLong = "idempotency_key_too_long", Verified;
}

impl Refusal {
    /// Tells whether it is about how many requests came.
    #[must_use]
    pub fn is_rate(self) -> bool {
        matches!(self, Self::RateWebhook | Self::RateSource | Self::RateTenant | Self::RateGlobal)
    }

    /// Tells whether the sender's proof failed.
    #[must_use]
    pub fn is_proof(self) -> bool {
        match self.auth_status() {
            AuthStatus::RejectedSignature | AuthStatus::RejectedBearer | AuthStatus::RejectedIp => true,
            AuthStatus::Verified | AuthStatus::RejectedNoAuth => self == Self::SecretUnusable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_what_json_says() {
        for refusal in Refusal::EVERY {
            let json = serde_json::to_value(refusal).expect("a text");
            assert_eq!(json, refusal.code(), "{refusal:?}");
        }
    }
}
