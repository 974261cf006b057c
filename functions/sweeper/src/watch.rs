//! The watch: it tells of webhooks that have fallen silent, and switches off those whose requests keep failing.
//!
//! A round looks at every webhook that asks for it. For one it reads its line, itself, its roll-up and the four
//! partitions of its rows: about seven reads when nothing came, and a quarter of a read unit for each kilobyte that did.
//! One that is to be switched off after failures takes four queries for its newest eight requests, and four more for the
//! rest when all eight failed. What is told is an event of the webhook's, kept like a request and delivered like one.

use std::collections::BTreeSet;

use futures_util::future::{join_all, try_join_all};
use hookport::app::App;
use hookport::aws::lambda::Deadline;
use hookport::aws::table::TableError;
use hookport::domain::inbound_delivery::Period;
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use hookport::domain::watch::{Occasion, failures_looked_at, has_hope, silence, switched_off};
use hookport::inbound::hint;
use hookport::message::InboundMessage;
use hookport::own_events::keep;
use hookport::store::{Counted, CreateError, WatchedWebhook};
use jiff::SignedDuration;
use tracing::{instrument, warn};

/// How long it is from the begin of a round to that of the next, over all sweepers.
const EVERY: SignedDuration = SignedDuration::from_mins(10);
/// How many webhooks are looked at at once. A round can end after each such group.
const GROUP: usize = 4;
/// How many lines of the list are read at once.
const PAGE: usize = 100;
/// How many looks are made to catch up with one webhook's rows.
const MOST_LOOKS: usize = 5;
/// How many of the newest requests are read first, most often to find that one of them did not fail.
const FIRST_FEW: usize = 8;

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Webhooks whose silence was told of.
    pub silent: usize,
    /// Webhooks that were switched off.
    pub switched_off: usize,
}

/// What came of looking at one webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    Silent,
    SwitchedOff,
}

/// Makes a round, if one is due. Stops at the deadline; the next sweep then goes on where it ended.
///
/// # Errors
/// When the list cannot be read; what was done stays done. Trouble with one webhook keeps none of the others back.
#[instrument(skip_all)]
pub(crate) async fn watch(app: &App, deadline: Deadline) -> Result<Watched, TableError> {
    let now = app.clock.now();
    let mut done = Watched::default();
    if now >= deadline.0 {
        return Ok(done);
    }
    let Some(round) = app.store.begin_watch(now, later(now, EVERY)).await? else { return Ok(done) };
    let mut reached = round.after.clone();
    loop {
        let lines = app.store.list_watched(reached.clone(), PAGE).await?;
        let is_last = lines.len() < PAGE;
        let taking_in = taking_in(app, &lines).await?;
        for group in lines.chunks(GROUP) {
            if app.clock.now() >= deadline.0 {
                return app.store.end_watch(&round, reached.as_deref(), app.clock.now()).await.map(|()| done);
            }
            // What a tenant does not take in cannot fail, and its silence is no news.
            let wanted = group.iter().filter(|line| taking_in.contains(&line.tenant));
            for seen in join_all(wanted.map(|line| look_at(app, line, deadline))).await {
                done.silent += usize::from(seen == Seen::Silent);
                done.switched_off += usize::from(seen == Seen::SwitchedOff);
            }
            reached = group.last().map(WatchedWebhook::place);
        }
        if is_last {
            app.store.end_watch(&round, None, app.clock.now()).await?;
            return Ok(done);
        }
    }
}

/// Which of the tenants of these webhooks take webhooks in: one read for each tenant.
async fn taking_in(app: &App, lines: &[WatchedWebhook]) -> Result<BTreeSet<TenantSlug>, TableError> {
    let tenants: BTreeSet<&TenantSlug> = lines.iter().map(|line| &line.tenant).collect();
    let found = try_join_all(tenants.into_iter().map(|slug| app.store.tenant(slug))).await?;
    Ok(found.into_iter().flatten().filter(|tenant| tenant.inbound_enabled).map(|tenant| tenant.slug).collect())
}

