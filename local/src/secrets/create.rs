//! CreateSecret.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::store::{self, Secret, Version};
use super::{CURRENT, State, check_value, generate, parse};
use crate::answer::Answer;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateSecret {
    #[serde(default)]
    name: String,
    #[serde(default)]
    client_request_token: String,
    description: Option<String>,
    secret_string: Option<String>,
    secret_binary: Option<IgnoredAny>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    #[serde(rename = "ARN")]
    arn: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
}

pub(super) fn create_secret(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let request: CreateSecret = parse(body)?;
    check_name(&request.name)?;
    check_value(&request.client_request_token, request.secret_string.as_deref(), request.secret_binary)?;

    let name = request.name;
    let token = request.client_request_token;
    let now = state.now();
    let created = state.transact(|conn| {
        if let Some(existing) = store::secret(conn, &name).map_err(Refusal::Store)? {
            // The same request again has the same answer; any other one is too late.
            let version = store::version(conn, &name, &token).map_err(Refusal::Store)?;
            return match (version, &request.secret_string) {
                (Some(version), Some(value)) if version.value == *value => {
                    Ok(Created { arn: existing.arn, name, version_id: Some(version.id) })
                }
                (Some(_), _) => Err(Refusal::TokenInUse(token, name)),
                (None, _) => Err(Refusal::SecretExists(name)),
            };
        }
        let secret =
            Secret { arn: new_arn(&name)?, name, description: request.description, created_at: now, changed_at: now };
        store::insert_secret(conn, &secret).map_err(Refusal::Store)?;
        let version_id = match request.secret_string {
            None => None,
            Some(value) => {
                let version = Version { id: token, value, created_at: now };
                store::insert_version(conn, &secret.name, &version).map_err(Refusal::Store)?;
                store::set_stage(conn, &secret.name, CURRENT, &version.id).map_err(Refusal::Store)?;
                Some(version.id)
            }
        };
        Ok(Created { arn: secret.arn, name: secret.name, version_id })
    })?;
    Ok(Answer::json(&created))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte);
    if name.is_empty() || name.len() > 512 || !name.bytes().all(legal) {
        return Err(Refusal::InvalidParameter(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Gives a secret its ARN, whose last six characters tell it from an earlier secret of the same name.
fn new_arn(name: &str) -> Result<String, Refusal> {
    let suffix = generate::alphanumeric(6).map_err(Refusal::Random)?;
    Ok(format!("arn:aws:secretsmanager:us-east-1:000000000000:secret:{name}-{suffix}"))
}
