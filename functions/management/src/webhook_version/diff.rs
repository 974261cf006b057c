//! `GET /api/v1/inbound-webhooks/{id}/versions/{version}/diff`: shows what two versions differ in.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_webhook::{Auth, AuthType, InboundWebhook, Proof};
use hookport::vault::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};

use super::find;
use crate::api::Api;
use crate::caller::{Caller, InboundWebhookRead, Needs};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Ids, Params};
use crate::inbound_webhook::InboundWebhookView;
use crate::page::One;

/// What differs in any two versions, and is said by their numbers.
const EXPECTED: [&str; 2] = ["updated_at", "version"];
/// What stands for a secret.
const SECRET: &str = "(secret)";
/// What stands for the one that replaced it.
const ANOTHER: &str = "(another secret)";

/// Against which version a version is held.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DiffQuery {
    /// The number of the other version; by default the one before.
    #[param(minimum = 1)]
    against: Option<u64>,
}

/// What two versions differ in.
#[derive(Serialize, ToSchema)]
pub(crate) struct DiffView {
    /// The number of the version that `before` is of.
    from: u64,
    /// The number of the version that `after` is of.
    to: u64,
    /// The differences, but for the number and the time of the versions, in the order of their paths.
    changes: Vec<ChangeView>,
}

/// One member that is not the same in two versions.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ChangeView {
    /// Where it is.
    #[schema(example = "rate_limit.requests")]
    path: String,
    /// Its value in the one; null where it is not there. A secret is never shown, only that there is one.
    before: Value,
    /// Its value in the other.
    after: Value,
}

/// Shows what two versions of an inbound webhook differ in, as the API shows them.
#[utoipa::path(
    get,
    path = "/api/v1/inbound-webhooks/{id}/versions/{version}/diff",
    operation_id = "diffInboundWebhookVersions",
    tag = "inbound-webhooks",
    security(("bearer" = [InboundWebhookRead::PERMISSION])),
    params(
        ("id" = String, Path, description = "The webhook's id: `inw_…`."),
        ("version" = u64, Path, description = "The number of the version, from 1."),
        DiffQuery,
    ),
    responses(
        (status = 200, description = "The differences.", body = One<DiffView>),
        (
            status = 400,
            description = "`invalid_id`: not an id of an inbound webhook and a number. `invalid_request`: a parameter \
                is wrong.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`inbound_webhook_not_found`: no inbound webhook of the tenant has this id. \
                `webhook_version_not_found`: it has not both versions; nothing is before the first.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn diff(
    State(api): State<Api>,
    caller: Caller<InboundWebhookRead>,
    Ids((id, to)): Ids<(InboundWebhookId, u64)>,
    Params(query): Params<DiffQuery>,
) -> Result<Json<One<DiffView>>> {
    let from = query.against.unwrap_or(to.saturating_sub(1));
    let after = find(&api, caller.tenant(), id, to).await?;
    let before = find(&api, caller.tenant(), id, from).await?;
    let mut changes = secret_changes(&before.auth, &after.auth);
    compare("", &shown(&api, before)?, &shown(&api, after)?, &mut changes);
    changes.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(Json(One { data: DiffView { from, to, changes } }))
}

/// A version as the API shows it, with its keys by their ids, and without what is expected to differ.
fn shown(api: &Api, version: InboundWebhook) -> Result<Value> {
    let keys = version.keys().iter().map(|key| (key.id.to_string(), json!({"expires_at": key.expires_at})));
    let keys: Map<String, Value> = keys.collect();
    let view = InboundWebhookView::new(version, api, None);
    let mut view = serde_json::to_value(view).map_err(|error| Error::Internal(error.into()))?;
    if let Some(members) = view.as_object_mut() {
        members.retain(|name, _| !EXPECTED.contains(&name.as_str()));
        members.insert("webhook_keys".to_owned(), keys.into());
    }
    Ok(view)
}

/// Adds what differs at and below `path`. Lists of one length are compared item by item, others as a whole.
fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<ChangeView>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let value = |members: &Map<String, Value>| members.get(name).cloned().unwrap_or_default();
                compare(&path, &value(before), &value(after), changes);
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (n, (before, after)) in before.iter().zip(after).enumerate() {
                compare(&format!("{path}[{n}]"), before, after, changes);
            }
        }
        (before, after) if before == after => {}
        (before, after) => {
            changes.push(ChangeView { path: path.to_owned(), before: before.clone(), after: after.clone() });
        }
    }
}

