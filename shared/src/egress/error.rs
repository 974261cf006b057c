//! Why an outgoing request has no answer.

use std::error::Error as StdError;
use std::{fmt, io};

use super::connect::ConnectError;
use crate::domain::address::AddressRefusal;
use crate::domain::target_url::TargetUrlError;

type Cause = Box<dyn StdError + Send + Sync>;

/// Why an outgoing request has no answer.
///
/// The sentences are for the owner of the target; what the system said is in the sources, for the logs.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The host is, or its name stands for, an address that no webhook may be sent to. Nothing was opened.
    #[error("the host is {0}")]
    Refused(AddressRefusal),
    /// The target is `http` and only `https` is allowed. Nothing was opened.
    #[error("the target is not https")]
    PlainHttp,
    /// Something else about the URL that is not accepted. Nothing was opened.
    #[error(transparent)]
    Url(TargetUrlError),
    /// The host, or an address that it stands for, is on the operator's deny list. Nothing was opened.
    #[error("the host is on the operator's deny list: {description}")]
    Denied {
        /// Why it is on the list.
        description: String,
    },
    /// The operator's deny list is not known, so nothing is sent. Nothing was opened.
    #[error("the operator's deny list is not available")]
    DenyListUnavailable,
    /// The operator's proxy opened no connection to the target.
    #[error("the egress proxy opened no connection")]
    Proxy(#[source] Cause),
    /// The host name has no address.
    #[error("the host name could not be resolved")]
    Resolve(#[source] Cause),
    /// Nothing accepted the connection.
    #[error("the host could not be connected to")]
    Connect(#[source] Cause),
    /// The TLS handshake failed, for example because of the certificate.
    #[error("the TLS handshake failed")]
    Tls(#[source] Cause),
    /// A time limit ran out.
    #[error("timed out {phase}")]
    TimedOut {
        /// What was going on.
        phase: Phase,
    },
    /// The connection broke, or what came was not an HTTP answer or its head was too large.
    #[error("the answer was not complete and valid HTTP")]
    Protocol(#[source] Cause),
}

/// What was going on when the time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Looking the name up, connecting and the TLS handshake.
    Connect,
    /// Sending the request and waiting for the answer's head.
    Headers,
    /// Reading the answer's body.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "while connecting",
            Self::Headers => "while waiting for the answer",
            Self::Body => "while reading the answer",
        })
    }
}

impl EgressError {
    /// The stable code of the cause.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "address_refused",
            Self::PlainHttp => "http_refused",
            Self::Url(error) => error.code(),
            Self::Denied { .. } => "host_denied",
            Self::DenyListUnavailable => "deny_list_unavailable",
            Self::Proxy(_) => "proxy_failed",
            Self::Resolve(_) => "resolve_failed",
            Self::Connect(_) => "connect_failed",
            Self::Tls(_) => "tls_failed",
            Self::TimedOut { .. } => "timed_out",
            Self::Protocol(_) => "protocol_error",
        }
    }

    /// Tells whether trying again under the same policy is pointless.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Refused(_) | Self::PlainHttp | Self::Url(_) | Self::Denied { .. } => true,
            Self::DenyListUnavailable
            | Self::Proxy(_)
            | Self::Resolve(_)
            | Self::Connect(_)
            | Self::Tls(_)
            | Self::TimedOut { .. }
            | Self::Protocol(_) => false,
        }
    }

    /// Finds out from the HTTP client's error what went wrong.
    pub(super) fn from_client(error: hyper_util::client::legacy::Error) -> Self {
        match connect_error(&error) {
            Some(ConnectError::Refused(refusal)) => Self::Refused(*refusal),
            Some(ConnectError::Denied(description)) => Self::Denied { description: description.clone() },
            Some(ConnectError::Proxy(_)) => Self::Proxy(error.into()),
            Some(ConnectError::Resolve(_)) => Self::Resolve(error.into()),
            Some(ConnectError::Connect(_)) => Self::Connect(error.into()),
            Some(ConnectError::TimedOut) => Self::TimedOut { phase: Phase::Connect },
            // What fails while connecting and is not the dialer's is the handshake's. A server that does not take the
            // gateway's certificate says so after it, when the request is under way.
            None if error.is_connect() || is_tls(&error) => Self::Tls(error.into()),
            None => Self::Protocol(error.into()),
        }
    }
}

impl From<TargetUrlError> for EgressError {
    fn from(error: TargetUrlError) -> Self {
        match error {
            TargetUrlError::PlainHttp => Self::PlainHttp,
            TargetUrlError::Address(refusal) => Self::Refused(refusal),
            other => Self::Url(other),
        }
    }
}

/// The error and its causes.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Finds the dialer's own error, which the TLS connector and the client wrap.
fn connect_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a ConnectError> {
    causes(error).find_map(|error| error.downcast_ref::<ConnectError>())
}

/// Tells whether TLS came to an end, which a stream reports as a failure to read or write.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    let of_stream = |error: &(dyn StdError + 'static)| {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.is_some_and(|inner| inner.is::<rustls::Error>())
    };
    causes(error).any(of_stream)
}
