//! Every key of every table, built from ids. docs/data-model.md lists who uses which.
//!
//! Keys start with the tenant, but for the look-ups by hash and the operators' directory of tenants, whose first
//! characters no tenant's name can have.

mod outbound;
mod recovery;
mod registration;

pub use self::outbound::*;
pub use self::recovery::*;
pub use self::registration::*;
use crate::aws::table::Key;
use crate::domain::api_token::SecretHash;
use crate::domain::event_type::EventType;
use crate::domain::id::{
    ApiTokenId, DeliveryId, EventId, EventTypeId, Handle, InboundDeliveryId, InboundWebhookId, RejectionId,
    SubscriptionId,
};
use crate::domain::pack::PackName;
use crate::domain::rejection::{RejectionLog, hour_of};
use crate::domain::task::Task;
use crate::domain::text::{Slug, TenantSlug};
use crate::scheme::preset::PresetName;

/// Over how many partitions the rows of one webhook or subscription are spread.
///
/// A partition takes 1,000 write units a second, so one webhook takes about 2,000 requests a second.
pub const ROW_SHARDS: u8 = 4;

/// The directory of tenants, for operators.
pub const TENANTS: &str = "*tenants";

/// A tenant.
#[must_use]
pub fn tenant(tenant: &TenantSlug) -> Key {
    Key::new(tenant.as_str(), "tenant")
}

/// A tenant's line in the directory.
#[must_use]
pub fn tenant_in_directory(tenant: &TenantSlug) -> Key {
    Key::new(TENANTS, tenant.as_str())
}

/// Whose token has this hash.
#[must_use]
pub fn token_by_hash(hash: &SecretHash) -> Key {
    Key::new(format!("#token/{}", hash.as_str()), "token")
}

/// The partition of a tenant's tokens.
#[must_use]
pub fn tokens(tenant: &TenantSlug) -> String {
    format!("{tenant}/tokens")
}

/// One token.
#[must_use]
pub fn token(tenant: &TenantSlug, id: ApiTokenId) -> Key {
    Key::new(tokens(tenant), id.suffix())
}

/// The partition of a tenant's inbound webhooks.
#[must_use]
pub fn inbound_webhooks(tenant: &TenantSlug) -> String {
    format!("{tenant}/webhooks")
}

/// The current version of an inbound webhook.
#[must_use]
pub fn inbound_webhook(tenant: &TenantSlug, id: InboundWebhookId) -> Key {
    Key::new(inbound_webhooks(tenant), id.suffix())
}

/// One version of an inbound webhook, kept for ever.
#[must_use]
pub fn inbound_webhook_version(tenant: &TenantSlug, id: InboundWebhookId, version: u64) -> Key {
    Key::new(format!("{tenant}/webhook-versions/{}", id.suffix()), format!("{version:010}"))
}

/// The partition that remembers deleted webhooks for as long as they have rows.
#[must_use]
pub fn retired_webhooks(tenant: &TenantSlug) -> String {
    format!("{tenant}/retired-webhooks")
}

/// The memory of one deleted webhook.
#[must_use]
pub fn retired_webhook(tenant: &TenantSlug, id: InboundWebhookId) -> Key {
    Key::new(retired_webhooks(tenant), id.suffix())
}

/// The copy of a webhook that its slug leads to.
#[must_use]
pub fn webhook_by_slug(tenant: &TenantSlug, slug: &Slug) -> Key {
    Key::new(format!("{tenant}/slugs/{slug}"), "slug")
}

/// Whose webhook has the key with this hash.
#[must_use]
pub fn webhook_by_key(hash: &SecretHash) -> Key {
    Key::new(format!("#key/{}", hash.as_str()), "key")
}

/// The partition of a tenant's own presets.
#[must_use]
pub fn presets(tenant: &TenantSlug) -> String {
    format!("{tenant}/presets")
}

/// One preset of a tenant's own.
#[must_use]
pub fn preset(tenant: &TenantSlug, name: &PresetName) -> Key {
    Key::new(presets(tenant), name.as_str())
}

/// The claim on an idempotency key; `digest` is the key's hash.
#[must_use]
pub fn claim(tenant: &TenantSlug, webhook: InboundWebhookId, digest: &str) -> Key {
    Key::partition(format!("{tenant}/{}/{digest}", webhook.suffix()))
}

