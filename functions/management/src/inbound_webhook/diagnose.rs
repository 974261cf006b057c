//! `POST /api/v1/inbound-webhooks/{id}/diagnose`: says why a request does not prove itself.

use axum::Json;
use axum::extract::State;
use hookport::domain::cursor::PageRequest;
use hookport::domain::id::InboundWebhookId;
use hookport::proof::{Certificates, Evidence, Other, Verifier, examine, secrets_of};
use hookport::scheme::doctor::{Diagnosis, SecretOf};
use hookport::vault::Owner;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::find;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Body, Ids};
use crate::page::One;
use crate::recorded::RecordedRequest;
use crate::secret::ProviderSecret;

/// The most secrets that a caller gives.
const MAX_GIVEN: usize = 10;
/// How many other webhooks of the tenant are tried.
const MAX_OTHERS: usize = 50;

/// A request that was refused, as the sender sent it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefusedRequest {
    /// The request, with all its headers.
    request: RecordedRequest,
    /// When it arrived; now when absent. How old its signature was is judged by it.
    #[schema(value_type = Option<String>, format = DateTime)]
    received_at: Option<Timestamp>,
    /// Secrets that the sender may have used instead, such as those of another environment, at most 10. They are not
    /// kept.
    #[schema(value_type = Option<Vec<String>>, max_items = 10)]
    secrets: Option<Vec<ProviderSecret>>,
}

/// Says why a request does not prove itself to a webhook.
///
/// One thing at a time is varied: the secret, those of the tenant's other webhooks among them, how it is decoded, the
/// encoding, the body, the URL, the clock, the preset. The first variation that makes the proof right is the cause; when
/// none does, the cause is `unknown`. Neither a secret nor a signature is told.
#[utoipa::path(
    post,
    path = "/api/v1/inbound-webhooks/{id}/diagnose",
    operation_id = "diagnoseInboundRequest",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookUpdate::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    request_body = RefusedRequest,
    responses(
        (status = 200, description = "What was found.", body = One<Diagnosis>),
        (
            status = 400,
            description = "`invalid_id`: not an id of an inbound webhook. `invalid_request`: a field breaks its rule. \
                `unsupported`: nothing that the webhook asks for can be examined.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn diagnose(
    State(api): State<Api>,
    caller: Caller<InboundWebhookUpdate>,
    Ids(id): Ids<InboundWebhookId>,
    Body(asked): Body<RefusedRequest>,
) -> Result<Json<One<Diagnosis>>> {
    let webhook = find(&api, caller.tenant(), id).await?;
    let request = asked.request.parsed("request")?;
    let given = asked.secrets.unwrap_or_default();
    if given.len() > MAX_GIVEN {
        return Err(Error::field("secrets", format!("must have at most {MAX_GIVEN} entries")));
    }
    let now = asked.received_at.unwrap_or_else(|| api.app.clock.now());
    let owner = Owner::new(&webhook.tenant, webhook.id);
    let mut others: Vec<Other> =
        given.into_iter().enumerate().map(|(n, ProviderSecret(secret))| (secret, SecretOf::Given(n))).collect();
    let page = PageRequest { limit: MAX_OTHERS, after: None };
    for other in api.app.store.list_inbound_webhooks(caller.tenant(), &page).await?.items {
        if other.id != webhook.id {
            let owner = Owner::new(&other.tenant, other.id);
            let secrets = secrets_of(&other.auth, &api.app.vault, &owner, api.app.clock.now()).await?;
            others.extend(secrets.into_iter().map(|secret| (secret, SecretOf::Other(other.id.to_string()))));
        }
    }
    let mut evidence = Evidence {
        method: &request.method,
        base_url: &request.base_url,
        path_and_query: &request.path_and_query,
        headers: &request.headers,
        body: &request.body,
        certificate: None,
        now,
    };
    let verifier = Verifier::open(&webhook.auth, &api.app.vault, &owner, now).await?;
    let certificate = match verifier.certificate_url(&evidence) {
        Some(url) => Certificates::new(&api.app.egress).get(&url, "diagnose", now).await.unwrap_or_default(),
        None => None,
    };
    evidence.certificate = certificate.as_deref();
    let found = examine(&webhook.auth, &api.app.vault, &owner, &evidence, &others).await?;
    let found = found.ok_or(Error::Unsupported("diagnose: nothing that the webhook asks for can be examined"))?;
    Ok(Json(One { data: found }))
}
