//! One secret in Secrets Manager.

use aws_sdk_secretsmanager::Client;
use secrecy::SecretString;

use super::clients::AwsClients;
use super::{Source, code_of};

/// The secret could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the secret is not available ({code})")]
pub struct SecretError {
    /// The service's own code.
    pub code: String,
    /// The cause.
    #[source]
    pub source: Source,
}

/// One secret, read by its name or ARN.
#[derive(Clone, Debug)]
pub struct SecretStore {
    client: Client,
    id: String,
}

impl SecretStore {
    /// The secret called `id`.
    #[must_use]
    pub fn new(clients: &AwsClients, id: &str) -> Self {
        Self { client: clients.secrets.clone(), id: id.to_owned() }
    }

    /// Reads the current version.
    ///
    /// # Errors
    /// When it cannot be read or is not text.
    pub async fn get(&self) -> Result<SecretString, SecretError> {
        match self.client.get_secret_value().secret_id(&self.id).send().await {
            Ok(answer) => answer.secret_string.map(SecretString::from).ok_or_else(|| SecretError {
                code: "not_text".to_owned(),
                source: "the secret holds bytes, not text".into(),
            }),
            Err(error) => Err(SecretError { code: code_of(&error), source: error.into() }),
        }
    }
}