/// What a rate limit is counted for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RateScope {
    /// Requests to one webhook.
    Webhook(TenantSlug, InboundWebhookId),
    /// Handshakes to one webhook that strangers may ask for.
    Handshake(TenantSlug, InboundWebhookId),
    /// Requests from one address to the whole deployment.
    Source(std::net::IpAddr),
    /// Requests to one tenant.
    Tenant(TenantSlug),
    /// Requests to the whole deployment.
    Global,
    /// Attempts to register from one address.
    RegistrationSource(std::net::IpAddr),
    /// Attempts to register with one token, which need not exist.
    RegistrationToken(SecretHash),
    /// Registrations that one tenant is asked for without a token; it need not exist.
    Registration(TenantSlug),
    /// Deliveries to one subscription.
    Subscription(TenantSlug, SubscriptionId),
    /// Events for the subscriptions of one owner.
    OwnerEvents(TenantSlug, String),
    /// Requests about the subscriptions of one owner.
    OwnerRequests(TenantSlug, String),
    /// The same, by the day.
    OwnerRequestsPerDay(TenantSlug, String),
}

/// What is taken of the window of a rate limit that begins at this second.
#[must_use]
pub fn rate(scope: &RateScope, window_start: i64) -> Key {
    Key::partition(match scope {
        RateScope::Webhook(tenant, id) => format!("{tenant}/rate/{}/{window_start}", id.suffix()),
        RateScope::Handshake(tenant, id) => format!("{tenant}/rate-handshake/{}/{window_start}", id.suffix()),
        RateScope::Source(address) => format!("*rate/{address}/{window_start}"),
        RateScope::Tenant(tenant) => format!("{tenant}/rate/{window_start}"),
        RateScope::Global => format!("*rate/{window_start}"),
        RateScope::RegistrationSource(address) => format!("*rate-registration/{address}/{window_start}"),
        RateScope::RegistrationToken(hash) => format!("*rate-registration-token/{}/{window_start}", hash.as_str()),
        RateScope::Registration(tenant) => format!("{tenant}/rate-registration/{window_start}"),
        RateScope::Subscription(tenant, id) => format!("{tenant}/rate-out/{}/{window_start}", id.suffix()),
        RateScope::OwnerEvents(tenant, owner) => format!("{tenant}/rate-owner-events/{owner}/{window_start}"),
        RateScope::OwnerRequests(tenant, owner) => format!("{tenant}/rate-owner-requests/{owner}/{window_start}"),
        RateScope::OwnerRequestsPerDay(tenant, owner) => {
            format!("{tenant}/rate-owner-requests-per-day/{owner}/{window_start}")
        }
    })
}

/// A partition of a webhook's inbound deliveries.
#[must_use]
pub fn inbound_deliveries(tenant: &TenantSlug, handle: Handle, shard: u8) -> String {
    format!("{tenant}/in/{handle}/{shard}")
}

/// One inbound delivery; its event has the same key.
#[must_use]
pub fn inbound_delivery(tenant: &TenantSlug, id: InboundDeliveryId) -> Key {
    Key::new(inbound_deliveries(tenant, id.handle(), id.shard(ROW_SHARDS)), id.suffix())
}

/// An event made from an inbound delivery.
#[must_use]
pub fn event(tenant: &TenantSlug, id: EventId) -> Key {
    inbound_delivery(tenant, id.into())
}

/// A part of a large body. Each has a partition of its own.
#[must_use]
pub fn body_part(tenant: &TenantSlug, body: &str, part: u16) -> Key {
    Key::new(format!("{tenant}/body/{body}/{part}"), "part")
}

/// The partition of a log of refused requests.
#[must_use]
pub fn rejections(log: &RejectionLog) -> String {
    match log {
        RejectionLog::Webhook(tenant, webhook) => format!("{tenant}/rejected/{}", webhook.suffix()),
        RejectionLog::Tenant(tenant) => format!("{tenant}/rejected"),
        RejectionLog::Operators => "*rejected".to_owned(),
    }
}

/// What the keys of an hour in a log of refused requests begin with.
#[must_use]
pub fn rejection_hour(hour: i64) -> String {
    format!("{hour:08x}")
}

/// The place of a refused request in its log: its hour, and its slot.
#[must_use]
pub fn rejection(log: &RejectionLog, id: RejectionId) -> Key {
    let hour = rejection_hour(hour_of(id.created_at()));
    Key::new(rejections(log), format!("{hour}/{:02x}", id.slot()))
}

