//! Why a service did not take a delivery.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// The longest code of a service that is told.
const MAX_CODE_BYTES: usize = 128;

/// What a failure says of the service and of other attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The delivery cannot be sent to such a target, now or later; it was not sent.
    Unfit,
    /// The service works and refused it, as an HTTP answer with this status does.
    Refused(u16),
    /// The service works and asks for less.
    Throttled,
    /// The service failed, with this status.
    Failed(u16),
    /// No answer came.
    Silent,
}

/// Why a service did not take a delivery.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TargetError {
    /// The stable code of the cause.
    pub code: &'static str,
    /// The cause for people: the service's own code, and never what it said of the operator's account.
    pub message: String,
    /// What it says of the service and of other attempts.
    pub fault: Fault,
}

impl TargetError {
    fn unfit(code: &'static str, message: String) -> Self {
        Self { code, message, fault: Fault::Unfit }
    }

    pub(crate) fn no_service() -> Self {
        Self::unfit("target_not_a_service", "the target is no service".to_owned())
    }

    pub(crate) fn timed_out() -> Self {
        Self { code: "timed_out", message: "the service did not answer in time".to_owned(), fault: Fault::Silent }
    }

    pub(crate) fn too_large(service: &str, bytes: usize, most: usize) -> Self {
        let message = format!("{service} takes at most {most} bytes, and this is {bytes}");
        Self::unfit("too_large_for_target", message)
    }

    pub(crate) fn empty(service: &str) -> Self {
        Self::unfit("empty_for_target", format!("{service} takes no empty message"))
    }

    pub(crate) fn not_built() -> Self {
        Self::unfit("unfit_for_target", "the call cannot be made of what is to be sent".to_owned())
    }

    /// A function that was called and failed.
    pub(crate) fn in_function(kind: &str, said: &str) -> Self {
        let message = if said.is_empty() { kind.to_owned() } else { format!("{kind}: {said}") };
        Self { code: "function_error", message, fault: Fault::Refused(500) }
    }

    /// What a service refused, by its code and the status of its answer.
    pub(crate) fn of_code(service: &str, code: &str, status: u16) -> Self {
        let (word, fault) = judged(code, status);
        let code = &code[..code.floor_char_boundary(MAX_CODE_BYTES)];
        Self { code: word, message: format!("{service} answered {code}"), fault }
    }
}

/// What a call that failed means.
pub(crate) fn failure<E>(service: &str, error: &SdkError<E, HttpResponse>) -> TargetError
where
    E: ProvideErrorMetadata,
{
    let silent = |code, message: &str| TargetError { code, message: message.to_owned(), fault: Fault::Silent };
    match error {
        SdkError::ServiceError(answered) => {
            let code = answered.err().code().unwrap_or("an error without a code");
            TargetError::of_code(service, code, answered.raw().status().as_u16())
        }
        SdkError::TimeoutError(_) => TargetError::timed_out(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => TargetError::timed_out(),
        SdkError::DispatchFailure(_) => silent("connect_failed", "the service could not be reached"),
        SdkError::ResponseError(_) => silent("protocol_error", "the service's answer cannot be read"),
        // A call that could not be put together.
        _ => TargetError::not_built(),
    }
}

/// Services name the same cause in many ways; what they have in common is told.
fn judged(code: &str, status: u16) -> (&'static str, Fault) {
    let has = |parts: &[&str]| parts.iter().any(|part| code.contains(part));
    let asks_for_less = ["Throttl", "TooManyRequests", "SlowDown", "ThroughputExceeded", "LimitExceeded", "OverLimit"];
    let is_throttled = status == 429 || (status < 500 || status == 503) && has(&asks_for_less);
    // The codes of standard queues and of some answers say "bad request" for what is not there.
    let refused = |assumed: u16| Fault::Refused(if status == 400 { assumed } else { status });
    if is_throttled {
        ("target_throttled", Fault::Throttled)
    } else if status >= 500 {
        ("target_unavailable", Fault::Failed(status))
    } else if has(&["AccessDenied", "NotAuthorized", "AuthorizationError"]) || matches!(status, 401 | 403) {
        ("target_denied", refused(403))
    } else if has(&["NotFound", "NonExistent", "DoesNotExist", "NoSuch"]) || status == 404 {
        ("target_not_found", refused(404))
    } else {
        ("target_refused", refused(400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_have_one_name_whatever_the_service_calls_them() {
        let cases = [
            ("ThrottlingException", 400, "target_throttled", Fault::Throttled),
            ("RequestThrottled", 403, "target_throttled", Fault::Throttled),
            ("SlowDown", 503, "target_throttled", Fault::Throttled),
            ("ProvisionedThroughputExceededException", 400, "target_throttled", Fault::Throttled),
            ("TooManyRequestsException", 429, "target_throttled", Fault::Throttled),
            ("ExecutionLimitExceeded", 400, "target_throttled", Fault::Throttled),
            ("AccessDeniedException", 400, "target_denied", Fault::Refused(403)),
            ("AuthorizationError", 403, "target_denied", Fault::Refused(403)),
            ("AWS.SimpleQueueService.NonExistentQueue", 400, "target_not_found", Fault::Refused(404)),
            ("StateMachineDoesNotExist", 400, "target_not_found", Fault::Refused(404)),
            ("NoSuchBucket", 404, "target_not_found", Fault::Refused(404)),
            ("ValidationException", 400, "target_refused", Fault::Refused(400)),
            ("ConditionalRequestConflict", 409, "target_refused", Fault::Refused(409)),
            ("InternalFailure", 500, "target_unavailable", Fault::Failed(500)),
            ("ServiceUnavailable", 503, "target_unavailable", Fault::Failed(503)),
        ];
        for (code, status, word, fault) in cases {
            let error = TargetError::of_code("SQS", code, status);
            assert_eq!((error.code, error.fault), (word, fault), "{code}");
            assert_eq!(error.to_string(), format!("SQS answered {code}"));
        }
    }
}
