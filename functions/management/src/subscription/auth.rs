//! How the gateway shows a subscription's target who is asking: as a caller writes it, as it is kept, and as it is
//! shown.

use std::sync::Arc;

use hookport::dialect::{Dialect, Signing};
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::{Settings, Subscription};
use hookport::domain::target_auth::{ClientCertificate, Credential, StoredAuth, TargetAuth, TargetAuthError, Written};
use hookport::domain::text::TenantSlug;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::manner::dialects;
use crate::api::Api;
use crate::error::{Error, Result};
use crate::extract::JsonObject;

/// How the gateway shows a target who is asking: a credential, a client certificate or both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetAuthInput {
    /// What stands in each request; null or absent: nothing.
    #[schema(value_type = Option<Credential>)]
    credential: Option<JsonObject<Credential>>,
    /// What the TLS handshake shows, that with a token endpoint included; null or absent: nothing.
    #[schema(value_type = Option<ClientCertificate>)]
    mtls: Option<JsonObject<ClientCertificate>>,
}

/// How the gateway shows a target who is asking. Secrets are `(hidden)`.
#[derive(Serialize, ToSchema)]
pub(crate) struct TargetAuthView {
    /// What stands in each request.
    credential: Option<Credential>,
    /// What the TLS handshake shows.
    mtls: Option<ClientCertificate>,
}

impl From<&StoredAuth> for TargetAuthView {
    fn from(stored: &StoredAuth) -> Self {
        let TargetAuth { credential, mtls } = stored.view().clone();
        Self { credential, mtls }
    }
}

/// Takes what a caller wrote and seals its secrets, bound to the subscription. `before` is the subscription that is
/// changed: secrets that are sent back as `(hidden)` stay what they were there.
pub(crate) async fn take(
    api: &Api,
    tenant: &TenantSlug,
    id: SubscriptionId,
    settings: &Settings,
    given: Option<JsonObject<TargetAuthInput>>,
    before: Option<&Subscription>,
) -> Result<Option<StoredAuth>> {
    let Some(JsonObject(given)) = given else { return Ok(None) };
    if !settings.target.is_https() {
        return Err(Error::field("auth", "must be absent: services are called with the gateway's own credentials"));
    }
    let written = written_by(&dialects(api, tenant, settings).await?);
    let given = TargetAuth {
        credential: given.credential.map(|JsonObject(credential)| credential),
        mtls: given.mtls.map(|JsonObject(mtls)| mtls),
    };
    let (owner, now) = (StoredAuth::owner(tenant, id), api.app.clock.now());
    let stored = before.and_then(|before| before.auth.as_ref());
    let known = match stored {
        Some(stored) if given.has_hidden() => {
            let secrets = api.app.vault.open(stored.sealed(), &owner, now).await?;
            Some(stored.opened(&secrets).map_err(|error| Error::Internal(error.into()))?)
        }
        _ => None,
    };
    let is_same_target = before.is_some_and(|before| before.settings.url.origin() == settings.url.origin());
    let auth = given.restored(known.as_ref(), is_same_target).map_err(|error| refused(&error))?;
    let beside = Written { url: &settings.url, headers: &settings.headers };
    auth.check(&beside, &api.app.config.egress.urls()).map_err(|error| refused(&error))?;
    let names = auth.credential.iter().flat_map(Credential::headers);
    if let Some(name) = names.into_iter().find(|name| written.iter().any(|one| one.eq_ignore_ascii_case(name.as_str())))
    {
        return Err(Error::field("auth.credential.name", format!("{name} is written by the dialect")));
    }
    if let Some(token_url) = auth.token_url() {
        let judged = api.app.egress.judge(token_url).await;
        judged.map_err(|error| {
            if error.is_permanent() {
                Error::field("auth.credential.token_url", error)
            } else {
                Error::Unavailable(error.into())
            }
        })?;
    }
    // What is as it was keeps its seal, and with it the tokens that were fetched for it.
    if known.as_ref() == Some(&auth) {
        return Ok(stored.cloned());
    }
    let sealed = api.app.vault.seal(&auth.to_be_sealed(), &owner, now).await?;
    Ok(Some(StoredAuth::new(auth, sealed)))
}

/// The headers that dialects write.
fn written_by(dialects: &[Arc<Dialect>]) -> Vec<String> {
    let of_one = |dialect: &Arc<Dialect>| -> Vec<String> {
        dialect.headers.keys().cloned().chain(dialect.signatures.iter().flat_map(Signing::headers)).collect()
    };
    dialects.iter().flat_map(of_one).collect()
}

fn refused(error: &TargetAuthError) -> Error {
    match error.field() {
        "" => Error::field("auth", error),
        field => Error::field(&format!("auth.{field}"), error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> std::result::Result<TargetAuthInput, serde_json::Error> {
        serde_json::from_value(value)
    }

    #[test]
    fn a_view_shows_all_but_secrets() {
        let token_url = "https://id.example.com/token";
        let given = json!({
            "type": "oauth2", "token_url": token_url, "client_id": "hookport", "client_secret": "sesame",
            "scopes": ["a"],
        });
        let credential = serde_json::from_value(given).unwrap();
        let sealed = serde_json::from_value(json!("k1.sealed")).unwrap();
        let stored = StoredAuth::new(TargetAuth { credential: Some(credential), mtls: None }, sealed);
        let shown = serde_json::to_value(TargetAuthView::from(&stored)).unwrap();
        let expected = json!({
            "type": "oauth2", "token_url": token_url, "client_id": "hookport", "client_secret": "(hidden)",
            "scopes": ["a"], "audience": null, "auth_style": "basic", "params": {},
        });
        assert_eq!(shown, json!({"credential": expected, "mtls": null}));
        assert!(read(shown).is_ok(), "what was shown can be sent back");
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for bad in [
            json!({"credential": {"type": "magic"}}),
            json!({"credential": {"type": "bearer"}}),
            json!({"credential": {"type": "bearer", "token": "t", "more": 1}}),
            json!({"credential": {"token": "t"}}),
            json!({"credential": ["bearer", {"token": "t"}]}),
            json!({"credential": {"type": "oauth2", "token_url": "ftp://x", "client_id": "a", "client_secret": "b"}}),
            json!({"mtls": {"certificate": "x"}}),
            json!({"type": "bearer", "token": "t"}),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
        assert!(read(json!({"credential": null})).is_ok());
    }
}
