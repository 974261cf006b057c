//! What stands in the lanes of subscriptions whose deliveries keep an order: a note for each delivery, in the order of its
//! events.

use serde::Deserialize;

use super::held::{forgotten, noted, same_note};
use super::{Store, keys};
use crate::aws::table::{Query, Stored, TableError, Wanted};
use crate::domain::delivery::Delivery;
use crate::domain::event_type::EventType;
use crate::domain::id::{DeliveryId, EventId, SubscriptionId};
use crate::domain::ordering::LaneKey;
use crate::domain::text::TenantSlug;

/// One delivery that stands in a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InLane {
    /// The lane.
    pub lane: LaneKey,
    /// The delivery.
    pub id: DeliveryId,
    /// Its event.
    pub event_id: EventId,
    /// The type of the event.
    pub event_type: EventType,
    /// How often it was noted: a note that was made anew is another one.
    pub noted: u64,
}

#[derive(Deserialize)]
struct Row {
    e: EventId,
    t: EventType,
    #[serde(default)]
    r: u64,
}

fn read(stored: Stored) -> Result<InLane, TableError> {
    let key = stored.key().sk.unwrap_or_default();
    let (lane, id) = key.split_once('/').ok_or_else(|| TableError::Corrupt("a note names no lane".into()))?;
    let lane = lane.parse::<LaneKey>().map_err(|e| TableError::Corrupt(e.into()))?;
    let id = DeliveryId::from_suffix(id).map_err(|e| TableError::Corrupt(e.into()))?;
    let row = stored.read::<Row>()?;
    Ok(InLane { lane, id, event_id: row.e, event_type: row.t, noted: row.r })
}

impl Store {
    /// Notes that a delivery stands in a lane. One write, before the lane's task is asked for: whoever dies in between
    /// leaves a note that does no harm.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn note_in_lane(&self, delivery: &Delivery, lane: LaneKey) -> Result<(), TableError> {
        let key = keys::in_lane(&delivery.tenant, delivery.subscription_id, lane, delivery.id);
        self.deliveries.update(&key, &noted(delivery), &[], Wanted::Nothing).await.map(drop)
    }

    /// The first of a lane: that of the oldest event.
    ///
    /// # Errors
    /// When the table cannot be reached or the note cannot be read.
    pub async fn first_in_lane(
        &self,
        tenant: &TenantSlug,
        subscription: SubscriptionId,
        lane: LaneKey,
    ) -> Result<Option<InLane>, TableError> {
        let beyond = Some(format!("{lane}/"));
        let query = Query { pk: keys::lanes(tenant, subscription), beyond, limit: 1, newest_first: false };
        let first = self.deliveries.query(&query).await?.into_iter().next().map(read).transpose()?;
        Ok(first.filter(|first| first.lane == lane))
    }

    /// Forgets that a delivery stands in a lane, unless that was noted anew since the note was read.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn forget_in_lane(
        &self,
        tenant: &TenantSlug,
        subscription: SubscriptionId,
        note: &InLane,
    ) -> Result<(), TableError> {
        let key = keys::in_lane(tenant, subscription, note.lane, note.id);
        forgotten(self.deliveries.delete(&key, &[same_note(note.noted)]).await)
    }

    /// The lanes that the next `limit` deliveries beyond the lane `after` stand in, in the order of their keys. Empty: there
    /// are none any more.
    ///
    /// # Errors
    /// When the table cannot be reached or a note cannot be read.
    pub async fn lanes(
        &self,
        tenant: &TenantSlug,
        subscription: SubscriptionId,
        after: Option<LaneKey>,
        limit: usize,
    ) -> Result<Vec<LaneKey>, TableError> {
        // Ids are made of digits and letters, so that nothing of a lane lies beyond its tilde.
        let beyond = after.map(|lane| format!("{lane}/~"));
        let query = Query { pk: keys::lanes(tenant, subscription), beyond, limit, newest_first: false };
        let mut lanes = Vec::new();
        for stored in self.deliveries.query(&query).await? {
            lanes.push(read(stored)?.lane);
        }
        lanes.dedup();
        Ok(lanes)
    }
}
