//! Queue messages: hints that there is work. Each carries its version; old versions are read for ever.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::domain::event_type::EventType;
use crate::domain::id::{DeliveryId, InboundDeliveryId, SubscriptionId};
use crate::domain::task::Task;
use crate::domain::text::TenantSlug;
use crate::store::KeptRequest;

/// Up to this size a request rides in its message, so that the dispatcher reads nothing. A message is billed per 64 KB.
const MAX_CARRIED_BYTES: usize = 40 * 1024;

/// A message on either queue, told apart by its one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// A request is kept.
    Inbound(InboundMessage),
    /// A delivery may be attempted.
    Outbound(OutboundMessage),
    /// A subscription has to be looked after.
    Upkeep(UpkeepMessage),
    /// Another task is due.
    Task(TaskMessage),
}

impl Message {
    /// "This task is due."
    #[must_use]
    pub fn of_task(tenant: TenantSlug, task: Task) -> Self {
        match task {
            Task::Upkeep(id) => Self::Upkeep(UpkeepMessage::new(tenant, id)),
            task => Self::Task(TaskMessage { v: 1, tenant, task }),
        }
    }

    /// The text of the message.
    ///
    /// # Panics
    /// Never: messages have only text keys.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("messages are plain data")
    }

    /// Reads a message of any version.
    ///
    /// # Errors
    /// When the text is no message of ours.
    pub fn decode(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// "This request is kept": publish its event and send it to every subscription that wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundMessage {
    v: u8,
    /// The tenant.
    pub tenant: TenantSlug,
    /// The request.
    pub delivery_id: InboundDeliveryId,
    /// What the row holds of it, when it is small enough to ride along; else the row is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<Carried>,
}

/// What of the row rides along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// The type of the event.
    pub event_type: EventType,
    request: String,
}

impl InboundMessage {
    /// A message that carries the request when it is small enough.
    #[must_use]
    pub fn carrying(
        tenant: TenantSlug,
        delivery_id: InboundDeliveryId,
        event_type: &EventType,
        request: &KeptRequest,
    ) -> Self {
        let bytes = request.as_bytes();
        let carried = (bytes.len() <= MAX_CARRIED_BYTES)
            .then(|| Carried { event_type: event_type.clone(), request: STANDARD.encode(bytes) });
        Self { v: 1, tenant, delivery_id, carried }
    }

    /// A message that makes the dispatcher read the row, as it must when the work may have been begun before.
    #[must_use]
    pub fn again(tenant: TenantSlug, delivery_id: InboundDeliveryId) -> Self {
        Self { v: 1, tenant, delivery_id, carried: None }
    }
}

impl Carried {
    /// The packed request; `None` when the text is not what [`InboundMessage::carrying`] wrote.
    #[must_use]
    pub fn request(&self) -> Option<KeptRequest> {
        STANDARD.decode(&self.request).ok().map(|bytes| KeptRequest::from_bytes(bytes.into()))
    }
}

/// "This delivery may be attempted now."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundMessage {
    v: u8,
    /// The tenant.
    pub tenant: TenantSlug,
    /// The delivery.
    pub delivery_id: DeliveryId,
}

impl OutboundMessage {
    /// A message about `delivery_id`.
    #[must_use]
    pub fn new(tenant: TenantSlug, delivery_id: DeliveryId) -> Self {
        Self { v: 1, tenant, delivery_id }
    }
}

/// "Look after this subscription": send its challenge, deliver what was kept for it, end what is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpkeepMessage {
    v: u8,
    /// The tenant.
    pub tenant: TenantSlug,
    /// The subscription.
    pub subscription_id: SubscriptionId,
}

impl UpkeepMessage {
    /// A message about `subscription_id`.
    #[must_use]
    pub fn new(tenant: TenantSlug, subscription_id: SubscriptionId) -> Self {
        Self { v: 1, tenant, subscription_id }
    }
}

/// "This task is due": whatever there is to do is seen from the thing itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskMessage {
    v: u8,
    /// The tenant.
    pub tenant: TenantSlug,
    /// The task.
    pub task: Task,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of every version that was ever sent are still read.
    #[test]
    fn messages_of_version_1_are_read() {
        let inbound = r#"{"inbound":{"v":1,"tenant":"acme","delivery_id":"ind_01m5w3rm008000000400000003",
            "carried":{"event_type":"github.push","request":"AAAA"}}}"#;
        let inbound = Message::decode(inbound).expect("an inbound message");
        assert!(matches!(&inbound, Message::Inbound(m) if m.carried.is_some()));
        assert_eq!(Message::decode(&inbound.encode()).expect("its own text"), inbound);
        let outbound = r#"{"outbound":{"v":1,"tenant":"acme","delivery_id":"dlv_01m5w3rm008000000400000003"}}"#;
        assert!(matches!(Message::decode(outbound), Ok(Message::Outbound(_))));
        let upkeep = r#"{"upkeep":{"v":1,"tenant":"acme","subscription_id":"sub_01m5w3rm008000000400000003"}}"#;
        assert!(matches!(Message::decode(upkeep), Ok(Message::Upkeep(_))));
        let task = r#"{"task":{"v":1,"tenant":"acme","task":"replay/01m5w3rm008000000400000003"}}"#;
        assert!(matches!(Message::decode(task), Ok(Message::Task(m)) if matches!(m.task, Task::Replay(_))));
    }

    #[test]
    fn a_large_request_does_not_ride_along() {
        let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
        let kind = EventType::try_from("a.b".to_owned()).expect("a type");
        let id = "ind_01m5w3rm008000000400000003".parse().expect("an id");
        let carried = |bytes: usize| {
            let request = KeptRequest::from_bytes(vec![7; bytes].into());
            InboundMessage::carrying(tenant.clone(), id, &kind, &request).carried.and_then(|c| c.request())
        };
        assert_eq!(carried(40 * 1024), Some(KeptRequest::from_bytes(vec![7; 40 * 1024].into())));
        assert_eq!(carried(40 * 1024 + 1), None);
    }
}
