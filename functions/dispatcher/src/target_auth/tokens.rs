//! Access tokens: remembered by each instance until shortly before they end, and fetched by one at a time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hookport::app::App;
use hookport::cache::Cache;
use hookport::domain::id::SubscriptionId;
use hookport::domain::target_auth::{Granted, SecretText, TokenRefusal, TokenRequest, granted};
use hookport::domain::text::TenantSlug;
use hookport::egress::{self, ClientIdentity, OutgoingRequest, Timeouts};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method};
use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::failure::TokenFailure;
use super::{bearer, sensitive};

/// How long one fetch may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How many clients' tokens are remembered.
const REMEMBERED: usize = 2_000;
/// Longer than any token is used.
const LIFE: SignedDuration = SignedDuration::from_hours(24);

/// A subscription's authentication as it was at one time: another one never gets its tokens.
pub(super) type Key = (TenantSlug, SubscriptionId, u64);

/// Who wants a token.
pub(super) struct Client<'a> {
    pub(super) key: &'a Key,
    pub(super) grant: &'a TokenRequest,
    /// A token may be bound to the certificate that its client shows (RFC 8705).
    pub(super) identity: Option<&'a Arc<ClientIdentity>>,
}

/// An access token.
#[derive(Clone)]
pub(super) struct Token {
    /// Which fetch of the client's brought it.
    n: u64,
    pub(super) text: SecretText,
    /// The header that shows it.
    pub(super) authorization: HeaderValue,
    /// From when on it is not used any more.
    until: Timestamp,
    /// Whether it was fetched for the very attempt that it was given to.
    pub(super) is_fresh: bool,
}

/// Remembers tokens.
pub(crate) struct Tokens {
    slots: Cache<Key, Arc<Slot>>,
    /// Held while a slot is made, so that a client has one.
    making: Mutex<()>,
}

/// What is remembered of one client. Its state is held while a token is fetched.
#[derive(Default)]
struct Slot {
    /// How many fetches have failed.
    failures: AtomicU64,
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    fetches: u64,
    token: Option<Token>,
    failure: Option<TokenFailure>,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        Self { slots: Cache::new(REMEMBERED, LIFE), making: Mutex::default() }
    }

    /// A token of the client's, another one than that which was `refused`.
    pub(super) async fn token(
        &self,
        app: &App,
        client: &Client<'_>,
        refused: Option<&Token>,
    ) -> Result<Token, TokenFailure> {
        let slot = self.slot(client.key, app.clock.now());
        let failures = slot.failures.load(Ordering::Acquire);
        let mut state = slot.state.lock().await;
        let now = app.clock.now();
        let is_good = |token: &&Token| now < token.until && refused.is_none_or(|refused| refused.n != token.n);
        if let Some(token) = state.token.as_ref().filter(is_good) {
            return Ok(Token { is_fresh: false, ..token.clone() });
        }
        // Whoever waited for a fetch that failed shares its failure.
        if slot.failures.load(Ordering::Acquire) != failures
            && let Some(failure) = &state.failure
        {
            return Err(failure.clone());
        }
        state.token = None;
        match fetch(app, client).await {
            Ok(Fetched { text, authorization, life }) => {
                state.fetches += 1;
                let until = now.saturating_add(life).unwrap_or(Timestamp::MAX);
                let token = Token { n: state.fetches, text, authorization, until, is_fresh: true };
                state.token = Some(token.clone());
                info!(subscription.id = %client.key.1, life_s = life.as_secs(), "oauth2.token_fetched");
                Ok(token)
            }
            Err(failure) => {
                warn!(subscription.id = %client.key.1, why = %failure, "oauth2.no_token");
                state.failure = Some(failure.clone());
                slot.failures.fetch_add(1, Ordering::AcqRel);
                Err(failure)
            }
        }
    }

    /// Forgets a token that was refused, unless there is a newer one.
    pub(super) async fn forget(&self, client: &Client<'_>, refused: &Token, now: Timestamp) {
        let slot = self.slot(client.key, now);
        let mut state = slot.state.lock().await;
        if state.token.as_ref().is_some_and(|token| token.n == refused.n) {
            state.token = None;
        }
    }

    fn slot(&self, key: &Key, now: Timestamp) -> Arc<Slot> {
        // A panic in here leaves the cache as it was before or after.
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = self.slots.get(key, now) {
            return slot;
        }
        let slot = Arc::<Slot>::default();
        self.slots.put(key.clone(), Arc::clone(&slot), now);
        slot
    }
}

struct Fetched {
    text: SecretText,
    authorization: HeaderValue,
    life: SignedDuration,
}

async fn fetch(app: &App, client: &Client<'_>) -> Result<Fetched, TokenFailure> {
    let TokenRequest { url, authorization, form } = client.grant;
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(egress::AGENT));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    if let Some(value) = authorization {
        headers.extend(sensitive(value.expose()).map(|value| (AUTHORIZATION, value)));
    }
    let request = OutgoingRequest {
        method: Method::POST,
        url: url.clone(),
        headers,
        body: Bytes::copy_from_slice(form.expose().as_bytes()),
        timeouts: Some(Timeouts { head: FETCH_TIMEOUT, total: FETCH_TIMEOUT }),
        max_response_bytes: Some(MAX_ANSWER_BYTES),
        identity: client.identity.filter(|_| url.is_https()).cloned(),
    };
    let response = app.egress.send(request).await.map_err(|error| TokenFailure::unreached(&error))?;
    let Granted { token, life } = granted(response.status.as_u16(), &response.body)?;
    let authorization = bearer(&token).ok_or(TokenRefusal::NoToken)?;
    Ok(Fetched { text: token, authorization, life })
}
