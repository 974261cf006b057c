//! `GET /api/v1/audit`: lists who did what.

use axum::Json;
use axum::extract::State;
use hookport::domain::audit::AuditAction;
use hookport::domain::cursor::BadCursor;
use hookport::domain::id::AuditRecordId;
use hookport::store::AuditQuery;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::AuditRecordView;
use crate::api::Api;
use crate::caller::{AuditRead, Caller, Needs};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, page};

/// Which records are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditRecordQuery {
    /// Only those of this action.
    #[param(inline)]
    action: Option<AuditAction>,
    /// Only those about what has this id.
    subject: Option<String>,
    /// Only those of this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only those before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// The most items to give. More than 100 are never given, and fewer than 1 are never asked for.
    #[param(default = 25)]
    limit: Option<u64>,
    /// Where to continue: the `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists who did what, newest first.
///
/// Records are kept for 400 days. A page can have fewer items than were asked for, even none, and still have a next one.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    operation_id = "listAuditRecords",
    tag = "audit",
    security(("bearer" = [AuditRead::PERMISSION])),
    params(AuditRecordQuery),
    responses(
        (status = 200, description = "The records.", body = Many<AuditRecordView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<AuditRead>,
    Params(query): Params<AuditRecordQuery>,
) -> Result<Json<Many<AuditRecordView>>> {
    let page = page(query.limit, query.cursor.as_deref())?;
    if let Some(cursor) = &page.after {
        AuditRecordId::from_suffix(cursor.sort_key()).map_err(|_| BadCursor)?;
    }
    let wanted = AuditQuery { action: query.action, subject: query.subject, from: query.from, to: query.to };
    let now = api.app.clock.now();
    let found = api.app.store.list_audit_records(caller.tenant(), &wanted, &page, now).await?;
    Ok(Json(Many::new(&page, found.map(AuditRecordView::from))))
}
