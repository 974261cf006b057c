//! What a token may do: `noun:verb`, all verbs of a noun, or everything.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A text that names no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a permission")]
pub struct UnknownPermission(pub String);

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// One thing that a token may be allowed to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Permission {
            $($(#[$doc])* $name,)+
        }

        impl Permission {
            /// Every permission there is.
            pub const EVERY: &'static [Self] = &[$(Self::$name,)+];

            /// The permission as written in the API.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }

        impl TryFrom<String> for Permission {
            type Error = UnknownPermission;

            fn try_from(text: String) -> Result<Self, UnknownPermission> {
                match text.as_str() {
                    $($text => Ok(Self::$name),)+
                    _ => Err(UnknownPermission(text)),
                }
            }
        }
    };
}

permissions! {
    /// Make tenants. Held by operators; a tenant's own tokens cannot have it.
    TenantCreate = "tenant:create",
    /// List and read tenants. Held by operators.
    TenantRead = "tenant:read",
    /// Change tenants: switch their webhooks on and off. Held by operators.
    TenantUpdate = "tenant:update",
    /// Read the log of requests to URLs that lead nowhere. Held by operators.
    UnknownRequestRead = "unknown_request:read",
    /// Read the hosts that nothing is sent to. Held by operators.
    EgressRuleRead = "egress_rule:read",
    /// Change the hosts that nothing is sent to. Held by operators.
    EgressRuleUpdate = "egress_rule:update",
    /// Make API tokens with at most one's own permissions.
    ApiTokenCreate = "api_token:create",
    /// List API tokens, without their secrets.
    ApiTokenRead = "api_token:read",
    /// Revoke API tokens.
    ApiTokenDelete = "api_token:delete",
    /// Make inbound webhooks.
    InboundWebhookCreate = "inbound_webhook:create",
    /// Read inbound webhooks and their deliveries.
    InboundWebhookRead = "inbound_webhook:read",
    /// Change inbound webhooks, and see their keys.
    InboundWebhookUpdate = "inbound_webhook:update",
    /// Delete inbound webhooks.
    InboundWebhookDelete = "inbound_webhook:delete",
    /// Handle received requests again.
    InboundWebhookReplay = "inbound_webhook:replay",
    /// Capture a sample of what senders send, and read it: it may hold personal data.
    InboundWebhookSample = "inbound_webhook:sample",
    /// Make event types.
    EventTypeCreate = "event_type:create",
    /// Read event types.
    EventTypeRead = "event_type:read",
    /// Change event types and their webhooks.
    EventTypeUpdate = "event_type:update",
    /// Delete event types.
    EventTypeDelete = "event_type:delete",
    /// Read events.
    EventRead = "event:read",
    /// Publish events.
    EventPublish = "event:publish",
    /// Make subscriptions.
    SubscriptionCreate = "subscription:create",
    /// Read subscriptions.
    SubscriptionRead = "subscription:read",
    /// Change subscriptions: their settings, secrets and states.
    SubscriptionUpdate = "subscription:update",
    /// Delete subscriptions.
    SubscriptionDelete = "subscription:delete",
    /// Send tests to subscriptions, and check signatures.
    SubscriptionTest = "subscription:test",
    /// Read the owners of subscriptions: their quotas and permissions.
    OwnerRead = "owner:read",
    /// Change owners of subscriptions, and delete all that one has.
    OwnerUpdate = "owner:update",
    /// Read deliveries and their attempts.
    DeliveryRead = "delivery:read",
    /// Make attempts again, send events once more, and put an end to retries.
    DeliveryRetry = "delivery:retry",
    /// Let subscriptions that registered themselves in, and turn them away.
    SubscriptionApprove = "subscription:approve",
    /// Make registration tokens.
    RegistrationTokenCreate = "registration_token:create",
    /// List registration tokens, without their secrets.
    RegistrationTokenRead = "registration_token:read",
    /// Revoke registration tokens.
    RegistrationTokenDelete = "registration_token:delete",
    /// Read the public keys that sign for the tenant.
    SigningKeyRead = "signing_key:read",
    /// Replace the key that signs for the tenant.
    SigningKeyUpdate = "signing_key:update",
    /// Send many events again: plan, start and cancel replays.
    ReplayCreate = "replay:create",
    /// Read replays and how far they are.
    ReplayRead = "replay:read",
    /// Read issues.
    IssueRead = "issue:read",
    /// Mark issues as seen to, and retry what is in them.
    IssueUpdate = "issue:update",
    /// Save events to be sent again.
    BookmarkCreate = "bookmark:create",
    /// Read saved events, with their payloads.
    BookmarkRead = "bookmark:read",
    /// Delete saved events.
    BookmarkDelete = "bookmark:delete",
    /// Make schedules that publish events.
    ScheduleCreate = "schedule:create",
    /// Read schedules.
    ScheduleRead = "schedule:read",
    /// Change schedules.
    ScheduleUpdate = "schedule:update",
    /// Delete schedules.
    ScheduleDelete = "schedule:delete",
    /// Read who did what.
    AuditRead = "audit:read",
}

impl PartialSchema for Permission {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Self::EVERY.iter().map(|p| p.as_str())))
            .description(Some("What a token may do"))
            .into()
    }
}

impl ToSchema for Permission {}

impl Permission {
    /// Tells whether only operators may hold it, because it reaches beyond one tenant.
    #[must_use]
    pub fn is_for_operators(self) -> bool {
        matches!(
            self,
            Self::TenantCreate
                | Self::TenantRead
                | Self::TenantUpdate
                | Self::UnknownRequestRead
                | Self::EgressRuleRead
                | Self::EgressRuleUpdate
        )
    }

    /// Tells whether a token that acts for one owner of subscriptions may hold it: it reaches what is that owner's alone.
    #[must_use]
    pub fn is_for_owners(self) -> bool {
        matches!(
            self,
            Self::SubscriptionCreate
                | Self::SubscriptionRead
                | Self::SubscriptionUpdate
                | Self::SubscriptionDelete
                | Self::SubscriptionTest
                | Self::DeliveryRead
                | Self::DeliveryRetry
                | Self::EventPublish
                | Self::EventTypeRead
                | Self::IssueRead
                | Self::IssueUpdate
                | Self::ReplayCreate
                | Self::ReplayRead
        )
    }

    /// Everything that a tenant's own administrator may do.
    #[must_use]
    pub fn of_tenant_admin() -> Vec<Self> {
        Self::EVERY.iter().copied().filter(|p| !p.is_for_operators()).collect()
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.as_str().to_owned()
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_reads_back_from_its_text() {
        for permission in Permission::EVERY {
            assert_eq!(Permission::try_from(permission.to_string()), Ok(*permission));
        }
        assert!(Permission::try_from("inbound_webhook:fly".to_owned()).is_err());
    }

    #[test]
    fn a_tenant_admin_cannot_reach_other_tenants() {
        assert!(!Permission::of_tenant_admin().contains(&Permission::TenantCreate));
        assert!(Permission::of_tenant_admin().contains(&Permission::ApiTokenCreate));
    }
}
