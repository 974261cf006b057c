//! Keeps the events that the gateway tells of itself.

use bytes::Bytes;
use serde_json::Value;

use crate::app::App;
use crate::aws::table::TableError;
use crate::domain::event_facts::EventFacts;
use crate::domain::inbound_delivery::{InboundDelivery, RequestHead, row_expires_at};
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
    if keep(app, &row, Some(event.facts()), &event.body()).await? == Kept::New {
        hint(app, InboundMessage::again(row.tenant, row.id)).await;
    }
    Ok(())
}

/// Keeps the event of a row that no request led to, with its body, unless it is kept already. One write.
///
/// # Errors
/// As [`tell`].
pub async fn keep(
    app: &App,
    row: &InboundDelivery,
    facts: Option<EventFacts>,
    body: &Value,
) -> Result<Kept, TableError> {
    let head = RequestHead {
        verified: false,
        method: "POST".to_owned(),
        // No request led to it, so there is no path.
        path: String::new(),
        source_ip: None,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        facts,
    };
    let request = KeptRequest::pack(&head, &Bytes::from(body.to_string()))?;
    let expires_at = row_expires_at(row.received_at(), 0);
    app.store.keep_inbound(row, Some(&request), Writer::new(app.random.bits()), expires_at).await
}
