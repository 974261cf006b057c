//! `GET /api/v1/dialects/{name}`: reads a dialect.

use axum::Json;
use axum::extract::{Path, State};
use hookport::dialect::DialectName;

use super::DialectView;
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionRead};
use crate::error::{ErrorBody, OutboundRefusal, Result};
use crate::page::One;
use crate::subscription::manner::find_dialect;

/// Reads a dialect with its row, to be looked at or to begin one of one's own with.
#[utoipa::path(
    get,
    path = "/api/v1/dialects/{name}",
    operation_id = "readDialect",
    tag = "dialects",
    security(("bearer" = [SubscriptionRead::PERMISSION])),
    params(("name" = String, Path, description = "The dialect's name.")),
    responses(
        (status = 200, description = "The dialect.", body = One<DialectView>),
        (status = 404, description = "`dialect_not_found`: there is none of this name.", body = ErrorBody),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<SubscriptionRead>,
    Path(name): Path<String>,
) -> Result<Json<One<DialectView>>> {
    let name = DialectName::try_from(name).map_err(|_| OutboundRefusal::DialectNotFound)?;
    let found = find_dialect(&api, caller.tenant(), &name).await?.ok_or(OutboundRefusal::DialectNotFound)?;
    Ok(Json(One { data: found.as_ref().into() }))
}
