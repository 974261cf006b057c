//! Deliveries: one event for one subscription, and the attempts that were made.

mod list;
mod list_of_event;
mod list_of_subscription;
mod read;

use hookport::domain::delivery::{Attempt, Delivery, DeliveryState, Outcome};
use hookport::domain::event_type::EventType;
use hookport::domain::id::{DeliveryId, EventId, SubscriptionId};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list::list))
        .routes(routes!(read::read))
        .routes(routes!(list_of_event::list_of_event))
        .routes(routes!(list_of_subscription::list_of_subscription))
}

/// One event for one subscription.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    /// Its id.
    #[schema(value_type = String, example = "dlv_01m5w3rm008000000400000003")]
    id: DeliveryId,
    /// What is delivered.
    #[schema(value_type = String)]
    event_id: EventId,
    /// The type of the event.
    event_type: EventType,
    /// To whom.
    #[schema(value_type = String)]
    subscription_id: SubscriptionId,
    /// Where it stands.
    state: StateView,
    /// When the next attempt is due, while it is pending.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
    /// When it was delivered or given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// The attempts that ended, oldest first.
    attempts: Vec<AttemptView>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StateView {
    /// Waiting for its next attempt.
    Pending,
    /// An attempt is being made.
    Attempting,
    /// The target answered 2xx.
    Delivered,
    /// No further attempt will be made.
    Exhausted,
}

/// One HTTP try.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttemptView {
    /// Its number, from 1.
    n: u32,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// How long it took.
    duration_ms: u32,
    /// How it ended.
    outcome: OutcomeView,
    /// The status that the target answered with.
    status: Option<u16>,
    /// The stable code of the reason why no answer came.
    error_code: Option<String>,
    /// That reason for people.
    error_message: Option<String>,
    /// The first bytes of an answer that was no success.
    response_body: Option<String>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutcomeView {
    /// The target answered 2xx.
    Succeeded,
    /// The target answered otherwise, or no answer came.
    Failed,
    /// The gateway died while it was made, so nobody knows whether the target saw it.
    Unknown,
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        let view = Self {
            n: attempt.n,
            started_at: attempt.started_at,
            duration_ms: attempt.duration_ms,
            outcome: OutcomeView::Unknown,
            status: None,
            error_code: None,
            error_message: None,
            response_body: None,
        };
        match attempt.outcome {
            Outcome::Answered { status, body } => {
                let outcome = if (200..=299).contains(&status) { OutcomeView::Succeeded } else { OutcomeView::Failed };
                Self { outcome, status: Some(status), response_body: body, ..view }
            }
            Outcome::Failed { code, message, permanent: _ } => {
                Self { outcome: OutcomeView::Failed, error_code: Some(code), error_message: Some(message), ..view }
            }
            Outcome::Unknown => view,
        }
    }
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let (state, next_attempt_at, ended_at) = match delivery.state {
            DeliveryState::Pending { next_attempt_at } => (StateView::Pending, Some(next_attempt_at), None),
            DeliveryState::Attempting { .. } => (StateView::Attempting, None, None),
            DeliveryState::Delivered { at } => (StateView::Delivered, None, Some(at)),
            DeliveryState::Exhausted { at } => (StateView::Exhausted, None, Some(at)),
        };
        Self {
            id: delivery.id,
            event_id: delivery.event_id,
            event_type: delivery.event_type,
            subscription_id: delivery.subscription_id,
            state,
            next_attempt_at,
            ended_at,
            attempts: delivery.attempts.into_iter().map(AttemptView::from).collect(),
        }
    }
}
