//! What an operation answers when it does not do what was asked: one stable code per variant.

mod outbound;
mod quota;

use axum::Json;
use axum::response::{IntoResponse, Response};
use hookport::aws::table::TableError;
use hookport::counters::Quota;
use hookport::domain::cursor::BadCursor;
use hookport::domain::inbound_delivery::Violation;
use hookport::domain::permission::Permission;
use hookport::domain::target_url::TargetUrlError;
use hookport::signature::callback::CallbackRefusal;
use hookport::store::CreateError;
use hookport::vault::VaultError;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::outbound::OutboundRefusal;
pub(crate) use self::quota::tell_quota;
use crate::log::Refusal;

/// The result of an operation.
pub(crate) type Result<T> = std::result::Result<T, Error>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an operation was not done. The text is for the caller, the cause behind a 5xx for the log alone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the request needs a valid API token: Authorization: Bearer hp_…")]
    Unauthorized,
    #[error("the token lacks the permission {0}")]
    Forbidden(Permission),
    #[error("a token cannot give away the permission {0}, which it does not have")]
    CannotGrant(Permission),
    #[error("the tenant's inbound webhooks are switched off; an operator can switch them on")]
    InboundDisabled,
    #[error("the tenant's outbound webhooks are switched off; an operator can switch them on")]
    OutboundDisabled,
    #[error("nothing is at this path")]
    NotFound,
    #[error("the path does not take this method; the header Allow names those that it takes")]
    MethodNotAllowed,
    #[error("{0}")]
    InvalidId(String),
    #[error(transparent)]
    InvalidCursor(#[from] BadCursor),
    #[error("{0}")]
    InvalidRequest(String),
    #[error("auth_type: a webhook with a slug needs a proof or an allow-list, because a readable URL is no credential")]
    ProofRequired,
    #[error("{0}")]
    Unsupported(&'static str),
    #[error(transparent)]
    InvalidTarget(#[from] TargetUrlError),
    #[error("the body is larger than 256 KiB")]
    TooLarge,
    #[error("the body must be sent with the content type application/json")]
    UnsupportedMediaType,
    #[error("no tenant has this slug")]
    TenantNotFound,
    #[error("no API token has this id")]
    ApiTokenNotFound,
    #[error("no inbound webhook has this id")]
    InboundWebhookNotFound,
    #[error("the inbound webhook has no delivery with this id")]
    InboundDeliveryNotFound,
    #[error("no event has this id")]
    EventNotFound,
    #[error("no subscription has this id")]
    SubscriptionNotFound,
    #[error("no delivery has this id")]
    DeliveryNotFound,
    #[error("the inbound webhook has no key with this id")]
    WebhookKeyNotFound,
    #[error("the inbound webhook has no version with this number")]
    WebhookVersionNotFound,
    #[error("no refused request has this id; the log keeps a bounded number of them")]
    RejectionNotFound,
    #[error("no event type has this id or ref")]
    EventTypeNotFound,
    #[error("an event type with this ref exists")]
    EventTypeExists,
    #[error("no pack of this name has been applied")]
    PackNotFound,
    #[error("webhooks are not enabled for this event type: enable them first")]
    NotEnabled,
    #[error("the inbound webhook has no secret to rotate")]
    NoSecret,
    #[error("the inbound webhook asks for several secrets: say in `proof` which one, by its number from 0")]
    AmbiguousSecret,
    #[error("an inbound webhook has at most 5 keys: revoke one first")]
    TooManyKeys,
    #[error("the last key cannot be revoked: disable the webhook, or add another key first")]
    LastKey,
    #[error("the request was refused, so there is nothing proven that could be handled again")]
    Rejected,
    #[error("the body of the request is no longer kept")]
    BodyExpired,
    #[error("the inbound webhook is switched off")]
    WebhookInactive,
    #[error("the inbound webhook has been deleted")]
    WebhookDeleted,
    #[error("the token is bound to an owner of subscriptions, and this is not that owner's")]
    OtherOwner,
    #[error("this subscription is the operator's: it is changed in the deployment's configuration alone")]
    OperatorPinned,
    #[error("the subscription is {0}, so that this cannot be done now")]
    SubscriptionState(&'static str),
    #[error("a challenge that was started cannot be recalled: trigger_challenge can only be set to true")]
    ChallengeStarted,
    #[error("the delivery has ended, or is being attempted right now")]
    DeliveryEnded,
    #[error(transparent)]
    CallbackRefused(#[from] CallbackRefusal),
    #[error("no answer that promised more is recorded yet; try again")]
    DeliveryNotInProgress,
    #[error("a test is not tried again: send another one")]
    TestDelivery,
    #[error("send If-Match with the version that was read, as its ETag gives it")]
    IfMatchRequired,
    #[error("it was changed since it was read: the version is {0} now")]
    VersionMismatch(u64),
    #[error("{0}: no event type of the tenant, nor one that the gateway tells, is called like this")]
    UnknownEventType(String),
    #[error("the payload is not what the schema of the event type asks for")]
    SchemaMismatch(Vec<Violation>),
    #[error("the owner has as many subscriptions as it may: {0}")]
    QuotaReached(u32),
    #[error("too many requests; come back after {} s", .0.reset_s)]
    RateLimited(Quota),
    #[error("no handshake has brought the secret, or it is no longer shown")]
    SecretNotLearned,
    #[error("no preset has this name")]
    PresetNotFound,
    #[error("a built-in preset has this name: give yours another one")]
    PresetBuiltIn,
    #[error("there are 100 presets of your own: delete one first")]
    TooManyPresets,
    #[error("vector: the row refuses it ({0})")]
    VectorRefused(&'static str),
    #[error("the egress rule does not exist")]
    EgressRuleNotFound,
    #[error("an egress rule with this pattern exists")]
    EgressRuleExists,
    #[error("there are 200 egress rules: delete one first")]
    TooManyEgressRules,
    #[error("nothing is taken for the event type: it is switched off")]
    EventTypeDisabled,
    #[error("a tenant with this slug exists")]
    TenantExists,
    #[error("another inbound webhook of the tenant has this slug")]
    SlugTaken,
    #[error(transparent)]
    Outbound(#[from] OutboundRefusal),
    #[error("someone else changed it at the same time; read it again before the next change")]
    Conflict,
    #[error("the gateway cannot do this at the moment; try again")]
    Unavailable(#[source] Cause),
    #[error("the gateway failed; the log of this request says why")]
    Internal(#[source] Cause),
}

impl Error {
    /// A request that breaks the rule of a field.
    pub(crate) fn field(name: &str, rule: impl std::fmt::Display) -> Self {
        Self::InvalidRequest(format!("{name}: {rule}"))
    }

    /// What a failed creation means, `exists` being what it means that the thing exists.
    pub(crate) fn of_creation(error: CreateError, exists: Self) -> Self {
        match error {
            CreateError::Exists => exists,
            CreateError::Table(error) => error.into(),
        }
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden(_) | Self::CannotGrant(_) => "forbidden",
            Self::InboundDisabled => "inbound_disabled",
            Self::OutboundDisabled => "outbound_disabled",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::InvalidId(_) => "invalid_id",
            Self::InvalidCursor(_) => "invalid_cursor",
            Self::InvalidRequest(_) => "invalid_request",
            Self::ProofRequired => "proof_required",
            Self::Unsupported(_) => "unsupported",
            Self::InvalidTarget(_) => "invalid_target",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TenantNotFound => "tenant_not_found",
            Self::ApiTokenNotFound => "api_token_not_found",
            Self::InboundWebhookNotFound => "inbound_webhook_not_found",
            Self::InboundDeliveryNotFound => "inbound_delivery_not_found",
            Self::EventNotFound => "event_not_found",
            Self::SubscriptionNotFound => "subscription_not_found",
            Self::DeliveryNotFound => "delivery_not_found",
            Self::WebhookKeyNotFound => "webhook_key_not_found",
            Self::WebhookVersionNotFound => "webhook_version_not_found",
            Self::RejectionNotFound => "rejection_not_found",
            Self::EventTypeNotFound => "event_type_not_found",
            Self::EventTypeExists => "event_type_exists",
            Self::PackNotFound => "pack_not_found",
            Self::NotEnabled => "webhook_not_enabled",
            Self::NoSecret => "no_secret",
            Self::AmbiguousSecret => "ambiguous_secret",
            Self::TooManyKeys => "too_many_keys",
            Self::LastKey => "last_key",
            Self::Rejected => "delivery_rejected",
            Self::BodyExpired => "body_expired",
            Self::WebhookInactive => "webhook_inactive",
            Self::WebhookDeleted => "webhook_deleted",
            Self::OtherOwner => "forbidden",
            Self::OperatorPinned => "operator_pinned",
            Self::SubscriptionState(_) => "subscription_state",
            Self::ChallengeStarted => "challenge_started",
            Self::DeliveryEnded => "delivery_ended",
            Self::CallbackRefused(refusal) => refusal.code(),
            Self::DeliveryNotInProgress => "delivery_not_in_progress",
            Self::TestDelivery => "test_delivery",
            Self::IfMatchRequired => "if_match_required",
            Self::VersionMismatch(_) => "version_mismatch",
            Self::UnknownEventType(_) => "unknown_event_type",
            Self::SchemaMismatch(_) => "schema_mismatch",
            Self::QuotaReached(_) => "quota_reached",
            Self::RateLimited(_) => "rate_limit_exceeded",
            Self::SecretNotLearned => "secret_not_learned",
            Self::PresetNotFound => "preset_not_found",
            Self::PresetBuiltIn => "preset_built_in",
            Self::TooManyPresets => "too_many_presets",
            Self::VectorRefused(_) => "vector_refused",
            Self::EgressRuleNotFound => "egress_rule_not_found",
            Self::EgressRuleExists => "egress_rule_exists",
            Self::TooManyEgressRules => "too_many_egress_rules",
            Self::EventTypeDisabled => "event_type_disabled",
            Self::TenantExists => "tenant_exists",
            Self::SlugTaken => "slug_taken",
            Self::Outbound(refusal) => refusal.code(),
            Self::Conflict => "conflict",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized | Self::CallbackRefused(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::CannotGrant(_) | Self::InboundDisabled | Self::OutboundDisabled => {
                StatusCode::FORBIDDEN
            }
            Self::OtherOwner | Self::OperatorPinned => StatusCode::FORBIDDEN,
            Self::IfMatchRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::VersionMismatch(_) => StatusCode::PRECONDITION_FAILED,
            Self::SchemaMismatch(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::QuotaReached(_) | Self::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound
            | Self::EgressRuleNotFound
            | Self::PresetNotFound
            | Self::SecretNotLearned
            | Self::TenantNotFound
            | Self::ApiTokenNotFound
            | Self::InboundWebhookNotFound
            | Self::InboundDeliveryNotFound
            | Self::WebhookKeyNotFound
            | Self::WebhookVersionNotFound
            | Self::RejectionNotFound
            | Self::EventTypeNotFound
            | Self::PackNotFound
            | Self::EventNotFound
            | Self::SubscriptionNotFound
            | Self::DeliveryNotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::InvalidId(_)
            | Self::InvalidCursor(_)
            | Self::InvalidRequest(_)
            | Self::ProofRequired
            | Self::Unsupported(_)
            | Self::InvalidTarget(_)
            | Self::UnknownEventType(_)
            | Self::VectorRefused(_)
            | Self::NotEnabled
            | Self::NoSecret
            | Self::AmbiguousSecret => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::SubscriptionState(_)
            | Self::EgressRuleExists
            | Self::TooManyEgressRules
            | Self::PresetBuiltIn
            | Self::TooManyPresets
            | Self::EventTypeDisabled
            | Self::ChallengeStarted
            | Self::DeliveryEnded
            | Self::TestDelivery
            | Self::DeliveryNotInProgress
            | Self::TenantExists
            | Self::SlugTaken
            | Self::EventTypeExists
            | Self::TooManyKeys
            | Self::LastKey
            | Self::Rejected
            | Self::BodyExpired
            | Self::WebhookInactive
            | Self::WebhookDeleted
            | Self::Conflict => StatusCode::CONFLICT,
            Self::Outbound(refusal) => refusal.status(),
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The causes behind a 5xx, outermost first.
    fn causes(&self) -> Option<String> {
        let source = std::error::Error::source(self).filter(|_| self.status().is_server_error())?;
        let chain = std::iter::successors(Some(source), |cause| cause.source());
        Some(chain.map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }
}

impl From<TableError> for Error {
    fn from(error: TableError) -> Self {
        match &error {
            TableError::Unavailable { .. } => Self::Unavailable(error.into()),
            TableError::ConditionFailed { .. } | TableError::Corrupt(_) => Self::Internal(error.into()),
        }
    }
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        match &error {
            VaultError::Fetch(_) => Self::Unavailable(error.into()),
            VaultError::Keyring(_) => Self::Internal(error.into()),
        }
    }
}

/// The body of every answer that is not a success.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorDetail,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// Names the case for programs. Codes never change their meaning.
    #[schema(value_type = String, example = "invalid_request")]
    code: &'static str,
    /// Says it to people: which field, and which rule. The wording may change.
    #[schema(example = "name: must have 1 to 255 characters")]
    message: String,
    /// The places where a payload breaks its schema.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Violation>,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let code = self.code();
        let violations = if let Self::SchemaMismatch(violations) = &self { violations.clone() } else { Vec::new() };
        let body = ErrorBody { error: ErrorDetail { code, message: self.to_string(), violations } };
        let mut response = (self.status(), Json(body)).into_response();
        if matches!(self, Self::Unauthorized | Self::Outbound(OutboundRefusal::RegistrationUnauthorized)) {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(self, Self::Unavailable(_)) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        match self {
            Self::RateLimited(quota) => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(quota.reset_s));
                tell_quota(response.headers_mut(), quota);
            }
            // Nothing but deleting one makes room, so a minute is as good as any other time.
            Self::QuotaReached(_) | Self::Outbound(OutboundRefusal::TooManyWaiting) => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
            }
            _ => {}
        }
        response.extensions_mut().insert(Refusal { code, causes: self.causes() });
        response
    }
}
