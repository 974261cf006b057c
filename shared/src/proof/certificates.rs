//! The certificates that requests name, fetched through the egress service and remembered.
//!
//! Which URLs may be named is the row's to say ([`crate::scheme::key::Certificate`]); the rest is whatever a stranger wrote,
//! so fetches are counted for each webhook, and one is made at a time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::cache::Cache;
use crate::domain::target_url::TargetUrl;
use crate::egress::Egress;

/// The most certificates that are remembered.
const REMEMBERED: usize = 100;
/// For how long a certificate is remembered. Providers give a new one a new URL.
const LIFE: SignedDuration = SignedDuration::from_hours(24);
/// The longest that a request waits for one.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest document that is read, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// How many fetches are made for one webhook within [`WINDOW`].
const MOST_FETCHES: u32 = 10;
/// How many webhooks have fetches made for them within [`WINDOW`].
const MOST_PAYERS: usize = 1_000;
/// The time in which fetches are counted.
const WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// A certificate cannot be had now; it may be later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate cannot be fetched now: {0}")]
pub struct CertificateError(&'static str);

/// The certificates of many URLs.
pub struct Certificates {
    egress: Egress,
    /// `None`: there is nothing at the URL.
    known: Cache<String, Option<Bytes>>,
    budgets: Mutex<HashMap<String, Budget>>,
    /// Held by the one that fetches: whoever comes next finds what was fetched.
    turn: tokio::sync::Mutex<()>,
}

/// How many fetches were made since when.
#[derive(Clone, Copy)]
struct Budget {
    since: Timestamp,
    spent: u32,
}

impl Certificates {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(egress: &Egress) -> Self {
        let (known, turn) = (Cache::new(REMEMBERED, LIFE), tokio::sync::Mutex::new(()));
        Self { egress: egress.keeping(MAX_BYTES), known, budgets: Mutex::default(), turn }
    }

    /// The document at `url`, for the webhook that is called `payer`; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be had now: it did not come, or the webhook's senders asked for too many.
    #[tracing::instrument(skip_all, fields(host = url.host_str()))]
    pub async fn get(&self, url: &Url, payer: &str, now: Timestamp) -> Result<Option<Bytes>, CertificateError> {
        let name = url.as_str().to_owned();
        if let Some(known) = self.known.get(&name, now) {
            return Ok(known);
        }
        let _turn = self.turn.lock().await;
        if let Some(known) = self.known.get(&name, now) {
            return Ok(known);
        }
        if !self.pays(payer, now) {
            return Err(CertificateError("too_many"));
        }
        let fetched = fetch(&self.egress, &name).await;
        match fetched {
            Ok(document) => {
                self.known.put(name, document.clone(), now);
                Ok(document)
            }
            Err(why) => {
                tracing::warn!(why, "certificate.unavailable");
                Err(CertificateError(why))
            }
        }
    }

    /// Spends one fetch of a webhook's budget, if there is one left.
    fn pays(&self, payer: &str, now: Timestamp) -> bool {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        budgets.retain(|_, budget| now.duration_since(budget.since) < WINDOW);
        if budgets.len() >= MOST_PAYERS && !budgets.contains_key(payer) {
            return false;
        }
        let budget = budgets.entry(payer.to_owned()).or_insert(Budget { since: now, spent: 0 });
        budget.spent += 1;
        budget.spent <= MOST_FETCHES
    }
}

/// Fetches the document, or says by a stable code why it did not come; `None`: there is none.
async fn fetch(egress: &Egress, url: &str) -> Result<Option<Bytes>, &'static str> {
    let target = TargetUrl::parse(url, &egress.policy().urls()).map_err(|error| error.code())?;
    let answer = egress.get(target, HeaderMap::new(), FETCH_TIMEOUT).await.map_err(|error| error.code())?;
    match answer.status {
        StatusCode::OK if !answer.truncated => Ok(Some(answer.body)),
        StatusCode::OK => Ok(None),
        status if status.is_client_error() => Ok(None),
        _ => Err("not_ok"),
    }
}
