//! `GET /api/v1/registration-tokens`: lists the tenant's registration tokens.

use axum::Json;
use axum::extract::State;

use super::RegistrationTokenView;
use crate::api::Api;
use crate::caller::{Caller, Needs, RegistrationTokenRead};
use crate::error::{ErrorBody, Result};
use crate::extract::Params;
use crate::page::{Many, PageQuery};

/// Lists the tenant's registration tokens, newest first, without their texts.
///
/// One that has an end is listed until 30 days after it.
#[utoipa::path(
    get,
    path = "/api/v1/registration-tokens",
    operation_id = "listRegistrationTokens",
    tag = "registration-tokens",
    security(("bearer" = [RegistrationTokenRead::PERMISSION])),
    params(PageQuery),
    responses(
        (status = 200, description = "The tokens.", body = Many<RegistrationTokenView>),
        (status = 400, description = "`invalid_request` or `invalid_cursor`: a parameter is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<RegistrationTokenRead>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<RegistrationTokenView>>> {
    let page = query.page()?;
    let now = api.app.clock.now();
    let found = api.app.store.list_registration_tokens(caller.tenant(), &page).await?;
    Ok(Json(Many::new(&page, found.map(|issued| RegistrationTokenView::at(issued, now)))))
}
