//! `POST /api/v1/egress-rules`: has nothing more sent to some hosts.

use axum::Json;
use axum::extract::State;
use hookport::domain::host_pattern::HostPattern;
use hookport::domain::text::Name;
use hookport::egress::DenyRule;
use http::StatusCode;
use serde::Deserialize;
use tracing::info;
use utoipa::ToSchema;

use super::{EgressRuleView, MAX_RULES, change};
use crate::api::Api;
use crate::caller::{Caller, EgressRuleUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Body;
use crate::page::One;

/// An egress rule to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateEgressRule {
    /// Which hosts: their names and the text of their addresses are held against it. `*` is any run of characters, dots
    /// included, and `?` is one character.
    pattern: HostPattern,
    /// Why, for whoever makes a subscription.
    description: Name,
}

/// Has nothing more sent to some hosts.
///
/// It holds everywhere within a minute, also for subscriptions that exist.
#[utoipa::path(
    post,
    path = "/api/v1/egress-rules",
    operation_id = "createEgressRule",
    tag = "egress-rules",
    security(("bearer" = [EgressRuleUpdate::PERMISSION])),
    request_body = CreateEgressRule,
    responses(
        (status = 201, description = "The rule.", body = One<EgressRuleView>),
        (status = 400, description = "`invalid_request`: a field breaks its rule.", body = ErrorBody),
        (
            status = 409,
            description = "`egress_rule_exists`: there is a rule with this pattern. `too_many_egress_rules`: there are \
                200 already. `conflict`: others change the rules at the same time.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    _: Caller<EgressRuleUpdate>,
    Body(request): Body<CreateEgressRule>,
) -> Result<(StatusCode, Json<One<EgressRuleView>>)> {
    let rule = DenyRule { pattern: request.pattern, description: request.description.to_string() };
    change(&api, |rules| add(rules, &rule)).await?;
    info!(pattern = %rule.pattern, "egress_rule.created");
    Ok((StatusCode::CREATED, Json(One { data: rule.into() })))
}

fn add(rules: &mut Vec<DenyRule>, rule: &DenyRule) -> Result<()> {
    if rules.iter().any(|known| known.pattern == rule.pattern) {
        return Err(Error::EgressRuleExists);
    }
    if rules.len() >= MAX_RULES {
        return Err(Error::TooManyEgressRules);
    }
    rules.push(rule.clone());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(pattern: &str) -> DenyRule {
        let pattern = HostPattern::try_from(pattern.to_owned()).unwrap();
        DenyRule { pattern, description: "no".to_owned() }
    }

    #[test]
    fn a_pattern_is_there_once_however_it_is_written() {
        let mut rules = Vec::new();
        add(&mut rules, &rule("*.example.internal")).unwrap();
        assert!(matches!(add(&mut rules, &rule("*.EXAMPLE.internal")), Err(Error::EgressRuleExists)));
        assert_eq!(rules, [rule("*.example.internal")]);
    }

    #[test]
    fn there_are_200_rules_at_most() {
        let mut rules: Vec<DenyRule> = (0..199).map(|n| rule(&format!("h{n}"))).collect();
        add(&mut rules, &rule("last")).unwrap();
        assert!(matches!(add(&mut rules, &rule("beyond")), Err(Error::TooManyEgressRules)));
        assert_eq!(rules.len(), MAX_RULES);
    }
}
