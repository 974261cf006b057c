//! Every way the stand-in says no, with the names AWS gives it.

use http::StatusCode;

use super::generate::GenerateError;
use crate::answer::Answer;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Secrets Manager can't find the specified secret.")]
    SecretNotFound,
    #[error("Secrets Manager can't find the specified secret value for {0}")]
    ValueNotFound(String),
    #[error("The operation failed because the secret {0} already exists.")]
    SecretExists(String),
    #[error("You can't use ClientRequestToken {0} because that value is already in use for a version of secret {1}.")]
    TokenInUse(String, String),
    #[error("{0}")]
    InvalidRequest(&'static str),
    #[error("{0}")]
    InvalidParameter(String),
    #[error("{0} is not an operation of this stand-in.")]
    UnknownOperation(String),
    #[error("The request is not valid: {0}")]
    Malformed(String),
    #[error("No random name could be made.")]
    Random(#[source] GenerateError),
    #[error("The secrets' store failed.")]
    Store(#[source] rusqlite::Error),
}

impl Refusal {
    fn kind(&self) -> &'static str {
        match self {
            Self::SecretNotFound | Self::ValueNotFound(_) => "ResourceNotFoundException",
            Self::SecretExists(_) | Self::TokenInUse(_, _) => "ResourceExistsException",
            Self::InvalidRequest(_) => "InvalidRequestException",
            Self::InvalidParameter(_) => "InvalidParameterException",
            Self::UnknownOperation(_) => "UnknownOperationException",
            Self::Malformed(_) => "SerializationException",
            Self::Random(_) | Self::Store(_) => "InternalServiceError",
        }
    }

    /// Says whether the stand-in failed, and not the request.
    pub(super) fn is_internal(&self) -> bool {
        matches!(self, Self::Random(_) | Self::Store(_))
    }

    pub(super) fn answer(&self) -> Answer {
        let status = if self.is_internal() { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST };
        Answer::refused(status, self.kind(), &self.to_string())
    }
}
