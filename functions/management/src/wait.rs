//! Waiting for what targets answer, where a caller asks for it: bounded, and what is not done then goes on without it.

use hookport::domain::delivery::{Delivery, DeliveryState};
use hookport::domain::event_type::EventType;
use hookport::domain::id::{DeliveryId, EventId, SubscriptionId};
use hookport::domain::inbound_delivery::DispatchStatus;
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::Api;
use crate::error::Result;
use crate::inbound_webhook::within;

/// The longest that a caller may wait, in seconds.
pub(crate) const MAX_WAIT_S: u32 = 10;
/// The most deliveries that are shown.
const MOST: usize = 100;
/// The wait before the second look, and the longest between two.
const FIRST_LOOK: SignedDuration = SignedDuration::from_millis(50);
const LONGEST_LOOK: SignedDuration = SignedDuration::from_millis(500);

/// For how long to wait for the answers of targets.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitQuery {
    /// For how many seconds to wait for what the targets answer, 1 to 10; without it nobody waits. What is not done then
    /// goes on in the background.
    #[param(minimum = 1, maximum = 10)]
    pub(crate) wait: Option<u32>,
}

/// Until when to wait, if that was asked for.
pub(crate) fn until(api: &Api, wait: Option<u32>) -> Result<Option<Timestamp>> {
    let seconds = within("wait", wait, 1..=MAX_WAIT_S)?;
    Ok(seconds.map(|seconds| later(api.app.clock.now(), SignedDuration::from_secs(seconds.into()))))
}

/// The looks that are taken until a time, each after a longer wait than the one before.
struct Looks<'a> {
    api: &'a Api,
    until: Timestamp,
    next: SignedDuration,
}

impl<'a> Looks<'a> {
    fn new(api: &'a Api, until: Timestamp) -> Self {
        Self { api, until, next: FIRST_LOOK }
    }

    /// Waits for the next look; `false` when the time is over.
    async fn again(&mut self) -> bool {
        let clock = &self.api.app.clock;
        let now = clock.now();
        if now >= self.until {
            return false;
        }
        clock.wait_until(later(now, self.next).min(self.until)).await;
        self.next = self.next.saturating_mul(2).min(LONGEST_LOOK);
        true
    }
}

/// Waits until every delivery of an event was attempted, or needs no attempt now. Gives what there is of them then, at
/// most 100 of those that `visible` names, and tells whether that is so.
pub(crate) async fn for_event(
    api: &Api,
    tenant: &TenantSlug,
    event: EventId,
    event_type: &EventType,
    visible: Option<&[SubscriptionId]>,
    until: Timestamp,
) -> Result<(Vec<Delivery>, bool)> {
    let store = &api.app.store;
    let mut looks = Looks::new(api, until);
    let (mut targets, mut settled) = (Vec::new(), 0);
    let mut complete = false;
    loop {
        let row = store.inbound_delivery(tenant, event.into()).await?;
        if let Some(row) = row {
            targets = row.subscriptions;
            if row.status != DispatchStatus::Pending {
                // Those that were settled at the look before are not looked at again.
                while let Some(some) = targets.get(settled..).filter(|rest| !rest.is_empty()) {
                    let some = &some[..some.len().min(MOST)];
                    if !store.deliveries_of_event(tenant, event, some).await?.iter().all(is_settled) {
                        break;
                    }
                    settled += some.len();
                }
                complete = settled >= targets.len();
            }
        }
        if complete || !looks.again().await {
            break;
        }
    }
    if targets.is_empty() && !complete {
        // While it is going out for the first time, its row does not know where it goes.
        targets = match visible {
            Some(visible) => visible.to_vec(),
            None => store.subscribed_ids(tenant, event_type, MOST).await?,
        };
    }
    targets.retain(|id| visible.is_none_or(|visible| visible.contains(id)));
    targets.truncate(MOST);
    Ok((store.deliveries_of_event(tenant, event, &targets).await?, complete))
}

/// Waits until a delivery ended, or the time is over.
pub(crate) async fn for_delivery(
    api: &Api,
    tenant: &TenantSlug,
    id: DeliveryId,
    until: Timestamp,
) -> Result<Option<Delivery>> {
    let mut looks = Looks::new(api, until);
    loop {
        let found = api.app.store.delivery(tenant, id).await?;
        if found.as_ref().is_none_or(|delivery| delivery.state.is_final()) || !looks.again().await {
            return Ok(found);
        }
    }
}

/// Tells whether a delivery has an answer to show, or will have none soon.
fn is_settled(delivery: &Delivery) -> bool {
    !delivery.attempts.is_empty()
        || delivery.state.is_final()
        || (delivery.state == DeliveryState::Held && delivery.lane.is_none())
}
