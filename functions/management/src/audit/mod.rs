//! The audit log: who let whom in, and with what.
//!
//! A record of a change is written together with it; see [`entry`]. What changes nothing is recorded by [`record`].

mod list;

use std::collections::BTreeMap;
use std::net::IpAddr;

use hookport::domain::audit::{AuditAction, AuditRecord, Principal, PrincipalKind};
use hookport::domain::id::AuditRecordId;
use hookport::domain::text::TenantSlug;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::caller::Caller;
use crate::error::Result;
use crate::routes::routes;
use crate::source::Source;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list))
}

/// The record of what a caller does. Nothing is stored.
pub(crate) fn entry<N>(api: &Api, caller: &Caller<N>, source: Source, action: AuditAction) -> AuditRecord {
    entry_of(api, caller.tenant(), caller.principal(), action).sent_from(source.0)
}

/// The record of what somebody does. Nothing is stored.
pub(crate) fn entry_of(api: &Api, tenant: &TenantSlug, by: Principal, action: AuditAction) -> AuditRecord {
    let id = AuditRecordId::new(api.app.clock.now(), api.app.random.bits());
    AuditRecord::new(id, tenant.clone(), by, action)
}

/// Stores a record that no change goes with, or whose change is stored elsewhere: before that, so that none is missing.
pub(crate) async fn record(api: &Api, record: &AuditRecord) -> Result<()> {
    Ok(api.app.store.put_audit_record(record).await?)
}

/// Who did what.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditRecordView {
    /// Its id.
    #[schema(value_type = String, example = "aud_01m5w3rm008000000400000003")]
    id: AuditRecordId,
    /// When it was.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who did it.
    principal: PrincipalView,
    /// What was done.
    #[schema(inline)]
    action: AuditAction,
    /// The id of what it was done to; null where that has none.
    subject: Option<String>,
    /// Where the request came from; null: nobody knows, or no request led to it.
    #[schema(value_type = Option<String>)]
    source_ip: Option<IpAddr>,
    /// What else is worth knowing. Never a secret.
    details: BTreeMap<String, String>,
}

/// Who did something.
#[derive(Serialize, ToSchema)]
pub(crate) struct PrincipalView {
    /// What kind of somebody: the holder of a token, a listener without one, or the gateway.
    #[schema(inline)]
    kind: PrincipalKind,
    /// The id of the token.
    id: Option<String>,
    /// The name of the token, as it was then.
    name: Option<String>,
}

impl From<AuditRecord> for AuditRecordView {
    fn from(record: AuditRecord) -> Self {
        let Principal { kind, id, name } = record.principal;
        Self {
            id: record.id,
            at: record.id.created_at(),
            principal: PrincipalView { kind, id, name },
            action: record.action,
            subject: (!record.subject.is_empty()).then_some(record.subject),
            source_ip: record.source_ip,
            details: record.details,
        }
    }
}
