//! `POST /api/v1/schedules/{id}/run`: publishes an event of a schedule now.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::{EventId, ScheduleId};
use hookport::schedules::publish_now;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{find, judge};
use crate::api::Api;
use crate::caller::{Caller, Needs, ScheduleUpdate};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// An event that a schedule published.
#[derive(Serialize, ToSchema)]
pub(crate) struct ScheduledEvent {
    /// Its id.
    #[schema(value_type = String, example = "evt_01m5w3rm008000000400000003")]
    event_id: EventId,
}

/// Publishes an event of a schedule now, beside those of its times, also when it is switched off.
#[utoipa::path(
    post,
    path = "/api/v1/schedules/{id}/run",
    operation_id = "runSchedule",
    tag = "schedules",
    security(("bearer" = [ScheduleUpdate::PERMISSION])),
    params(("id" = String, Path, description = "The schedule's id: `sch_…`.")),
    responses(
        (status = 202, description = "The event is kept.", body = One<ScheduledEvent>),
        (
            status = 400,
            description = "`invalid_id`: not an id of a schedule. `unknown_event_type`: the event type is gone.",
            body = ErrorBody
        ),
        (status = 404, description = "`schedule_not_found`: no schedule of the tenant has this id.", body = ErrorBody),
        (status = 409, description = "`event_type_disabled`: nothing is taken for the event type.", body = ErrorBody),
        (status = 422, description = "`schema_mismatch`: `violations` says where and why.", body = ErrorBody),
    ),
)]
pub(crate) async fn run(
    State(api): State<Api>,
    caller: Caller<ScheduleUpdate>,
    Ids(id): Ids<ScheduleId>,
) -> Result<(StatusCode, Json<One<ScheduledEvent>>)> {
    let schedule = find(&api, caller.tenant(), id).await?;
    judge(&api, caller.tenant(), &schedule.settings).await?;
    let event_id = publish_now(&api.app, &schedule).await?;
    Ok((StatusCode::ACCEPTED, Json(One { data: ScheduledEvent { event_id } })))
}
