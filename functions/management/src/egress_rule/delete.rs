//! `DELETE /api/v1/egress-rules/{pattern}`: deletes an egress rule.

use axum::extract::State;
use hookport::domain::host_pattern::HostPattern;
use hookport::egress::DenyRule;
use http::StatusCode;
use tracing::info;

use super::change;
use crate::api::Api;
use crate::caller::{Caller, EgressRuleUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Ids;

/// Deletes an egress rule.
///
/// Its hosts are sent to again within a minute, unless another rule takes them in.
#[utoipa::path(
    delete,
    path = "/api/v1/egress-rules/{pattern}",
    operation_id = "deleteEgressRule",
    tag = "egress-rules",
    security(("bearer" = [EgressRuleUpdate::PERMISSION])),
    params(("pattern" = String, Path, description = "The pattern of the rule.")),
    responses(
        (status = 204, description = "The rule is deleted."),
        (status = 400, description = "`invalid_id`: not a pattern of hosts.", body = ErrorBody),
        (status = 404, description = "`egress_rule_not_found`: no rule has this pattern.", body = ErrorBody),
        (status = 409, description = "`conflict`: others change the rules at the same time.", body = ErrorBody),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    _: Caller<EgressRuleUpdate>,
    Ids(pattern): Ids<HostPattern>,
) -> Result<StatusCode> {
    change(&api, |rules| remove(rules, &pattern)).await?;
    info!(%pattern, "egress_rule.deleted");
    Ok(StatusCode::NO_CONTENT)
}

fn remove(rules: &mut Vec<DenyRule>, pattern: &HostPattern) -> Result<()> {
    let place = rules.iter().position(|rule| rule.pattern == *pattern).ok_or(Error::EgressRuleNotFound)?;
    rules.remove(place);
    Ok(())
}
