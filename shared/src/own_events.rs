//! Keeps the events that the gateway tells of itself.

use bytes::Bytes;

use crate::app::App;
use crate::aws::table::TableError;
use crate::domain::inbound_delivery::{RequestHead, row_expires_at};
use crate::domain::own_event::OwnEvent;
use crate::inbound::hint;
use crate::message::InboundMessage;
use crate::store::{Kept, KeptRequest, Writer};

/// Keeps an event, unless it is kept already, and hints at it. One write.
///
/// # Errors
/// When the table cannot be reached. It may have been written then; telling it again does no harm.
pub async fn tell(app: &App, event: &OwnEvent) -> Result<(), TableError> {
    let row = event.row(app.clock.now());
    let head = RequestHead {
        method: "POST".to_owned(),
        // No request led to it, so there is no path.
        path: String::new(),
        source_ip: None,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        facts: Some(event.facts()),
    };
    let request = KeptRequest::pack(&head, &Bytes::from(event.body().to_string()))?;
    let expires_at = row_expires_at(row.received_at(), 0);
    let kept = app.store.keep_inbound(&row, Some(&request), Writer::new(app.random.bits()), expires_at).await?;
    if kept == Kept::New {
        hint(app, InboundMessage::again(row.tenant, row.id)).await;
    }
    Ok(())
}
