//! A page of items that are being sent: who takes them, and which of them keep an order.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use hookport::domain::id::SubscriptionId;
use hookport::domain::inbound_delivery::body_expires_at;
use hookport::domain::replay::{Replay, ReplayItem, ReplayOrder};
use hookport::domain::subscription::State;
use jiff::Timestamp;

use crate::subscriptions::Ready;
use crate::{Dispatcher, Trouble};

/// The subscription that an item is for.
#[derive(Clone)]
pub(super) enum Taker {
    /// It takes events.
    Ready(Arc<Ready>),
    /// It takes none now.
    Resting,
    /// It was deleted.
    Gone,
}

/// How an item is sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Manner {
    /// Its attempt is made by whoever gets the message.
    ByQueue,
    /// It stands in its lane, whose work sends it: that may begin before the page is over, so that none comes to stand
    /// there before an older one of its subscription does.
    InLane,
    /// Its attempt is made here, before the next one of its subscription.
    InTurn,
}

/// Items that are sent one after another, each with its place on the page.
pub(super) struct Group {
    pub(super) taker: Taker,
    pub(super) manner: Manner,
    pub(super) items: Vec<(usize, ReplayItem)>,
}

/// The subscriptions of a page.
pub(super) type Takers = HashMap<SubscriptionId, Taker>;

pub(super) fn is_expired(item: &ReplayItem, now: Timestamp) -> bool {
    body_expires_at(item.event_id.into()) <= now
}

/// How an item is sent to a subscription.
fn manner(replay: &Replay, item: &ReplayItem, ready: &Ready) -> Manner {
    let keeps_order = ready.subscription.settings.ordering.is_some();
    match (replay.selection.order, item.is_again) {
        // What is sent again does not stand in a lane: the rest of the lane has not waited for it either.
        (_, false) if keeps_order => Manner::InLane,
        (ReplayOrder::None, _) if !keeps_order => Manner::ByQueue,
        (ReplayOrder::None | ReplayOrder::ByTime, _) => Manner::InTurn,
    }
}

/// What may be sent at once of the items of a page, and what has to be sent one after another.
pub(super) fn groups(replay: &Replay, items: &[ReplayItem], takers: &Takers) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut in_order: HashMap<(SubscriptionId, Manner), Group> = HashMap::new();
    for (place, item) in items.iter().enumerate() {
        let taker = takers.get(&item.subscription_id).cloned().unwrap_or(Taker::Gone);
        let manner = match &taker {
            Taker::Ready(ready) => manner(replay, item, ready),
            Taker::Resting | Taker::Gone => Manner::ByQueue,
        };
        let one = (place, item.clone());
        match manner {
            Manner::ByQueue => groups.push(Group { taker, manner, items: vec![one] }),
            Manner::InLane | Manner::InTurn => {
                let group = in_order.entry((item.subscription_id, manner));
                group.or_insert_with(|| Group { taker, manner, items: Vec::new() }).items.push(one);
            }
        }
    }
    groups.extend(in_order.into_values());
    groups
}

impl Dispatcher {
    /// The subscription that items are for, as it is now.
    pub(super) async fn taker(&self, replay: &Replay, id: SubscriptionId, now: Timestamp) -> Result<Taker, Trouble> {
        let found = self.subscriptions.one(&self.app, &replay.tenant, id, now).await?;
        Ok(match found.ready {
            None => Taker::Gone,
            Some(ready) if found.is_enabled && ready.subscription.status.state == State::Active => Taker::Ready(ready),
            Some(_) => Taker::Resting,
        })
    }

    pub(super) async fn takers(
        &self,
        replay: &Replay,
        items: &[ReplayItem],
        now: Timestamp,
    ) -> Result<Takers, Trouble> {
        let mut takers = Takers::new();
        for item in items {
            if let Entry::Vacant(place) = takers.entry(item.subscription_id) {
                place.insert(self.taker(replay, item.subscription_id, now).await?);
            }
        }
        Ok(takers)
    }
}
