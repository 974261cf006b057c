//! Values of the domain, as the checks need them.

use std::fmt::Debug;

use hookport::domain::api_token::{ApiToken, SecretHash};
use hookport::domain::attempt::{Answer, Attempt, Outcome};
use hookport::domain::delivery::{Delivery, DeliveryState, OwnerToken};
use hookport::domain::event_facts::OwnerName;
use hookport::domain::event_type::{EventPattern, EventType};
use hookport::domain::id::{ApiTokenId, EventId, InboundDeliveryId, InboundWebhookId, SubscriptionId, WebhookKeyId};
use hookport::domain::inbound_delivery::{DispatchStatus, FIRST_SWEEP_AFTER, InboundDelivery};
use hookport::domain::inbound_webhook::{
    Address, Auth, HmacAlgorithm, HmacProof, IdempotencySource, InboundWebhook, OnDuplicate, Proof, Secrets,
    SignatureForm, TagEncoding, WebhookKey,
};
use hookport::domain::permission::Permission;
use hookport::domain::rate_limit::RateLimit;
use hookport::domain::retry::RetrySchedule;
use hookport::domain::subscription::{Settings, Status, Subscription, pinned};
use hookport::domain::target_url::{TargetUrl, UrlPolicy};
use hookport::domain::tenant::Tenant;
use hookport::domain::text::{Slug, TenantSlug};
use hookport::domain::verdict::Verdict;
use hookport::vault::Sealed;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::json;

/// The smallest time that is told apart.
pub const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);
/// How long an attempt may take.
pub const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// Where every subscription's deliveries go.
pub const TARGET: &str = "https://hooks.example.com/in?from=acme";

/// The time so many seconds after everything here begins.
///
/// That is far ahead, so that a table which deletes what has expired by real time deletes nothing here.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(4_000_000_000 + seconds).expect("a time in range")
}

pub fn parsed<T: TryFrom<String, Error: Debug>>(text: &str) -> T {
    T::try_from(text.to_owned()).expect("a text of this kind")
}

/// The tenant of everything that does not say otherwise.
pub fn tenant() -> TenantSlug {
    tenant_named("acme")
}

pub fn tenant_named(name: &str) -> TenantSlug {
    parsed(name)
}

pub fn company(name: &str) -> Tenant {
    Tenant::new(tenant_named(name), parsed("A company"), at(0))
}

/// The `n`th webhook; a greater number is newer.
pub fn webhook_id(n: u32) -> InboundWebhookId {
    InboundWebhookId::new(at(n.into()), n.into())
}

/// Another webhook with the same handle.
pub fn webhook_sharing_the_handle_of(other: InboundWebhookId) -> InboundWebhookId {
    let id = InboundWebhookId::new(at(500), u128::from_be_bytes(other.to_bytes()));
    assert_eq!(id.handle(), other.handle());
    assert_ne!(id, other);
    id
}

/// The `n`th subscription; a greater number is newer.
pub fn subscription_id(n: u32) -> SubscriptionId {
    SubscriptionId::new(at(n.into()), n.into())
}

/// Another subscription with the same handle.
pub fn subscription_sharing_the_handle_of(other: SubscriptionId) -> SubscriptionId {
    let id = SubscriptionId::new(at(500), u128::from_be_bytes(other.to_bytes()));
    assert_eq!(id.handle(), other.handle());
    assert_ne!(id, other);
    id
}

fn event_type() -> EventType {
    parsed("invoice.paid")
}

/// The `n`th request of an instant; both kinds of shards follow from `n`.
pub fn inbound_id(webhook: InboundWebhookId, arrived_at: Timestamp, n: u32) -> InboundDeliveryId {
    InboundDeliveryId::new(arrived_at, webhook, n.into())
}

/// A request that was just received.
pub fn inbound(webhook: InboundWebhookId, arrived_at: Timestamp, n: u32) -> InboundDelivery {
    InboundDelivery {
        id: inbound_id(webhook, arrived_at, n),
        tenant: tenant(),
        webhook_id: webhook,
        webhook_version: 1,
        event_type: event_type(),
        idempotency_key: None,
        status: DispatchStatus::Pending,
        duplicate_of: None,
        response_status: 200,
        latency_ms: 3,
        error: None,
        violations: Vec::new(),
        replay_of: None,
        is_test: false,
        key_id: None,
        subscriptions: Vec::new(),
        due_at: Some(arrived_at + FIRST_SWEEP_AFTER),
        redrives: 0,
        handshake: None,
    }
}

