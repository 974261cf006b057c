//! `POST /api/v1/inbound-webhooks/{id}/rotate-secret`: gives an inbound webhook another secret.

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_webhook::{Auth, AuthType, Secrets};
use hookport::domain::time::later;
use hookport::scheme::preset::GivenBy;
use hookport::vault::Owner;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;

use super::auth::{NewSecret, check_row_secret, check_secret, made_row_secret};
use super::settings::within;
use super::{InboundWebhookView, InboundWebhookWithSecret, find, key_of, replace, seal};
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookUpdate, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Ids, OptionalBody};
use crate::preset;
use crate::secret::{ProviderSecret, hex_secret};

/// The longest time that something old is taken beside its successor, in seconds: 30 days.
pub(crate) const MAX_OVERLAP_S: u32 = 2_592_000;

/// How a secret is to be replaced.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateSecret {
    /// The new secret; made by the gateway when absent, but for one that a provider makes. 16 to 128 characters, unless a
    /// preset says otherwise.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4096)]
    secret: Option<ProviderSecret>,
    /// For how long the present secret is taken as well. With 0 it is dead at once.
    #[schema(maximum = 2592000, default = 0)]
    overlap_seconds: Option<u32>,
    /// Which proof's secret, where there are several: its number from 0 among the proofs, `ip_allowlist` not counted.
    #[schema(maximum = 7)]
    proof: Option<usize>,
}

/// Gives an inbound webhook another secret.
///
/// Its present secret is dead at once, unless it is to be taken for a while longer.
#[utoipa::path(
    post,
    path = "/api/v1/inbound-webhooks/{id}/rotate-secret",
    operation_id = "rotateInboundWebhookSecret",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookUpdate::PERMISSION])),
    params(("id" = String, Path, description = "The webhook's id: `inw_…`.")),
    request_body = Option<RotateSecret>,
    responses(
        (status = 200, description = "The new version, and the new secret.", body = InboundWebhookWithSecret),
        (
            status = 400,
            description = "`invalid_id`: not an id of an inbound webhook. `invalid_request`: a field breaks its rule. \
                `no_secret`: what the webhook asks for has no secret. `ambiguous_secret`: it asks for several, and \
                `proof` is absent.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id.",
            body = ErrorBody
        ),
        (status = 409, description = "`conflict`: someone else changed the webhook at the same time.", body = ErrorBody),
    ),
)]
pub(crate) async fn rotate(
    State(api): State<Api>,
    caller: Caller<InboundWebhookUpdate>,
    Ids(id): Ids<InboundWebhookId>,
    OptionalBody(request): OptionalBody<RotateSecret>,
) -> Result<Json<InboundWebhookWithSecret>> {
    let overlap = within("overlap_seconds", request.overlap_seconds, 0..=MAX_OVERLAP_S)?.unwrap_or(0);
    let before = find(&api, caller.tenant(), id).await?;
    let mut after = before.clone();
    let Wanted { index, kind, secrets } = wanted(&mut after.auth, request.proof)?;
    let secret = match (request.secret, before.scheme().filter(|_| kind == AuthType::Scheme)) {
        (Some(ProviderSecret(secret)), Some(row)) => {
            check_row_secret(&row.scheme, &secret)?;
            secret
        }
        (Some(secret), None) => {
            let secret = secret.supplied().map_err(|rule| Error::field("secret", rule))?;
            check_secret(kind, "secret", &secret)?;
            secret
        }
        (None, Some(row)) if row.scheme.has_public_key() => {
            return Err(Error::field("secret", "must be given: it is the provider who makes the key"));
        }
        (None, Some(row)) => {
            let preset = match &row.preset {
                Some(name) => preset::find(&api, caller.tenant(), name.as_str()).await.ok(),
                None => None,
            };
            let given_by = preset.and_then(|preset| preset.secret).map(|secret| secret.given_by);
            if given_by == Some(GivenBy::Provider) {
                return Err(Error::field("secret", "must be given: it is the provider who makes it"));
            }
            made_row_secret(&row.scheme, &api.app.random)
        }
        (None, None) => hex_secret::<32>(&api.app.random),
    };
    let sealed = seal(&api, &secret, &Owner::new(&before.tenant, before.id)).await?;
    let now = api.app.clock.now();
    *secrets = secrets.clone().rotated(sealed, now, end(now, overlap));
    let after = replace(&api, &before, after).await?;
    let key = key_of(&api, &after).await?;
    let view = InboundWebhookView::new(after, &api, key.as_ref());
    Ok(Json(InboundWebhookWithSecret::new(view, vec![NewSecret { proof: index, secret }])))
}

/// When a time of grace that begins now is over.
pub(crate) fn end(now: Timestamp, seconds: u32) -> Timestamp {
    later(now, SignedDuration::from_secs(seconds.into()))
}

/// The secret to be replaced, and whose it is.
struct Wanted<'a> {
    index: usize,
    kind: AuthType,
    secrets: &'a mut Secrets,
}

/// Finds the secret of the proof with this number, or the only one there is.
fn wanted(auth: &mut Auth, number: Option<usize>) -> Result<Wanted<'_>> {
    let mut having = (0..).zip(&auth.proofs).filter(|(_, proof)| proof.secret().is_some());
    let index = match (number, having.next(), having.next()) {
        (_, None, _) => return Err(Error::NoSecret),
        (None, Some(_), Some(_)) => return Err(Error::AmbiguousSecret),
        (None, Some((only, _)), None) => only,
        (Some(number), Some(_), _) => number,
    };
    let count = auth.proofs.len();
    let proof = auth.proofs.get_mut(index);
    let proof =
        proof.ok_or_else(|| Error::field("proof", format!("must be below {count}, the number of its proofs")))?;
    let kind = proof.kind();
    let secrets = proof.secret_mut().ok_or(Error::NoSecret)?;
    Ok(Wanted { index, kind, secrets })
}
