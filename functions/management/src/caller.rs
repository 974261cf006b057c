//! Who calls: the bearer token, and the permission that each operation names in its signature.
//!
//! An operation learns its tenant from its [`Caller`] and from nowhere else, and a `Caller` exists only once its
//! permission was found on the token. So no operation can forget to ask.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use hookport::domain::api_token::ApiToken;
use hookport::domain::audit::Principal;
use hookport::domain::event_facts::OwnerName;
use hookport::domain::permission::Permission;
use hookport::domain::text::TenantSlug;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use secrecy::SecretString;

use crate::api::Api;
use crate::api_token::{TOKEN_CHARS, TOKEN_PREFIX};
use crate::error::{Error, Result};
use crate::log::Known;

/// A permission as a type, to be named in the signature of an operation.
pub(crate) trait Needs {
    /// The permission.
    const PERMISSION: Permission;
}

macro_rules! needs {
    ($($name:ident),+ $(,)?) => {$(
        #[doc = concat!("Stands for [`Permission::", stringify!($name), "`] in signatures.")]
        pub(crate) enum $name {}

        impl Needs for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )+};
}

needs! {
    TenantCreate,
    TenantRead,
    TenantUpdate,
    UnknownRequestRead,
    ApiTokenCreate,
    ApiTokenRead,
    ApiTokenDelete,
    InboundWebhookCreate,
    InboundWebhookRead,
    InboundWebhookUpdate,
    InboundWebhookDelete,
    InboundWebhookReplay,
    InboundWebhookSample,
    EventTypeCreate,
    EventTypeRead,
    EventTypeUpdate,
    EventTypeDelete,
    EventRead,
    EventPublish,
    SubscriptionCreate,
    SubscriptionRead,
    SubscriptionUpdate,
    SubscriptionDelete,
    SubscriptionTest,
    OwnerRead,
    OwnerUpdate,
    DeliveryRead,
    DeliveryRetry,
    EgressRuleRead,
    EgressRuleUpdate,
    SubscriptionApprove,
    RegistrationTokenCreate,
    RegistrationTokenRead,
    RegistrationTokenDelete,
    SigningKeyRead,
    SigningKeyUpdate,
    ReplayCreate,
    ReplayRead,
    IssueRead,
    IssueUpdate,
    BookmarkCreate,
    BookmarkRead,
    BookmarkDelete,
    ScheduleCreate,
    ScheduleRead,
    ScheduleUpdate,
    ScheduleDelete,
    AuditRead,
}

/// The holder of a valid token that has the permission `N`.
pub(crate) struct Caller<N> {
    token: Arc<ApiToken>,
    needs: PhantomData<fn() -> N>,
}

impl<N> Caller<N> {
    /// The tenant that the caller acts for.
    pub(crate) fn tenant(&self) -> &TenantSlug {
        &self.token.tenant
    }

    /// The owner of subscriptions that the caller acts for, if it is bound to one.
    pub(crate) fn owner(&self) -> Option<&OwnerName> {
        self.token.owner.as_ref()
    }

    /// Tells whether what belongs to `owner` is the caller's to see.
    pub(crate) fn sees(&self, owner: Option<&OwnerName>) -> bool {
        self.owner().is_none_or(|own| Some(own) == owner)
    }

    /// The caller, as the audit log names it.
    pub(crate) fn principal(&self) -> Principal {
        Principal::of_token(&self.token)
    }

    /// Tells whether the caller may do something beyond what the operation needs.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.token.may(permission)
    }
}

impl<N: Needs> FromRequestParts<Api> for Caller<N> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self> {
        let text = bearer(&parts.headers, TOKEN_PREFIX, TOKEN_CHARS).ok_or(Error::Unauthorized)?;
        let token = api.token(&text).await?;
        let now = api.app.clock.now();
        let token = token.filter(|token| !token.is_expired(now)).ok_or(Error::Unauthorized)?;
        if let Some(known) = parts.extensions.get::<Known>() {
            known.caller(&token);
        }
        if !token.may(N::PERMISSION) {
            return Err(Error::Forbidden(N::PERMISSION));
        }
        if let Some(side) = side(N::PERMISSION) {
            let switches = api.tenant_switches(&token.tenant).await?;
            match side {
                Side::Inbound if !switches.inbound => return Err(Error::InboundDisabled),
                Side::Outbound if !switches.outbound => return Err(Error::OutboundDisabled),
                Side::Inbound | Side::Outbound => {}
            }
        }
        Ok(Self { token, needs: PhantomData })
    }
}

