//! Presets: the catalogue of providers, and the rows that a tenant adds to it.

mod create;
mod delete;
mod list;
mod read;
mod vector;

use std::collections::BTreeMap;

use hookport::domain::text::TenantSlug;
use hookport::scheme::Scheme;
use hookport::scheme::catalogue;
use hookport::scheme::preset::{Preset, SecretInfo, SettingInfo};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::routes::routes;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list, create::create)).routes(routes!(read::read, delete::delete))
}

/// A provider in the catalogue: what a person needs to connect it.
#[derive(Serialize, ToSchema)]
pub(crate) struct PresetView {
    /// Its name, to be given as `preset` of an inbound webhook.
    #[schema(example = "stripe")]
    name: String,
    /// The provider's name for people.
    label: String,
    /// Whether it is a row of the tenant's own.
    is_own: bool,
    /// How requests prove themselves: `signature`, `token`, `jws` or `http_message_signature`.
    #[schema(value_type = String, example = "signature")]
    proof: &'static str,
    /// What to paste where in the provider's settings.
    setup: String,
    /// The provider's page on webhooks.
    docs: Option<String>,
    /// The public page that the row was made from.
    source: String,
    /// What the provider calls the secret; null: there is none.
    secret: Option<SecretInfo>,
    /// Whether the secret comes with a handshake, so that none is to be given.
    learns_secret: bool,
    /// The values beside the secret, by name.
    settings: BTreeMap<String, SettingInfo>,
    /// The event types that the provider documents most, as they are called here.
    #[schema(example = json!(["stripe.invoice.paid"]))]
    events: Vec<String>,
    /// The names of its handshakes, which are answered without anybody's doing.
    handshakes: Vec<String>,
    /// The events that the sample sender can send, as the provider names them.
    samples: Vec<String>,
}

impl PresetView {
    fn new(preset: &Preset, is_own: bool) -> Self {
        Self {
            name: preset.name.to_string(),
            label: preset.label.clone(),
            is_own,
            proof: match &preset.verify {
                Scheme::Signature(_) => "signature",
                Scheme::Token(_) => "token",
                Scheme::Jws(_) => "jws",
                Scheme::HttpMessageSignature(_) => "http_message_signature",
            },
            setup: preset.setup.clone(),
            docs: preset.docs.clone(),
            source: preset.source.clone(),
            secret: preset.secret.clone(),
            learns_secret: preset.learns_secret(),
            settings: preset.settings.clone(),
            events: preset.known_types(),
            handshakes: preset.handshakes.iter().map(|handshake| handshake.name.clone()).collect(),
            samples: preset.samples.keys().cloned().collect(),
        }
    }
}

/// A provider with its row.
#[derive(Serialize, ToSchema)]
pub(crate) struct PresetWithRow {
    #[serde(flatten)]
    preset: PresetView,
    /// The row, as docs/presets.md describes it.
    #[schema(value_type = Object)]
    row: Value,
}

impl PresetWithRow {
    fn new(preset: &Preset, is_own: bool) -> Self {
        let row = serde_json::to_value(preset).unwrap_or_default();
        Self { preset: PresetView::new(preset, is_own), row }
    }
}

/// Finds a preset by its name: a row of the tenant's own, or a built-in one.
pub(crate) async fn find(api: &Api, tenant: &TenantSlug, name: &str) -> Result<Preset> {
    let Ok(parsed) = name.to_owned().try_into() else { return Err(Error::PresetNotFound) };
    // Its own first: a built-in one that came later under this name does not take its place.
    if let Some(own) = api.app.store.preset(tenant, &parsed).await? {
        return Ok(own);
    }
    catalogue::preset(name).cloned().ok_or(Error::PresetNotFound)
}
