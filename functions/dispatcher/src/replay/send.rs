//! Sending: the items of a plan, page by page, in the order of their events.

use futures_util::stream::{self, StreamExt};
use hookport::aws::lambda::Deadline;
use hookport::aws::queue::Outgoing;
use hookport::domain::id::{DeliveryId, SubscriptionId};
use hookport::domain::replay::{Counts, Pace, Replay, Skipped};
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use hookport::message::{Message, OutboundMessage};
use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::Step;
use super::page::{Group, Manner, Taker, groups, is_expired};
use crate::{Dispatcher, Trouble};

/// How many items are on a page.
const PAGE: usize = 100;
/// How many of them are worked at once.
const CONCURRENCY: usize = 16;
/// How often it is looked whether a subscription takes events again.
const WHILE_RESTING: SignedDuration = SignedDuration::from_mins(5);

/// What became of an item.
pub(super) enum Settled {
    /// Its delivery is made; whether a message may bring its attempt on.
    Sent { hint: Option<DeliveryId> },
    /// It is not sent, for the reason that is counted.
    Skipped(Skipped),
    /// It has to wait until then, and so has all behind it.
    Waits(Timestamp),
}

impl Dispatcher {
    /// Sends some more items, beginning behind `after`.
    pub(super) async fn send(
        &self,
        replay: &Replay,
        after: Option<DeliveryId>,
        pace: Option<Pace>,
        deadline: Deadline,
    ) -> Result<Step, Trouble> {
        let now = self.app.clock.now();
        let rated = replay.selection.rate_per_second.zip(pace);
        let limit = match rated {
            None => PAGE,
            Some((rate, pace)) => match pace.allowance(rate, PAGE, now) {
                Ok(allowed) => allowed,
                Err(until) => return Ok(Step::Wait(until)),
            },
        };
        let items = self.app.store.replay_items(&replay.tenant, replay.id, after, limit).await?;
        let Some(first) = items.first() else { return Ok(Step::further(replay.done(now))) };
        let takers = self.takers(replay, &items, now).await?;
        let rests = |id: &SubscriptionId| matches!(takers.get(id), Some(Taker::Resting));
        let end = items.iter().position(|item| rests(&item.subscription_id) && !is_expired(item, now));
        if end == Some(0) {
            let (until, id) = (later(now, WHILE_RESTING), first.subscription_id);
            return Ok(match replay.stage.waiting_for() {
                Some(known) if known == id => Step::Wait(until),
                _ => Step::Further(Box::new(replay.waiting_for(id, now)), Some(until)),
            });
        }
        let items = &items[..end.unwrap_or(items.len())];

        let work = stream::iter(groups(replay, items, &takers))
            .map(|group| async move { self.send_group(replay, group, deadline).await });
        let mut settled: Vec<Option<Settled>> = items.iter().map(|_| None).collect();
        for group in work.buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await {
            for (place, one) in group? {
                settled[place] = Some(one);
            }
        }
        self.hint_all(&replay.tenant, &settled).await;

        let (mut counts, mut last, mut until) = (Counts::default(), None, None);
        for (item, one) in items.iter().zip(settled) {
            match one {
                Some(Settled::Sent { .. }) => counts.sent += 1,
                Some(Settled::Skipped(why)) => counts.skipped = counts.skipped + why,
                // What is behind it may be sent already. It will be found to be, and is counted then.
                Some(Settled::Waits(at)) => until = Some(at),
                None => until = Some(now),
            }
            if until.is_some() {
                break;
            }
            last = Some(item.first_id());
        }
        let Some(last) = last else { return Ok(Step::Wait(until.unwrap_or(now))) };
        let now = self.app.clock.now();
        let pace = rated.map(|(rate, pace)| pace.spent(rate, counts.sent, now));
        Ok(Step::Further(Box::new(replay.sent_further(counts, Some(last), pace, now)), until))
    }

    /// Sends items one after another, until one of them has to wait.
    async fn send_group(
        &self,
        replay: &Replay,
        group: Group,
        deadline: Deadline,
    ) -> Result<Vec<(usize, Settled)>, Trouble> {
        let mut all = Vec::with_capacity(group.items.len());
        for (place, item) in &group.items {
            // A turn takes as long as its target does, and a lane has many of a page. The first of the page is sent in any
            // case, so that it comes further.
            if group.manner != Manner::ByQueue && *place > 0 && self.app.clock.now() >= deadline.0 {
                break;
            }
            let settled = self.settle(replay, item, &group.taker, group.manner).await?;
            let is_over = matches!(settled, Settled::Waits(_));
            all.push((*place, settled));
            if is_over {
                break;
            }
        }
        Ok(all)
    }

    /// Sends the messages that bring attempts on. What a lost one was about has a due time.
    async fn hint_all(&self, tenant: &TenantSlug, settled: &[Option<Settled>]) {
        let ids = settled.iter().filter_map(|one| match one {
            Some(Settled::Sent { hint }) => *hint,
            _ => None,
        });
        let messages = ids.map(|id| Outgoing {
            body: Message::Outbound(OutboundMessage::new(tenant.clone(), id)).encode(),
            delay: SignedDuration::ZERO,
        });
        let messages: Vec<_> = messages.collect();
        if messages.is_empty() {
            return;
        }
        let lost = self.app.outbound_queue.send_all(messages).await;
        if let Some((_, error)) = lost.first() {
            warn!(%tenant, code = error.code, lost = lost.len(), "replay.hints_lost");
        }
    }

    /// Counts what was under way when somebody put an end to it: at most a page.
    pub(super) async fn stop(&self, replay: &Replay, after: Option<DeliveryId>) -> Result<Step, Trouble> {
        let items = self.app.store.replay_items(&replay.tenant, replay.id, after, PAGE).await?;
        let looks = stream::iter(items).map(|item| async move { self.is_made(replay, &item).await });
        let mut counts = Counts::default();
        for is_made in looks.buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await {
            counts.sent += u64::from(is_made?);
        }
        Ok(Step::further(replay.stopped(counts, self.app.clock.now())))
    }
}
