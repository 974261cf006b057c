//! Which resources the operator lets which tenant send to.

use std::str::FromStr;

use super::Target;
use crate::domain::text::TenantSlug;

/// The services that resources can be of.
const SERVICES: [&str; 7] = ["sqs", "sns", "events", "states", "lambda", "kinesis", "s3"];

/// Why a text allows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be tenant=arn or *=arn, an ARN of one service, with * for any characters")]
pub struct AllowanceError;

/// Lets one tenant, or each, send to the resources that a pattern takes in: `acme=arn:aws:sqs:*:123456789012:acme-*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// `None`: each.
    tenant: Option<TenantSlug>,
    pattern: String,
}

impl Allowance {
    /// Tells whether a tenant may send to a target by it. The subscription's own URL is not its business.
    #[must_use]
    pub fn covers(&self, tenant: &TenantSlug, target: &Target) -> bool {
        let is_meant = self.tenant.as_ref().is_none_or(|meant| meant == tenant);
        is_meant && target.resource().is_some_and(|resource| matches(&self.pattern, &resource))
    }
}

impl FromStr for Allowance {
    type Err = AllowanceError;

    fn from_str(text: &str) -> Result<Self, AllowanceError> {
        let (tenant, pattern) = text.split_once('=').ok_or(AllowanceError)?;
        let parts: Vec<&str> = pattern.splitn(6, ':').collect();
        let ["arn", _, service, _, _, resource] = parts.as_slice() else { return Err(AllowanceError) };
        // The service is said in full, so that no pattern opens another one by chance.
        let is_pattern = SERVICES.contains(service)
            && !resource.is_empty()
            && pattern.bytes().all(|b| b.is_ascii_graphic() && b != b',');
        if !is_pattern {
            return Err(AllowanceError);
        }
        let tenant = match tenant {
            "*" => None,
            slug => Some(TenantSlug::try_from(slug.to_owned()).map_err(|_| AllowanceError)?),
        };
        Ok(Self { tenant, pattern: pattern.to_owned() })
    }
}

/// Tells whether a pattern takes in a whole text; `*` is any run of characters. What stands between two stars is taken
/// where it comes first, which leaves most of the text for what follows.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let (between, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in between.split('*') {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(end)
}
