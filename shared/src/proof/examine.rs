//! Examining a request that was not taken: the signature doctor with a webhook's secrets opened.

use http::HeaderMap;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{Evidence, open_live, open_settings};
use crate::domain::inbound_webhook::{Auth, HmacProof, Proof, SignatureForm, TagEncoding};
use crate::scheme::Scheme;
use crate::scheme::catalogue::presets;
use crate::scheme::doctor::{Candidate, Case, Diagnosis, SecretOf, diagnose};
use crate::scheme::key::key_of_certificate;
use crate::scheme::settings::Settings;
use crate::vault::{Owner, Vault, VaultError};

/// A secret that a request may have been signed with instead, and whose it is.
pub type Other = (SecretString, SecretOf);

/// Says why a request does not prove itself to a webhook; `None` when nothing of what the webhook asks for can be
/// examined.
///
/// # Errors
/// When the keyring cannot be fetched.
pub async fn examine(
    auth: &Auth,
    vault: &Vault,
    owner: &Owner,
    evidence: &Evidence<'_>,
    others: &[Other],
) -> Result<Option<Diagnosis>, VaultError> {
    let found = auth.proofs.iter().find_map(|proof| Some((proof, scheme_of(proof, evidence.headers)?)));
    let Some((proof, scheme)) = found else { return Ok(None) };
    let now = evidence.now;
    let settings = match proof {
        Proof::Scheme(row) => open_settings(&row.settings, vault, owner, now).await?.unwrap_or_default(),
        _ => Settings::default(),
    };
    let own = own_secrets(proof, vault, owner, now).await?;
    let candidates = own.iter().map(|secret| Candidate { secret, of: SecretOf::Own });
    let candidates = candidates.chain(others.iter().map(|(secret, of)| Candidate { secret, of: of.clone() }));
    let certificate = evidence.certificate.and_then(|pem| key_of_certificate(pem, now.as_second()));
    let view = evidence.view();
    let case = Case {
        scheme: &scheme,
        request: *view.request(),
        secrets: &candidates.collect::<Vec<_>>(),
        settings: &settings,
        certificate: certificate.as_deref(),
        now,
    };
    Ok(Some(diagnose(&case, presets())))
}

/// The secrets of a webhook that are taken now, for those who ask whether another one's request is signed with them.
///
/// # Errors
/// When the keyring cannot be fetched.
pub async fn secrets_of(
    auth: &Auth,
    vault: &Vault,
    owner: &Owner,
    now: Timestamp,
) -> Result<Vec<SecretString>, VaultError> {
    let mut all = Vec::new();
    for proof in &auth.proofs {
        all.extend(own_secrets(proof, vault, owner, now).await?);
    }
    Ok(all)
}

async fn own_secrets(
    proof: &Proof,
    vault: &Vault,
    owner: &Owner,
    now: Timestamp,
) -> Result<Vec<SecretString>, VaultError> {
    let Some(secrets) = proof.secret() else { return Ok(Vec::new()) };
    let Some(live) = open_live(secrets, vault, owner, now).await? else { return Ok(Vec::new()) };
    let shown = |secret: &SecretString| match proof {
        // A password is compared together with its user's name.
        Proof::Basic { username, .. } => SecretString::from(format!("{username}:{}", secret.expose_secret())),
        _ => secret.clone(),
    };
    Ok(live.at(now).map(shown).collect())
}

/// A proof as a row; `None` for tokens by published keys, which no shared secret explains.
fn scheme_of(proof: &Proof, headers: &HeaderMap) -> Option<Scheme> {
    let row = match proof {
        Proof::Scheme(row) => return Some(row.scheme.clone()),
        Proof::Hmac(hmac) => row_of_hmac(hmac, headers),
        Proof::Bearer { .. } => json!({"type": "token", "in": {"header": "authorization", "strip": "Bearer "}}),
        Proof::Basic { .. } => json!({"type": "token", "in": {"basic": true}}),
        Proof::HeaderKey { header, .. } => json!({"type": "token", "in": {"header": header}}),
        Proof::QueryKey { param, .. } => json!({"type": "token", "in": {"query": param}}),
        Proof::Jwt(_) => return None,
    };
    serde_json::from_value(row).ok()
}

fn row_of_hmac(hmac: &HmacProof, headers: &HeaderMap) -> serde_json::Value {
    let name = hmac.algorithm.as_str();
    let mut row = json!({
        "type": "signature",
        "algorithm": format!("hmac-{name}"),
        "encoding": match hmac.encoding { TagEncoding::Hex => "hex", TagEncoding::Base64 => "base64" },
        "signature": {"header": hmac.headers},
        "signed": "{body}",
    });
    match hmac.form {
        SignatureForm::Body => {
            // The name of the algorithm may stand before the tag.
            let present = hmac.headers.iter().find_map(|header| headers.get(header)?.to_str().ok());
            let prefix = format!("{name}=");
            if present.is_some_and(|value| value.trim().starts_with(&prefix)) {
                row["signature"]["strip"] = prefix.into();
            }
        }
        SignatureForm::Timestamped { tolerance_s } => {
            let list = |part: &str| json!({"header": hmac.headers, "split": ",", "equals": "=", "part": part});
            row["signature"] = list("v1");
            row["timestamp"] = list("t");
            row["timestamp"]["format"] = "seconds".into();
            row["timestamp"]["tolerance_seconds"] = tolerance_s.into();
            row["signed"] = "{timestamp}.{body}".into();
        }
    }
    row
}
