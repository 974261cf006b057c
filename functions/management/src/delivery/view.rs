//! How deliveries and their attempts look from outside.

use std::collections::BTreeMap;

use hookport::domain::attempt::{Answer, Attempt, Outcome};
use hookport::domain::delivery::{Delivery, DeliveryKind, DeliveryState, Progress};
use hookport::domain::event_type::EventType;
use hookport::domain::id::{DeliveryId, EventId, SubscriptionId};
use hookport::domain::subscription::OPERATOR_PINNED;
use hookport::domain::subscription_health::LastResponse;
use hookport::domain::wait_reason::WaitReason;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One event for one subscription.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    /// Its id.
    #[schema(value_type = String, example = "dlv_01m5w3rm008000000400000003")]
    id: DeliveryId,
    /// What it carries.
    kind: DeliveryKind,
    /// What is delivered. A test and a challenge have the id of an event, and no event.
    #[schema(value_type = String)]
    event_id: EventId,
    /// The type of the event.
    event_type: EventType,
    /// To whom.
    #[schema(value_type = String)]
    subscription_id: SubscriptionId,
    /// The delivery that it repeats.
    #[schema(value_type = Option<String>)]
    repeats: Option<DeliveryId>,
    /// Where it stands.
    state: StateView,
    /// When the next attempt is due, while it is pending.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
    /// Why it waits, if not because the attempt before failed.
    waiting_for: Option<WaitReason>,
    /// What the target told later.
    progress: Option<ProgressView>,
    /// When it was delivered; null for what ended otherwise.
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    /// When it was delivered, given up or cancelled.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// What the target answered last, for people.
    last_response: Option<LastResponse>,
    /// The attempts that ended, oldest first.
    attempts: Vec<AttemptView>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StateView {
    /// Waiting for its next attempt.
    Pending,
    /// Kept for a subscription that is paused or has to prove itself again.
    Held,
    /// An attempt is being made.
    Attempting,
    /// The target took it and tells later how it went.
    InProgress,
    /// The target answered 2xx, or told later that it is done.
    Delivered,
    /// No further attempt will be made.
    Exhausted,
    /// Somebody put an end to it, or its subscription is gone.
    Cancelled,
}

impl From<DeliveryState> for StateView {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Pending { .. } => Self::Pending,
            DeliveryState::Held => Self::Held,
            DeliveryState::Attempting { .. } => Self::Attempting,
            DeliveryState::InProgress { .. } => Self::InProgress,
            DeliveryState::Delivered { .. } => Self::Delivered,
            DeliveryState::Exhausted { .. } => Self::Exhausted,
            DeliveryState::Cancelled { .. } => Self::Cancelled,
        }
    }
}

/// What a target that answers later has told.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProgressView {
    /// How much is done, in percent.
    #[schema(maximum = 100)]
    percent: u8,
    /// Its words.
    message: Option<String>,
    /// When it told this.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Progress> for ProgressView {
    fn from(progress: Progress) -> Self {
        Self { percent: progress.percent, message: progress.message, updated_at: progress.at }
    }
}

/// One HTTP try.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttemptView {
    /// Its number, from 1.
    n: u32,
    /// Where it went; null where that was not decided.
    url: Option<String>,
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
    /// The headers of the answer that say something of the target.
    response_headers: BTreeMap<String, String>,
    /// The beginning of the answer's body.
    response_body: Option<String>,
    /// Whether the body went on.
    response_is_cut: bool,
    /// Why the answer counts as a failure although its status is a success.
    fault: Option<String>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutcomeView {
    /// The target answered as it should.
    Succeeded,
    /// The target answered otherwise, or no answer came.
    Failed,
    /// The gateway died while it was made, so nobody knows whether the target saw it.
    Unknown,
}

impl From<&Outcome> for OutcomeView {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Unknown => Self::Unknown,
            _ if outcome.is_success() => Self::Succeeded,
            Outcome::Answered(_) | Outcome::Failed { .. } => Self::Failed,
        }
    }
}

