//! Step Functions. The delivery's id is the execution's name, of which a standard workflow has one.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::SdkError;
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use hookport::domain::target::StateMachineArn;

use crate::Sent;
use crate::failure::{TargetError, failure};
use crate::parcel::Parcel;

const SERVICE: &str = "Step Functions";
/// The largest input.
const MAX_BYTES: usize = 262_144;

pub(crate) async fn start(
    client: &Client,
    state_machine: &StateMachineArn,
    parcel: &Parcel,
) -> Result<Sent, TargetError> {
    let input = parcel.envelope();
    if input.len() > MAX_BYTES {
        return Err(TargetError::too_large(SERVICE, input.len(), MAX_BYTES));
    }
    let name = parcel.delivery_id.to_string();
    let call = client.start_execution().state_machine_arn(state_machine.as_str()).name(&name).input(input);
    match call.send().await {
        Ok(started) => Ok(Sent::receipt("execution_arn", Some(started.execution_arn()))),
        // An earlier attempt started it, whose answer was lost, and it has ended since.
        Err(error) if was_started(&error) => Ok(Sent::receipt("execution_name", Some(&name))),
        Err(error) => Err(failure(SERVICE, &error)),
    }
}

fn was_started<R>(error: &SdkError<StartExecutionError, R>) -> bool {
    error.as_service_error().is_some_and(StartExecutionError::is_execution_already_exists)
}
