//! A look at one event: to whom a replay sends it.

use std::collections::HashMap;
use std::sync::Arc;

use hookport::aws::table::TableError;
use hookport::domain::delivery::Delivery;
use hookport::domain::id::{EventId, SubscriptionId};
use hookport::domain::inbound_delivery::{InboundDelivery, body_expires_at};
use hookport::domain::payload_mode::filterable;
use hookport::domain::replay::{Counts, Replay, ReplayFilter, ReplayItem, Routing, Selection, Standing};
use hookport::domain::subscription::{Intake, Subscription};
use serde_json::Value;
use tracing::error;

use crate::event::{Event, Json};
use crate::subscriptions::Ready;
use crate::{Dispatcher, Trouble};

/// How many deliveries are read at a time.
const BATCH: usize = 100;

/// What a look at an event came to.
#[derive(Default)]
pub(super) struct Look {
    /// The event, if it counts, and what is left out of it.
    pub(super) counts: Counts,
    /// How many subscriptions were looked at.
    pub(super) candidates: usize,
    pub(super) items: Vec<ReplayItem>,
}

/// A subscription that an event may be sent to.
struct Candidate {
    ready: Arc<Ready>,
    /// Whether the event went there, so that nobody has to ask whether it is wanted.
    went_there: bool,
    /// Whether an attempt was made before.
    is_again: bool,
}

impl Candidate {
    fn new(ready: Arc<Ready>, went_there: bool) -> Self {
        Self { ready, went_there, is_again: false }
    }

    fn needs_content(&self) -> bool {
        !self.went_there || self.ready.subscription.settings.permission.is_some()
    }
}

impl Dispatcher {
    /// Finds what a replay sends of the event of a row, if that is one that it looks at.
    pub(super) async fn look_at_event(&self, replay: &Replay, row: &InboundDelivery) -> Result<Look, Trouble> {
        let mut look = Look::default();
        let selection = &replay.selection;
        let Some(event_id) = row.event_id().filter(|_| selection.takes_event(row)) else { return Ok(look) };
        let candidates = self.candidates(replay, row, &mut look).await?;
        look.candidates = candidates.len();
        // What none of those that are named, or an owner has, could want says nothing to anybody.
        let is_for_all = selection.filter.subscription_ids.is_empty() && replay.owner.is_none();
        look.counts.events = u64::from(is_for_all || !candidates.is_empty());
        let chosen = self.chosen(replay, event_id, candidates, &mut look).await?;
        if chosen.is_empty() {
            return Ok(look);
        }
        let lost = u64::try_from(chosen.len()).unwrap_or(u64::MAX);
        if body_expires_at(row.id) <= self.app.clock.now() {
            look.counts.left_out.body_expired += lost;
            return Ok(look);
        }
        let needs_content = !selection.filter.event.is_empty() || chosen.iter().any(Candidate::needs_content);
        let wanting = match needs_content {
            false => chosen,
            true => match self.content_of(row, event_id).await? {
                Some(event) => self.wanting(selection, &event, chosen).await?,
                None => {
                    look.counts.left_out.body_expired += lost;
                    return Ok(look);
                }
            },
        };
        look.items.extend(wanting.into_iter().map(|candidate| ReplayItem {
            event_id,
            event_type: row.event_type.clone(),
            subscription_id: candidate.ready.subscription.id,
            is_again: candidate.is_again,
        }));
        Ok(look)
    }

    /// The subscriptions that the event of a row may be sent to, its content and what became of it apart.
    async fn candidates(
        &self,
        replay: &Replay,
        row: &InboundDelivery,
        look: &mut Look,
    ) -> Result<Vec<Candidate>, Trouble> {
        let (tenant, selection) = (&replay.tenant, &replay.selection);
        // Everything that stood when it was asked for is known.
        let as_of = replay.created_at;
        let is_own =
            |known: &Subscription| replay.owner.as_ref().is_none_or(|owner| known.owner.as_ref() == Some(owner));
        let named = &selection.filter.subscription_ids;
        let ids: Vec<(SubscriptionId, bool)> = match (selection.routing, named.is_empty()) {
            (Routing::Current, true) => {
                let wanting = self.subscriptions.wanting(&self.app, tenant, &row.event_type, as_of).await?;
                let takes = |ready: &&Arc<Ready>| {
                    let known = &ready.subscription;
                    selection.takes_subscription(known.id) && is_own(known) && known.intake() != Intake::Skip
                };
                return Ok(wanting.list.iter().filter(takes).map(|r| Candidate::new(Arc::clone(r), false)).collect());
            }
            (Routing::Current, false) => named.iter().map(|id| (*id, false)).collect(),
            (Routing::SameTargets, true) => row.subscriptions.iter().map(|id| (*id, true)).collect(),
            (Routing::SameTargets, false) => named.iter().map(|id| (*id, row.subscriptions.contains(id))).collect(),
        };
        let mut candidates = Vec::with_capacity(ids.len());
        for (id, went_there) in ids {
            if !selection.takes_subscription(id) {
                continue;
            }
            match self.subscriptions.one(&self.app, tenant, id, as_of).await?.ready {
                Some(ready) => {
                    let known = &ready.subscription;
                    let by_type = known.settings.events.iter().any(|pattern| pattern.matches(&row.event_type));
                    if is_own(known) && (went_there || by_type) {
                        candidates.push(Candidate::new(ready, went_there));
                    }
                }
                // Whose it was is not known any more.
                None if went_there && replay.owner.is_none() => look.counts.left_out.subscription_deleted += 1,
                None => {}
            }
        }
        Ok(candidates)
    }

