//! Refused requests: why a sender was turned away, for those whom it concerns.

mod list;
mod list_of_operators;
mod list_of_tenant;
mod list_of_webhooks;
mod read;

use std::net::IpAddr;

use axum::Json;
use hookport::domain::id::{InboundWebhookId, RejectionId};
use hookport::domain::refusal::{AuthStatus, Refusal};
use hookport::domain::rejection::{Rejection, RejectionLog, UrlForm};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::page::{Many, page};
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list::list))
        .routes(routes!(read::read))
        .routes(routes!(list_of_webhooks::list_of_webhooks))
        .routes(routes!(list_of_tenant::list_of_tenant))
        .routes(routes!(list_of_operators::list_of_operators))
}

/// A request that was not taken. Its body, its query and its credentials are not kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct RejectionView {
    /// Its id.
    #[schema(value_type = String, example = "rej_01m5w3rm008000000400000003")]
    id: RejectionId,
    /// The webhook that refused it; null when its URL led to none.
    #[schema(value_type = Option<String>)]
    webhook_id: Option<InboundWebhookId>,
    /// When it arrived.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Why it was refused.
    reason: Refusal,
    /// What came of judging the sender's proof.
    auth_status: AuthStatus,
    /// Whether the sender's proof held; null when it was not judged or none is asked for.
    proof_held: Option<bool>,
    /// Whether the source address was in the allow-list; null when it was not looked up or there is no list.
    ip_allowed: Option<bool>,
    /// Whether there were too many requests.
    rate_limited: bool,
    /// The form of the URL that it came to.
    form: UrlForm,
    /// What the URL named, where that leads nowhere: the slug, `tenant/slug`, or the SHA-256 of the key. Cut to 64
    /// bytes a name, and never a key itself.
    named: Option<String>,
    /// The HTTP method.
    method: String,
    /// Where it came from.
    #[schema(value_type = Option<String>, example = "192.0.2.7")]
    source_ip: Option<IpAddr>,
    /// The `User-Agent`, cut to 256 bytes.
    user_agent: Option<String>,
    /// The `Content-Type`, cut to 128 bytes.
    content_type: Option<String>,
    /// The size of the body.
    body_bytes: u64,
    /// The status that the sender was answered with.
    response_status: u16,
    /// From its arrival until it was refused.
    duration_ms: u32,
    /// Why its proof does not hold, as the signature doctor says; null unless the webhook was waiting for a sample.
    #[schema(value_type = Option<Object>)]
    diagnosis: Option<Value>,
}

impl RejectionView {
    fn new(rejection: Rejection, webhook_id: Option<InboundWebhookId>) -> Self {
        Self {
            id: rejection.id,
            webhook_id,
            at: rejection.at(),
            reason: rejection.refusal,
            auth_status: rejection.auth_status(),
            proof_held: rejection.checks.proof_held,
            ip_allowed: rejection.checks.ip_allowed,
            rate_limited: rejection.refusal.is_rate(),
            form: rejection.form,
            named: rejection.named,
            method: rejection.method,
            source_ip: rejection.source_ip,
            user_agent: rejection.user_agent,
            content_type: rejection.content_type,
            body_bytes: rejection.body_bytes,
            response_status: rejection.response_status,
            duration_ms: rejection.duration_ms,
            diagnosis: rejection.diagnosis,
        }
    }
}

/// Which refused requests are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RejectionQuery {
    /// Only those that were refused for this reason.
    reason: Option<Refusal>,
    /// Only those whose proof was judged so.
    auth_status: Option<AuthStatus>,
    /// Only those that arrived at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    date_from: Option<Timestamp>,
    /// Only those that arrived before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    date_to: Option<Timestamp>,
    /// The most items to give. More than 100 are never given, and fewer than 1 are never asked for.
    #[param(default = 25)]
    limit: Option<u64>,
    /// Where to continue: the `next_cursor` of the page before.
    cursor: Option<String>,
}

impl RejectionQuery {
    fn wants(&self, rejection: &Rejection) -> bool {
        self.reason.is_none_or(|reason| rejection.refusal == reason)
            && self.auth_status.is_none_or(|status| rejection.auth_status() == status)
            && self.date_from.is_none_or(|from| from <= rejection.at())
            && self.date_to.is_none_or(|to| rejection.at() < to)
    }
}

/// The page of a log that was asked for. What is past its end is not shown, though it may still be stored.
async fn page_of(api: &Api, log: &RejectionLog, query: &RejectionQuery) -> Result<Json<Many<RejectionView>>> {
    let page = page(query.limit, query.cursor.as_deref())?;
    let now = api.app.clock.now();
    let wanted = |rejection: &Rejection| !rejection.is_expired(now) && query.wants(rejection);
    let found = api.app.store.list_rejections(log, &page, wanted).await?;
    Ok(Json(Many::new(&page, found.map(|rejection| RejectionView::new(rejection, webhook_of(log))))))
}

/// One request of a log, unless it is past its end.
async fn one_of(api: &Api, log: &RejectionLog, id: RejectionId) -> Result<RejectionView> {
    let now = api.app.clock.now();
    let found = api.app.store.rejection(log, id).await?.filter(|rejection| !rejection.is_expired(now));
    Ok(RejectionView::new(found.ok_or(Error::RejectionNotFound)?, webhook_of(log)))
}

fn webhook_of(log: &RejectionLog) -> Option<InboundWebhookId> {
    match log {
        RejectionLog::Webhook(_, id) => Some(*id),
        RejectionLog::Tenant(_) | RejectionLog::Operators => None,
    }
}
