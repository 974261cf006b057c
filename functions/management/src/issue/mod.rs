//! Issues: deliveries that fail for one cause at one subscription, what people know of them, and their repair.

mod acknowledge;
mod list;
mod read;
mod resolve;
mod retry;
mod view;

use hookport::domain::id::IssueId;
use hookport::domain::issue::Issue;
use utoipa_axum::router::OpenApiRouter;

use self::view::{IssueStateView, IssueView};
use crate::api::Api;
use crate::caller::Caller;
use crate::error::{Error, OutboundRefusal, Result};
use crate::routes::routes;
use crate::subscription;

/// How often a change is made anew when the issue changed meanwhile.
const TRIES: u32 = 3;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list::list))
        .routes(routes!(read::read))
        .routes(routes!(acknowledge::acknowledge))
        .routes(routes!(resolve::resolve))
        .routes(routes!(retry::retry))
}

/// Reads an issue that the caller may see: one that acts for an owner sees those of the owner's subscriptions alone.
async fn find<N>(api: &Api, caller: &Caller<N>, id: IssueId) -> Result<Issue> {
    let found = api.app.store.issue(caller.tenant(), id).await?;
    // The table deletes late.
    let now = api.app.clock.now();
    let issue = found.filter(|issue| issue.expires_at() > now).ok_or(OutboundRefusal::IssueNotFound)?;
    if caller.owner().is_some() {
        match subscription::find(api, caller, issue.subscription_id).await {
            Ok(_) => {}
            Err(Error::SubscriptionNotFound) => return Err(OutboundRefusal::IssueNotFound.into()),
            Err(other) => return Err(other),
        }
    }
    Ok(issue)
}