/// The `n`th event of an instant.
pub fn event_id(accepted_at: Timestamp, n: u32) -> EventId {
    inbound_id(webhook_id(1), accepted_at, n).into()
}

pub fn owner(n: u128) -> OwnerToken {
    OwnerToken::new(n)
}

/// A delivery whose first attempt the first owner is about to make.
pub fn begun(event: EventId, subscription: SubscriptionId) -> Delivery {
    let now = event.created_at();
    let state = DeliveryState::Attempting { n: 1, owner: owner(1), lease_until: now + LEASE };
    Delivery::of_event(tenant(), event, event_type(), subscription, state, now)
}

/// A delivery that is kept for its subscription.
pub fn kept(event: EventId, subscription: SubscriptionId) -> Delivery {
    begun(event, subscription).in_state(DeliveryState::Held, event.created_at())
}

/// The delivery after the attempt that is being made has ended. The waits are 1, 5, 15 and 30 minutes.
pub fn ended(delivery: &Delivery, outcome: Outcome, now: Timestamp) -> Delivery {
    let failed = |retry| Verdict::Failed { retry, not_before: None, slow_down: false };
    let verdict = match &outcome {
        Outcome::Answered(Answer { status: 200..=299, .. }) => Verdict::Delivered,
        Outcome::Answered(Answer { status: 410, .. }) => Verdict::Gone,
        Outcome::Failed { permanent, .. } => failed(!permanent),
        Outcome::Answered(_) | Outcome::Unknown => failed(true),
    };
    judged(delivery, outcome, &verdict, now)
}

/// The delivery after the attempt that is being made has ended and was judged so.
pub fn judged(delivery: &Delivery, outcome: Outcome, verdict: &Verdict, now: Timestamp) -> Delivery {
    let DeliveryState::Attempting { n, .. } = delivery.state else {
        panic!("no attempt is being made: {delivery:?}");
    };
    let url = (outcome != Outcome::Unknown).then(|| TARGET.to_owned());
    let attempt = Attempt { n, started_at: now - MILLISECOND, duration_ms: 1, url, outcome };
    delivery.clone().after_attempt(attempt, verdict, wait_after(n), now)
}

/// The wait after failed attempt `n`.
pub fn wait_after(n: u32) -> Option<SignedDuration> {
    RetrySchedule::FiveTries.wait_after(n, 0.0)
}

/// An answer with this status and nothing worth keeping.
pub fn answered(status: u16) -> Outcome {
    Outcome::Answered(Answer { status, ..Answer::default() })
}

/// The target took it.
pub fn taken() -> Outcome {
    answered(200)
}

/// The target could not take it now.
pub fn refused() -> Outcome {
    Outcome::Answered(Answer { status: 503, body: Some("busy".to_owned()), ..Answer::default() })
}

pub fn sealed(text: &str) -> Sealed {
    serde_json::from_value(json!(text)).expect("a sealed value is a text")
}

pub fn hash(secret: &str) -> SecretHash {
    SecretHash::of(&SecretString::from(secret))
}

pub fn slug(text: &str) -> Slug {
    parsed(text)
}

pub fn by_slug(text: &str) -> Address {
    Address::Slug { slug: slug(text) }
}

pub fn by_key(key: &str) -> Address {
    let key = WebhookKey {
        id: WebhookKeyId::new(at(0), 1),
        hash: hash(key),
        sealed: sealed("k1.key"),
        hint: "wh_abc…".to_owned(),
        created_at: at(0),
        expires_at: None,
    };
    Address::Key { keys: vec![key] }
}

