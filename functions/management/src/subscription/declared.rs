//! `POST /api/v1/subscriptions/declare`: makes a set of subscriptions what its declarations say.
//!
//! What has to be done is decided in [`hookport::domain::declaration`].

use axum::Json;
use axum::extract::State;
use futures_util::future::join_all;
use hookport::domain::declaration::{Existing, MAX_DECLARATIONS, Plan, SetName, fingerprint, is_undeclared, plan};
use hookport::domain::id::SubscriptionId;
use hookport::domain::permission::Permission;
use hookport::domain::subscription::State::Disabled;
use hookport::domain::subscription::{Cause, Declared, Subscription, VerificationStatus};
use hookport::domain::text::{Name, TenantSlug};
use hookport::store::SubscriptionCreateError;
use hookport::upkeep;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::create::{Draft, secret};
use super::settings::{CreateSubscription, fits_owner};
use super::{edit, to_be_proven};
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionUpdate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, JsonObject, body_refused};
use crate::page::One;

#[cfg(test)]
mod tests;

/// How many new declarations are held against their rules at once: each may look a host name up.
const AT_ONCE: usize = 16;

/// A set of declarations.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclareSubscriptions {
    /// The name of the set.
    set: SetName,
    /// Everything that the set consists of. A declaration is what a subscription is made from, without a secret: each
    /// one gets its own.
    #[schema(value_type = Vec<CreateSubscription>, max_items = 500)]
    subscriptions: Vec<Map<String, Value>>,
    /// Only tells what would be done.
    #[schema(default = false)]
    dry_run: Option<bool>,
}

/// What was done so that a set is as it is declared.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeclareOutcome {
    /// Made, in the order of the declarations.
    created: Vec<CreatedOfSet>,
    /// As they should be already, in the order of the declarations.
    #[schema(value_type = Vec<String>)]
    kept: Vec<SubscriptionId>,
    /// Switched off, because they are no longer declared. Their history is kept.
    deactivated: Vec<DeactivatedOfSet>,
}

/// A subscription that was made from a declaration.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedOfSet {
    /// Its id; absent when nothing was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    id: Option<SubscriptionId>,
    /// Its name.
    name: Name,
    /// The secret that deliveries are signed with; absent when nothing was done. It is shown here only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDQP1hN5X9vg0=")]
    secret: Option<String>,
}

/// A subscription that is no longer declared.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeactivatedOfSet {
    /// Its id.
    #[schema(value_type = String)]
    id: SubscriptionId,
    /// Its name.
    name: Name,
}

/// Makes a set of subscriptions what its declarations say.
///
/// All parameters of a declaration are its identity. What is declared anew is made and has to prove itself; what is no
/// longer declared, or declared otherwise, is disabled and kept with its history. A declaration that is put back makes
/// a new subscription. What was switched off for any other reason stays so, and declaring the same twice changes
/// nothing. Subscriptions of other sets and those made by themselves are left alone, and no quota counts.
///
/// All subscriptions of the tenant are read for it: it is meant for deployments. When something stands in the way, part
/// of it may have been done: declaring it again does the rest.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/declare",
    operation_id = "declareSubscriptions",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionUpdate::PERMISSION])),
    request_body = DeclareSubscriptions,
    responses(
        (status = 200, description = "What was done, or would be.", body = One<DeclareOutcome>),
        (
            status = 400,
            description = "`invalid_request`: a field breaks its rule. A declaration is named by its number from 0, \
                and nothing was done.",
            body = ErrorBody
        ),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named, of which this needs \
                `subscription:create` as well, or is bound to an owner. `outbound_disabled`: the tenant is switched \
                off.",
            body = ErrorBody
        ),
        (status = 409, description = "`conflict`: others keep changing one of them meanwhile.", body = ErrorBody),
    ),
)]
pub(crate) async fn declare(
    State(api): State<Api>,
    caller: Caller<SubscriptionUpdate>,
    Body(request): Body<DeclareSubscriptions>,
) -> Result<Json<One<DeclareOutcome>>> {
    if !caller.may(Permission::SubscriptionCreate) {
        return Err(Error::Forbidden(Permission::SubscriptionCreate));
    }
    // Sets are the tenant's own, and no quota holds them down.
    if caller.owner().is_some() {
        return Err(Error::OtherOwner);
    }
    if request.subscriptions.len() > MAX_DECLARATIONS {
        return Err(Error::field("subscriptions", format!("must have at most {MAX_DECLARATIONS} entries")));
    }
    let tenant = caller.tenant();
    let known = api.app.store.subscriptions(tenant).await?;
    let wanted: Vec<String> = request.subscriptions.iter().map(fingerprint).collect();
    let existing: Vec<_> = known.iter().filter_map(|known| Existing::of(known, &request.set)).collect();
    let plan = plan(&existing, &wanted);
    let drafts = drafts(&api, tenant, &request, &wanted, &plan).await?;
    let is_gone = |known: &&Subscription| plan.deactivate.contains(&known.id);
    let deactivated = known
        .iter()
        .filter(is_gone)
        .map(|known| DeactivatedOfSet { id: known.id, name: known.settings.name.clone() })
        .collect();
    let created = if request.dry_run.unwrap_or(false) {
        let planned = |draft: Draft| CreatedOfSet { id: None, name: draft.settings.name, secret: None };
        drafts.into_iter().map(planned).collect()
    } else {
        // First what is new: whatever stops this halfway, nothing that is wanted is missing for it.
        let created = created(&api, tenant, drafts).await?;
        deactivate(&api, &caller, &plan.deactivate).await?;
        created
    };
    Ok(Json(One { data: DeclareOutcome { created, kept: plan.keep, deactivated } }))
}

