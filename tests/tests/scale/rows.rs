//! Rows of deliveries in any number, put through the store itself.

use hookport::domain::delivery::{Delivery, DeliveryState};
use hookport::domain::event_type::EventType;
use hookport::domain::id::{InboundDeliveryId, InboundWebhookId, SubscriptionId};
use hookport::domain::text::TenantSlug;
use hookport::store::Store;
use jiff::{SignedDuration, Timestamp};

/// Over how many subscriptions the rows are spread.
const SUBSCRIPTIONS: u32 = 50;
/// When waits that are not over any time soon are over.
const MUCH_LATER: SignedDuration = SignedDuration::from_hours(24 * 30);

/// How many rows there are to be.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// Rows that no sweep has anything to do with: every other one ended, the others wait for a month.
    pub stored: u32,
    /// Rows whose wait is over at once. They are always the same, however many others there are.
    pub due: u32,
}

/// Puts the rows of one tenant.
pub async fn fill(store: &Store, tenant: &TenantSlug, rows: Rows, now: Timestamp) {
    for n in 0..rows.due {
        put(store, tenant, n, DeliveryState::Pending { next_attempt_at: now, reason: None }, now).await;
    }
    let much_later = now.saturating_add(MUCH_LATER).expect("a time in range");
    for n in rows.due..rows.due + rows.stored {
        let state = if n % 2 == 0 {
            DeliveryState::Delivered { at: now }
        } else {
            DeliveryState::Pending { next_attempt_at: much_later, reason: None }
        };
        put(store, tenant, n, state, now).await;
    }
}

async fn put(store: &Store, tenant: &TenantSlug, n: u32, state: DeliveryState, now: Timestamp) {
    let event = InboundDeliveryId::new(now, InboundWebhookId::NONE, u128::from(n)).into();
    let event_type = EventType::try_from("invoice.paid".to_owned()).expect("a type");
    let subscription = SubscriptionId::new(now, u128::from(n % SUBSCRIPTIONS));
    let delivery = Delivery::of_event(tenant.clone(), event, event_type, subscription, state, now);
    assert!(store.put_delivery(&delivery).await.expect("the table answers"), "it is new");
}
