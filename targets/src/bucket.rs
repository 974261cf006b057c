//! S3. The delivery's id is in the object's key, and an object that is there is not written again.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use hookport::domain::target::{BucketName, KeyPrefix};

use crate::Sent;
use crate::failure::{TargetError, failure};
use crate::parcel::Parcel;

const SERVICE: &str = "S3";
/// The most bytes of an object's metadata, names and values.
const MAX_METADATA_BYTES: usize = 2_048;

pub(crate) async fn put(
    client: &Client,
    bucket: &BucketName,
    prefix: &KeyPrefix,
    parcel: &Parcel,
) -> Result<Sent, TargetError> {
    let delivery = parcel.delivery_id;
    // By the delivery's own time, so that every attempt writes the same object.
    let key = format!("{prefix}{}/{delivery}", delivery.created_at().strftime("%Y/%m/%d"));
    let mut call = client
        .put_object()
        .bucket(bucket.as_str())
        .key(&key)
        .if_none_match("*")
        .content_type(&parcel.content_type)
        .body(ByteStream::from(parcel.body.clone()));
    let mut left = MAX_METADATA_BYTES;
    for (name, value) in &parcel.attributes {
        let is_header = !value.is_empty() && value.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        if let Some(rest) = left.checked_sub(name.len() + value.len()).filter(|_| is_header) {
            left = rest;
            call = call.metadata(name, value);
        }
    }
    match call.send().await {
        Ok(_) => Ok(Sent::receipt("key", Some(&key))),
        // An earlier attempt wrote it, and its answer was lost.
        Err(error) if is_there(&error) => Ok(Sent::receipt("key", Some(&key))),
        Err(error) => Err(failure(SERVICE, &error)),
    }
}

fn is_there<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.as_service_error().is_some_and(|error| error.code() == Some("PreconditionFailed"))
}
