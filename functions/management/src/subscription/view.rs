//! A subscription as the API shows it: never with a secret, nor with what its target has to echo.

use std::collections::BTreeMap;

use hookport::dialect::DialectName;
use hookport::dialect::proof::ProofStyle;
use hookport::domain::event_facts::{OwnerName, Scope};
use hookport::domain::event_type::EventPattern;
use hookport::domain::id::SubscriptionId;
use hookport::domain::owner::PermissionName;
use hookport::domain::payload_filter::PayloadFilter;
use hookport::domain::payload_mode::PayloadMode;
use hookport::domain::response_rule::ResponseRule;
use hookport::domain::retry::{RetryOn, RetrySchedule};
use hookport::domain::subscription::{
    AutoDisable, Cause, Purpose, State, Subscription, Verification, VerificationStatus,
};
use hookport::domain::target::Target;
use hookport::domain::text::{Description, Name};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::TargetAuthView;
use super::manner::OrderingSetting;
use crate::inbound_webhook::RateLimitSetting;

/// Who wants which events where.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubscriptionView {
    /// Its id.
    #[schema(value_type = String, example = "sub_01m5w3rm008000000400000003")]
    id: SubscriptionId,
    /// Its name for people.
    name: Name,
    /// What it is for.
    description: Option<Description>,
    /// On whose behalf it was made.
    owner: Option<OwnerName>,
    /// Where deliveries go, in the normal form of URLs; `(operator-pinned)` for the operator's own.
    url: String,
    /// What stands there: a web server, or a service of the cloud.
    target: Target,
    /// How requests show the target who is asking; secrets are `(hidden)`. Null: by their signature alone.
    auth: Option<TargetAuthView>,
    /// The event types wanted.
    #[schema(value_type = Vec<String>, example = json!(["invoice.*"]))]
    events: Vec<EventPattern>,
    /// Only events about entities of this type are wanted; null: about any.
    object_type: Option<String>,
    /// Only events at this scope or below it are wanted; null: at any.
    scope: Option<Scope>,
    /// Only events about one of these entities are wanted; empty: about any.
    entity_ids: Vec<String>,
    /// Only events with such a payload are wanted; null: with any.
    filter: Option<PayloadFilter>,
    /// How much of an event is sent.
    payload: PayloadMode,
    /// How deliveries look on the wire.
    dialect: DialectName,
    /// Dialects whose signatures stand beside those of its own.
    also_sign: Vec<DialectName>,
    /// How its target proves itself; null: as the dialect says.
    proof: Option<ProofStyle>,
    /// In which order deliveries are sent; null: in any.
    ordering: Option<OrderingSetting>,
    /// Headers of received requests that are passed on.
    forward_headers: Vec<String>,
    /// Headers beside the gateway's own. Values that look like credentials are `(hidden)`.
    headers: BTreeMap<String, String>,
    /// The longest that an attempt may take.
    timeout_seconds: u8,
    /// When failed attempts are made again.
    retry_schedule: RetrySchedule,
    /// Which failed attempts are made again.
    retry_on: RetryOn,
    /// How many attempts are made in which time; null: any number.
    rate_limit: Option<RateLimitSetting>,
    /// How many attempts are under way at once; null: any number.
    max_in_flight: Option<u8>,
    /// When the gateway switches it off; null: never.
    auto_disable: Option<AutoDisable>,
    /// What an answer must be to count as a success, beyond a 2xx.
    response_rule: Option<ResponseRule>,
    /// How much of each answer's body is kept.
    kept_response_bytes: u16,
    /// The permission that its owner must hold where an event happened.
    permission: Option<PermissionName>,
    /// After how many days the target has to prove itself again; null: never.
    reverify_days: Option<u16>,
    /// Notes of its owner's.
    metadata: BTreeMap<String, String>,
    /// Whether it gets events.
    #[schema(inline)]
    state: State,
    /// Since when it is in its state.
    #[schema(value_type = String, format = DateTime)]
    state_since: Timestamp,
    /// Why it is in its state.
    #[schema(inline)]
    cause: Cause,
    /// The cause as a sentence; after a challenge that failed, what was wrong with the answer.
    status_message: String,
    /// Whether what was kept for it is being delivered, so that new events line up behind.
    is_draining: bool,
    /// How its target proves itself.
    verification: VerificationView,
    /// Whether a challenge was asked for; false only while it is held.
    trigger_challenge: bool,
    /// When it will be deleted if its target does not prove itself; null: not at all.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Until when the secret before the present one signs as well; absent after a change without overlap.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    previous_secret_until: Option<Timestamp>,
    /// The set of declarations that it was made from.
    declared: Option<String>,
    /// Counts the changes, from 1; the `ETag` is this number in quotes.
    version: u64,
    /// When it was made; older events are not for it.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// The newest challenge of a subscription, and what came of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct VerificationView {
    /// How far it has come.
    #[schema(inline)]
    status: VerificationStatus,
    /// What it is for.
    #[schema(inline)]
    purpose: Purpose,
    /// When it was started.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// When the target proved itself last.
    #[schema(value_type = Option<String>, format = DateTime)]
    verified_at: Option<Timestamp>,
    /// Why it failed, for people.
    failure: Option<String>,
}

