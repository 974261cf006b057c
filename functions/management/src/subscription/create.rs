//! `POST /api/v1/subscriptions`: makes a subscription.

use axum::Json;
use axum::extract::State;
use hookport::domain::event_type::EventPattern;
use hookport::domain::id::SubscriptionId;
use hookport::domain::retry::RetrySchedule;
use hookport::domain::subscription::{MAX_PATTERNS, Subscription};
use hookport::domain::target_url::TargetUrl;
use hookport::domain::text::{Description, Name};
use hookport::signature::standard::{SigningKey, generate_secret};
use hookport::vault::Owner;
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::SubscriptionView;
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionCreate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Body;
use crate::secret::SuppliedSecret;

/// A subscription to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateSubscription {
    /// Its name for people.
    name: Name,
    /// Where deliveries go: `https`, and no address of a private network.
    #[schema(format = "uri", min_length = 8, max_length = 1024, example = "https://example.com/hooks")]
    url: String,
    /// The event types wanted: exact ones, prefixes such as `invoice.*`, or `*`.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 50, example = json!(["invoice.*"]))]
    events: Vec<EventPattern>,
    /// What it is for.
    description: Option<Description>,
    /// The secret that deliveries are signed with; made by the gateway when absent.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 128)]
    secret: Option<SuppliedSecret>,
    /// When failed attempts are made again; `standard` when absent.
    retry_schedule: Option<RetrySchedule>,
}

/// A subscription that was made, with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedSubscription {
    data: SubscriptionView,
    /// The secret that deliveries are signed with. It is shown here only.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDQP1hN5X9vg0=")]
    secret: String,
}

/// Makes a subscription.
///
/// It gets the events that are accepted from now on. Deliveries are signed as Standard Webhooks defines it.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions",
    operation_id = "createSubscription",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionCreate::PERMISSION])),
    request_body = CreateSubscription,
    responses(
        (status = 201, description = "The subscription and its secret.", body = CreatedSubscription),
        (
            status = 400,
            description = "`invalid_request`: a field breaks its rule. `invalid_target`: nothing may be sent to the URL.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<SubscriptionCreate>,
    Body(request): Body<CreateSubscription>,
) -> Result<(StatusCode, Json<CreatedSubscription>)> {
    if !(1..=MAX_PATTERNS).contains(&request.events.len()) {
        return Err(Error::field("events", format!("must have 1 to {MAX_PATTERNS} entries")));
    }
    let url = TargetUrl::parse(&request.url, &api.app.config.egress.urls())?;
    let plain = secret(&api, request.secret)?;
    let now = api.app.clock.now();
    let tenant = caller.tenant().clone();
    let id = SubscriptionId::new(now, api.app.random.bits());
    let subscription = Subscription {
        id,
        name: request.name,
        description: request.description,
        url,
        events: request.events,
        retry_schedule: request.retry_schedule.unwrap_or_default(),
        secret: api.app.vault.seal(&plain, &Owner::new(&tenant, id), now).await?,
        tenant,
        created_at: now,
    };
    let created = api.app.store.create_subscription(&subscription).await;
    created.map_err(|error| Error::of_creation(error, Error::Conflict))?;
    let answer = CreatedSubscription { data: subscription.into(), secret: plain.expose_secret().to_owned() };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// The caller's own secret, if a key can be made of it, or a new one.
fn secret(api: &Api, supplied: Option<SuppliedSecret>) -> Result<SecretString> {
    let Some(SuppliedSecret(secret)) = supplied else { return Ok(generate_secret(&api.app.random)) };
    SigningKey::new(&secret).map_err(|rule| Error::field("secret", rule))?;
    Ok(secret)
}
