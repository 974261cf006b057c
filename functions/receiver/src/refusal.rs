//! Why a request is not taken. The owner of the webhook sees the reason; the sender sees what its URL's form allows.

use hookport::signature::inbound::SignatureError;

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No such tenant, slug or key, or the tenant takes nothing in.
    Unknown,
    /// The webhook is switched off.
    Disabled,
    /// The body is larger than the deployment or the webhook takes.
    TooLarge,
    /// The signature is missing or wrong.
    Signature(SignatureError),
    /// The idempotency key is longer than a row can hold.
    KeyTooLong,
}

impl Refusal {
    /// The stable name of the reason, for logs.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Disabled => "disabled",
            Self::TooLarge => "too_large",
            Self::Signature(SignatureError::Missing) => "signature_missing",
            Self::Signature(SignatureError::Algorithm) => "signature_algorithm",
            Self::Signature(SignatureError::Malformed) => "signature_malformed",
            Self::Signature(SignatureError::Mismatch) => "signature_mismatch",
            Self::KeyTooLong => "idempotency_key_too_long",
        }
    }
}
