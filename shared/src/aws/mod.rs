//! The thin layer over AWS: the only place that names an `aws_*` or `lambda_*` crate.
//!
//! It speaks the values of this crate, and tells a lost race ([`table::TableError::ConditionFailed`]) from trouble.

pub mod clients;
pub mod expression;
pub mod in_process;
pub mod lambda;
mod network;
pub mod queue;
pub mod secrets;
pub mod sigv4;
pub mod table;
pub mod transaction;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

/// A failure underneath, kept for its chain of causes.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// Names the failure of a call for logs: its code if the service gave one, else its kind. Never content.
fn code_of<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(service) => service.err().code().unwrap_or("unnamed").to_owned(),
        SdkError::TimeoutError(_) => "timeout".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "timeout".to_owned(),
        SdkError::DispatchFailure(_) => "unreachable".to_owned(),
        SdkError::ResponseError(_) => "unreadable_answer".to_owned(),
        _ => "not_sent".to_owned(),
    }
}