/// What is to be made, all of it held against the rules. What is kept was, when it was made, and is not judged by what
/// has changed since.
async fn drafts(
    api: &Api,
    tenant: &TenantSlug,
    request: &DeclareSubscriptions,
    wanted: &[String],
    plan: &Plan,
) -> Result<Vec<Draft>> {
    let mut drafts = Vec::with_capacity(plan.create.len());
    for numbers in plan.create.chunks(AT_ONCE) {
        let judged = numbers.iter().map(|number| {
            let declared = Declared { set: request.set.to_string(), fingerprint: wanted[*number].clone() };
            draft(api, tenant, &request.subscriptions[*number], declared)
        });
        for (number, draft) in numbers.iter().zip(join_all(judged).await) {
            drafts.push(draft.map_err(|error| of_entry(*number, error))?);
        }
    }
    Ok(drafts)
}

async fn draft(api: &Api, tenant: &TenantSlug, entry: &Map<String, Value>, declared: Declared) -> Result<Draft> {
    if entry.get("secret").is_some_and(|secret| !secret.is_null()) {
        return Err(Error::field("secret", "has no place in a declaration: the gateway makes one and shows it once"));
    }
    if entry.get("auth").is_some_and(|auth| !auth.is_null()) {
        // What a declaration is known by would tell of the secrets in it.
        return Err(Error::field("auth", "has no place in a declaration: set it on the subscription"));
    }
    // Read from its text, a refusal names the field.
    let text = Value::Object(entry.clone()).to_string();
    let read = Json::<JsonObject<CreateSubscription>>::from_bytes(text.as_bytes());
    let Json(JsonObject(mut given)) = read.map_err(body_refused)?;
    let owner = given.owner.take();
    let auth = given.auth.take();
    let trigger_challenge = given.trigger_challenge.unwrap_or(true);
    let settings = given.into_input().into_settings(api, tenant, None).await?;
    fits_owner(&settings, owner.as_ref())?;
    Ok(Draft { owner, settings, declared: Some(declared), auth, trigger_challenge })
}

/// The refusal of a declaration as one of the whole request.
fn of_entry(number: usize, error: Error) -> Error {
    let place = format!("subscriptions[{number}]");
    match error {
        Error::InvalidRequest(rule) => match rule.split_once(": ") {
            Some((field, _)) if !field.contains(' ') => Error::InvalidRequest(format!("{place}.{rule}")),
            _ => Error::field(&place, rule),
        },
        Error::InvalidTarget(rule) => Error::field(&format!("{place}.url"), rule),
        Error::UnknownEventType(_) => Error::field(&format!("{place}.events"), error),
        other => other,
    }
}

/// Makes subscriptions one after the other: each raises the same counter of the tenant's.
async fn created(api: &Api, tenant: &TenantSlug, drafts: Vec<Draft>) -> Result<Vec<CreatedOfSet>> {
    let mut created = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let plain = secret(api, tenant, &draft.settings, None).await?;
        let subscription = draft.made(api, tenant, &plain).await?;
        match upkeep::create(&api.app, &subscription, None).await {
            Ok(()) => {}
            Err(SubscriptionCreateError::Exists | SubscriptionCreateError::QuotaReached) => {
                return Err(Error::Conflict);
            }
            Err(SubscriptionCreateError::Table(error)) => return Err(error.into()),
        }
        created.push(CreatedOfSet {
            id: Some(subscription.id),
            name: subscription.settings.name,
            secret: Some(plain.expose_secret().to_owned()),
        });
    }
    Ok(created)
}

async fn deactivate(api: &Api, caller: &Caller<SubscriptionUpdate>, gone: &[SubscriptionId]) -> Result<()> {
    let now = api.app.clock.now();
    for id in gone {
        match edit(api, caller, *id, |before| Ok(deactivated(before, now))).await {
            // Deleted meanwhile: it is off, and that is all.
            Ok(_) | Err(Error::SubscriptionNotFound) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

fn deactivated(before: &Subscription, now: Timestamp) -> Option<Subscription> {
    if is_undeclared(before) {
        return None;
    }
    let is_under_way = before.verification.status == VerificationStatus::Pending;
    let verification = if is_under_way { to_be_proven(&before.verification) } else { before.verification.clone() };
    Some(Subscription { verification, ..before.put_into(Disabled, Cause::Undeclared, now) })
}
