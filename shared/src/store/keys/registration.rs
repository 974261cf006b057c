//! The keys of registration, of the audit log, and of the keys that sign for a tenant.

use crate::aws::table::Key;
use crate::domain::api_token::SecretHash;
use crate::domain::audit::month;
use crate::domain::id::{AuditRecordId, RegistrationTokenId};
use crate::domain::registration::RequestDigest;
use crate::domain::text::TenantSlug;

/// The partition of a tenant's registration tokens.
#[must_use]
pub fn registration_tokens(tenant: &TenantSlug) -> String {
    format!("{tenant}/registration-tokens")
}

/// One registration token.
#[must_use]
pub fn registration_token(tenant: &TenantSlug, id: RegistrationTokenId) -> Key {
    Key::new(registration_tokens(tenant), id.suffix())
}

/// Whose registration token has this hash.
#[must_use]
pub fn registration_token_by_hash(hash: &SecretHash) -> Key {
    Key::new(format!("#registration/{}", hash.as_str()), "token")
}

/// What a registration token was used for, by what was asked for.
#[must_use]
pub fn registration_use(tenant: &TenantSlug, id: RegistrationTokenId, digest: &RequestDigest) -> Key {
    Key::new(format!("{tenant}/registration-uses/{}", id.suffix()), digest.as_str())
}

/// What a tenant lets listeners ask for who have no token.
#[must_use]
pub fn registration_settings(tenant: &TenantSlug) -> Key {
    Key::new(format!("{tenant}/registration-settings"), "settings")
}

/// The partition of the audit records of a month, such as `2026-09`.
#[must_use]
pub fn audit(tenant: &TenantSlug, month: &str) -> String {
    format!("{tenant}/audit/{month}")
}

/// One audit record.
#[must_use]
pub fn audit_record(tenant: &TenantSlug, id: AuditRecordId) -> Key {
    Key::new(audit(tenant, &month(id.created_at())), id.suffix())
}
