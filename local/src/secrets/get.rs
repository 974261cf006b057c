//! GetSecretValue and DescribeSecret.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::store::{self, Secret, Version};
use super::{CURRENT, State, epoch_seconds, find, parse};
use crate::answer::Answer;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    #[serde(default)]
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    #[serde(rename = "ARN")]
    arn: String,
    name: String,
    version_id: String,
    secret_string: String,
    version_stages: Vec<String>,
    created_date: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeSecret {
    #[serde(default)]
    secret_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    #[serde(rename = "ARN")]
    arn: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    created_date: f64,
    last_changed_date: f64,
    version_ids_to_stages: BTreeMap<String, Vec<String>>,
}

pub(super) fn get_secret_value(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let request: GetSecretValue = parse(body)?;
    let value = state.transact(|conn| {
        let secret = find(conn, &request.secret_id)?;
        let version = request.version(conn, &secret)?;
        let mut stages = store::stages(conn, &secret.name).map_err(Refusal::Store)?;
        Ok(SecretValue {
            arn: secret.arn,
            name: secret.name,
            secret_string: version.value,
            version_stages: stages.remove(&version.id).unwrap_or_default(),
            created_date: epoch_seconds(version.created_at),
            version_id: version.id,
        })
    })?;
    Ok(Answer::json(&value))
}

impl GetSecretValue {
    /// Finds the version that is asked for by id, by stage or by both.
    fn version(&self, conn: &Connection, secret: &Secret) -> Result<Version, Refusal> {
        let stage = self.version_stage.as_deref();
        let staged = |stage| store::staged(conn, &secret.name, stage).map_err(Refusal::Store);
        let id = match (&self.version_id, stage) {
            (Some(id), None) => id.clone(),
            (Some(id), Some(stage)) => {
                if staged(stage)?.as_ref() != Some(id) {
                    return Err(Refusal::InvalidRequest(
                        "You provided a VersionStage that is not associated to the provided VersionId.",
                    ));
                }
                id.clone()
            }
            (None, stage) => {
                let stage = stage.unwrap_or(CURRENT);
                staged(stage)?.ok_or_else(|| Refusal::ValueNotFound(format!("staging label: {stage}")))?
            }
        };
        store::version(conn, &secret.name, &id)
            .map_err(Refusal::Store)?
            .ok_or_else(|| Refusal::ValueNotFound(format!("VersionId: {id}")))
    }
}

pub(super) fn describe_secret(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let request: DescribeSecret = parse(body)?;
    let described = state.transact(|conn| {
        let secret = find(conn, &request.secret_id)?;
        Ok(Description {
            version_ids_to_stages: store::stages(conn, &secret.name).map_err(Refusal::Store)?,
            arn: secret.arn,
            name: secret.name,
            description: secret.description,
            created_date: epoch_seconds(secret.created_at),
            last_changed_date: epoch_seconds(secret.changed_at),
        })
    })?;
    Ok(Answer::json(&described))
}
