//! Replays: events that are sent again, or for the first time, to one subscription or to many.

mod cancel;
mod create;
mod input;
mod list;
mod read;
mod recover;
mod start;
mod view;

use hookport::domain::id::{InboundWebhookId, ReplayId};
use hookport::domain::replay::{MAX_UNFINISHED, Replay, Selection};
use hookport::domain::task::Task;
use hookport::domain::time::later;
use hookport::upkeep::{GRACE, hint_task};
use jiff::SignedDuration;
use tracing::info;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::caller::Caller;
use crate::error::{Error, OutboundRefusal, Result};
use crate::routes::routes;
use crate::subscription;

pub(crate) use self::view::ReplayView;

/// How often a change is made anew when somebody else was faster.
const TRIES: u32 = 3;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list::list, create::create))
        .routes(routes!(read::read))
        .routes(routes!(start::start))
        .routes(routes!(cancel::cancel))
        .routes(routes!(recover::recover))
        .routes(routes!(recover::replay_missing))
}

/// Finds a replay that the caller sees.
async fn find<N>(api: &Api, caller: &Caller<N>, id: ReplayId) -> Result<Replay> {
    let found = api.app.store.replay(caller.tenant(), id).await?;
    let is_there = |found: &Replay| caller.sees(found.owner.as_ref()) && api.app.clock.now() < found.expires_at();
    found.filter(is_there).ok_or(OutboundRefusal::ReplayNotFound.into())
}

/// Makes a replay, whose planning begins at once.
pub(crate) async fn make<N>(
    api: &Api,
    caller: &Caller<N>,
    selection: Selection,
    starts_by_itself: bool,
) -> Result<Replay> {
    let (app, tenant) = (&api.app, caller.tenant());
    for id in &selection.filter.subscription_ids {
        subscription::find_own(api, caller, *id).await?;
    }
    if let Some(webhook) = selection.filter.webhook_id {
        let known =
            webhook != InboundWebhookId::NONE && app.store.inbound_webhook_ids(tenant).await?.contains(&webhook);
        if !known {
            return Err(Error::InboundWebhookNotFound);
        }
    }
    if app.store.unfinished_replays(tenant, app.clock.now()).await?.len() >= MAX_UNFINISHED as usize {
        return Err(OutboundRefusal::TooMany(MAX_UNFINISHED).into());
    }
    let now = app.clock.now();
    let id = ReplayId::new(now, app.random.bits());
    let replay = Replay::new(id, tenant.clone(), caller.owner().cloned(), selection, starts_by_itself, now);
    ask(api, &replay).await?;
    app.store.create_replay(&replay).await?;
    hint(api, &replay).await;
    info!(%tenant, replay.id = %id, starts_by_itself, "replay.created");
    Ok(replay)
}

/// Asks for the work that follows a change, before it is made: whoever dies in between leaves work that finds nothing.
async fn ask(api: &Api, replay: &Replay) -> Result<()> {
    let due_at = later(api.app.clock.now(), GRACE);
    Ok(api.app.store.ask_task(&replay.tenant, &Task::Replay(replay.id), due_at).await?)
}

/// Brings the dispatcher to a replay as soon as there is something to do.
async fn hint(api: &Api, replay: &Replay) {
    let delay = replay.begins_at().duration_since(api.app.clock.now()).max(SignedDuration::ZERO);
    hint_task(&api.app, &replay.tenant, &Task::Replay(replay.id), delay).await;
}
