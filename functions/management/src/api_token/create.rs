//! `POST /api/v1/api-tokens`: makes an API token.

use axum::Json;
use axum::extract::State;
use hookport::domain::permission::Permission;
use hookport::domain::text::Name;
use http::StatusCode;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ApiTokenView, NewToken, mint, permissions_schema};
use crate::api::Api;
use crate::caller::{ApiTokenCreate, Caller, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Body;

/// An API token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateApiToken {
    /// What it is for.
    name: Name,
    /// What it may do: at most what the caller may do.
    #[schema(schema_with = permissions_schema)]
    permissions: Vec<Permission>,
    /// From when on it is refused; absent or null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// An API token that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedApiToken {
    data: ApiTokenView,
    /// The token. It is shown here only.
    #[schema(example = "hp_9Zs0kQ3vXw7bT2mJ5cY8dR1fG4hL6nP0qU3aE7iO")]
    token: String,
}

/// Makes an API token with at most the caller's own permissions.
#[utoipa::path(
    post,
    path = "/api/v1/api-tokens",
    operation_id = "createApiToken",
    tag = "api-tokens",
    security(("bearer" = [ApiTokenCreate::PERMISSION])),
    request_body = CreateApiToken,
    responses(
        (status = 201, description = "What is kept of the token, and the token.", body = CreatedApiToken),
        (status = 400, description = "`invalid_request`: a field breaks its rule.", body = ErrorBody),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named, or would give it away.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<ApiTokenCreate>,
    Body(request): Body<CreateApiToken>,
) -> Result<(StatusCode, Json<CreatedApiToken>)> {
    let now = api.app.clock.now();
    let new = NewToken {
        tenant: caller.tenant().clone(),
        permissions: permissions(request.permissions, |permission| caller.may(permission))?,
        expires_at: request.expires_at.map(|end| end_after(end, now)).transpose()?,
        name: request.name,
    };
    let (token, text) = mint(&api.app, new, now);
    let created = api.app.store.create_token(&token).await;
    created.map_err(|error| Error::of_creation(error, Error::Conflict))?;
    let answer = CreatedApiToken { data: token.into(), token: text.expose_secret().to_owned() };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// The permissions asked for, each once, if whoever asks has them all.
fn permissions(mut wanted: Vec<Permission>, may: impl Fn(Permission) -> bool) -> Result<Vec<Permission>> {
    if wanted.is_empty() {
        return Err(Error::field("permissions", "must name at least one permission"));
    }
    wanted.sort_unstable();
    wanted.dedup();
    match wanted.iter().find(|permission| !may(**permission)) {
        Some(permission) => Err(Error::CannotGrant(*permission)),
        None => Ok(wanted),
    }
}

/// The end in whole milliseconds, as it is kept, if it is yet to come.
fn end_after(end: Timestamp, now: Timestamp) -> Result<Timestamp> {
    match Timestamp::from_millisecond(end.as_millisecond()) {
        Ok(end) if end > now => Ok(end),
        _ => Err(Error::field("expires_at", "must be in the future")),
    }
}
