//! The keys that issuers of signed tokens publish (JWKS, RFC 7517), fetched through the egress service and remembered.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::OwnedMutexGuard;
use url::Url;

use crate::domain::target_url::TargetUrl;
use crate::egress::Egress;

/// The most keys of one set that are looked at.
const MAX_KEYS: usize = 50;
/// The most URLs whose keys are remembered.
const MAX_URLS: usize = 1_000;
/// The longest that a request waits for keys.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// How long keys are used before they are fetched again.
const FRESH_FOR: SignedDuration = SignedDuration::from_mins(10);
/// How long keys are used when they cannot be fetched again.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How long after a try that failed there is none.
const PAUSE_AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(30);
/// How long after any try there is none for an unknown key: anybody can name one.
const PAUSE_FOR_UNKNOWN_KEY: SignedDuration = SignedDuration::from_mins(1);

const KEY_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json, application/json");

/// The usable keys that are published at one URL.
pub struct KeySet {
    url: String,
    keys: Vec<Key>,
}

struct Key {
    kid: Option<String>,
    /// What it may be used with, by its own kind and not by what a token says.
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl KeySet {
    /// Reads the document that was found at `url`; `None` when it is not a set of keys.
    ///
    /// Keys of unknown kinds, keys that are not for signatures and secret keys are left out.
    #[must_use]
    pub fn parse(url: &str, json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_slice(json).ok()?;
        let keys = document.keys.into_iter().take(MAX_KEYS).filter_map(Key::usable).collect();
        Some(Self { url: url.to_owned(), keys })
    }

    /// Where the keys are published.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Tells whether there is a key of this id.
    #[must_use]
    pub fn knows(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// Finds the key of a token; one that names none can only be signed by the only one there is.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&DecodingKey> {
        let fits = |key: &&Key| key.algorithms.contains(&algorithm);
        let found = match (kid, self.keys.as_slice()) {
            (Some(kid), keys) => keys.iter().filter(fits).find(|key| key.kid.as_deref() == Some(kid)),
            (None, [only]) => Some(only).filter(fits),
            (None, _) => None,
        };
        found.map(|key| &key.key)
    }
}

impl Key {
    fn usable(jwk: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk).ok()?;
        let algorithms = algorithms_of(&jwk);
        let key = DecodingKey::from_jwk(&jwk).ok().filter(|_| !algorithms.is_empty())?;
        Some(Self { kid: jwk.common.key_id, algorithms, key })
    }
}

