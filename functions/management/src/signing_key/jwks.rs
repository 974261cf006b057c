//! `GET /api/v1/tenants/{slug}/jwks.json`: the public parts of the keys that sign for a tenant, for everybody.

use axum::Json;
use axum::extract::State;
use hookport::domain::text::TenantSlug;
use hookport::domain::time::later;
use hookport::store::StoredSigningKey;
use http::HeaderName;
use http::header::CACHE_CONTROL;
use serde::Serialize;
use utoipa::ToSchema;

use super::rotate::PUBLISHED;
use crate::api::Api;
use crate::error::{ErrorBody, Result};
use crate::extract::Ids;

/// A JSON Web Key Set (RFC 7517) of Ed25519 keys (RFC 8037).
#[derive(Serialize, ToSchema)]
pub(crate) struct JwkSet {
    /// The keys, the newest first.
    keys: Vec<Jwk>,
}

/// The public part of one key.
#[derive(Serialize, ToSchema)]
pub(crate) struct Jwk {
    /// The kind of key: `OKP`.
    #[schema(value_type = String)]
    kty: &'static str,
    /// The curve: `Ed25519`.
    #[schema(value_type = String)]
    crv: &'static str,
    /// The 32 bytes of the key: base64 for URLs.
    x: String,
    /// Its id.
    kid: String,
    /// What it is for: `sig`.
    #[serde(rename = "use")]
    #[schema(value_type = String)]
    purpose: &'static str,
    /// The algorithm: `EdDSA`.
    #[schema(value_type = String)]
    alg: &'static str,
}

/// Gives the public parts of the keys that sign for a tenant, and of those that did within the last weeks.
///
/// Everybody may ask. A tenant that is unknown has no keys, like one that signs with secrets alone.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{slug}/jwks.json",
    operation_id = "readSigningKeySet",
    tag = "signing-keys",
    params(("slug" = String, Path, description = "The tenant.")),
    responses(
        (
            status = 200,
            description = "The key set. It may be kept for five minutes.",
            body = JwkSet,
            headers(("Cache-Control" = String, description = "For how long it may be kept."))
        ),
        (status = 400, description = "`invalid_id`: not the name of a tenant.", body = ErrorBody),
    ),
)]
pub(crate) async fn jwks(
    State(api): State<Api>,
    Ids(slug): Ids<TenantSlug>,
) -> Result<([(HeaderName, &'static str); 1], Json<JwkSet>)> {
    let keys = api.public_keys(&slug).await?;
    let now = api.app.clock.now();
    let is_shown = |key: &&StoredSigningKey| key.signs_until.is_none_or(|until| later(until, PUBLISHED) > now);
    let keys = keys.iter().rev().filter(is_shown).map(|key| Jwk {
        kty: "OKP",
        crv: "Ed25519",
        x: key.public.clone(),
        kid: key.id.to_string(),
        purpose: "sig",
        alg: "EdDSA",
    });
    Ok(([(CACHE_CONTROL, "public, max-age=300")], Json(JwkSet { keys: keys.collect() })))
}
