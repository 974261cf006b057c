//! Lambda. It drops no repetitions: the delivery's id is in the payload, for the function.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use hookport::domain::target::{FunctionArn, FunctionMode};
use serde::Deserialize;

use crate::Sent;
use crate::failure::{TargetError, failure};
use crate::parcel::Parcel;

const SERVICE: &str = "Lambda";
/// The largest payload of a function whose end is not waited for.
const MAX_ASYNC_BYTES: usize = 1_048_576;
/// The largest payload of one whose end is.
const MAX_WAIT_BYTES: usize = 6_291_456;
/// How much of what a function says of its failure is told.
const MAX_SAID_BYTES: usize = 256;

/// What Lambda answers when a function failed.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Failure {
    error_type: String,
    error_message: String,
}

pub(crate) async fn invoke(
    client: &Client,
    function: &FunctionArn,
    mode: FunctionMode,
    parcel: &Parcel,
) -> Result<Sent, TargetError> {
    let (kind, most) = match mode {
        FunctionMode::Async => (InvocationType::Event, MAX_ASYNC_BYTES),
        FunctionMode::Wait => (InvocationType::RequestResponse, MAX_WAIT_BYTES),
    };
    let payload = parcel.envelope();
    if payload.len() > most {
        return Err(TargetError::too_large(SERVICE, payload.len(), most));
    }
    let call = client.invoke().function_name(function.as_str()).invocation_type(kind).payload(Blob::new(payload));
    let answer = call.send().await.map_err(|error| failure(SERVICE, &error))?;
    let said = answer.payload().map_or(&[][..], Blob::as_ref);
    if answer.function_error().is_some() {
        let failure: Failure = serde_json::from_slice(said).unwrap_or_default();
        let kind = if failure.error_type.is_empty() { "the function failed" } else { failure.error_type.as_str() };
        return Err(TargetError::in_function(beginning(kind), beginning(&failure.error_message)));
    }
    let status = u16::try_from(answer.status_code()).unwrap_or(200);
    Ok(Sent { status, body: String::from_utf8_lossy(said).into_owned() })
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_SAID_BYTES)]
}