/// The algorithms that a key may be used with: those of its kind, or the one of them that it names.
fn algorithms_of(jwk: &Jwk) -> Vec<Algorithm> {
    let common = &jwk.common;
    let is_for_signatures = common.public_key_use.as_ref().is_none_or(|to| *to == PublicKeyUse::Signature)
        && common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    if !is_for_signatures {
        return Vec::new();
    }
    let of_its_kind: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(key) if length(&key.n).is_some_and(|bytes| bytes >= 256) => &[
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(key) => match (&key.curve, length(&key.x), length(&key.y)) {
            (EllipticCurve::P256, Some(32), Some(32)) => &[Algorithm::ES256],
            (EllipticCurve::P384, Some(48), Some(48)) => &[Algorithm::ES384],
            _ => &[],
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 && length(&key.x) == Some(32) => {
            &[Algorithm::EdDSA]
        }
        // What is published is no secret, so a symmetric key proves nothing.
        AlgorithmParameters::RSA(_) | AlgorithmParameters::OctetKeyPair(_) | AlgorithmParameters::OctetKey(_) => &[],
    };
    // A key may also name an algorithm of another trade, such as encryption; then nothing is left.
    match common.key_algorithm.map(|named| named.to_string().parse::<Algorithm>()) {
        None => of_its_kind.to_vec(),
        Some(named) => {
            of_its_kind.iter().copied().filter(|one| named.as_ref().is_ok_and(|named| named == one)).collect()
        }
    }
}

/// The length of a number in base64url, in bytes.
fn length(number: &str) -> Option<usize> {
    URL_SAFE_NO_PAD.decode(number).ok().map(|bytes| bytes.len())
}

/// The key sets of many URLs.
pub struct KeySets {
    egress: Egress,
    slots: Cache<String, Arc<Slot>>,
}

/// What belongs to one URL.
#[derive(Default)]
struct Slot {
    known: Mutex<Known>,
    /// Held by the one that fetches.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// What is known of one URL.
#[derive(Clone, Default)]
struct Known {
    /// The last keys found, and when.
    found: Option<(Arc<KeySet>, Timestamp)>,
    /// When they were last asked for, with or without success.
    tried_at: Option<Timestamp>,
}

impl Known {
    /// The keys that may be used at `now`.
    fn usable(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let (keys, at) = self.found.as_ref()?;
        (now.duration_since(*at) < KEPT_FOR).then(|| Arc::clone(keys))
    }

    fn is_worth_a_try(&self, kid: Option<&str>, now: Timestamp) -> bool {
        let pause = match self.found.as_ref().filter(|(_, at)| now.duration_since(*at) < FRESH_FOR) {
            Some((keys, _)) if kid.is_none_or(|kid| keys.knows(kid)) => return false,
            Some(_) => PAUSE_FOR_UNKNOWN_KEY,
            None => PAUSE_AFTER_FAILURE,
        };
        self.tried_at.is_none_or(|at| now.duration_since(at) >= pause)
    }
}

impl Slot {
    fn known(&self) -> Known {
        self.change(|known| known.clone())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        // A panic cannot leave half a change behind.
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeySets {
    /// Remembers nothing yet. Documents longer than what `egress` keeps of an answer are not read.
    #[must_use]
    pub fn new(egress: Egress) -> Self {
        Self { egress, slots: Cache::new(MAX_URLS) }
    }

    /// The keys that are published at `url`, fetched if they are not known, no longer fresh or without `kid_wanted`.
    ///
    /// Whoever comes while they are fetched waits, unless the key it wants is at hand. `None` when there are none: a
    /// failed fetch leaves the last keys in use for a day.
    #[tracing::instrument(skip_all)]
    pub async fn get(&self, url: &str, kid_wanted: Option<&str>, now: Timestamp) -> Option<Arc<KeySet>> {
        let Ok(slot) = self.slots.get_or_insert_with(url, || Ok::<_, Infallible>(Arc::<Slot>::default()));
        let known = slot.known();
        let at_hand = known.usable(now).filter(|keys| kid_wanted.is_none_or(|kid| keys.knows(kid)));
        let turn = match at_hand {
            Some(keys) if !known.is_worth_a_try(kid_wanted, now) => return Some(keys),
            Some(keys) => match Arc::clone(&slot.turn).try_lock_owned() {
                Ok(turn) => turn,
                Err(_) => return Some(keys),
            },
            None => Arc::clone(&slot.turn).lock_owned().await,
        };
        // Who has waited finds what the other one fetched.
        if slot.known().is_worth_a_try(kid_wanted, now) {
            // A task of its own: who asked may go away, and must not take the keys of those who wait along.
            let fetch = fetch_into(Arc::clone(&slot), turn, self.egress.clone(), url.to_owned(), now);
            if let Err(error) = tokio::spawn(fetch).await {
                tracing::error!(%error, "key_set.fetch_panicked");
            }
        }
        slot.known().usable(now)
    }
}

/// Fetches the keys of one URL and notes what came of it, before anybody else has a turn.
async fn fetch_into(slot: Arc<Slot>, _turn: OwnedMutexGuard<()>, egress: Egress, url: String, now: Timestamp) {
    let fetched = fetch(&egress, &url).await;
    if let Err(why) = &fetched {
        tracing::warn!(host = host(&url), why, "key_set.unavailable");
    }
    slot.change(|known| {
        known.tried_at = Some(now);
        if let Ok(keys) = fetched {
            known.found = Some((Arc::new(keys), now));
        }
    });
}

/// Fetches the document, or says by a stable code why there is none.
async fn fetch(egress: &Egress, url: &str) -> Result<KeySet, &'static str> {
    let target = TargetUrl::parse(url, &egress.policy().urls()).map_err(|error| error.code())?;
    let headers = HeaderMap::from_iter([(ACCEPT, KEY_SET)]);
    let answer = egress.get(target, headers, FETCH_TIMEOUT).await.map_err(|error| error.code())?;
    if answer.status != StatusCode::OK {
        return Err("not_ok");
    }
    if answer.truncated {
        return Err("too_large");
    }
    KeySet::parse(url, &answer.body).ok_or("not_a_key_set")
}

/// The host alone: the rest of a URL may be a credential.
fn host(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(str::to_owned)
}
