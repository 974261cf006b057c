//! How replays look from outside.

use hookport::domain::event_facts::{OwnerName, Scope};
use hookport::domain::event_type::{EventPattern, EventType};
use hookport::domain::id::{EventId, InboundWebhookId, ReplayId, SubscriptionId};
use hookport::domain::issue::IssueCause;
use hookport::domain::payload_filter::PayloadFilter;
use hookport::domain::replay::{
    Counts, Price, Replay, ReplayFilter, ReplayItem, ReplayOrder, Routing, StageName, Which, price,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// Events that are sent again, or for the first time.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReplayView {
    /// Its id.
    #[schema(value_type = String, example = "rpl_01m5w3rm008000000400000003")]
    id: ReplayId,
    /// How far it has come.
    state: StageName,
    /// The owner of subscriptions that it is bound to; null where it is not.
    owner: Option<OwnerName>,
    /// The time of the first event.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// The time of the last event.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Where events go.
    routing: Routing,
    /// What is sent of them.
    which: Vec<Which>,
    /// Which events, for whom.
    filter: ReplayFilterView,
    /// In which order.
    order: ReplayOrder,
    /// How many are sent in a second; null: any number.
    rate_per_second: Option<u16>,
    /// Whether it is sent as soon as it is planned.
    start: bool,
    /// How much of the plan is settled, in percent.
    #[schema(maximum = 100)]
    percent: u8,
    /// Its numbers.
    counts: Counts,
    /// What it costs to send all that was planned.
    price: Price,
    /// The subscription that takes nothing now, and that the next item is for. It is looked at every five minutes.
    #[schema(value_type = Option<String>)]
    waiting_for: Option<SubscriptionId>,
    /// The first ten items of the plan; empty in lists.
    #[schema(max_items = 10)]
    sample: Vec<ReplayItemView>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When its plan was complete.
    #[schema(value_type = Option<String>, format = DateTime)]
    planned_at: Option<Timestamp>,
    /// When sending began.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    /// When all was sent, or it was cancelled.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

/// Which events are replayed, and for whom.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReplayFilterView {
    /// Only events of these types; empty: all but the gateway's own.
    #[schema(value_type = Vec<String>)]
    event_types: Vec<EventPattern>,
    /// Only events that this webhook received; null: all.
    #[schema(value_type = Option<String>)]
    webhook_id: Option<InboundWebhookId>,
    /// Only for these subscriptions; empty: for all.
    #[schema(value_type = Vec<String>)]
    subscription_ids: Vec<SubscriptionId>,
    /// Only events about entities of this type; null: about any.
    object_type: Option<String>,
    /// Only events at this scope or below it; null: at any.
    scope: Option<Scope>,
    /// Only events about one of these entities; empty: about any.
    entity_ids: Vec<String>,
    /// Only events with such a payload; null: with any.
    payload: Option<PayloadFilter>,
    /// Only what failed for this cause; null: for any.
    cause: Option<IssueCause>,
}

/// One event for one subscription.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReplayItemView {
    /// The event.
    #[schema(value_type = String)]
    event_id: EventId,
    /// Its type.
    event_type: EventType,
    /// When it was accepted.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// To whom it is sent.
    #[schema(value_type = String)]
    subscription_id: SubscriptionId,
    /// Whether an attempt was made before.
    is_again: bool,
}

impl From<ReplayFilter> for ReplayFilterView {
    fn from(filter: ReplayFilter) -> Self {
        Self {
            event_types: filter.event_types,
            webhook_id: filter.webhook_id,
            subscription_ids: filter.subscription_ids,
            object_type: filter.event.object_type,
            scope: filter.event.scope,
            entity_ids: filter.event.entity_ids,
            payload: filter.event.payload,
            cause: filter.cause,
        }
    }
}

impl From<ReplayItem> for ReplayItemView {
    fn from(item: ReplayItem) -> Self {
        Self {
            event_id: item.event_id,
            event_type: item.event_type,
            occurred_at: item.event_id.created_at(),
            subscription_id: item.subscription_id,
            is_again: item.is_again,
        }
    }
}

impl From<Replay> for ReplayView {
    fn from(replay: Replay) -> Self {
        let selection = replay.selection;
        Self {
            id: replay.id,
            state: replay.stage.name(),
            owner: replay.owner,
            since: selection.since,
            until: selection.until,
            routing: selection.routing,
            which: selection.which.into_iter().collect(),
            filter: selection.filter.into(),
            order: selection.order,
            rate_per_second: selection.rate_per_second,
            start: replay.starts_by_itself,
            percent: replay.started_at.map_or(0, |_| replay.counts.percent()),
            counts: replay.counts,
            price: price(replay.counts.matched),
            waiting_for: replay.stage.waiting_for(),
            sample: Vec::new(),
            created_at: replay.created_at,
            planned_at: replay.planned_at,
            started_at: replay.started_at,
            ended_at: replay.ended_at,
        }
    }
}

impl ReplayView {
    /// With the first items of its plan.
    pub(super) fn with_sample(self, items: Vec<ReplayItem>) -> Self {
        Self { sample: items.into_iter().map(ReplayItemView::from).collect(), ..self }
    }
}
