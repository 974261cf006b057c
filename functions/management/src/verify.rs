//! `POST /api/v1/verify`: says whether a request is signed with a secret, and if not, why.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use hookport::domain::id::SubscriptionId;
use hookport::signature::explain::{Claimed, Verified, explain};
use hookport::vault::Owner;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionTest};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Body;
use crate::page::One;
use crate::recorded::{body, headers};
use crate::routes::routes;
use crate::secret::SuppliedSecret;
use crate::subscription::find_own;

/// How far a signed time may lie from now when nothing else is said, in seconds.
const DEFAULT_TOLERANCE_S: u32 = 300;
/// The most that it may, in seconds: a day.
const MAX_TOLERANCE_S: u32 = 86_400;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(verify))
}

/// A request, and the secret that it is said to be signed with: that of a subscription, or one that is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignedRequest {
    /// The subscription whose secret it is. The one before it counts as well while it still signs.
    #[schema(value_type = Option<String>)]
    subscription_id: Option<SubscriptionId>,
    /// The secret itself. It is not kept.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 128)]
    secret: Option<SuppliedSecret>,
    /// The headers of the request by name, at most 100.
    headers: BTreeMap<String, String>,
    /// The body as text. Of the two bodies, one at most may be given; without any it is empty.
    body: Option<String>,
    /// The body in base64.
    body_base64: Option<String>,
    /// How far a signed time may lie from now, in seconds.
    #[schema(maximum = 86400, default = 300)]
    tolerance_seconds: Option<u32>,
}

/// Whether a request is signed with a secret.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SignatureVerdict {
    /// Whether it is.
    valid: bool,
    /// How the right signature is written: `standard`, `hub` or `timestamped`.
    #[schema(value_type = Option<String>, example = "standard")]
    scheme: Option<&'static str>,
    /// Why no signature is right.
    reason: Option<SignatureReason>,
}

/// Why no signature is right.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SignatureReason {
    /// Names the case for programs.
    #[schema(value_type = String, example = "signature_mismatch")]
    code: &'static str,
    /// Says it to people.
    message: String,
}

/// Says whether a request is signed with a secret, and if not, why.
///
/// It helps receivers whose check fails: they show what they got. Neither the secret is told nor what would be right.
#[utoipa::path(
    post,
    path = "/api/v1/verify",
    operation_id = "verifySignature",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionTest::PERMISSION])),
    request_body = SignedRequest,
    responses(
        (status = 200, description = "What came of it.", body = One<SignatureVerdict>),
        (
            status = 400,
            description = "`invalid_request`: a field breaks its rule, or neither or both of `subscription_id` and \
                `secret` are given.",
            body = ErrorBody
        ),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named. `outbound_disabled`: the tenant \
                is switched off. `operator_pinned`: the subscription is the operator's.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`subscription_not_found`: the caller sees no subscription with this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn verify(
    State(api): State<Api>,
    caller: Caller<SubscriptionTest>,
    Body(request): Body<SignedRequest>,
) -> Result<Json<One<SignatureVerdict>>> {
    let tolerance_s = request.tolerance_seconds.unwrap_or(DEFAULT_TOLERANCE_S);
    if tolerance_s > MAX_TOLERANCE_S {
        return Err(Error::field("tolerance_seconds", format!("must be at most {MAX_TOLERANCE_S}")));
    }
    let headers = headers("headers", request.headers)?;
    let body = body("body_base64", request.body, request.body_base64)?;
    let secrets = match (request.subscription_id, request.secret) {
        (Some(id), None) => secrets_of(&api, &caller, id).await?,
        (None, Some(SuppliedSecret(secret))) => vec![secret],
        (Some(_), Some(_)) | (None, None) => {
            return Err(Error::field("secret", "must be given, or subscription_id instead, and not both"));
        }
    };
    let claimed = |secret| Claimed {
        secret,
        headers: &headers,
        body: &body,
        tolerance: SignedDuration::from_secs(tolerance_s.into()),
        now: api.app.clock.now(),
    };
    Ok(Json(One { data: judge(secrets.iter().map(|secret| explain(&claimed(secret)))) }))
}

/// The first that is right, else what is said of the first.
fn judge(verdicts: impl Iterator<Item = Verified>) -> SignatureVerdict {
    let mut first = None;
    for verdict in verdicts {
        match verdict {
            Verified::Valid { scheme } => return SignatureVerdict { valid: true, scheme: Some(scheme), reason: None },
            Verified::Invalid { reason } => first = first.or(Some(reason)),
        }
    }
    let reason = first.map(|reason| SignatureReason { code: reason.code(), message: reason.to_string() });
    SignatureVerdict { valid: false, scheme: None, reason }
}

/// The secrets that a subscription signs with now, the newest first.
async fn secrets_of<N>(api: &Api, caller: &Caller<N>, id: SubscriptionId) -> Result<Vec<SecretString>> {
    let subscription = find_own(api, caller, id).await?;
    let now = api.app.clock.now();
    let owner = Owner::new(&subscription.tenant, subscription.id);
    let mut secrets = vec![api.app.vault.open(&subscription.secret, &owner, now).await?];
    if let Some(previous) = subscription.previous_secret.filter(|previous| now < previous.until) {
        secrets.push(api.app.vault.open(&previous.secret, &owner, now).await?);
    }
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use hookport::signature::explain::Reason;

    use super::*;

    #[test]
    fn either_secret_of_a_rotation_makes_a_request_valid() {
        let right = Verified::Valid { scheme: "hub" };
        let wrong = |reason| Verified::Invalid { reason };
        let either = judge([wrong(Reason::SignatureMismatch), right].into_iter());
        assert_eq!((either.valid, either.scheme, either.reason), (true, Some("hub"), None));

        let neither = judge([wrong(Reason::TimestampTooOld { by_s: 9 }), wrong(Reason::SignatureMismatch)].into_iter());
        assert!(!neither.valid && neither.scheme.is_none());
        let reason = neither.reason.expect("a reason");
        assert_eq!(reason.code, "timestamp_too_old");
        assert!(reason.message.contains("9 s older"), "{}", reason.message);
    }
}