/// The partition of the versions of an inbound webhook.
#[must_use]
pub fn inbound_webhook_versions(tenant: &TenantSlug, id: InboundWebhookId) -> String {
    format!("{tenant}/webhook-versions/{}", id.suffix())
}

/// Which request was captured as the sample of an inbound webhook.
#[must_use]
pub fn sample(tenant: &TenantSlug, id: InboundWebhookId) -> Key {
    Key::new(format!("{tenant}/sample/{}", id.suffix()), "sample")
}

/// What was added up of an inbound webhook's rows.
#[must_use]
pub fn roll_up(tenant: &TenantSlug, id: InboundWebhookId) -> Key {
    Key::new(format!("{tenant}/stats"), id.suffix())
}

/// The partition of the webhooks that need watching, of all tenants.
pub const WATCHED: &str = "*watched";

/// One webhook that needs watching.
#[must_use]
pub fn watched(tenant: &TenantSlug, id: InboundWebhookId) -> Key {
    Key::new(WATCHED, format!("{tenant}/{}", id.suffix()))
}

/// When the next round of the watch may begin, and where.
#[must_use]
pub fn watch_round() -> Key {
    Key::new("*watch", "round")
}

/// The partition of a tenant's event types, as lists have them.
#[must_use]
pub fn event_types(tenant: &TenantSlug) -> String {
    format!("{tenant}/event-types")
}

/// An event type in the list: all but its schema.
#[must_use]
pub fn event_type_in_list(tenant: &TenantSlug, id: EventTypeId) -> Key {
    Key::new(event_types(tenant), id.suffix())
}

/// The partition of a tenant's event types by their refs, so that those of a pack stand together.
#[must_use]
pub fn event_types_by_ref(tenant: &TenantSlug) -> String {
    format!("{tenant}/event-types-by-ref")
}

/// An event type, whole.
#[must_use]
pub fn event_type(tenant: &TenantSlug, event_type: &EventType) -> Key {
    Key::new(event_types_by_ref(tenant), event_type.as_str())
}

/// The partition of a tenant's packs.
#[must_use]
pub fn packs(tenant: &TenantSlug) -> String {
    format!("{tenant}/packs")
}

/// One pack.
#[must_use]
pub fn pack(tenant: &TenantSlug, name: &PackName) -> Key {
    Key::new(packs(tenant), name.as_str())
}

/// What a key in the table of deliveries names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowName {
    /// A received request.
    Inbound(TenantSlug, InboundDeliveryId),
    /// One event for one subscription.
    Outbound(TenantSlug, DeliveryId),
    /// A task.
    Task(TenantSlug, Task),
}

/// Reads a key of the table of deliveries back.
#[must_use]
pub fn row_name(key: &Key) -> Option<RowName> {
    let mut parts = key.pk.split('/');
    let tenant = TenantSlug::try_from(parts.next()?.to_owned()).ok()?;
    let suffix = key.sk.as_deref()?;
    match parts.next()? {
        "in" => Some(RowName::Inbound(tenant, InboundDeliveryId::from_suffix(suffix).ok()?)),
        "out" => Some(RowName::Outbound(tenant, DeliveryId::from_suffix(suffix).ok()?)),
        "upkeep" => Some(RowName::Task(tenant, Task::Upkeep(SubscriptionId::from_suffix(suffix).ok()?))),
        "task" => Some(RowName::Task(tenant, parts.collect::<Vec<_>>().join("/").parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::ordering::LaneKey;

    #[test]
    fn a_row_key_tells_what_it_names() {
        let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
        let webhook = InboundWebhookId::new(Timestamp::UNIX_EPOCH, 5);
        let inbound = InboundDeliveryId::new(Timestamp::UNIX_EPOCH, webhook, 9);
        let subscription = SubscriptionId::new(Timestamp::UNIX_EPOCH, 6);
        let outbound = DeliveryId::derive(inbound.into(), subscription);
        assert_eq!(row_name(&inbound_delivery(&tenant, inbound)), Some(RowName::Inbound(tenant.clone(), inbound)));
        assert_eq!(row_name(&delivery(&tenant, outbound)), Some(RowName::Outbound(tenant.clone(), outbound)));
        let lane = Task::Lane(subscription, LaneKey::of("x"));
        for name in [Task::Upkeep(subscription), lane] {
            assert_eq!(row_name(&task(&tenant, &name)), Some(RowName::Task(tenant.clone(), name)));
        }
        assert_eq!(row_name(&body_part(&tenant, "x", 0)), None);
    }
}
