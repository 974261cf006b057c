//! `GET /api/v1/templates`: lists the templates that there are.

use axum::Json;
use hookport::dialect::template::TEMPLATES;

use super::TemplateView;
use crate::caller::{Caller, Needs, SubscriptionRead};
use crate::page::One;

/// Lists the well-known receivers that a subscription can be made for by its URL alone.
#[utoipa::path(
    get,
    path = "/api/v1/templates",
    operation_id = "listTemplates",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionRead::PERMISSION])),
    responses((status = 200, description = "All of them.", body = One<Vec<TemplateView>>)),
)]
pub(crate) async fn list(_: Caller<SubscriptionRead>) -> Json<One<Vec<TemplateView>>> {
    Json(One { data: TEMPLATES.iter().map(TemplateView::from).collect() })
}
