//! `GET /api/v1/schedules`: lists the tenant's schedules.

use axum::Json;
use axum::extract::State;
use hookport::domain::cursor::Page;

use super::ScheduleView;
use crate::api::Api;
use crate::caller::{Caller, Needs, ScheduleRead};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, PageQuery};

/// Lists the tenant's schedules, newest first, without the payloads of their events.
#[utoipa::path(
    get,
    path = "/api/v1/schedules",
    operation_id = "listSchedules",
    tag = "schedules",
    security(("bearer" = [ScheduleRead::PERMISSION])),
    params(PageQuery),
    responses(
        (status = 200, description = "The schedules.", body = Many<ScheduleView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<ScheduleRead>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<ScheduleView>>> {
    let page = query.page()?;
    let found = api.app.store.schedules(caller.tenant(), &page).await?;
    let now = api.app.clock.now();
    let items = found.items.into_iter().map(|schedule| ScheduleView::new(schedule, now)).collect();
    Ok(Json(Many::new(&page, Page { items, next: found.next })))
}
