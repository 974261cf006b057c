//! `PUT /api/v1/packs/{name}`: makes the event types of a pack what the pack says.

use axum::Json;
use axum::extract::State;
use hookport::domain::event_type::EventType;
use hookport::domain::event_type_definition::EventTypeDefinition;
use hookport::domain::id::EventTypeId;
use hookport::domain::own_event::is_own;
use hookport::domain::pack::{AppliedPack, Change, Pack, PackName, PackTrigger, Plan, plan};
use hookport::domain::permission::Permission;
use hookport::domain::text::TenantSlug;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::Api;
use crate::caller::{Caller, EventTypeUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids, JsonObject};
use crate::page::One;
use crate::schedule::keep_fitting;

/// A pack to be applied.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplyPack {
    /// Everything that the pack consists of. Each `ref` begins with the name of the pack and a dot.
    #[schema(value_type = Vec<PackTrigger>, max_items = 100)]
    triggers: Vec<JsonObject<PackTrigger>>,
    /// Only tells what would be done.
    #[schema(default = false)]
    dry_run: Option<bool>,
}

/// What came of a pack.
#[derive(Serialize, ToSchema)]
pub(crate) struct PackOutcome {
    /// Its name.
    pack: PackName,
    /// What was to be done.
    plan: PlanView,
    /// Whether it was done.
    applied: bool,
}

/// What has to be done so that the event types are as a pack says, by their refs.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlanView {
    /// Made.
    created: Vec<EventType>,
    /// Changed, switched on again, or taken over from among those that were made by hand.
    updated: Vec<EventType>,
    /// As they should be already.
    unchanged: Vec<EventType>,
    /// Switched off, because the pack no longer names them. They are kept with their webhooks and their history.
    disabled: Vec<EventType>,
}

impl From<&Plan> for PlanView {
    fn from(plan: &Plan) -> Self {
        let after = |changes: &[Change]| changes.iter().map(|change| change.after.event_type.clone()).collect();
        Self {
            created: plan.create.iter().map(|trigger| trigger.event_type.clone()).collect(),
            updated: after(&plan.update),
            unchanged: plan.unchanged.clone(),
            disabled: after(&plan.disable),
        }
    }
}

/// Applies a pack: makes its event types what it says.
///
/// What it names anew is made, what it says otherwise is changed, and what it no longer names is switched off and kept;
/// put back, it is switched on again. Applying it twice changes nothing. When something stands in the way, part of it
/// may have been done: applying it again does the rest.
#[utoipa::path(
    put,
    path = "/api/v1/packs/{name}",
    operation_id = "applyPack",
    tag = "packs",
    security(("bearer" = [EventTypeUpdate::PERMISSION])),
    params(("name" = String, Path, description = "The pack's name: 1 to 64 characters of a-z, 0-9, _ and -.")),
    request_body = ApplyPack,
    responses(
        (status = 200, description = "What was done, or would be.", body = One<PackOutcome>),
        (
            status = 400,
            description = "`invalid_id`: not the name of a pack. `invalid_request`: a field breaks its rule.",
            body = ErrorBody
        ),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named; new event types need \
                `event_type:create` as well.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`conflict`: someone else changed one of them at the same time. `schedule_unfit`: an active \
                schedule publishes what a new schema would refuse; the message names it.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn apply(
    State(api): State<Api>,
    caller: Caller<EventTypeUpdate>,
    Ids(name): Ids<PackName>,
    Body(request): Body<ApplyPack>,
) -> Result<Json<One<PackOutcome>>> {
    let triggers: Vec<PackTrigger> = request.triggers.into_iter().map(|JsonObject(trigger)| trigger).collect();
    if let Some(own) = triggers.iter().find(|trigger| is_own(&trigger.event_type)) {
        return Err(Error::InvalidRequest(format!("ref: {} is told by the gateway alone", own.event_type)));
    }
    let pack = Pack::new(name, triggers).map_err(|rule| Error::InvalidRequest(rule.to_string()))?;
    let current = api.app.store.event_types_of_pack(caller.tenant(), pack.name()).await?;
    let plan = plan(&current, &pack);
    if !plan.create.is_empty() && !caller.may(Permission::EventTypeCreate) {
        return Err(Error::Forbidden(Permission::EventTypeCreate));
    }
    let applied = !request.dry_run.unwrap_or(false);
    if applied {
        carry_out(&api, caller.tenant(), &pack, &plan).await?;
    }
    let data = PackOutcome { pack: pack.name().clone(), plan: PlanView::from(&plan), applied };
    Ok(Json(One { data }))
}

/// Does what a plan says, one event type after the other, and notes that the pack was applied.
async fn carry_out(api: &Api, tenant: &TenantSlug, pack: &Pack, plan: &Plan) -> Result<()> {
    let (store, now) = (&api.app.store, api.app.clock.now());
    let conflict = |error| Error::of_creation(error, Error::Conflict);
    let created = plan.create.iter().map(|trigger| {
        let id = EventTypeId::new(now, api.app.random.bits());
        pack.define(trigger, EventTypeDefinition::new(id, tenant.clone(), trigger.event_type.clone(), now))
    });
    let created: Vec<_> = created.collect();
    for new in &created {
        keep_fitting(api, None, new).await?;
    }
    for change in &plan.update {
        keep_fitting(api, Some(&change.before), &change.after).await?;
    }
    for new in &created {
        store.create_event_type(new).await.map_err(conflict)?;
    }
    for change in plan.update.iter().chain(&plan.disable) {
        let after = change.after.clone().next_version(now);
        store.update_event_type(&change.before, &after).await.map_err(conflict)?;
    }
    store.note_pack(tenant, &AppliedPack { name: pack.name().clone(), applied_at: now }).await?;
    Ok(())
}
