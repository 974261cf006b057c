//! Refusals about what is sent out beyond single deliveries: replays, issues, schedules, bookmarks, registration, keys.

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
    #[error("no schedule has this id")]
    ScheduleNotFound,
    #[error("no bookmark has this id")]
    BookmarkNotFound,
    #[error("there are {0} of them, the most that a tenant may have: delete one first")]
    TooMany(u32),
    #[error("no registration token has this id")]
    RegistrationTokenNotFound,
    #[error("no audit record has this id")]
    AuditRecordNotFound,
    #[error("no template has this name")]
    TemplateNotFound,
    #[error("no dialect has this name")]
    DialectNotFound,
}

impl OutboundRefusal {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::ReplayNotFound => "replay_not_found",
            Self::ReplayState(_) => "replay_state",
            Self::IssueNotFound => "issue_not_found",
            Self::ScheduleNotFound => "schedule_not_found",
            Self::BookmarkNotFound => "bookmark_not_found",
            Self::TooMany(_) => "too_many",
            Self::RegistrationTokenNotFound => "registration_token_not_found",
            Self::AuditRecordNotFound => "audit_record_not_found",
            Self::TemplateNotFound => "template_not_found",
            Self::DialectNotFound => "dialect_not_found",
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::ReplayNotFound
            | Self::IssueNotFound
            | Self::ScheduleNotFound
            | Self::BookmarkNotFound
            | Self::RegistrationTokenNotFound
            | Self::AuditRecordNotFound
            | Self::TemplateNotFound
            | Self::DialectNotFound => StatusCode::NOT_FOUND,
            Self::ReplayState(_) | Self::TooMany(_) => StatusCode::CONFLICT,
        }
    }
}
