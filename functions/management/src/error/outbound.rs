//! Refusals about what is sent out beyond single deliveries: replays, issues, schedules, bookmarks, registration, keys.

use hookport::domain::id::{ScheduleId, SubscriptionId};
use http::StatusCode;

/// Why an operation about such a thing was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutboundRefusal {
    #[error("no replay has this id")]
    ReplayNotFound,
    #[error("the replay is {0}, so that this cannot be done now")]
    ReplayState(&'static str),
    #[error("no issue has this id")]
    IssueNotFound,
    #[error("the issue is over")]
    IssueResolved,
    #[error("no schedule has this id")]
    ScheduleNotFound,
    #[error("schema: the schedule {0} publishes what it would refuse; change the schedule first, or switch it off")]
    ScheduleUnfit(ScheduleId),
    #[error("no bookmark has this id")]
    BookmarkNotFound,
    #[error("there are {0} of them, the most that a tenant may have: delete one first")]
    TooMany(u32),
    #[error("no registration token has this id")]
    RegistrationTokenNotFound,
    #[error("the request needs a valid registration token: Authorization: Bearer hpr_…")]
    RegistrationUnauthorized,
    #[error("{0}: the registration may not ask for it")]
    RegistrationNotAllowed(String),
    #[error("url: the gateway sends nothing there")]
    RegistrationTarget,
    #[error("as many registrations wait for an admin as may; come back later")]
    TooManyWaiting,
    #[error("the same was registered with this token just now")]
    AlreadyRegistered,
    #[error("no template has this name")]
    TemplateNotFound,
    #[error("no dialect has this name")]
    DialectNotFound,
    #[error("a built-in dialect has this name: give yours another one")]
    DialectBuiltIn,
    #[error("the subscription {0} has this dialect: give it another one first")]
    DialectInUse(SubscriptionId),
    #[error("the operator does not let this tenant send to {0}")]
    TargetNotAllowed(String),
}

impl OutboundRefusal {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::ReplayNotFound => "replay_not_found",
            Self::ReplayState(_) => "replay_state",
            Self::IssueNotFound => "issue_not_found",
            Self::IssueResolved => "issue_resolved",
            Self::ScheduleNotFound => "schedule_not_found",
            Self::ScheduleUnfit(_) => "schedule_unfit",
            Self::BookmarkNotFound => "bookmark_not_found",
            Self::TooMany(_) => "too_many",
            Self::RegistrationTokenNotFound => "registration_token_not_found",
            Self::RegistrationUnauthorized => "unauthorized",
            Self::RegistrationNotAllowed(_) => "registration_not_allowed",
            Self::RegistrationTarget => "invalid_target",
            Self::TooManyWaiting => "too_many_waiting",
            Self::AlreadyRegistered => "already_registered",
            Self::TemplateNotFound => "template_not_found",
            Self::DialectNotFound => "dialect_not_found",
            Self::DialectBuiltIn => "dialect_built_in",
            Self::DialectInUse(_) => "dialect_in_use",
            Self::TargetNotAllowed(_) => "target_not_allowed",
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::ReplayNotFound
            | Self::IssueNotFound
            | Self::ScheduleNotFound
            | Self::BookmarkNotFound
            | Self::RegistrationTokenNotFound
            | Self::TemplateNotFound
            | Self::DialectNotFound => StatusCode::NOT_FOUND,
            Self::ReplayState(_)
            | Self::IssueResolved
            | Self::ScheduleUnfit(_)
            | Self::TooMany(_)
            | Self::DialectBuiltIn
            | Self::DialectInUse(_) => StatusCode::CONFLICT,
            Self::TargetNotAllowed(_) | Self::RegistrationTarget => StatusCode::BAD_REQUEST,
            Self::RegistrationUnauthorized => StatusCode::UNAUTHORIZED,
            Self::RegistrationNotAllowed(_) => StatusCode::FORBIDDEN,
            Self::TooManyWaiting => StatusCode::TOO_MANY_REQUESTS,
            Self::AlreadyRegistered => StatusCode::CONFLICT,
        }
    }
}
