//! Schedules: events that are published at times that recur.
//!
//! The dispatcher does it. A change asks for its task before it is made, so that none is lost on whoever dies in
//! between.

mod create;
mod delete;
mod input;
mod list;
mod read;
mod run;
mod update;

use hookport::domain::cursor::{MAX_LIMIT, PageRequest};
use hookport::domain::event_facts::{OwnerName, Scope};
use hookport::domain::event_type::EventType;
use hookport::domain::event_type_definition::EventTypeDefinition;
use hookport::domain::id::{EventId, ScheduleId};
use hookport::domain::own_event::is_own;
use hookport::domain::schedule::{CatchUp, Cron, Progress, Schedule, Settings, Unfit, ZoneName, fits};
use hookport::domain::task::Task;
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use hookport::upkeep::{GRACE, hint_task};
use http::header::ETAG;
use http::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::{Error, OutboundRefusal, Result};
use crate::routes::routes;

/// How many of the next times are shown.
const NEXT_TIMES: usize = 5;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list::list, create::create))
        .routes(routes!(read::read, update::update, delete::delete))
        .routes(routes!(run::run))
}

/// A schedule without the payload of its events.
#[derive(Serialize, ToSchema)]
pub(crate) struct ScheduleView {
    /// Its id.
    #[schema(value_type = String, example = "sch_01m5w3rm008000000400000003")]
    id: ScheduleId,
    /// Its name for people.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// When it comes.
    cron: Cron,
    /// By whose clocks.
    timezone: ZoneName,
    /// The type of its events.
    event_type: EventType,
    /// The type of the entity that its events are about.
    entity_type: Option<String>,
    /// The entity that its events are about.
    entity_id: Option<String>,
    /// Where its events happen.
    scope: Option<Scope>,
    /// On whose behalf its events are published.
    owner: Option<OwnerName>,
    /// What becomes of missed times.
    catch_up: CatchUp,
    /// Whether it publishes anything.
    is_active: bool,
    /// Counts the changes, from 1.
    version: u64,
    /// The next five times at which it comes; none while it is switched off.
    #[schema(value_type = Vec<String>)]
    next_times: Vec<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl ScheduleView {
    fn new(schedule: Schedule, now: Timestamp) -> Self {
        let times = schedule.timetable().ok().filter(|_| schedule.settings.is_active);
        let settings = schedule.settings;
        Self {
            id: schedule.id,
            name: settings.name.to_string(),
            description: settings.description.map(|text| text.to_string()),
            cron: settings.cron,
            timezone: settings.timezone,
            event_type: settings.event_type,
            entity_type: settings.facts.entity_type,
            entity_id: settings.facts.entity_id,
            scope: settings.facts.scope,
            owner: settings.facts.owner,
            catch_up: settings.catch_up,
            is_active: settings.is_active,
            version: schedule.version,
            next_times: times.map(|times| times.times_after(now, NEXT_TIMES)).unwrap_or_default(),
            created_at: schedule.created_at,
            updated_at: schedule.updated_at,
        }
    }
}

/// A schedule with the payload of its events, and how it went.
#[derive(Serialize, ToSchema)]
pub(crate) struct ScheduleWithData {
    #[serde(flatten)]
    schedule: ScheduleView,
    /// The payload of its events.
    data: Value,
    /// The newest time at which an event was due; null before the first one.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_time: Option<Timestamp>,
    /// The event of that time; null when it was not published.
    #[schema(value_type = Option<String>)]
    last_event_id: Option<EventId>,
    /// Why the event of that time was not published: the code that publishing it would be answered with.
    last_error: Option<String>,
}

impl ScheduleWithData {
    fn new(mut schedule: Schedule, progress: Progress, now: Timestamp) -> Self {
        Self {
            data: schedule.settings.data.take(),
            schedule: ScheduleView::new(schedule, now),
            last_time: progress.last_time,
            last_event_id: progress.last_event,
            last_error: progress.last_error,
        }
    }
}

fn etag(schedule: &Schedule) -> (HeaderName, HeaderValue) {
    let text = format!("\"{}\"", schedule.version);
    (ETAG, HeaderValue::try_from(text).expect("digits in quotes are a header's value"))
}

async fn find(api: &Api, tenant: &TenantSlug, id: ScheduleId) -> Result<Schedule> {
    let found = api.app.store.schedule(tenant, id).await?;
    found.ok_or_else(|| OutboundRefusal::ScheduleNotFound.into())
}

/// Makes sure that events like these could be published now, or later for one that is switched off: it need not fit its
/// event type before it is switched on.
async fn judge(api: &Api, tenant: &TenantSlug, settings: &Settings) -> Result<()> {
    let event_type = &settings.event_type;
    if is_own(event_type) {
        return Err(Error::field("event_type", format!("{event_type} is told by the gateway alone")));
    }
    if !settings.is_active {
        return Ok(());
    }
    let definition = api.app.store.event_type(tenant, event_type).await?;
    fits(definition.as_ref(), &settings.data).map_err(|unfit| match unfit {
        Unfit::Unknown => Error::UnknownEventType(event_type.to_string()),
        Unfit::Disabled => Error::EventTypeDisabled,
        Unfit::Mismatch(violations) => Error::SchemaMismatch(violations),
    })
}

/// Holds the active schedules of an event type against what is to be said of it: the dispatcher, which publishes their
/// data, compiles no schemas.
///
/// # Errors
/// When the schema changes and would refuse the data of one.
pub(crate) async fn keep_fitting(
    api: &Api,
    before: Option<&EventTypeDefinition>,
    after: &EventTypeDefinition,
) -> Result<()> {
    if after.schema.is_none() || before.is_some_and(|before| before.schema == after.schema) {
        return Ok(());
    }
    let schema = EventTypeDefinition { is_enabled: true, ..after.clone() };
    let mut page = PageRequest { limit: MAX_LIMIT, after: None };
    loop {
        let found = api.app.store.schedules(&after.tenant, &page).await?;
        let concerned =
            |schedule: &&Schedule| schedule.settings.is_active && schedule.settings.event_type == after.event_type;
        for schedule in found.items.iter().filter(concerned) {
            if fits(Some(&schema), &schedule.settings.data).is_err() {
                return Err(OutboundRefusal::ScheduleUnfit(schedule.id).into());
            }
        }
        let Some(next) = found.next else { return Ok(()) };
        page.after = Some(next);
    }
}

/// Has the dispatcher look at a schedule, at the latest a little after the change that is made next.
async fn ask(api: &Api, tenant: &TenantSlug, id: ScheduleId) -> Result<()> {
    let due_at = later(api.app.clock.now(), GRACE);
    Ok(api.app.store.ask_task(tenant, &Task::Schedule(id), due_at).await?)
}

/// Has the dispatcher look at a schedule now that it was changed.
async fn hint(api: &Api, tenant: &TenantSlug, id: ScheduleId) {
    hint_task(&api.app, tenant, &Task::Schedule(id), SignedDuration::ZERO).await;
}
