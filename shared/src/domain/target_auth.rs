//! How the gateway shows a target who is asking: as its owner writes it, and as it is stored with its secrets sealed.
//!
//! One credential and a client certificate at most: each stands in another place of a request. Secrets never leave by
//! serialising, which writes `(hidden)` in their place; they are sealed and opened by name.

mod grant;
mod rules;
mod secret;
mod stored;
mod traces;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::grant::{Granted, TokenRefusal, TokenRequest, basic_authorization, granted};
pub use self::rules::{TargetAuthError, Written};
pub use self::secret::{SecretName, SecretText};
pub use self::stored::{StoredAuth, StoredAuthError};
use super::target_url::TargetUrl;

/// How the gateway shows a target who is asking.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetAuth {
    /// What stands in each request.
    pub credential: Option<Credential>,
    /// What the TLS handshake shows.
    pub mtls: Option<ClientCertificate>,
}

/// What stands in each request to a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Credential {
    /// `Authorization: Basic …` with a user name and a password.
    Basic {
        /// The user's name. It is shown.
        #[schema(min_length = 1, max_length = 255, pattern = "^[ -9;-~]+$")]
        username: String,
        /// The password, which may be empty. Shown as `(hidden)`; sent back like that, it stays as it is.
        #[schema(value_type = String, max_length = 1024, pattern = "^[ -~]*$")]
        password: SecretText,
    },
    /// `Authorization: Bearer …` with a token that does not change.
    Bearer {
        /// The token. Shown as `(hidden)`; sent back like that, it stays as it is.
        #[schema(value_type = String, min_length = 1, max_length = 4096, pattern = "^[!-~]+$")]
        token: SecretText,
    },
    /// A key in a header or in the query of the URL.
    ApiKey {
        /// Where the key stands.
        #[serde(rename = "in")]
        #[schema(inline)]
        place: KeyPlace,
        /// The name of the header, which must not be one that the gateway writes, or of the query parameter.
        #[schema(min_length = 1, max_length = 64, pattern = "^[!-~]+$", example = "X-Api-Key")]
        name: String,
        /// The key. Shown as `(hidden)`; sent back like that, it stays as it is.
        #[schema(value_type = String, min_length = 1, max_length = 1024)]
        value: SecretText,
    },
    /// `Authorization: Bearer …` with a token that the gateway gets by the client credentials grant of OAuth 2.0.
    Oauth2 {
        /// Where tokens are granted: `https`, and no address of a private network.
        #[schema(value_type = String, format = "uri", min_length = 8, max_length = 1024)]
        token_url: Box<TargetUrl>,
        /// The client's id. It is shown.
        #[schema(min_length = 1, max_length = 255, pattern = "^[ -~]+$")]
        client_id: String,
        /// The client's secret. Shown as `(hidden)`; sent back like that, it stays as it is.
        #[schema(value_type = String, min_length = 1, max_length = 1024, pattern = "^[ -~]+$")]
        client_secret: SecretText,
        /// What is asked for.
        #[serde(default)]
        #[schema(max_items = 20)]
        scopes: Vec<String>,
        /// For whom the token is to be, where the server wants to know.
        #[serde(default)]
        #[schema(min_length = 1, max_length = 1024, pattern = "^[ -~]+$")]
        audience: Option<String>,
        /// How the client shows itself to the server.
        #[serde(default)]
        #[schema(inline)]
        auth_style: ClientAuthStyle,
        /// At most 10 parameters beside the standard's. They are shown: no place for secrets.
        #[serde(default)]
        params: BTreeMap<String, String>,
    },
    /// A signature by AWS Signature Version 4 over the whole request.
    AwsSigv4 {
        /// The region of the service, such as `eu-central-1`.
        #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9-]+$")]
        region: String,
        /// The service's name for signing, such as `execute-api` or `lambda`.
        #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9-]+$")]
        service: String,
        /// The id of the access key. It is shown.
        #[schema(min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9]+$")]
        access_key_id: String,
        /// The secret access key. Shown as `(hidden)`; sent back like that, it stays as it is.
        #[schema(value_type = String, min_length = 1, max_length = 256, pattern = "^[!-~]+$")]
        secret_access_key: SecretText,
        /// The session token of temporary credentials. Shown as `(hidden)`; sent back like that, it stays as it is.
        #[serde(default)]
        #[schema(value_type = Option<String>, min_length = 1, max_length = 4096, pattern = "^[!-~]+$")]
        session_token: Option<SecretText>,
    },
}

