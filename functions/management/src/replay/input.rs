//! What is to be replayed: as a caller writes it, and once it is found to make sense.

use std::collections::BTreeSet;

use hookport::domain::event_facts::{Scope, entity_id, entity_type};
use hookport::domain::event_type::EventPattern;
use hookport::domain::id::{InboundWebhookId, SubscriptionId};
use hookport::domain::issue::IssueCause;
use hookport::domain::payload_filter::PayloadFilter;
use hookport::domain::replay::{
    MAX_DAYS_BACK, MAX_RATE, MAX_SUBSCRIPTIONS, ReplayFilter, ReplayOrder, Routing, Selection, Which,
};
use hookport::domain::subscription::{EventFilter, MAX_ENTITY_IDS, MAX_PATTERNS};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::extract::JsonObject;
use crate::inbound_webhook::within;

/// A replay to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateReplay {
    /// Only events that were accepted at this time or later; at most 91 days ago.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Only events that were accepted at this time or before; now when absent, and never in the future.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Where events go; to the same targets when absent.
    routing: Option<Routing>,
    /// What is sent of them; `missing` and `failed` when absent.
    #[schema(min_items = 1)]
    which: Option<Vec<Which>>,
    /// Which events, for whom; all when absent.
    #[schema(value_type = Option<ReplayFilterInput>)]
    filter: Option<JsonObject<ReplayFilterInput>>,
    /// In which order; in none when absent.
    order: Option<ReplayOrder>,
    /// How many are sent in a second; any number when absent.
    #[schema(minimum = 1, maximum = 1000)]
    rate_per_second: Option<u32>,
    /// Whether it is sent as soon as it is planned. Else somebody has to start it.
    #[schema(default = false)]
    start: Option<bool>,
}

/// Which events are replayed, and for whom.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayFilterInput {
    /// Only events of these types: exact ones, or prefixes such as `invoice.*`. Without any, those that the gateway
    /// tells of itself are left out, unless subscriptions are named.
    #[schema(value_type = Option<Vec<String>>, max_items = 50, example = json!(["invoice.*"]))]
    event_types: Option<Vec<EventPattern>>,
    /// Only events that this webhook received.
    #[schema(value_type = Option<String>)]
    webhook_id: Option<InboundWebhookId>,
    /// Only for these subscriptions.
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    subscription_ids: Option<Vec<SubscriptionId>>,
    /// Only events about entities of this type, in any case.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_.-]+$")]
    object_type: Option<String>,
    /// Only events at this scope or below it.
    scope: Option<Scope>,
    /// Only events about one of these entities.
    #[schema(max_items = 100)]
    entity_ids: Option<Vec<String>>,
    /// Only events with such a payload.
    payload: Option<PayloadFilter>,
    /// Only what failed for this cause, as issues name it; `which` is then `failed` alone.
    cause: Option<IssueCause>,
}

/// What a subscription is to get of what it missed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecoverSubscription {
    /// Only events that were accepted at this time or later; at most 91 days ago.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Only events that were accepted at this time or before; now when absent, and never in the future.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// What is sent of them; `missing` and `failed` when absent.
    #[schema(min_items = 1)]
    which: Option<Vec<Which>>,
    /// In which order; in none when absent.
    order: Option<ReplayOrder>,
    /// How many are sent in a second; any number when absent.
    #[schema(minimum = 1, maximum = 1000)]
    rate_per_second: Option<u32>,
}

/// From when on a subscription is to get what no attempt was made of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayMissing {
    /// Only events that were accepted at this time or later; at most 91 days ago.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Only events that were accepted at this time or before; now when absent, and never in the future.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// In which order; in none when absent.
    order: Option<ReplayOrder>,
    /// How many are sent in a second; any number when absent.
    #[schema(minimum = 1, maximum = 1000)]
    rate_per_second: Option<u32>,
}

impl ReplayMissing {
    /// The same as what is recovered.
    pub(super) fn into_recovery(self) -> RecoverSubscription {
        let Self { since, until, order, rate_per_second } = self;
        RecoverSubscription { since, until, which: Some(vec![Which::Missing]), order, rate_per_second }
    }
}

impl RecoverSubscription {
    /// What is sent to the subscription.
    pub(super) fn into_selection(self, subscription: SubscriptionId, now: Timestamp) -> Result<Selection> {
        let (since, until) = period(self.since, self.until, now)?;
        Ok(Selection {
            since,
            until,
            routing: Routing::SameTargets,
            which: which(self.which)?,
            filter: ReplayFilter { subscription_ids: vec![subscription], ..ReplayFilter::default() },
            order: self.order.unwrap_or_default(),
            rate_per_second: rate(self.rate_per_second)?,
        })
    }
}

impl CreateReplay {
    /// What is sent, and whether that begins by itself.
    pub(super) fn into_selection(self, now: Timestamp) -> Result<(Selection, bool)> {
        let (since, until) = period(self.since, self.until, now)?;
        let filter = self.filter.map(|JsonObject(filter)| filter.into_filter()).transpose()?.unwrap_or_default();
        let which = which(self.which)?;
        if filter.cause.is_some() && which != BTreeSet::from([Which::Failed]) {
            return Err(Error::field("filter.cause", "needs `which` to be `failed` alone"));
        }
        let selection = Selection {
            since,
            until,
            routing: self.routing.unwrap_or_default(),
            which,
            filter,
            order: self.order.unwrap_or_default(),
            rate_per_second: rate(self.rate_per_second)?,
        };
        Ok((selection, self.start.unwrap_or(false)))
    }
}

