//! `DELETE /api/v1/dialects/{name}`: deletes a dialect of the tenant's own.

use axum::extract::{Path, State};
use hookport::dialect::DialectName;
use http::StatusCode;
use tracing::info;

use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionUpdate};
use crate::error::{Error, ErrorBody, OutboundRefusal, Result};

/// Deletes a dialect of the tenant's own that no subscription has.
#[utoipa::path(
    delete,
    path = "/api/v1/dialects/{name}",
    operation_id = "deleteDialect",
    tag = "dialects",
    security(("bearer" = [SubscriptionUpdate::PERMISSION])),
    params(("name" = String, Path, description = "The dialect's name.")),
    responses(
        (status = 204, description = "It is gone."),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named, or acts for one owner. \
                `outbound_disabled`: the tenant is switched off.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`dialect_not_found`: the tenant has none of this name; built-in ones cannot be deleted.",
            body = ErrorBody
        ),
        (status = 409, description = "`dialect_in_use`: a subscription has it.", body = ErrorBody),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<SubscriptionUpdate>,
    Path(name): Path<String>,
) -> Result<StatusCode> {
    if caller.owner().is_some() {
        return Err(Error::OtherOwner);
    }
    let name = DialectName::try_from(name).map_err(|_| OutboundRefusal::DialectNotFound)?;
    let subscriptions = api.app.store.subscriptions(caller.tenant()).await?;
    let has = |one: &hookport::domain::subscription::Subscription| {
        one.settings.dialect == name || one.settings.also_sign.contains(&name)
    };
    if let Some(user) = subscriptions.iter().find(|one| has(one)) {
        return Err(OutboundRefusal::DialectInUse(user.id).into());
    }
    if !api.app.store.delete_dialect(caller.tenant(), &name).await? {
        return Err(OutboundRefusal::DialectNotFound.into());
    }
    info!(tenant = %caller.tenant(), dialect = %name, "dialect.deleted");
    Ok(StatusCode::NO_CONTENT)
}