/// Headers by name; the values of one that came more than once are joined.
pub(crate) fn headers_view(headers: Vec<(String, String)>) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        match shown.get_mut(&name) {
            Some(values) => *values = format!("{values}, {value}"),
            None => {
                shown.insert(name, value);
            }
        }
    }
    shown
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        let view = Self {
            n: attempt.n,
            url: attempt.url,
            started_at: attempt.started_at,
            duration_ms: attempt.duration_ms,
            outcome: OutcomeView::from(&attempt.outcome),
            status: None,
            error_code: None,
            error_message: None,
            response_headers: BTreeMap::new(),
            response_body: None,
            response_is_cut: false,
            fault: None,
        };
        match attempt.outcome {
            Outcome::Answered(Answer { status, headers, body, is_cut, fault }) => Self {
                status: Some(status),
                response_headers: headers_view(headers),
                response_body: body,
                response_is_cut: is_cut,
                fault,
                ..view
            },
            Outcome::Failed { code, message, permanent: _ } => {
                Self { error_code: Some(code), error_message: Some(message), ..view }
            }
            Outcome::Unknown => view,
        }
    }
}

impl AttemptView {
    /// Without what says where the operator's subscription leads.
    fn hide(&mut self) {
        let texts = [&mut self.url, &mut self.error_message, &mut self.response_body, &mut self.fault];
        texts.into_iter().flatten().for_each(|text| OPERATOR_PINNED.clone_into(text));
        self.response_headers.clear();
    }
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let (next_attempt_at, waiting_for) = match delivery.state {
            DeliveryState::Pending { next_attempt_at, reason } => (Some(next_attempt_at), reason),
            _ => (None, None),
        };
        let (delivered_at, ended_at) = match delivery.state {
            DeliveryState::Delivered { at } => (Some(at), Some(at)),
            DeliveryState::Exhausted { at } | DeliveryState::Cancelled { at } => (None, Some(at)),
            _ => (None, None),
        };
        let mut view = Self {
            id: delivery.id,
            kind: delivery.kind,
            event_id: delivery.event_id,
            event_type: delivery.event_type,
            subscription_id: delivery.subscription_id,
            repeats: delivery.repeats,
            state: delivery.state.into(),
            next_attempt_at,
            waiting_for,
            progress: delivery.progress.map(ProgressView::from),
            delivered_at,
            ended_at,
            last_response: LastResponse::of(&delivery.attempts),
            attempts: delivery.attempts.into_iter().map(AttemptView::from).collect(),
        };
        if view.subscription_id == SubscriptionId::PINNED {
            view.attempts.iter_mut().for_each(AttemptView::hide);
            if let Some(message) = view.last_response.as_mut().and_then(|last| last.message.as_mut()) {
                OPERATOR_PINNED.clone_into(message);
            }
        }
        view
    }
}

/// Why a delivery has not succeeded so far, for people: what its target told, else how its newest attempt ended.
pub(crate) fn error_of(delivery: &Delivery) -> Option<String> {
    if matches!(delivery.state, DeliveryState::Delivered { .. }) {
        return None;
    }
    let newest = delivery.attempts.last()?;
    let error = newest.outcome.error();
    let text = match &newest.outcome {
        outcome if outcome.is_success() => match (&delivery.state, &delivery.progress) {
            (DeliveryState::Exhausted { .. }, Some(Progress { message: Some(told), .. })) => told.clone(),
            (DeliveryState::Exhausted { .. }, _) => format!("{error} and was not done afterwards"),
            _ => return None,
        },
        Outcome::Answered(Answer { fault: None, .. }) => match LastResponse::of(&delivery.attempts) {
            Some(LastResponse { message: Some(words), .. }) => format!("{error}: {words}"),
            _ => error,
        },
        Outcome::Answered(_) | Outcome::Failed { .. } | Outcome::Unknown => error,
    };
    Some(if delivery.subscription_id == SubscriptionId::PINNED { OPERATOR_PINNED.to_owned() } else { text })
}

#[cfg(test)]
mod tests;
