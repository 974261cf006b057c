//! Who did what: a record of each step by which somebody is let in, kept out, or given something to sign with.
//!
//! A record holds no secret, and nothing that a target has to echo.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::api_token::ApiToken;
use super::id::AuditRecordId;
use super::text::TenantSlug;
use super::time::later;

/// How long a record is kept, in days.
pub const AUDIT_DAYS: i64 = 400;

/// What kind of somebody did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// The holder of an API token.
    ApiToken,
    /// The holder of a registration token for one use.
    RegistrationToken,
    /// The holder of a registration token for many uses.
    Automation,
    /// A stranger who asked without a token.
    Listener,
    /// The gateway itself.
    Gateway,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// What kind of somebody.
    pub kind: PrincipalKind,
    /// The id of the token that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name, as it was then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Principal {
    /// A stranger.
    pub const LISTENER: Self = Self { kind: PrincipalKind::Listener, id: None, name: None };
    /// The gateway itself.
    pub const GATEWAY: Self = Self { kind: PrincipalKind::Gateway, id: None, name: None };

    /// The holder of an API token.
    #[must_use]
    pub fn of_token(token: &ApiToken) -> Self {
        Self { kind: PrincipalKind::ApiToken, id: Some(token.id.to_string()), name: Some(token.name.to_string()) }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum AuditAction {
    /// A registration token was made.
    #[serde(rename = "registration_token.created")]
    RegistrationTokenCreated,
    /// A registration token was revoked.
    #[serde(rename = "registration_token.revoked")]
    RegistrationTokenRevoked,
    /// A listener registered itself with a token.
    #[serde(rename = "registration.used")]
    RegistrationUsed,
    /// The same registration was asked for again and answered again, with its secret.
    #[serde(rename = "registration.repeated")]
    RegistrationRepeated,
    /// A listener asked without a token.
    #[serde(rename = "registration.asked")]
    RegistrationAsked,
    /// The holder of a token was refused.
    #[serde(rename = "registration.refused")]
    RegistrationRefused,
    /// Nobody let a registration in, and it was deleted.
    #[serde(rename = "registration.expired")]
    RegistrationExpired,
    /// It was set who may ask without a token.
    #[serde(rename = "registration_settings.changed")]
    RegistrationSettingsChanged,
    /// A subscription was let in.
    #[serde(rename = "subscription.approved")]
    SubscriptionApproved,
    /// A subscription that waited was turned away.
    #[serde(rename = "subscription.rejected")]
    SubscriptionRejected,
    /// The key that signs for the tenant was replaced.
    #[serde(rename = "signing_key.rotated")]
    SigningKeyRotated,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Its id, which holds when it was.
    pub id: AuditRecordId,
    /// In whose tenant.
    pub tenant: TenantSlug,
    /// Who did it.
    pub principal: Principal,
    /// What was done.
    pub action: AuditAction,
    /// The id of what it was done to; empty where that has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Where the request came from, as far as anybody trustworthy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<IpAddr>,
    /// What else is worth knowing, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl AuditRecord {
    /// A record of which nothing more is said yet.
    #[must_use]
    pub fn new(id: AuditRecordId, tenant: TenantSlug, principal: Principal, action: AuditAction) -> Self {
        Self { id, tenant, principal, action, subject: String::new(), source_ip: None, details: BTreeMap::new() }
    }

    /// About this.
    #[must_use]
    pub fn about(self, subject: impl fmt::Display) -> Self {
        Self { subject: subject.to_string(), ..self }
    }

    /// From this address.
    #[must_use]
    pub fn sent_from(self, source_ip: Option<IpAddr>) -> Self {
        Self { source_ip, ..self }
    }

    /// With this beside. Never a secret, nor a challenge.
    #[must_use]
    pub fn with(mut self, name: &str, text: impl fmt::Display) -> Self {
        self.details.insert(name.to_owned(), text.to_string());
        self
    }

    /// When it was.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.id.created_at()
    }

    /// When it is forgotten.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        later(self.at(), SignedDuration::from_hours(24 * AUDIT_DAYS))
    }
}

/// The month that a time is in, such as `2026-09`.
#[must_use]
pub fn month(at: Timestamp) -> String {
    let day = at.to_zoned(TimeZone::UTC).date();
    format!("{:04}-{:02}", day.year(), day.month())
}

/// When the month began that a time is in.
#[must_use]
pub fn month_start(at: Timestamp) -> Timestamp {
    let first = at.to_zoned(TimeZone::UTC).date().first_of_month();
    // Only the first month that there is at all begins before time does.
    first.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |start| start.timestamp())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn months_are_those_of_utc() {
        for (at, name, start) in [
            ("2026-09-21T14:13:20Z", "2026-09", "2026-09-01T00:00:00Z"),
            ("2026-09-01T00:00:00Z", "2026-09", "2026-09-01T00:00:00Z"),
            ("2026-08-31T23:59:59.999Z", "2026-08", "2026-08-01T00:00:00Z"),
            ("2027-01-01T00:00:00Z", "2027-01", "2027-01-01T00:00:00Z"),
        ] {
            assert_eq!((month(time(at)).as_str(), month_start(time(at))), (name, time(start)), "{at}");
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let at = time("2026-09-21T14:13:20Z");
        let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
        let id = AuditRecordId::new(at, 5);
        let record = AuditRecord::new(id, tenant, Principal::LISTENER, AuditAction::RegistrationAsked)
            .about("sub_1")
            .sent_from(Some("192.0.2.1".parse().expect("an address")))
            .with("host", "example.com");
        let text = serde_json::to_value(&record).expect("JSON");
        assert_eq!((&text["action"], &text["principal"]), (&json!("registration.asked"), &json!({"kind": "listener"})));
        assert_eq!(serde_json::from_value::<AuditRecord>(text).expect("a record"), record);
        assert_eq!((record.at(), record.expires_at()), (at, time("2027-10-26T14:13:20Z")));
    }
}
