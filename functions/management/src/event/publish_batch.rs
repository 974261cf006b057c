//! Several events in one request: each is judged and kept by itself.

use std::collections::{BTreeMap, HashMap};
use std::error::Error as _;

use futures_util::future::join_all;
use hookport::domain::id::EventId;
use hookport::domain::inbound_delivery::Violation;
use hookport::publish::{NewEvent, Published};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::warn;
use utoipa::ToSchema;

use super::publish::{PublishEvent, parse};
use super::publisher::Publisher;
use crate::error::{Error, Result};

/// The most events in one request.
const MOST_EVENTS: usize = 100;

/// Events to be published.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishEvents {
    /// The events.
    #[schema(value_type = Vec<PublishEvent>, min_items = 1, max_items = 100)]
    events: Vec<Value>,
}

/// What came of several events.
#[derive(Serialize, ToSchema)]
pub(crate) struct PublishedEvents {
    /// What came of each one, in the order of the request.
    data: Vec<EventResult>,
}

/// What came of one event among several.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum EventResult {
    /// It is kept.
    Published {
        /// Its id.
        #[schema(value_type = String, example = "evt_01m5w3rm008000000400000003")]
        id: EventId,
        /// Whether it was published before with the same key; the id is that of the first one.
        duplicate: bool,
    },
    /// It was not published.
    Refused {
        /// Why.
        error: EventRefused,
    },
}

/// Why one event among several was not published.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventRefused {
    /// Names the case for programs, as if the event had been published alone.
    #[schema(value_type = String, example = "invalid_request")]
    code: &'static str,
    /// Says it to people. The wording may change.
    #[schema(example = "scope: must be 1 to 16 segments joined by /")]
    message: String,
    /// The places where the payload breaks its schema.
    violations: Vec<Violation>,
}

impl From<Result<Published>> for EventResult {
    fn from(outcome: Result<Published>) -> Self {
        let error = match outcome {
            Ok(published) => return Self::Published { id: published.id(), duplicate: published.is_duplicate() },
            Err(error) => error,
        };
        // The request as a whole succeeds, so nobody else writes down what the gateway itself did wrong.
        if let Some(cause) = error.source() {
            warn!(code = error.code(), %cause, "event.not_published");
        }
        let (code, message) = (error.code(), error.to_string());
        let violations = if let Error::SchemaMismatch(violations) = error { violations } else { Vec::new() };
        Self::Refused { error: EventRefused { code, message, violations } }
    }
}

/// Publishes each event that can be; says of every one what came of it.
pub(super) async fn publish_all(publisher: &mut Publisher<'_>, request: PublishEvents) -> Result<PublishedEvents> {
    if !(1..=MOST_EVENTS).contains(&request.events.len()) {
        return Err(Error::field("events", format!("must have 1 to {MOST_EVENTS} events")));
    }
    let mut results = BTreeMap::new();
    let mut prepared = Vec::new();
    for (index, event) in request.events.iter().enumerate() {
        match prepare(publisher, event).await {
            Ok(new) => prepared.push((index, new)),
            Err(error) => {
                results.insert(index, Err(error));
            }
        }
    }
    let publisher = &*publisher;
    for wave in waves(prepared) {
        let keeping = wave.into_iter().map(|(index, new)| async move { (index, publisher.keep(new).await) });
        results.extend(join_all(keeping).await);
    }
    Ok(PublishedEvents { data: results.into_values().map(EventResult::from).collect() })
}

async fn prepare(publisher: &mut Publisher<'_>, event: &Value) -> Result<NewEvent> {
    publisher.prepare(parse::<PublishEvent>(event)?).await
}

/// What can be kept at the same time: events with the same key follow one another, so that the first one is kept.
fn waves(events: Vec<(usize, NewEvent)>) -> Vec<Vec<(usize, NewEvent)>> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut waves: Vec<Vec<(usize, NewEvent)>> = vec![Vec::new()];
    for (index, event) in events {
        let wave = match &event.idempotency_key {
            None => 0,
            Some(key) => {
                let before = seen.entry(key.to_string()).or_default();
                *before += 1;
                *before - 1
            }
        };
        if waves.len() <= wave {
            waves.resize_with(wave + 1, Vec::new);
        }
        waves[wave].push((index, event));
    }
    waves
}

#[cfg(test)]
mod tests {
    use hookport::domain::event_facts::EventFacts;
    use hookport::domain::event_type::EventType;
    use hookport::domain::idempotency::IdempotencyKey;
    use hookport::domain::text::TenantSlug;

    use super::*;

    fn event(key: &str) -> NewEvent {
        NewEvent {
            tenant: TenantSlug::try_from("acme".to_owned()).unwrap(),
            event_type: EventType::try_from("a.b".to_owned()).unwrap(),
            facts: EventFacts::default(),
            data: Value::Null,
            previous: None,
            changes: None,
            instructions: None,
            occurred_at: None,
            idempotency_key: IdempotencyKey::from_header(key.as_bytes()),
        }
    }

    #[test]
    fn events_with_the_same_key_follow_one_another_in_their_order() {
        let events = ["a", "", "a", "b", "a", ""].map(event);
        let waves = waves(events.into_iter().enumerate().collect());
        let indices: Vec<Vec<usize>> =
            waves.into_iter().map(|wave| wave.into_iter().map(|(index, _)| index).collect()).collect();
        assert_eq!(indices, [vec![0, 1, 3, 5], vec![2], vec![4]]);
    }

    #[test]
    fn a_refusal_in_a_batch_says_what_it_would_say_alone() {
        let violation = Violation { path: "/a".to_owned(), message: "is missing".to_owned() };
        let refused = EventResult::from(Err::<Published, _>(Error::SchemaMismatch(vec![violation])));
        let shown = serde_json::to_value(refused).unwrap();
        assert_eq!(shown["error"]["code"], "schema_mismatch");
        assert_eq!(shown["error"]["violations"][0]["path"], "/a");
    }
}