impl ReplayFilterInput {
    fn into_filter(self) -> Result<ReplayFilter> {
        let object_type = self.object_type.map(entity_type).transpose();
        let entity_ids = at_most("entity_ids", self.entity_ids, MAX_ENTITY_IDS)?;
        let entity_ids = entity_ids.into_iter().map(entity_id).collect::<std::result::Result<_, _>>();
        let event = EventFilter {
            object_type: object_type.map_err(|rule| Error::field("filter.object_type", rule))?,
            scope: self.scope,
            entity_ids: entity_ids.map_err(|rule| Error::field("filter.entity_ids", rule))?,
            payload: self.payload,
        };
        let named = at_most("subscription_ids", self.subscription_ids, MAX_SUBSCRIPTIONS)?;
        Ok(ReplayFilter {
            event_types: at_most("event_types", self.event_types, MAX_PATTERNS)?,
            webhook_id: self.webhook_id,
            subscription_ids: named.into_iter().collect::<BTreeSet<_>>().into_iter().collect(),
            event,
            cause: self.cause,
        })
    }
}

fn at_most<T>(field: &str, given: Option<Vec<T>>, most: usize) -> Result<Vec<T>> {
    let given = given.unwrap_or_default();
    if given.len() > most {
        return Err(Error::field(&format!("filter.{field}"), format!("must have at most {most}")));
    }
    Ok(given)
}

/// The time of the first event and that of the last, in whole milliseconds as events have them.
fn period(since: Timestamp, until: Option<Timestamp>, now: Timestamp) -> Result<(Timestamp, Timestamp)> {
    let whole = |at: Timestamp| Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
    let (since, until) = (whole(since), whole(until.unwrap_or(now)));
    let earliest = now.saturating_sub(SignedDuration::from_hours(24 * MAX_DAYS_BACK)).unwrap_or(Timestamp::MIN);
    if until > now {
        return Err(Error::field("until", "must not be in the future"));
    }
    if since > until {
        return Err(Error::field("since", "must not be after `until`"));
    }
    if since < earliest {
        return Err(Error::field("since", format!("must be at most {MAX_DAYS_BACK} days ago")));
    }
    Ok((since, until))
}

fn which(given: Option<Vec<Which>>) -> Result<BTreeSet<Which>> {
    let which: BTreeSet<_> = given.unwrap_or_else(|| vec![Which::Missing, Which::Failed]).into_iter().collect();
    if which.is_empty() { Err(Error::field("which", "must name at least one")) } else { Ok(which) }
}

fn rate(given: Option<u32>) -> Result<Option<u16>> {
    let given = within("rate_per_second", given, 1..=MAX_RATE.into())?;
    Ok(given.and_then(|rate| u16::try_from(rate).ok()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn selected(more: &Value) -> std::result::Result<(Selection, bool), String> {
        let mut body = json!({"since": "2026-11-21T12:00:00Z"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let input: CreateReplay = serde_json::from_value(body).map_err(|error| error.to_string())?;
        input.into_selection(now()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out_gets_its_default() {
        let (selection, starts) = selected(&json!({})).unwrap();
        assert_eq!((selection.until, starts), (now(), false));
        assert_eq!((selection.routing, selection.order), (Routing::SameTargets, ReplayOrder::None));
        assert_eq!(selection.which, BTreeSet::from([Which::Missing, Which::Failed]));
        assert_eq!((selection.filter, selection.rate_per_second), (ReplayFilter::default(), None));
    }

    #[test]
    fn a_member_that_breaks_its_rule_is_refused_by_its_name() {
        let refused = [
            (json!({"until": "2026-11-22T12:00:01Z"}), "until: "),
            (json!({"until": "2026-11-21T11:59:59Z"}), "since: must not be after"),
            (json!({"since": "2026-08-01T00:00:00Z"}), "since: must be at most 91"),
            (json!({"which": []}), "which: "),
            (json!({"rate_per_second": 0}), "rate_per_second: "),
            (json!({"rate_per_second": 1001}), "rate_per_second: "),
            (json!({"filter": {"entity_ids": vec!["x"; 101]}}), "filter.entity_ids: "),
            (json!({"filter": {"entity_ids": [""]}}), "filter.entity_ids: "),
            (json!({"filter": {"object_type": "a b"}}), "filter.object_type: "),
            (json!({"filter": {"event_types": vec!["a.b"; 51]}}), "filter.event_types: "),
            (json!({"filter": {"cause": "status_500"}}), "filter.cause: "),
        ];
        for (more, rule) in refused {
            let refusal = selected(&more).unwrap_err();
            assert!(refusal.starts_with(rule), "{more}: {refusal}");
        }
    }

    #[test]
    fn a_cause_goes_with_failures_alone() {
        let (selection, _) = selected(&json!({"which": ["failed"], "filter": {"cause": "status_500"}})).unwrap();
        assert_eq!(selection.filter.cause, Some(IssueCause::status(500)));
    }
}
