//! Why a request has no answer, its authentication included. No text of these has a secret in it.

use hookport::aws::sigv4::SigningError;
use hookport::domain::attempt::Outcome;
use hookport::domain::breaker::Seen;
use hookport::domain::target_auth::TokenRefusal;
use hookport::egress::EgressError;

use crate::request::failed;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendFailure {
    #[error(transparent)]
    Egress(#[from] EgressError),
    #[error(transparent)]
    Token(#[from] TokenFailure),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error("the credentials for the target do not open")]
    Unusable,
}

/// Why there is no token. Whoever waited for it gets the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenFailure {
    #[error(transparent)]
    Answered(#[from] TokenRefusal),
    #[error("the token endpoint was not reached: {why}")]
    Unreached { why: String, is_permanent: bool },
    #[error("the token endpoint took too long")]
    TimedOut,
}

impl TokenFailure {
    pub(super) fn unreached(error: &EgressError) -> Self {
        Self::Unreached { why: error.to_string(), is_permanent: error.is_permanent() }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Answered(refusal) if !refusal.is_trouble() => "oauth2_refused",
            Self::Answered(_) | Self::Unreached { .. } | Self::TimedOut => "oauth2_unavailable",
        }
    }
}

impl SendFailure {
    /// Tells whether trying again is pointless. A client that is refused may be let in again by its owner.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Self::Egress(error) => error.is_permanent(),
            Self::Token(TokenFailure::Unreached { is_permanent, .. }) => *is_permanent,
            Self::Token(TokenFailure::Answered(_) | TokenFailure::TimedOut) | Self::Signing(_) | Self::Unusable => {
                false
            }
        }
    }

    /// What is recorded of it.
    pub(crate) fn outcome(&self) -> Outcome {
        let code = match self {
            Self::Egress(error) => return failed(error),
            Self::Token(failure) => failure.code(),
            Self::Signing(_) | Self::Unusable => "auth_unusable",
        };
        Outcome::Failed { code: code.to_owned(), message: self.to_string(), permanent: self.is_permanent() }
    }

    /// What it says of the target: nothing, where the target was not asked.
    pub(crate) fn seen(&self) -> Seen {
        match self {
            Self::Egress(error) => Seen::of_silence(error.is_permanent()),
            Self::Token(_) | Self::Signing(_) | Self::Unusable => Seen::Unknown,
        }
    }
}
