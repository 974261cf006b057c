//! How issues look from outside.

use hookport::domain::event_type::EventType;
use hookport::domain::id::{DeliveryId, IssueId, SubscriptionId};
use hookport::domain::issue::{Issue, IssueCause, IssueState};
use hookport::domain::subscription::OPERATOR_PINNED;
use hookport::domain::text::Name;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Deliveries that fail for one cause at one subscription.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssueView {
    /// Its id.
    #[schema(value_type = String, example = "iss_01m5w3rm00h9v800000d3egqdb")]
    id: IssueId,
    /// Where attempts fail.
    #[schema(value_type = String)]
    subscription_id: SubscriptionId,
    /// Why: `status_` and the status of the answer; `response_rule` for a 2xx that breaks the subscription's rule; the
    /// error's code where no answer came, such as `timed_out`; `unknown` where the sender died; `silent` for a target
    /// that promised to tell and said nothing; `reported_failure` for one that told of a failure.
    cause: IssueCause,
    /// Where it stands.
    state: IssueStateView,
    /// When the first attempt began that failed since it opened last.
    #[schema(value_type = String, format = DateTime)]
    first_seen: Timestamp,
    /// When the last attempt began that failed.
    #[schema(value_type = String, format = DateTime)]
    last_seen: Timestamp,
    /// How many attempts failed since it opened last. Attempts whose senders died while they counted are missing.
    count: u64,
    /// How many attempts failed in all.
    total: u64,
    /// How often it opened.
    opened: u64,
    /// The delivery that failed last.
    #[schema(value_type = String)]
    last_delivery_id: DeliveryId,
    /// The type of its event.
    last_event_type: EventType,
    /// How it failed, for people.
    last_error: String,
    /// When somebody said to know of it; null unless it is acknowledged.
    #[schema(value_type = Option<String>, format = DateTime)]
    acknowledged_at: Option<Timestamp>,
    /// Who, as far as it was said.
    acknowledged_by: Option<Name>,
    /// From when on it is open again, if it is not over by then.
    #[schema(value_type = Option<String>, format = DateTime)]
    acknowledged_until: Option<Timestamp>,
    /// When it was over; null unless it is resolved.
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved_at: Option<Timestamp>,
    /// Whether it was over without anybody saying so; null unless it is resolved.
    resolved_by_itself: Option<bool>,
}

/// Where an issue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IssueStateView {
    /// Attempts fail.
    Open,
    /// Attempts fail, and somebody knows.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl From<&IssueState> for IssueStateView {
    fn from(state: &IssueState) -> Self {
        match state {
            IssueState::Open => Self::Open,
            IssueState::Acknowledged(_) => Self::Acknowledged,
            IssueState::Resolved { .. } => Self::Resolved,
        }
    }
}

impl IssueView {
    /// An issue as it is at `now`.
    pub(super) fn new(issue: Issue, now: Timestamp) -> Self {
        let state = issue.state_at(now).clone();
        let last_error = match issue.subscription_id {
            // What a target answered may say where it is.
            SubscriptionId::PINNED => OPERATOR_PINNED.to_owned(),
            _ => issue.last_error,
        };
        let view = Self {
            id: issue.id,
            subscription_id: issue.subscription_id,
            cause: issue.cause,
            state: IssueStateView::from(&state),
            first_seen: issue.first_seen,
            last_seen: issue.last_seen,
            count: issue.count,
            total: issue.total,
            opened: issue.opened,
            last_delivery_id: issue.last_delivery_id,
            last_event_type: issue.last_event_type,
            last_error,
            acknowledged_at: None,
            acknowledged_by: None,
            acknowledged_until: None,
            resolved_at: None,
            resolved_by_itself: None,
        };
        match state {
            IssueState::Open => view,
            IssueState::Acknowledged(by) => {
                Self { acknowledged_at: Some(by.at), acknowledged_by: by.by, acknowledged_until: by.until, ..view }
            }
            IssueState::Resolved { at, by_itself } => {
                Self { resolved_at: Some(at), resolved_by_itself: Some(by_itself), ..view }
            }
        }
    }
}