async fn look_at(app: &App, line: &WatchedWebhook, deadline: Deadline) -> Seen {
    match try_look_at(app, line, deadline).await {
        Ok(seen) => seen,
        Err(error) => {
            warn!(tenant = %line.tenant, webhook.id = %line.id, %error, "watch.skipped");
            Seen::Nothing
        }
    }
}

async fn try_look_at(app: &App, line: &WatchedWebhook, deadline: Deadline) -> Result<Seen, TableError> {
    let Some(webhook) = app.store.inbound_webhook(&line.tenant, line.id).await? else { return Ok(Seen::Nothing) };
    let counted = count(app, &webhook, deadline).await?;
    if keeps_failing(app, &webhook).await? {
        return switch_off(app, line, &webhook).await;
    }
    if !webhook.is_active {
        // Whoever switched it off may have died before telling of it.
        if let Some(at) = webhook.auto_disabled_at.filter(|at| line.told_disabled != Some(*at)) {
            tell(app, &webhook, Occasion::AutoDisabled(at)).await?;
            app.store.note_told_disabled(line, at).await?;
        }
        return Ok(Seen::Nothing);
    }
    // As long as rows are left to be counted, the last request is not known, and it was not long ago.
    let silence = silence(&webhook, counted.numbers.last_used_at, app.clock.now()).filter(|_| counted.complete);
    let Some(silence) = silence.filter(|silence| line.told_silence != Some(silence.since)) else {
        return Ok(Seen::Nothing);
    };
    tell(app, &webhook, Occasion::Silent(silence)).await?;
    app.store.note_told_silence(line, silence.since).await?;
    warn!(tenant = %webhook.tenant, webhook.id = %webhook.id, since = %silence.since, "webhook.silent");
    Ok(Seen::Silent)
}

/// Counts what came since the last look, so that it is counted before it expires although nobody asks.
async fn count(app: &App, webhook: &InboundWebhook, deadline: Deadline) -> Result<Counted, TableError> {
    let mut counted = app.store.count_inbound(webhook, app.clock.now()).await?;
    for _ in 1..MOST_LOOKS {
        let now = app.clock.now();
        if counted.complete || now >= deadline.0 {
            break;
        }
        counted = app.store.count_inbound(webhook, now).await?;
    }
    Ok(counted)
}

/// Tells whether as many of the newest requests failed as the webhook allows.
async fn keeps_failing(app: &App, webhook: &InboundWebhook) -> Result<bool, TableError> {
    let Some(most) = failures_looked_at(webhook) else { return Ok(false) };
    for looked_at in [most.min(FIRST_FEW), most] {
        let read = app.store.newest_requests(&webhook.tenant, webhook.id, looked_at, Period::default());
        let newest = read.await?;
        if newest.len() < looked_at || has_hope(webhook, &newest) {
            return Ok(false);
        }
        if looked_at == most {
            break;
        }
    }
    Ok(true)
}

/// Switches a webhook off, unless somebody changed it meanwhile, and tells of it.
async fn switch_off(app: &App, line: &WatchedWebhook, webhook: &InboundWebhook) -> Result<Seen, TableError> {
    let now = app.clock.now();
    let after = switched_off(webhook, now);
    match app.store.update_inbound_webhook(webhook, &after).await {
        Ok(()) => {}
        Err(CreateError::Exists) => return Ok(Seen::Nothing),
        Err(CreateError::Table(error)) => return Err(error),
    }
    warn!(tenant = %after.tenant, webhook.id = %after.id, version = after.version, "webhook.auto_disabled");
    // Should this fail, the next round finds it switched off and not told of.
    tell(app, &after, Occasion::AutoDisabled(now)).await?;
    app.store.note_told_disabled(line, now).await?;
    Ok(Seen::SwitchedOff)
}

/// Keeps the event of an occasion, unless it is kept already, and hints at it.
async fn tell(app: &App, webhook: &InboundWebhook, occasion: Occasion) -> Result<(), TableError> {
    let row = occasion.row(webhook, app.clock.now());
    keep(app, &row, None, &occasion.body(webhook)).await?;
    hint(app, InboundMessage::again(row.tenant, row.id)).await;
    Ok(())
}