/// A subscription, with its new secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubscriptionWithSecret {
    data: SubscriptionView,
    /// The secret that deliveries are signed with. It is shown here only.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDQP1hN5X9vg0=")]
    secret: String,
}

impl SubscriptionWithSecret {
    pub(super) fn new(subscription: Subscription, secret: &SecretString) -> Self {
        Self { data: subscription.into(), secret: secret.expose_secret().to_owned() }
    }
}

impl From<Verification> for VerificationView {
    fn from(verification: Verification) -> Self {
        Self {
            status: verification.status,
            purpose: verification.purpose,
            started_at: verification.started_at,
            ended_at: verification.ended_at,
            verified_at: verification.verified_at,
            failure: verification.failure,
        }
    }
}

impl From<Subscription> for SubscriptionView {
    fn from(subscription: Subscription) -> Self {
        let status = subscription.status;
        let expires_at = subscription.expires_at();
        let failure = subscription.verification.failure.clone().filter(|_| status.state == State::VerificationFailed);
        let url = subscription.place();
        let settings = subscription.settings;
        Self {
            id: subscription.id,
            name: settings.name,
            description: settings.description,
            owner: subscription.owner,
            url,
            target: settings.target,
            auth: subscription.auth.as_ref().map(TargetAuthView::from),
            events: settings.events,
            object_type: settings.filter.object_type,
            scope: settings.filter.scope,
            entity_ids: settings.filter.entity_ids,
            filter: settings.filter.payload,
            payload: settings.payload,
            dialect: settings.dialect,
            also_sign: settings.also_sign,
            proof: settings.proof,
            ordering: settings.ordering.map(OrderingSetting::from),
            forward_headers: settings.forward_headers,
            headers: settings.headers.shown(),
            timeout_seconds: settings.timeout_s,
            retry_schedule: settings.retry_schedule,
            retry_on: settings.retry_on,
            rate_limit: settings.rate_limit.map(RateLimitSetting::from),
            max_in_flight: settings.max_in_flight,
            auto_disable: settings.auto_disable,
            response_rule: settings.response_rule,
            kept_response_bytes: settings.kept_response_bytes,
            permission: settings.permission,
            reverify_days: settings.reverify_days,
            metadata: settings.metadata,
            state: status.state,
            state_since: status.since,
            cause: status.cause,
            status_message: failure.unwrap_or_else(|| status.cause.sentence().to_owned()),
            is_draining: status.is_draining,
            verification: subscription.verification.into(),
            trigger_challenge: !matches!(status.state, State::AwaitingApproval | State::AwaitingChallenge),
            expires_at,
            previous_secret_until: subscription.previous_secret.map(|previous| previous.until),
            declared: subscription.declared.map(|declared| declared.set),
            version: subscription.version,
            created_at: subscription.created_at,
            updated_at: subscription.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use hookport::domain::subscription::Challenge;
    use hookport::random::Random;
    use serde_json::{Value, json};

    use super::super::sample;
    use super::*;

    fn shown(subscription: Subscription) -> Value {
        serde_json::to_value(SubscriptionView::from(subscription)).unwrap()
    }

    /// A12: neither the secret nor what has to be echoed stands in a view.
    #[test]
    fn a12_a_view_has_no_secret_and_no_challenge() {
        let held = sample(State::AwaitingChallenge, false);
        let challenge = Challenge::new(&Random::seeded(7));
        let pending = held.challenged(Purpose::Activation, challenge.clone(), held.created_at);
        for view in [shown(held), shown(pending)] {
            let text = view.to_string();
            assert!(
                !text.contains("secret") && !text.contains("k1.old") && !text.contains(challenge.as_str()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_challenge_that_failed_says_what_was_wrong() {
        let before = sample(State::PendingVerification, false);
        let view = shown(before.unproven("the answer was 404".to_owned(), before.created_at));
        assert_eq!(view["status_message"], json!("the answer was 404"));
        assert_eq!(view["verification"]["failure"], json!("the answer was 404"));
        assert_eq!(view["trigger_challenge"], json!(true));
        assert!(view["expires_at"].is_string(), "a target that never proved itself has an announced end");
    }

    #[test]
    fn only_a_held_subscription_has_its_challenge_yet_to_be_asked_for() {
        let view = shown(sample(State::AwaitingChallenge, false));
        assert_eq!(view["trigger_challenge"], json!(false));
        assert_eq!(view["status_message"], json!("Made like this."));
        assert_eq!(shown(sample(State::Active, true))["trigger_challenge"], json!(true));
    }

    #[test]
    fn the_operators_url_is_not_shown() {
        let pinned = Subscription { id: SubscriptionId::PINNED, ..sample(State::Active, true) };
        assert_eq!(shown(pinned)["url"], json!("(operator-pinned)"));
    }
}
