//! `POST /api/v1/schedules`: makes a schedule.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::ScheduleId;
use hookport::domain::schedule::{MAX_SCHEDULES, Progress, Schedule};
use http::{HeaderName, HeaderValue, StatusCode};
use tracing::info;

use super::input::ScheduleInput;
use super::{ScheduleWithData, ask, etag, hint, judge};
use crate::api::Api;
use crate::caller::{Caller, Needs, ScheduleCreate};
use crate::error::{ErrorBody, OutboundRefusal, Result};
use crate::extract::Body;
use crate::page::One;

/// Makes a schedule: from its next time on it publishes an event at each of its times, once.
#[utoipa::path(
    post,
    path = "/api/v1/schedules",
    operation_id = "createSchedule",
    tag = "schedules",
    security(("bearer" = [ScheduleCreate::PERMISSION])),
    request_body = ScheduleInput,
    responses(
        (
            status = 201,
            description = "The schedule.",
            body = One<ScheduleWithData>,
            headers(("ETag" = String, description = "Its version, in quotes."))
        ),
        (
            status = 400,
            description = "`invalid_request`: a field breaks its rule, or the type is the gateway's own. \
                `unknown_event_type`: the tenant has no such event type.",
            body = ErrorBody
        ),
        (
            status = 409,
            description = "`event_type_disabled`: nothing is taken for the event type. `too_many`: the tenant has 100 \
                schedules already.",
            body = ErrorBody
        ),
        (status = 422, description = "`schema_mismatch`: `violations` says where and why.", body = ErrorBody),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<ScheduleCreate>,
    Body(request): Body<ScheduleInput>,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1], Json<One<ScheduleWithData>>)> {
    let tenant = caller.tenant();
    let settings = request.into_settings()?;
    judge(&api, tenant, &settings).await?;
    let now = api.app.clock.now();
    let id = ScheduleId::new(now, api.app.random.bits());
    let schedule = Schedule::new(id, tenant.clone(), settings, now);
    ask(&api, tenant, id).await?;
    if !api.app.store.create_schedule(&schedule, MAX_SCHEDULES).await? {
        return Err(OutboundRefusal::TooMany(MAX_SCHEDULES).into());
    }
    hint(&api, tenant, id).await;
    info!(%tenant, schedule.id = %id, cron = %schedule.settings.cron, "schedule.created");
    let data = ScheduleWithData::new(schedule.clone(), Progress::default(), now);
    Ok((StatusCode::CREATED, [etag(&schedule)], Json(One { data })))
}
