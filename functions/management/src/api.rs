//! What every operation works with.

use std::sync::Arc;

use hookport::app::App;
use hookport::cache::{CONFIG_LIFE, Cache};
use hookport::domain::api_token::{ApiToken, SecretHash};
use secrecy::SecretString;

use crate::error::Result;

/// How many tokens are remembered at once.
const REMEMBERED_TOKENS: usize = 1_000;

/// The plumbing, and the tokens that were seen lately.
#[derive(Clone)]
pub(crate) struct Api {
    /// The plumbing.
    pub(crate) app: App,
    tokens: Arc<Cache<SecretHash, Option<Arc<ApiToken>>>>,
}

impl Api {
    pub(crate) fn new(app: App) -> Self {
        Self { app, tokens: Arc::new(Cache::new(REMEMBERED_TOKENS, CONFIG_LIFE)) }
    }

    /// Finds the token with this text. What is not there is remembered as well, so that guesses cost no reads.
    pub(crate) async fn token(&self, text: &SecretString) -> Result<Option<Arc<ApiToken>>> {
        let now = self.app.clock.now();
        let hash = SecretHash::of(text);
        if let Some(remembered) = self.tokens.get(&hash, now) {
            return Ok(remembered);
        }
        let found = self.app.store.token_by_hash(&hash).await?.map(Arc::new);
        self.tokens.put(hash, found.clone(), now);
        Ok(found)
    }
}
