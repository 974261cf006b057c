//! SQS. A FIFO queue drops a message whose deduplication id it had in the last five minutes.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;
use hookport::domain::target::{MessageGroup, QueueUrl};

use crate::Sent;
use crate::failure::{TargetError, failure};
use crate::message::{Message, TEXT, group};
use crate::parcel::Parcel;

const SERVICE: &str = "SQS";
/// The largest message, attributes included.
const MAX_BYTES: usize = 1_048_576;

pub(crate) async fn send(
    client: &Client,
    queue: &QueueUrl,
    asked: Option<MessageGroup>,
    parcel: &Parcel,
) -> Result<Sent, TargetError> {
    let message = Message::of(parcel, SERVICE, MAX_BYTES)?;
    let mut call = client.send_message().queue_url(queue.as_str()).message_body(message.text);
    for (name, value) in message.attributes {
        let value = MessageAttributeValue::builder().data_type(TEXT).string_value(value).build();
        call = call.message_attributes(name, value.map_err(|_| TargetError::not_built())?);
    }
    if queue.is_fifo() {
        call = call.message_deduplication_id(parcel.delivery_id.to_string());
    }
    let sent = call.set_message_group_id(group(asked, queue.is_fifo(), parcel)).send().await;
    let sent = sent.map_err(|error| failure(SERVICE, &error))?;
    Ok(Sent::receipt("message_id", sent.message_id()))
}
