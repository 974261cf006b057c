//! `GET /api/v1/egress-rules`: lists the hosts that nothing is sent to.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::EgressRuleView;
use crate::api::Api;
use crate::caller::{Caller, EgressRuleRead, Needs};
use crate::error::Result;

/// All egress rules of the deployment.
#[derive(Serialize, ToSchema)]
pub(crate) struct EgressRules {
    /// The rules, at most 200, in the order in which they were made.
    data: Vec<EgressRuleView>,
}

/// Lists the hosts that nothing is sent to, beside addresses that are never public.
#[utoipa::path(
    get,
    path = "/api/v1/egress-rules",
    operation_id = "listEgressRules",
    tag = "egress-rules",
    security(("bearer" = [EgressRuleRead::PERMISSION])),
    responses((status = 200, description = "The rules.", body = EgressRules)),
)]
pub(crate) async fn list(State(api): State<Api>, _: Caller<EgressRuleRead>) -> Result<Json<EgressRules>> {
    let found = api.app.store.deny_rules().await?;
    Ok(Json(EgressRules { data: found.rules.into_iter().map(EgressRuleView::from).collect() }))
}