/// A side of the gateway that a tenant can be without.
enum Side {
    Inbound,
    Outbound,
}

/// The side that must be on for whoever uses a permission. What happened stays readable: events and deliveries.
fn side(permission: Permission) -> Option<Side> {
    match permission {
        Permission::InboundWebhookCreate
        | Permission::InboundWebhookRead
        | Permission::InboundWebhookUpdate
        | Permission::InboundWebhookDelete
        | Permission::InboundWebhookReplay
        | Permission::InboundWebhookSample
        | Permission::EventTypeCreate
        | Permission::EventTypeRead
        | Permission::EventTypeUpdate
        | Permission::EventTypeDelete => Some(Side::Inbound),
        Permission::SubscriptionCreate
        | Permission::SubscriptionRead
        | Permission::SubscriptionUpdate
        | Permission::SubscriptionDelete
        | Permission::SubscriptionTest
        | Permission::OwnerRead
        | Permission::OwnerUpdate
        | Permission::DeliveryRetry
        | Permission::SubscriptionApprove
        | Permission::RegistrationTokenCreate
        | Permission::RegistrationTokenDelete
        | Permission::SigningKeyUpdate
        | Permission::ReplayCreate
        | Permission::IssueUpdate
        | Permission::BookmarkCreate
        | Permission::BookmarkDelete
        | Permission::ScheduleCreate
        | Permission::ScheduleUpdate
        | Permission::ScheduleDelete => Some(Side::Outbound),
        Permission::TenantCreate
        | Permission::TenantRead
        | Permission::TenantUpdate
        | Permission::UnknownRequestRead
        | Permission::ApiTokenCreate
        | Permission::ApiTokenRead
        | Permission::ApiTokenDelete
        | Permission::EventRead
        | Permission::EventPublish
        | Permission::EgressRuleRead
        | Permission::EgressRuleUpdate
        | Permission::DeliveryRead
        | Permission::RegistrationTokenRead
        | Permission::SigningKeyRead
        | Permission::ReplayRead
        | Permission::IssueRead
        | Permission::BookmarkRead
        | Permission::ScheduleRead
        | Permission::AuditRead => None,
    }
}

/// The token of the one `Authorization: Bearer` header, if it has this prefix and so many characters behind it.
pub(crate) fn bearer(headers: &HeaderMap, prefix: &str, chars: usize) -> Option<SecretString> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, text) = value.split_once(' ')?;
    let text = text.trim();
    let plausible =
        scheme.eq_ignore_ascii_case("bearer") && text.strip_prefix(prefix).is_some_and(|rest| rest.len() == chars);
    plausible.then(|| SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use secrecy::ExposeSecret;

    use super::*;

    fn found(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).expect("a header value"));
        }
        bearer(&headers, TOKEN_PREFIX, TOKEN_CHARS).map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn a_token_is_found_behind_bearer_in_any_case() {
        let token = format!("hp_{}", "a".repeat(40));
        for scheme in ["Bearer", "bearer", "BEARER"] {
            assert_eq!(found(&[&format!("{scheme} {token}")]), Some(token.clone()), "{scheme}");
        }
    }

    #[test]
    fn anything_else_is_no_token() {
        let token = format!("hp_{}", "a".repeat(40));
        let bearer = format!("Bearer {token}");
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[&bearer, &bearer]), None, "two headers leave open which one counts");
        for bad in
            ["", "Bearer", "Bearer ", "Bearer hp_short", &token, &format!("Basic {token}"), &format!("{bearer}b")]
        {
            assert_eq!(found(&[bad]), None, "{bad}");
        }
    }
}
