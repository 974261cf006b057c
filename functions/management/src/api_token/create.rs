//! `POST /api/v1/api-tokens`: makes an API token.

use axum::Json;
use axum::extract::State;
use hookport::domain::event_facts::OwnerName;
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
    /// The owner of subscriptions that it acts for. It sees nothing of what others have, so it takes only permissions
    /// for subscriptions, their deliveries, publishing and reading event types. Absent or null: the whole tenant.
    owner: Option<OwnerName>,
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
        (
            status = 400,
            description = "`invalid_request`: a field breaks its rule, or a permission is none for a token that acts \
                for an owner.",
            body = ErrorBody
        ),
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
    let owner = request.owner.as_ref();
    let new = NewToken {
        tenant: caller.tenant().clone(),
        permissions: permissions(request.permissions, owner, |permission| caller.may(permission))?,
        owner: request.owner,
        expires_at: request.expires_at.map(|end| end_after(end, now)).transpose()?,
        name: request.name,
    };
    let (token, text) = mint(&api.app, new, now);
    let created = api.app.store.create_token(&token).await;
    created.map_err(|error| Error::of_creation(error, Error::Conflict))?;
    let answer = CreatedApiToken { data: token.into(), token: text.expose_secret().to_owned() };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// The permissions asked for, each once, if whoever asks has them all, and the owner whom the token acts for may have
/// them.
fn permissions(
    mut wanted: Vec<Permission>,
    owner: Option<&OwnerName>,
    may: impl Fn(Permission) -> bool,
) -> Result<Vec<Permission>> {
    if wanted.is_empty() {
        return Err(Error::field("permissions", "must name at least one permission"));
    }
    wanted.sort_unstable();
    wanted.dedup();
    if let Some(beyond) = wanted.iter().find(|permission| owner.is_some() && !permission.is_for_owners()) {
        return Err(Error::field("permissions", format!("a token that acts for an owner cannot have {beyond}")));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_an_owner_takes_only_what_reaches_the_owners_own() {
        let owner = OwnerName::try_from("ann".to_owned()).unwrap();
        for permission in Permission::EVERY.iter().copied() {
            let taken = permissions(vec![permission], Some(&owner), |_| true);
            assert_eq!(taken.is_ok(), permission.is_for_owners(), "{permission}");
            assert!(permissions(vec![permission], None, |_| true).is_ok(), "{permission}");
        }
        let mixed = vec![Permission::SubscriptionRead, Permission::EventRead];
        let refused = permissions(mixed, Some(&owner), |_| true).unwrap_err();
        assert!(refused.to_string().contains("event:read"), "{refused}");
    }

    #[test]
    fn nobody_gives_away_what_they_do_not_have() {
        let refused = permissions(vec![Permission::EventRead], None, |_| false);
        assert!(matches!(refused, Err(Error::CannotGrant(Permission::EventRead))));
        assert!(permissions(Vec::new(), None, |_| true).is_err());
        let twice = vec![Permission::EventRead, Permission::EventRead];
        assert_eq!(permissions(twice, None, |_| true).unwrap(), [Permission::EventRead]);
    }
}
