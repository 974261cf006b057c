//! `PUT /api/v1/owners/{owner}/permissions`: says what an owner may see.

use axum::Json;
use axum::extract::State;
use hookport::domain::event_facts::OwnerName;
use hookport::domain::owner::{Grants, MAX_GRANT_SCOPES, MAX_GRANTS, OwnerRecord};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{OwnerView, change};
use crate::api::Api;
use crate::caller::{Caller, Needs, OwnerUpdate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids};
use crate::page::One;

/// What an owner may see.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetOwnerPermissions {
    /// At most 100 permissions, each with the at most 50 scopes that it is held at and below; no scope is everywhere.
    /// Without any permission the owner sees nothing that needs one.
    #[schema(
        value_type = std::collections::BTreeMap<String, Vec<String>>,
        example = json!({"tickets.view": ["acme/berlin"], "projects.view": []})
    )]
    grants: Grants,
}

/// Says what an owner may see, in place of what was said before.
///
/// It holds for events that are published from now on, and for older ones whose fan-out has not ended.
#[utoipa::path(
    put,
    path = "/api/v1/owners/{owner}/permissions",
    operation_id = "setOwnerPermissions",
    tag = "owners",
    security(("bearer" = [OwnerUpdate::PERMISSION])),
    params(("owner" = String, Path, description = "The owner's name.")),
    request_body = SetOwnerPermissions,
    responses(
        (status = 200, description = "The owner.", body = One<OwnerView>),
        (
            status = 400,
            description = "`invalid_id`: not the name of an owner. `invalid_request`: a field breaks its rule.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn set(
    State(api): State<Api>,
    caller: Caller<OwnerUpdate>,
    Ids(name): Ids<OwnerName>,
    Body(request): Body<SetOwnerPermissions>,
) -> Result<Json<One<OwnerView>>> {
    let grants = within_limits(request.grants)?;
    let with = |record| OwnerRecord { grants: Some(grants), ..record };
    let owner = change(&api, caller.tenant(), &name, with).await?;
    Ok(Json(One { data: owner.into() }))
}

fn within_limits(grants: Grants) -> Result<Grants> {
    if grants.len() > MAX_GRANTS {
        return Err(Error::field("grants", format!("must have at most {MAX_GRANTS} permissions")));
    }
    if grants.values().any(|scopes| scopes.len() > MAX_GRANT_SCOPES) {
        return Err(Error::field("grants", format!("must have at most {MAX_GRANT_SCOPES} scopes for each permission")));
    }
    Ok(grants)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(grants: Value) -> Option<Grants> {
        let request = serde_json::from_value::<SetOwnerPermissions>(json!({"grants": grants})).ok()?;
        within_limits(request.grants).ok()
    }

    #[test]
    fn permissions_are_bounded_in_number_and_in_scopes() {
        let many = |n: usize| Value::Object((0..n).map(|i| (format!("p{i}"), json!([]))).collect());
        assert_eq!(read(many(100)).map(|grants| grants.len()), Some(100));
        assert_eq!(read(many(101)), None);
        assert!(read(json!({"p": vec!["s"; 50]})).is_some());
        assert_eq!(read(json!({"p": vec!["s"; 51]})), None);
        assert!(read(json!({})).is_some());
        for bad in [json!({"a b": []}), json!({"p": ["/s"]}), json!({"p": null}), json!(null)] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
    }
}
