//! `DELETE /api/v1/schedules/{id}`: deletes a schedule.

use axum::extract::State;
use hookport::domain::id::ScheduleId;
use http::StatusCode;
use tracing::info;

use super::{ask, hint};
use crate::api::Api;
use crate::caller::{Caller, Needs, ScheduleDelete};
use crate::error::{ErrorBody, OutboundRefusal, Result};
use crate::extract::Ids;

/// Deletes a schedule; its events stay.
#[utoipa::path(
    delete,
    path = "/api/v1/schedules/{id}",
    operation_id = "deleteSchedule",
    tag = "schedules",
    security(("bearer" = [ScheduleDelete::PERMISSION])),
    params(("id" = String, Path, description = "The schedule's id: `sch_…`.")),
    responses(
        (status = 204, description = "The schedule is deleted."),
        (status = 400, description = "`invalid_id`: not an id of a schedule.", body = ErrorBody),
        (status = 404, description = "`schedule_not_found`: no schedule of the tenant has this id.", body = ErrorBody),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller<ScheduleDelete>,
    Ids(id): Ids<ScheduleId>,
) -> Result<StatusCode> {
    let tenant = caller.tenant();
    ask(&api, tenant, id).await?;
    if !api.app.store.delete_schedule(tenant, id).await? {
        return Err(OutboundRefusal::ScheduleNotFound.into());
    }
    hint(&api, tenant, id).await;
    info!(%tenant, schedule.id = %id, "schedule.deleted");
    Ok(StatusCode::NO_CONTENT)
}
