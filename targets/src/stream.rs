//! Kinesis. It drops no repetitions and has no attributes: the delivery's id is in the record.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::primitives::Blob;
use hookport::domain::target::{PartitionKey, StreamArn};

use crate::Sent;
use crate::failure::{TargetError, failure};
use crate::parcel::Parcel;

const SERVICE: &str = "Kinesis";
/// The largest record of a stream that was not told to take more, its key included.
const MAX_BYTES: usize = 1_048_576;
/// The longest key, in characters.
const MAX_KEY_CHARS: usize = 256;

pub(crate) async fn put(
    client: &Client,
    stream: &StreamArn,
    key: PartitionKey,
    parcel: &Parcel,
) -> Result<Sent, TargetError> {
    let entity = parcel.entity.as_deref().filter(|_| key == PartitionKey::Entity);
    let key: String = entity.unwrap_or(&parcel.id).chars().take(MAX_KEY_CHARS).collect();
    let record = parcel.envelope();
    let bytes = key.len() + record.len();
    if bytes > MAX_BYTES {
        return Err(TargetError::too_large(SERVICE, bytes, MAX_BYTES));
    }
    let call = client.put_record().stream_arn(stream.as_str()).partition_key(key).data(Blob::new(record));
    let put = call.send().await.map_err(|error| failure(SERVICE, &error))?;
    Ok(Sent::receipt("sequence_number", Some(put.sequence_number())))
}
