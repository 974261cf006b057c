//! `POST /api/v1/signing-keys`: gives the tenant another key to sign with.

use axum::Json;
use axum::extract::State;
use hookport::domain::audit::AuditAction;
use hookport::domain::time::later;
use hookport::store::StoredSigningKey;
use http::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;
use tracing::info;
use utoipa::ToSchema;

use super::{SigningKeyView, made};
use crate::api::Api;
use crate::audit;
use crate::caller::{Caller, Needs, SigningKeyUpdate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::OptionalBody;
use crate::inbound_webhook::within;
use crate::page::One;
use crate::source::Source;

/// The longest time that two keys sign side by side, in hours.
const MAX_OVERLAP_H: u32 = 168;
/// For how long they do when nothing else is said, in hours.
const DEFAULT_OVERLAP_H: u32 = 24;
/// For how long a key stays published once it no longer signs: what it signed may be looked at later.
pub(super) const PUBLISHED: SignedDuration = SignedDuration::from_hours(24 * 30);

/// How the key is to be replaced.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateSigningKey {
    /// For how long deliveries are signed with the present key as well. With 0 it signs no more at once.
    #[schema(maximum = 168, default = 24)]
    overlap_hours: Option<u32>,
    /// Whether what there is was stolen: all keys before the new one sign no more, and are published no more.
    #[serde(default)]
    #[schema(default = false)]
    revoke: bool,
}

/// Gives the tenant another key to sign with.
///
/// It is published at once and signs from the next delivery on; the one before signs beside it for a while. Receivers
/// that fetch the tenant's key set need not be told.
#[utoipa::path(
    post,
    path = "/api/v1/signing-keys",
    operation_id = "rotateSigningKey",
    tag = "signing-keys",
    security(("bearer" = [SigningKeyUpdate::PERMISSION])),
    request_body = Option<RotateSigningKey>,
    responses(
        (status = 201, description = "The new key.", body = One<SigningKeyView>),
        (status = 400, description = "`invalid_request`: a field breaks its rule.", body = ErrorBody),
        (status = 409, description = "`conflict`: somebody else replaced it at the same time.", body = ErrorBody),
    ),
)]
pub(crate) async fn rotate(
    State(api): State<Api>,
    caller: Caller<SigningKeyUpdate>,
    source: Source,
    OptionalBody(request): OptionalBody<RotateSigningKey>,
) -> Result<(StatusCode, Json<One<SigningKeyView>>)> {
    let hours = within("overlap_hours", request.overlap_hours, 0..=MAX_OVERLAP_H)?.unwrap_or(DEFAULT_OVERLAP_H);
    let hours = if request.revoke { 0 } else { hours };
    let (tenant, now) = (caller.tenant(), api.app.clock.now());
    let known = api.app.store.signing_keys(tenant).await?;
    let until = later(now, SignedDuration::from_hours(hours.into()));
    let present = known.iter().rev().find(|key| key.signs_until.is_none());
    let before = present.map(|key| StoredSigningKey { signs_until: Some(until), ..key.clone() });
    let key = made(&api, tenant).await?;
    let record = audit::entry(&api, &caller, source, AuditAction::SigningKeyRotated).about(key.id);
    audit::record(&api, &record).await?;
    // First those that sign beside it still, or did: whoever dies in between is asked again, and then all are stolen.
    let is_over = |key: &&StoredSigningKey| key.signs_until.is_some_and(|until| later(until, PUBLISHED) <= now);
    let is_other = |key: &&StoredSigningKey| key.signs_until.is_some();
    for old in known.iter().filter(|key| if request.revoke { is_other(key) } else { is_over(key) }) {
        api.app.store.forget_signing_key(tenant, old.id).await?;
    }
    if !api.app.store.add_signing_key(tenant, &key, before.as_ref(), request.revoke).await? {
        return Err(Error::Conflict);
    }
    info!(%tenant, signing_key.id = %key.id, "signing_key.rotated");
    Ok((StatusCode::CREATED, Json(One { data: key.into() })))
}
