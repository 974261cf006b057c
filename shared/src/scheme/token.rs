//! Tokens: a fixed text that a provider sends along with each request.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::algorithm::equal;
use super::place::Place;
use super::signature::Each;
use super::view::{Absent, View};
use crate::domain::refusal::Refusal;

/// A fixed text in the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Where it is.
    #[serde(rename = "in")]
    pub place: Place,
    /// A list in the body of which each element must hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Each>,
}

fn refusal(absent: Absent) -> Refusal {
    match absent {
        Absent::Missing => Refusal::CredentialMissing,
        Absent::Malformed => Refusal::CredentialMalformed,
    }
}

impl Token {
    /// Judges a request.
    ///
    /// # Errors
    /// When the text is not there, or is none of the secrets.
    pub fn judge(&self, view: &View<'_>, secrets: &[&SecretString]) -> Result<(), Refusal> {
        match &self.each {
            None => self.judge_one(view, secrets),
            Some(each) => {
                let elements = each.elements(view).map_err(refusal)?;
                let mut all = Ok(());
                for element in elements {
                    // Each is compared, so that the time does not tell which one was wrong.
                    all = all.and(self.judge_one(&view.at(element), secrets));
                }
                all
            }
        }
    }

    fn judge_one(&self, view: &View<'_>, secrets: &[&SecretString]) -> Result<(), Refusal> {
        let shown = self.place.text(view).map_err(refusal)?;
        let shown = Sha256::digest(shown.as_bytes());
        // An empty text would show knowledge of an empty secret.
        let secrets = secrets.iter().filter(|secret| !secret.expose_secret().is_empty());
        let is_known = secrets
            .fold(false, |known, secret| known | equal(&Sha256::digest(secret.expose_secret().as_bytes()), &shown));
        if is_known { Ok(()) } else { Err(Refusal::CredentialMismatch) }
    }
}
