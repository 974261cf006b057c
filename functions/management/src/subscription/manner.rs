//! How a subscription speaks to its target, as callers write it: dialect, proof, order, headers that are passed on.

use std::sync::Arc;

use hookport::dialect::proof::ProofStyle;
use hookport::dialect::template::may_prove;
use hookport::dialect::{Dialect, DialectName, Key, MAX_ALSO_SIGN, Signing, catalogue};
use hookport::domain::ordering::{DEFAULT_SETTLE_S, MAX_SETTLE_S, OrderBy, Ordering};
use hookport::domain::static_headers::allowed_name;
use hookport::domain::subscription::{MAX_FORWARDED, Settings, Subscription};
use hookport::domain::text::TenantSlug;
use hookport::vault::Owner;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::inbound_webhook::within;
use crate::signing_key;

/// In which order deliveries are sent.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderingSetting {
    /// What events have in common of which the next waits for the one before: `entity`, `subscription`, or a path of
    /// the payload.
    by: OrderBy,
    /// How old an event is before it is sent, so that older ones that are late still come before it.
    #[schema(maximum = 900, default = 2)]
    settle_seconds: Option<u32>,
}

impl OrderingSetting {
    pub(super) fn checked(self) -> Result<Ordering> {
        let settle = within("ordering.settle_seconds", self.settle_seconds, 0..=MAX_SETTLE_S.into())?;
        let settle_s = settle.and_then(|s| u16::try_from(s).ok()).unwrap_or(DEFAULT_SETTLE_S);
        Ok(Ordering { by: self.by, settle_s })
    }
}

impl From<Ordering> for OrderingSetting {
    fn from(ordering: Ordering) -> Self {
        Self { by: ordering.by, settle_seconds: Some(ordering.settle_s.into()) }
    }
}

pub(super) fn also_sign(given: Vec<DialectName>) -> Result<Vec<DialectName>> {
    if given.len() > MAX_ALSO_SIGN {
        return Err(Error::field("also_sign", format!("must have at most {MAX_ALSO_SIGN} entries")));
    }
    match (0..given.len()).find(|index| given[..*index].contains(&given[*index])) {
        Some(index) => Err(Error::field(&format!("also_sign[{index}]"), "stands in the list twice")),
        None => Ok(given),
    }
}

pub(super) fn forward_headers(given: Vec<String>) -> Result<Vec<String>> {
    if given.len() > MAX_FORWARDED {
        return Err(Error::field("forward_headers", format!("must have at most {MAX_FORWARDED} entries")));
    }
    let names = given.into_iter().enumerate().map(|(index, name)| match name.as_str() {
        "*" => Ok(name),
        name => allowed_name(name).map_err(|rule| Error::field(&format!("forward_headers[{index}]"), rule)),
    });
    names.collect()
}

/// The dialect of this name: a built-in one, or the tenant's own.
pub(crate) async fn find_dialect(api: &Api, tenant: &TenantSlug, name: &DialectName) -> Result<Option<Arc<Dialect>>> {
    if let Some(built_in) = catalogue::dialect(name.as_str()) {
        return Ok(Some(built_in));
    }
    Ok(api.app.store.dialect(tenant, name).await?.map(Arc::new))
}

/// The dialects of settings, that of its own first.
pub(super) async fn dialects(api: &Api, tenant: &TenantSlug, settings: &Settings) -> Result<Vec<Arc<Dialect>>> {
    let mut found = Vec::with_capacity(1 + settings.also_sign.len());
    let names = std::iter::once(("dialect".to_owned(), &settings.dialect));
    let also = settings.also_sign.iter().enumerate().map(|(index, name)| (format!("also_sign[{index}]"), name));
    for (field, name) in names.chain(also) {
        match find_dialect(api, tenant, name).await? {
            Some(dialect) => found.push(dialect),
            None => return Err(Error::field(&field, format!("there is no dialect called {name}"))),
        }
    }
    Ok(found)
}

/// Holds the secret of a subscription against dialects that it did not have before.
pub(super) async fn check_secret(api: &Api, before: &Subscription, settings: &Settings) -> Result<()> {
    let is_as_before = before.settings.dialect == settings.dialect && before.settings.also_sign == settings.also_sign;
    let dialects = dialects(api, &before.tenant, settings).await?;
    if is_as_before || !dialects.iter().any(|dialect| dialect.needs_standard_secret()) {
        return Ok(());
    }
    let owner = Owner::new(&before.tenant, before.id);
    let secret = api.app.vault.open(&before.secret, &owner, api.app.clock.now()).await?;
    if Key::new(secret).is_standard() {
        return Ok(());
    }
    Err(Error::field("dialect", "cannot sign with the subscription's secret: change the secret first"))
}

/// Holds dialects and proof against each other, and sees to it that there is a key where the tenant's signs.
pub(super) async fn check(
    api: &Api,
    tenant: &TenantSlug,
    settings: &Settings,
    before: Option<&Settings>,
) -> Result<()> {
    let is_as_before = |before: &Settings| {
        before.dialect == settings.dialect
            && before.also_sign == settings.also_sign
            && before.proof == settings.proof
            && before.url == settings.url
    };
    if before.is_some_and(is_as_before) {
        return Ok(());
    }
    let dialects = dialects(api, tenant, settings).await?;
    let own = dialects.first().map(|dialect| dialect.proof).unwrap_or_default();
    if let Some((first, also)) = dialects.split_first() {
        let all: Vec<&Signing> = first.signatures.iter().chain(also.iter().flat_map(|also| &also.signatures)).collect();
        first.carries(all).map_err(|rule| Error::field("also_sign", rule))?;
    }
    let style = settings.proof.unwrap_or(own);
    let is_trusted = super::trusted(api, settings);
    if !is_trusted && !may_prove(style, &settings.dialect, settings.url.host()) {
        let rule = match settings.proof {
            Some(ProofStyle::Message) => "is enough only where the dialect and the host are those of a template",
            _ => "must be said: the host is none of those where this dialect's message is proof enough",
        };
        return Err(Error::field("proof", rule));
    }
    if dialects.iter().any(|dialect| dialect.is_asymmetric()) {
        signing_key::ensure(api, tenant).await?;
    }
    Ok(())
}
