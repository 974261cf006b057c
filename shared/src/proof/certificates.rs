//! The certificates that requests name, fetched through the egress service and remembered.
//!
//! Which hosts may be named is the row's to say ([`crate::scheme::key::Hosts`]); the path is whatever a stranger wrote, so
//! tries that fail are counted for all of them together.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::cache::Cache;
use crate::domain::target_url::TargetUrl;
use crate::egress::{self, Egress, OutgoingRequest, Timeouts};

/// The most certificates that are remembered.
const REMEMBERED: usize = 100;
/// For how long a certificate is remembered. Providers give a new one a new URL.
const LIFE: SignedDuration = SignedDuration::from_hours(24);
/// The longest that a request waits for one.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest document that is read, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// How many tries may fail within [`FAILURE_WINDOW`].
const MOST_FAILURES: u32 = 10;
/// The time in which failures are counted.
const FAILURE_WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// The certificates of many URLs.
pub struct Certificates {
    egress: Egress,
    known: Cache<String, Bytes>,
    failures: Mutex<Failures>,
}

/// How many tries failed since when.
#[derive(Default)]
struct Failures {
    since: Option<Timestamp>,
    count: u32,
}

impl Certificates {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(egress: &Egress) -> Self {
        let failures = Mutex::default();
        Self { egress: egress.keeping(MAX_BYTES), known: Cache::new(REMEMBERED, LIFE), failures }
    }

    /// The document at `url`; `None` when it cannot be had.
    #[tracing::instrument(skip_all, fields(host = url.host_str()))]
    pub async fn get(&self, url: &Url, now: Timestamp) -> Option<Bytes> {
        let name = url.as_str().to_owned();
        if let Some(known) = self.known.get(&name, now) {
            return Some(known);
        }
        if !self.may_try(now) {
            return None;
        }
        match fetch(&self.egress, &name).await {
            Ok(document) => {
                self.known.put(name, document.clone(), now);
                Some(document)
            }
            Err(why) => {
                tracing::warn!(why, "certificate.unavailable");
                self.failed();
                None
            }
        }
    }

    fn may_try(&self, now: Timestamp) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.since.is_none_or(|since| now.duration_since(since) >= FAILURE_WINDOW) {
            *failures = Failures { since: Some(now), count: 0 };
        }
        failures.count < MOST_FAILURES
    }

    fn failed(&self) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).count += 1;
    }
}

/// Fetches the document, or says by a stable code why there is none.
async fn fetch(egress: &Egress, url: &str) -> Result<Bytes, &'static str> {
    let target = TargetUrl::parse(url, &egress.policy().urls()).map_err(|error| error.code())?;
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(USER_AGENT, HeaderValue::from_static(egress::AGENT));
    let request = OutgoingRequest {
        method: Method::GET,
        url: target,
        headers,
        body: Bytes::new(),
        timeouts: Some(Timeouts { total: FETCH_TIMEOUT, ..egress.policy().timeouts() }),
        max_response_bytes: None,
    };
    let answer = egress.send(request).await.map_err(|error| error.code())?;
    match answer.status {
        StatusCode::OK if !answer.truncated => Ok(answer.body),
        StatusCode::OK => Err("too_large"),
        _ => Err("not_ok"),
    }
}
