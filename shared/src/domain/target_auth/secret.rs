//! Texts that must not be seen.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::domain::static_headers::HIDDEN;

/// A text that is written as `(hidden)` wherever it is shown, logged or serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// What stands in place of a secret.
    #[must_use]
    pub fn hidden() -> Self {
        Self::from(HIDDEN.to_owned())
    }

    /// The text itself, to be sent or sealed.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Tells whether it only stands in place of a secret.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.expose() == HIDDEN
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Which secret of a target's authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretName {
    /// The password of a user.
    Password,
    /// A token that does not change.
    Token,
    /// An API key.
    Value,
    /// What a client of OAuth 2.0 shows to get tokens.
    ClientSecret,
    /// What requests are signed with.
    SecretAccessKey,
    /// The token of temporary credentials.
    SessionToken,
    /// The key of a client certificate.
    PrivateKey,
}

impl SecretName {
    /// The member that holds it.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Password => "credential.password",
            Self::Token => "credential.token",
            Self::Value => "credential.value",
            Self::ClientSecret => "credential.client_secret",
            Self::SecretAccessKey => "credential.secret_access_key",
            Self::SessionToken => "credential.session_token",
            Self::PrivateKey => "mtls.private_key",
        }
    }
}
