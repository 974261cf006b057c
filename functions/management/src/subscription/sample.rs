//! A subscription for unit tests.

use hookport::dialect::DialectName;
use hookport::domain::event_type::EventPattern;
use hookport::domain::id::SubscriptionId;
use hookport::domain::payload_mode::PayloadMode;
use hookport::domain::retry::{RetryOn, RetrySchedule};
use hookport::domain::static_headers::StaticHeaders;
use hookport::domain::subscription::{
    AutoDisable, Cause, EventFilter, Metadata, Settings, State, Status, Subscription, Verification,
};
use hookport::domain::target::Target;
use hookport::domain::target_url::TargetUrl;
use hookport::domain::text::{Name, TenantSlug};
use jiff::Timestamp;

/// The settings of which nothing is said beyond what must be.
pub(super) fn defaults(name: Name, url: TargetUrl, events: Vec<EventPattern>) -> Settings {
    Settings {
        target: Target::default(),
        dialect: DialectName::default(),
        also_sign: Vec::new(),
        proof: None,
        ordering: None,
        forward_headers: Vec::new(),
        name,
        description: None,
        url,
        events,
        filter: EventFilter::default(),
        payload: PayloadMode::default(),
        headers: StaticHeaders::default(),
        timeout_s: Settings::DEFAULT_TIMEOUT_S,
        retry_schedule: RetrySchedule::default(),
        retry_on: RetryOn::default(),
        rate_limit: None,
        max_in_flight: None,
        auto_disable: Some(AutoDisable::default()),
        response_rule: None,
        kept_response_bytes: Settings::DEFAULT_KEPT_RESPONSE_BYTES,
        permission: None,
        reverify_days: None,
        metadata: Metadata::default(),
    }
}

/// A subscription in this state, proven or not, at version 3.
pub(super) fn sample(state: State, is_proven: bool) -> Subscription {
    use hookport::domain::subscription::VerificationStatus;

    let at = Timestamp::from_second(1_790_000_000).expect("a time in range");
    let name = Name::try_from("x".to_owned()).expect("a name");
    let url = TargetUrl::try_from("https://example.com/hook".to_owned()).expect("a URL");
    let events = vec![EventPattern::try_from("invoice.*".to_owned()).expect("a pattern")];
    let proven = Verification { status: VerificationStatus::Passed, verified_at: Some(at), ..Verification::default() };
    Subscription {
        auth: None,
        id: SubscriptionId::new(at, 7),
        tenant: TenantSlug::try_from("acme".to_owned()).expect("a slug"),
        owner: None,
        settings: defaults(name, url, events),
        secret: serde_json::from_value("k1.old".into()).expect("a text"),
        previous_secret: None,
        status: Status { state, cause: Cause::Created, since: at, is_draining: false, is_keeping: false },
        verification: if is_proven { proven } else { Verification::default() },
        declared: None,
        version: 3,
        created_at: at,
        updated_at: at,
    }
}
