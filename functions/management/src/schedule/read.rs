//! `GET /api/v1/schedules/{id}`: shows a schedule, when it comes next, and how it went.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::ScheduleId;
use http::{HeaderName, HeaderValue};

use super::{ScheduleWithData, etag, find};
use crate::api::Api;
use crate::caller::{Caller, Needs, ScheduleRead};
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;
use crate::page::One;

/// Shows a schedule: its payload, its next five times, and its last event.
#[utoipa::path(
    get,
    path = "/api/v1/schedules/{id}",
    operation_id = "readSchedule",
    tag = "schedules",
    security(("bearer" = [ScheduleRead::PERMISSION])),
    params(("id" = String, Path, description = "The schedule's id: `sch_…`.")),
    responses(
        (
            status = 200,
            description = "The schedule.",
            body = One<ScheduleWithData>,
            headers(("ETag" = String, description = "Its version, in quotes: what a change may send in `If-Match`."))
        ),
        (status = 400, description = "`invalid_id`: not an id of a schedule.", body = ErrorBody),
        (status = 404, description = "`schedule_not_found`: no schedule of the tenant has this id.", body = ErrorBody),
    ),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<ScheduleRead>,
    Ids(id): Ids<ScheduleId>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<One<ScheduleWithData>>)> {
    let schedule = find(&api, caller.tenant(), id).await?;
    let progress = api.app.store.schedule_progress(caller.tenant(), id).await?;
    let tag = etag(&schedule);
    Ok(([tag], Json(One { data: ScheduleWithData::new(schedule, progress, api.app.clock.now()) })))
}