/// Says which secrets came, went and were replaced. One that was set anew counts as replaced, whatever it is.
fn secret_changes(before: &Auth, after: &Auth) -> Vec<ChangeView> {
    let (before, after) = (secrets(before), secrets(after));
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changes = paths.into_iter().filter_map(|path| {
        let (before, after) = match (before.get(path), after.get(path)) {
            (Some(before), Some(after)) if before == after => return None,
            (Some(_), Some(_)) => (SECRET.into(), ANOTHER.into()),
            (Some(_), None) => (SECRET.into(), Value::Null),
            (None, _) => (Value::Null, SECRET.into()),
        };
        Some(ChangeView { path: path.clone(), before, after })
    });
    changes.collect()
}

/// The secrets of a configuration, by where a caller writes them.
fn secrets(auth: &Auth) -> BTreeMap<String, &Sealed> {
    let is_one_of_several = auth.kind() == AuthType::All;
    let found = auth.proofs.iter().enumerate().filter_map(|(n, proof)| {
        let (member, sealed) = secret(proof)?;
        // The allow-list, if there is one, is the first of several.
        let n = n + usize::from(auth.allowed_ips.is_some());
        let at = if is_one_of_several { format!("auth_config.of[{n}]") } else { "auth_config".to_owned() };
        Some((format!("{at}.{member}"), sealed))
    });
    found.collect()
}

/// The secret of a proof, and the member that a caller writes it in.
fn secret(proof: &Proof) -> Option<(&'static str, &Sealed)> {
    let member = match proof {
        Proof::Hmac(_) | Proof::Scheme(_) => "secret",
        Proof::Bearer { .. } | Proof::QueryKey { .. } => "token",
        Proof::Basic { .. } => "password",
        Proof::HeaderKey { .. } => "key",
        Proof::Jwt(_) => return None,
    };
    Some((member, &proof.secret()?.current))
}

#[cfg(test)]
mod tests {
    use hookport::domain::inbound_webhook::Secrets;

    use super::*;

    fn differences(before: &Value, after: &Value) -> Vec<(String, Value, Value)> {
        let mut changes = Vec::new();
        compare("", before, after, &mut changes);
        changes.into_iter().map(|change| (change.path, change.before, change.after)).collect()
    }

    #[test]
    fn differences_are_named_by_their_paths() {
        let before = json!({"a": 1, "b": {"c": "x", "d": [1, 2]}, "e": [{"f": 1}], "g": true});
        let after = json!({"a": 1, "b": {"c": "y", "d": [1]}, "e": [{"f": 2}], "h": null, "i": 3});
        let expected = [
            ("b.c".to_owned(), json!("x"), json!("y")),
            ("b.d".to_owned(), json!([1, 2]), json!([1])),
            ("e[0].f".to_owned(), json!(1), json!(2)),
            ("g".to_owned(), json!(true), json!(null)),
            ("i".to_owned(), json!(null), json!(3)),
        ];
        assert_eq!(differences(&before, &after), expected);
        assert!(differences(&after, &after).is_empty());
    }

    fn sealed(text: &str) -> Secrets {
        Secrets::new(serde_json::from_value(json!(text)).expect("a text"))
    }

    #[test]
    fn a_secret_is_never_shown() {
        let bearer = |text: &str| Proof::Bearer { secret: sealed(text) };
        let basic = |text: &str| Proof::Basic { username: "u".to_owned(), secret: sealed(text) };
        let auth = |proofs| Auth { allowed_ips: None, proofs };
        let two = auth(vec![bearer("k1.one"), basic("k1.two")]);
        let other = auth(vec![bearer("k1.one"), basic("k1.three")]);
        let one = auth(vec![bearer("k1.one")]);
        let change = |path: &str, before: Value, after: Value| ChangeView { path: path.to_owned(), before, after };
        assert!(secret_changes(&two, &two).is_empty());
        let replaced = change("auth_config.of[1].password", json!(SECRET), json!(ANOTHER));
        assert_eq!(secret_changes(&two, &other), [replaced]);
        let moved = [
            change("auth_config.of[0].token", json!(SECRET), json!(null)),
            change("auth_config.of[1].password", json!(SECRET), json!(null)),
            change("auth_config.token", json!(null), json!(SECRET)),
        ];
        assert_eq!(secret_changes(&two, &one), moved);
    }
}
