//! What of a secret goes over the wire, so that it can be found in what comes back.

use super::{Credential, SecretName, SecretText, TargetAuth, basic_authorization};

/// Shorter texts stand in too many answers by chance.
const MIN_CHARS: usize = 6;

impl TargetAuth {
    /// What a target that repeats a request would show of the secrets in it.
    #[must_use]
    pub fn traces(&self) -> Vec<SecretText> {
        let mut traces = Vec::new();
        for (name, secret) in self.secrets() {
            if !matches!(name, SecretName::SecretAccessKey | SecretName::PrivateKey) {
                traces.push(secret.clone());
            }
        }
        if let Some(Credential::Basic { username, password }) = &self.credential {
            let value = basic_authorization(username, password.expose());
            traces.extend(value.expose().split(' ').next_back().map(|encoded| SecretText::from(encoded.to_owned())));
        }
        traces.retain(|trace| trace.expose().len() >= MIN_CHARS);
        traces.dedup();
        traces
    }
}
