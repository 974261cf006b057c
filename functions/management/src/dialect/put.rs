//! `POST /api/v1/dialects`: adds a dialect of the tenant's own, or replaces it.

use axum::Json;
use axum::extract::State;
use hookport::dialect::{Dialect, catalogue};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tracing::info;
use utoipa::ToSchema;

use super::DialectView;
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionUpdate};
use crate::error::{Error, ErrorBody, OutboundRefusal, Result};
use crate::extract::Body;
use crate::page::One;
use crate::signing_key;

/// The most dialects that a tenant has.
const MAX_OWN: usize = 50;
/// The largest row, in bytes as JSON.
const MAX_ROW_BYTES: usize = 32 * 1024;

/// A dialect to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDialect {
    /// The row, as docs/dialects.md describes it.
    #[schema(value_type = Object)]
    row: Value,
}

/// Adds a dialect of the tenant's own, or replaces the one of that name.
///
/// Subscriptions keep its name, so that what is replaced speaks differently from the next attempt on.
#[utoipa::path(
    post,
    path = "/api/v1/dialects",
    operation_id = "putDialect",
    tag = "dialects",
    security(("bearer" = [SubscriptionUpdate::PERMISSION])),
    request_body = NewDialect,
    responses(
        (status = 201, description = "The dialect.", body = One<DialectView>),
        (status = 400, description = "`invalid_request`: the row makes no sense.", body = ErrorBody),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named, or acts for one owner. \
                `outbound_disabled`: the tenant is switched off.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`dialect_built_in`: a built-in dialect has the name. `too_many`: the tenant has 50 already.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn put(
    State(api): State<Api>,
    caller: Caller<SubscriptionUpdate>,
    Body(request): Body<NewDialect>,
) -> Result<(StatusCode, Json<One<DialectView>>)> {
    if caller.owner().is_some() {
        return Err(Error::OtherOwner);
    }
    let dialect: Dialect =
        serde_json::from_value(request.row).map_err(|error| Error::field("row", error.to_string()))?;
    dialect.check().map_err(|rule| Error::field("row", rule))?;
    if serde_json::to_vec(&dialect).map_or(usize::MAX, |row| row.len()) > MAX_ROW_BYTES {
        return Err(Error::field("row", format!("must have at most {MAX_ROW_BYTES} bytes")));
    }
    if catalogue::dialect(dialect.name.as_str()).is_some() {
        return Err(OutboundRefusal::DialectBuiltIn.into());
    }
    let own = api.app.store.dialects(caller.tenant()).await?;
    if own.len() >= MAX_OWN && !own.iter().any(|known| known.name == dialect.name) {
        return Err(OutboundRefusal::TooMany(MAX_OWN as u32).into());
    }
    if dialect.is_asymmetric() {
        signing_key::ensure(&api, caller.tenant()).await?;
    }
    api.app.store.put_dialect(caller.tenant(), &dialect).await?;
    info!(tenant = %caller.tenant(), dialect = %dialect.name, "dialect.put");
    Ok((StatusCode::CREATED, Json(One { data: (&dialect).into() })))
}