    /// Those of the candidates for whom what became of the event so far is asked for.
    async fn chosen(
        &self,
        replay: &Replay,
        event: EventId,
        candidates: Vec<Candidate>,
        look: &mut Look,
    ) -> Result<Vec<Candidate>, Trouble> {
        let ids: Vec<_> = candidates.iter().map(|candidate| candidate.ready.subscription.id).collect();
        let mut known: HashMap<SubscriptionId, Delivery> = HashMap::new();
        for some in ids.chunks(BATCH) {
            let found = self.app.store.deliveries_of_event(&replay.tenant, event, some).await?;
            known.extend(found.into_iter().map(|delivery| (delivery.subscription_id, delivery)));
        }
        let mut chosen = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let delivery = known.get(&candidate.ready.subscription.id);
            let standing = Standing::of(delivery);
            if replay.selection.takes(standing, delivery) {
                chosen.push(Candidate { is_again: standing != Standing::Missing, ..candidate });
            } else {
                look.counts.left_out.note(standing);
            }
        }
        Ok(chosen)
    }

    /// The event of a row; `None` once its payload is gone.
    async fn content_of(&self, row: &InboundDelivery, id: EventId) -> Result<Option<Event>, Trouble> {
        let (tenant, now) = (&row.tenant, self.app.clock.now());
        let found = self.app.store.inbound_delivery_with_request(tenant, row.id, now).await?;
        let Some((_, Some(request))) = found else { return Ok(None) };
        match Event::new(tenant.clone(), id, row.event_type.clone(), &request) {
            // It must not stand in the way of others.
            Err(Trouble::Table(TableError::Corrupt(cause))) => {
                error!(%tenant, event.id = %id, cause, "event.unreadable");
                Ok(None)
            }
            event => event.map(Some),
        }
    }

    /// Those that want the event and may see it, if the replay takes it at all.
    async fn wanting(
        &self,
        selection: &Selection,
        event: &Event,
        chosen: Vec<Candidate>,
    ) -> Result<Vec<Candidate>, Trouble> {
        if !admits(&selection.filter, event) {
            return Ok(Vec::new());
        }
        let wanted: Vec<Candidate> = {
            let json = Json::of(event);
            let wants = |candidate: &Candidate| {
                let subscription = &candidate.ready.subscription;
                let accepted_at = match selection.routing {
                    Routing::SameTargets => event.id.created_at(),
                    // Also what is older than the subscription.
                    Routing::Current => subscription.created_at,
                };
                candidate.went_there
                    || (subscription.wants(&event.event_type, event.facts.as_ref(), accepted_at)
                        && json.passes(subscription))
            };
            chosen.into_iter().filter(wants).collect()
        };
        let mut wanting = Vec::with_capacity(wanted.len());
        for candidate in wanted {
            if self.may_see(event, &candidate.ready.subscription, true).await? {
                wanting.push(candidate);
            }
        }
        Ok(wanting)
    }
}

/// Tells whether a replay takes an event, by what it says of itself and by its payload.
fn admits(filter: &ReplayFilter, event: &Event) -> bool {
    let facts = event.facts.as_ref();
    filter.event.admits(&event.event_type, facts)
        && filter.event.payload.as_ref().is_none_or(|wanted| {
            let whole: Option<Value> = serde_json::from_slice(&event.payload).ok();
            whole.is_some_and(|whole| wanted.matches(filterable(facts, &whole)))
        })
}
