//! `PUT /api/v1/schedules/{id}`: replaces a schedule.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::ScheduleId;
use http::header::IF_MATCH;
use http::{HeaderMap, HeaderName, HeaderValue};
use tracing::info;

use super::input::ScheduleInput;
use super::{ScheduleWithData, ask, etag, find, hint, judge};
use crate::api::Api;
use crate::caller::{Caller, Needs, ScheduleUpdate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids};
use crate::page::One;

/// Replaces the settings of a schedule; what is left out gets its default.
///
/// Another `cron` or `timezone` counts from now on, and so do the times of a schedule that is switched on: what came
/// before and was not published yet is left out.
#[utoipa::path(
    put,
    path = "/api/v1/schedules/{id}",
    operation_id = "updateSchedule",
    tag = "schedules",
    security(("bearer" = [ScheduleUpdate::PERMISSION])),
    params(
        ("id" = String, Path, description = "The schedule's id: `sch_…`."),
        (
            "If-Match" = Option<String>,
            Header,
            description = "The version that the change was made for: the `ETag` that came with it. Without it, any \
                version is replaced.",
            example = "\"3\""
        ),
    ),
    request_body = ScheduleInput,
    responses(
        (
            status = 200,
            description = "The schedule at its next version.",
            body = One<ScheduleWithData>,
            headers(("ETag" = String, description = "Its version, in quotes."))
        ),
        (
            status = 400,
            description = "`invalid_id`: not an id of a schedule. `invalid_request`: a field breaks its rule, or the \
                type is the gateway's own. `unknown_event_type`: the tenant has no such event type.",
            body = ErrorBody
        ),
        (status = 404, description = "`schedule_not_found`: no schedule of the tenant has this id.", body = ErrorBody),
        (
            status = 409,
            description = "`event_type_disabled`: nothing is taken for the event type. `conflict`: someone else \
                changed the schedule at the same time.",
            body = ErrorBody
        ),
        (status = 412, description = "`version_mismatch`: it has another version by now.", body = ErrorBody),
        (status = 422, description = "`schema_mismatch`: `violations` says where and why.", body = ErrorBody),
    ),
)]
pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller<ScheduleUpdate>,
    Ids(id): Ids<ScheduleId>,
    headers: HeaderMap,
    Body(request): Body<ScheduleInput>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<One<ScheduleWithData>>)> {
    let tenant = caller.tenant();
    let before = find(&api, tenant, id).await?;
    if !is_meant(&headers, before.version) {
        return Err(Error::VersionMismatch(before.version));
    }
    let settings = request.into_settings()?;
    judge(&api, tenant, &settings).await?;
    let now = api.app.clock.now();
    let after = before.changed(settings, now);
    ask(&api, tenant, id).await?;
    if !api.app.store.change_schedule(&before, &after).await? {
        return Err(Error::Conflict);
    }
    hint(&api, tenant, id).await;
    info!(%tenant, schedule.id = %id, version = after.version, "schedule.updated");
    let progress = api.app.store.schedule_progress(tenant, id).await?;
    Ok(([etag(&after)], Json(One { data: ScheduleWithData::new(after.clone(), progress, now) })))
}

/// Tells whether the change was made for this version, or for any.
fn is_meant(headers: &HeaderMap, version: u64) -> bool {
    let values = headers.get_all(IF_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim).filter(|tag| !tag.is_empty()).peekable();
    let present = format!("\"{version}\"");
    tags.peek().is_none() || tags.any(|tag| tag == "*" || tag == present)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_made_for_its_version_or_for_any() {
        let held = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(IF_MATCH, HeaderValue::from_static(value));
            }
            is_meant(&headers, 3)
        };
        for any in [vec![], vec!["*"], vec![""], vec!["\"3\""], vec!["\"2\", \"3\""], vec!["\"2\"", "\"3\""]] {
            assert!(held(&any), "{any:?}");
        }
        for other in ["\"2\"", "3", "W/\"3\""] {
            assert!(!held(&[other]), "{other}");
        }
    }
}
