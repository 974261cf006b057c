//! `GET /api/v1/signing-keys`: lists the keys that sign for the tenant.

use axum::Json;
use axum::extract::State;

use super::SigningKeyView;
use crate::api::Api;
use crate::caller::{Caller, Needs, SigningKeyRead};
use crate::error::Result;
use crate::page::One;

/// Lists the keys that sign for the tenant and those that did within the last weeks, the newest first.
///
/// There is none until a subscription has a dialect that needs one, or one is asked for.
#[utoipa::path(
    get,
    path = "/api/v1/signing-keys",
    operation_id = "listSigningKeys",
    tag = "signing-keys",
    security(("bearer" = [SigningKeyRead::PERMISSION])),
    responses((status = 200, description = "The keys.", body = One<Vec<SigningKeyView>>)),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<SigningKeyRead>,
) -> Result<Json<One<Vec<SigningKeyView>>>> {
    let keys = api.app.store.signing_keys(caller.tenant()).await?;
    Ok(Json(One { data: keys.into_iter().rev().map(SigningKeyView::from).collect() }))
}