/// Where an API key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyPlace {
    /// In a header.
    Header,
    /// In the query of the URL.
    Query,
}

/// How a client shows itself to the server that grants tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthStyle {
    /// By `Authorization: Basic …`.
    #[default]
    Basic,
    /// By `client_id` and `client_secret` in the body.
    Body,
}

/// The certificate that the gateway shows in the TLS handshake, and its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// The certificate in PEM, and those between it and its authority behind it. It is shown.
    #[schema(min_length = 1, max_length = 16384)]
    pub certificate: String,
    /// Its private key in PEM: PKCS#8, SEC 1 or PKCS#1, not encrypted. Shown as `(hidden)`; sent back like that, it
    /// stays as it is.
    #[schema(value_type = String, min_length = 1, max_length = 8192)]
    pub private_key: SecretText,
}

/// The secrets of a [`TargetAuth`] with their names, borrowed as it is.
macro_rules! secrets_of {
    ($auth:expr, $($mutable:tt)?) => {{
        let mut found = Vec::new();
        match & $($mutable)? $auth.credential {
            None => {}
            Some(Credential::Basic { password, .. }) => found.push((SecretName::Password, password)),
            Some(Credential::Bearer { token }) => found.push((SecretName::Token, token)),
            Some(Credential::ApiKey { value, .. }) => found.push((SecretName::Value, value)),
            Some(Credential::Oauth2 { client_secret, .. }) => found.push((SecretName::ClientSecret, client_secret)),
            Some(Credential::AwsSigv4 { secret_access_key, session_token, .. }) => {
                found.push((SecretName::SecretAccessKey, secret_access_key));
                if let Some(token) = session_token {
                    found.push((SecretName::SessionToken, token));
                }
            }
        }
        if let Some(mtls) = & $($mutable)? $auth.mtls {
            found.push((SecretName::PrivateKey, & $($mutable)? mtls.private_key));
        }
        found
    }};
}

impl TargetAuth {
    /// Its secrets, by name.
    #[must_use]
    pub fn secrets(&self) -> Vec<(SecretName, &SecretText)> {
        secrets_of!(self,)
    }

    fn secrets_mut(&mut self) -> Vec<(SecretName, &mut SecretText)> {
        secrets_of!(self, mut)
    }

    /// Tells whether a secret is to stay as it is.
    #[must_use]
    pub fn has_hidden(&self) -> bool {
        self.secrets().iter().any(|(_, secret)| secret.is_hidden())
    }

    /// The same with `(hidden)` in place of every secret.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        for (_, secret) in self.secrets_mut() {
            *secret = SecretText::hidden();
        }
        self
    }

    /// The same with each hidden secret as it was `before`, so that what was shown can be sent back.
    ///
    /// A secret stays only while it is used for what it was used for: else whoever may change a subscription
    /// could have it sent to a server of their own. `is_same_target` says that of the subscription's URL.
    ///
    /// # Errors
    /// When `before` has no such secret, or would have sent it elsewhere.
    pub fn restored(mut self, before: Option<&Self>, is_same_target: bool) -> Result<Self, TargetAuthError> {
        let is_same_use = before.is_some_and(|before| self.reach() == before.reach());
        let known: BTreeMap<SecretName, &SecretText> =
            before.map(Self::secrets).unwrap_or_default().into_iter().collect();
        for (name, secret) in self.secrets_mut() {
            if !secret.is_hidden() {
                continue;
            }
            let before = known.get(&name).ok_or(TargetAuthError::Hidden(name))?;
            // What signs only opens whatever it signs for, so it stays where it was as well.
            if !(is_same_target && is_same_use) {
                return Err(TargetAuthError::Moved(name));
            }
            *secret = (*before).clone();
        }
        Ok(self)
    }

    /// Where tokens are granted.
    #[must_use]
    pub fn token_url(&self) -> Option<&TargetUrl> {
        match &self.credential {
            Some(Credential::Oauth2 { token_url, .. }) => Some(token_url),
            _ => None,
        }
    }

    /// What its secrets can be used for, beside the subscription's own URL.
    fn reach(&self) -> Option<String> {
        match &self.credential {
            Some(Credential::Oauth2 { token_url, client_id, scopes, audience, params, .. }) => {
                Some(format!("{} {client_id} {scopes:?} {audience:?} {params:?}", token_url.origin()))
            }
            Some(Credential::AwsSigv4 { region, service, access_key_id, .. }) => {
                Some(format!("{region}/{service}/{access_key_id}"))
            }
            _ => None,
        }
    }
}
