//! EventBridge. It drops no repetitions: the delivery's id is in the event, for whoever handles it.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use hookport::domain::target::{BusArn, DetailType, EventSource};

use crate::Sent;
use crate::failure::{TargetError, failure};
use crate::parcel::Parcel;

const SERVICE: &str = "EventBridge";
/// The largest entry.
const MAX_BYTES: usize = 1_048_576;
/// What an entry's time counts as.
const TIME_BYTES: usize = 14;
/// What events say they come from unless the subscription says otherwise.
const SOURCE: &str = "hookport";

/// What the subscription chose of what events say of themselves.
pub(crate) struct Told<'a> {
    pub(crate) source: Option<&'a EventSource>,
    pub(crate) detail_type: Option<&'a DetailType>,
}

pub(crate) async fn put(client: &Client, bus: &BusArn, told: &Told<'_>, parcel: &Parcel) -> Result<Sent, TargetError> {
    let source = told.source.map_or(SOURCE, EventSource::as_str);
    let detail_type = told.detail_type.map_or(parcel.event_type.as_str(), DetailType::as_str);
    let delivery = parcel.delivery_id.to_string();
    let detail = parcel.envelope();
    let bytes = TIME_BYTES + source.len() + detail_type.len() + delivery.len() + detail.len();
    if bytes > MAX_BYTES {
        return Err(TargetError::too_large(SERVICE, bytes, MAX_BYTES));
    }
    let entry = PutEventsRequestEntry::builder()
        .event_bus_name(bus.as_str())
        .source(source)
        .detail_type(detail_type)
        .detail(detail)
        .resources(delivery)
        .time(DateTime::from_millis(parcel.occurred_at.as_millisecond()))
        .build();
    let put = client.put_events().entries(entry).send().await.map_err(|error| failure(SERVICE, &error))?;
    // The call is a success also when the entry is not taken.
    let entry = put.entries().first();
    match entry.and_then(|entry| entry.error_code()) {
        Some(code) => {
            let status = if code.starts_with("Internal") { 500 } else { 400 };
            Err(TargetError::of_code(SERVICE, code, status))
        }
        None => Ok(Sent::receipt("event_id", entry.and_then(|entry| entry.event_id()))),
    }
}
