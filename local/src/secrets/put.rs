//! PutSecretValue.

use rusqlite::Connection;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::store::{self, Version};
use super::{CURRENT, PREVIOUS, State, check_value, find, parse};
use crate::answer::Answer;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutSecretValue {
    #[serde(default)]
    secret_id: String,
    #[serde(default)]
    client_request_token: String,
    secret_string: Option<String>,
    secret_binary: Option<IgnoredAny>,
    version_stages: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    #[serde(rename = "ARN")]
    arn: String,
    name: String,
    version_id: String,
    version_stages: Vec<String>,
}

pub(super) fn put_secret_value(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let request: PutSecretValue = parse(body)?;
    check_value(&request.client_request_token, request.secret_string.as_deref(), request.secret_binary)?;
    let value = request
        .secret_string
        .ok_or(Refusal::InvalidRequest("You must provide either SecretString or SecretBinary."))?;
    let stages = request.version_stages.unwrap_or_else(|| vec![CURRENT.to_owned()]);
    if stages.is_empty() || stages.len() > 20 {
        return Err(Refusal::InvalidParameter("VersionStages must have 1 to 20 labels.".to_owned()));
    }

    let token = request.client_request_token;
    let now = state.now();
    let put = state.transact(|conn| {
        let secret = find(conn, &request.secret_id)?;
        let name = &secret.name;
        match store::version(conn, name, &token).map_err(Refusal::Store)? {
            // The same request again changes nothing, not even the stages, which may have moved on since.
            Some(version) if version.value == value => {}
            Some(_) => return Err(Refusal::TokenInUse(token, secret.name)),
            None => {
                let version = Version { id: token.clone(), value, created_at: now };
                store::insert_version(conn, name, &version).map_err(Refusal::Store)?;
                for stage in &stages {
                    move_stage(conn, name, stage, &token).map_err(Refusal::Store)?;
                }
                store::set_changed_at(conn, name, now).map_err(Refusal::Store)?;
            }
        }
        let mut staged = store::stages(conn, name).map_err(Refusal::Store)?;
        Ok(Put {
            version_stages: staged.remove(&token).unwrap_or_default(),
            arn: secret.arn,
            name: secret.name,
            version_id: token,
        })
    })?;
    Ok(Answer::json(&put))
}

/// Moves a stage to `version`; what was current becomes the previous one.
fn move_stage(conn: &Connection, secret: &str, stage: &str, version: &str) -> rusqlite::Result<()> {
    if stage == CURRENT
        && let Some(current) = store::staged(conn, secret, CURRENT)?
    {
        store::set_stage(conn, secret, PREVIOUS, &current)?;
    }
    store::set_stage(conn, secret, stage, version)
}
