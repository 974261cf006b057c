//! `DELETE /api/v1/owners/{owner}`: deletes all that an owner has.

use axum::extract::State;

use hookport::domain::audit::AuditAction;
use hookport::domain::cursor::{MAX_LIMIT, PageRequest};
use hookport::domain::event_facts::OwnerName;
use hookport::domain::owner::OwnerRecord;
use hookport::domain::subscription;
use hookport::domain::subscription::Subscription;
use hookport::store::Changed;
use hookport::upkeep;
use http::StatusCode;

use crate::api::Api;
use crate::audit::entry;
use crate::caller::{Caller, Needs, OwnerUpdate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;
use crate::source::Source;

/// How often a subscription that someone else keeps changing is tried to be deleted.
const TRIES: u32 = 5;

/// Deletes the subscriptions of an owner and forgets its quotas and permissions.
///
/// Nothing more is sent to them; their deliveries stay for as long as such rows are kept. What others have stays as it
/// is, and so do API tokens. Deleting an owner that has nothing does nothing.
#[utoipa::path(
    delete,
    path = "/api/v1/owners/{owner}",
    operation_id = "deleteOwner",
    tag = "owners",
    security(("bearer" = [OwnerUpdate::PERMISSION])),
    params(("owner" = String, Path, description = "The owner's name.")),
    responses(
        (status = 204, description = "The owner has nothing, and nothing is known of it."),
        (status = 400, description = "`invalid_id`: not the name of an owner.", body = ErrorBody),
        (
            status = 409,
            description = "`conflict`: a subscription was changed again and again meanwhile. Others are deleted: ask \
                again.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<OwnerUpdate>,
    source: Source,
    Ids(name): Ids<OwnerName>,
) -> Result<StatusCode> {
    let (tenant, store) = (caller.tenant(), &api.app.store);
    let mut page = PageRequest { limit: MAX_LIMIT, after: None };
    loop {
        let found = store.list_subscriptions_of_owner(tenant, &name, &page).await?;
        // One after the other: each raises the one counter of the tenant.
        for subscription in found.items {
            remove(&api, &caller, source, subscription).await?;
        }
        match found.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    // Replaced first, because that makes the dispatchers forget as well.
    store.put_owner(tenant, &name, &OwnerRecord::default()).await?;
    store.forget_owner(tenant, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a subscription however it was changed meanwhile. What was kept for it is ended by its upkeep.
async fn remove(api: &Api, caller: &Caller<OwnerUpdate>, source: Source, subscription: Subscription) -> Result<()> {
    let app = &api.app;
    let (tenant, id) = (subscription.tenant.clone(), subscription.id);
    let mut known = subscription;
    for _ in 0..TRIES {
        // Deleting one that waits for an admin turns it away.
        let deleted = if known.status.state == subscription::State::AwaitingApproval {
            let record = entry(api, caller, source, AuditAction::SubscriptionRejected).about(id);
            upkeep::delete_audited(app, &known, &record).await?
        } else {
            upkeep::delete(app, &known).await?
        };
        if deleted == Changed::Yes {
            return Ok(());
        }
        match app.store.subscription(&tenant, id).await? {
            Some(changed) => known = changed,
            None => return Ok(()),
        }
    }
    Err(Error::Conflict)
}
