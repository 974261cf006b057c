//! Egress rules: hosts that nothing is sent to from this deployment, by the operators' word.

mod create;
mod delete;
mod list;

use hookport::domain::host_pattern::HostPattern;
use hookport::egress::DenyRule;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::routes::routes;

/// The most rules of a deployment: they are one item of the table.
pub(crate) const MAX_RULES: usize = 200;
/// How often a change is tried when others change the rules at the same time.
const TRIES: u32 = 3;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list, create::create)).routes(routes!(delete::delete))
}

/// Hosts that nothing is sent to.
#[derive(Serialize, ToSchema)]
pub(crate) struct EgressRuleView {
    /// Which hosts: their names and the text of their addresses are held against it. `*` is any run of characters, dots
    /// included, and `?` is one character.
    pattern: HostPattern,
    /// Why, for whoever makes a subscription.
    description: String,
}

impl From<DenyRule> for EgressRuleView {
    fn from(rule: DenyRule) -> Self {
        Self { pattern: rule.pattern, description: rule.description }
    }
}

/// Changes the rules as they are by then, again when someone else was faster.
async fn change(api: &Api, change: impl Fn(&mut Vec<DenyRule>) -> Result<()>) -> Result<()> {
    let store = &api.app.store;
    let mut written: Option<(u64, Vec<DenyRule>)> = None;
    for _ in 0..TRIES {
        let before = store.deny_rules().await?;
        // An earlier write of ours whose answer was lost is taken for someone else's.
        if written.take().is_some_and(|(version, rules)| version == before.version && rules == before.rules) {
            return Ok(());
        }
        let mut rules = before.rules.clone();
        change(&mut rules)?;
        if store.put_deny_rules(&before, rules.clone()).await? {
            return Ok(());
        }
        written = Some((before.version + 1, rules));
    }
    Err(Error::Conflict)
}