/// The first version of the `n`th webhook.
pub fn webhook(n: u32, address: Address) -> InboundWebhook {
    InboundWebhook {
        id: webhook_id(n),
        tenant: tenant(),
        version: 1,
        name: parsed("Billing"),
        description: Some(parsed("Zoë's invoices\nand reminders")),
        address,
        auth: Auth {
            allowed_ips: Some(vec!["192.0.2.0/24".parse().expect("a network")]),
            proofs: vec![Proof::Hmac(HmacProof {
                algorithm: HmacAlgorithm::Sha256,
                headers: vec!["x-hub-signature-256".to_owned(), "x-webhook-signature".to_owned()],
                encoding: TagEncoding::Hex,
                form: SignatureForm::Timestamped { tolerance_s: 300 },
                secret: Secrets::new(sealed("k1.secret")),
            })],
        },
        idempotency: Some(IdempotencySource::Header("x-request-id".to_owned())),
        idempotency_window_s: 86_400,
        on_duplicate: OnDuplicate::Conflict,
        event_type: event_type(),
        naming: None,
        handshakes: Vec::new(),
        max_body_bytes: 1_048_576,
        rate_limit: RateLimit::OF_SLUGS,
        silence_alarm_h: Some(24),
        disable_after_failures: Some(10),
        auto_disabled_at: None,
        is_active: true,
        capture_until: None,
        created_at: at(n.into()),
        updated_at: at(n.into()),
    }
}

/// The next version of a webhook, with another name.
pub fn renamed(before: &InboundWebhook, name: &str) -> InboundWebhook {
    let updated_at = before.updated_at + SignedDuration::from_mins(1);
    InboundWebhook { version: before.version + 1, name: parsed(name), updated_at, ..before.clone() }
}

/// The next version of a webhook, at another address.
pub fn moved(before: &InboundWebhook, address: Address) -> InboundWebhook {
    InboundWebhook { version: before.version + 1, address, ..before.clone() }
}

/// The `n`th token of a tenant. Every other one expires.
pub fn token(tenant: TenantSlug, n: u32) -> ApiToken {
    ApiToken {
        id: ApiTokenId::new(at(n.into()), n.into()),
        hash: hash(&format!("{tenant} {n}")),
        tenant,
        name: parsed("Deployment"),
        owner: n.is_multiple_of(2).then(|| owner_name("ann@example.com")),
        permissions: Permission::of_tenant_admin(),
        created_at: at(n.into()),
        expires_at: (n % 2 == 1).then(|| at(86_400)),
    }
}

pub fn owner_name(text: &str) -> OwnerName {
    parsed(text)
}

/// Where every subscription's deliveries go, as it is kept.
pub fn target() -> TargetUrl {
    TargetUrl::parse(TARGET, &UrlPolicy::default()).expect("a public URL")
}

/// The `n`th subscription.
pub fn subscription(n: u32) -> Subscription {
    let operators = pinned(tenant(), target());
    let made_at = at(n.into());
    let settings = Settings {
        name: parsed("Ledger"),
        events: patterns(&["invoice.*", "invoice.paid"]),
        retry_schedule: RetrySchedule::Alga,
        ..operators.settings
    };
    Subscription {
        id: subscription_id(n),
        settings,
        secret: sealed("k1.secret"),
        status: Status { since: made_at, ..operators.status },
        version: 1,
        created_at: made_at,
        updated_at: made_at,
        ..operators
    }
}

pub fn patterns(texts: &[&str]) -> Vec<EventPattern> {
    texts.iter().map(|text| parsed(text)).collect()
}

/// The `n`th subscription, which wants events of these patterns.
pub fn wanting(n: u32, texts: &[&str]) -> Subscription {
    let before = subscription(n);
    Subscription { settings: Settings { events: patterns(texts), ..before.settings.clone() }, ..before }
}

/// The next version of a subscription, which wants events of these patterns.
pub fn turned_to(before: &Subscription, texts: &[&str]) -> Subscription {
    let settings = Settings { events: patterns(texts), ..before.settings.clone() };
    Subscription { settings, ..before.changed(before.updated_at + SignedDuration::from_mins(1)) }
}

/// The `n`th subscription, made on behalf of this owner.
pub fn owned(n: u32, owner: &str) -> Subscription {
    Subscription { owner: Some(owner_name(owner)), ..subscription(n) }
}
