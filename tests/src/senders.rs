//! Requests as real senders send them: the fixtures, signed.

use std::net::IpAddr;
use std::path::PathBuf;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use hookport::aws::lambda::SourceIp;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use sha2::Sha256;

/// A request of a real sender: headers and raw body.
#[derive(Clone, Debug)]
pub struct SenderRequest {
    /// The sender's own headers.
    pub headers: HeaderMap,
    /// The raw body.
    pub body: Bytes,
    /// Where it comes from, as the platform sees it.
    pub from: Option<IpAddr>,
}

/// The names of all fixtures.
pub const ALL: [&str; 7] = [
    "github-ping",
    "github-push",
    "github-pull_request",
    "stripe-payment-intent-succeeded",
    "slack-event-callback",
    "slack-slash-command",
    "shopify-orders-create",
];

impl SenderRequest {
    /// Reads a fixture.
    ///
    /// # Panics
    /// When there is no such fixture.
    #[must_use]
    pub fn fixture(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/senders");
        let lines = std::fs::read_to_string(folder.join(format!("{name}.headers"))).expect("a fixture's headers");
        let headers = lines.lines().filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        });
        let body = std::fs::read(folder.join(format!("{name}.body"))).expect("a fixture's body");
        Self { headers: headers.collect(), body: body.into(), from: None }
    }

    /// A JSON request that is no one's in particular.
    #[must_use]
    pub fn json(body: impl Into<Bytes>) -> Self {
        let headers = [(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        Self { headers: headers.into_iter().collect(), body: body.into(), from: None }
    }

    /// The same with another header.
    ///
    /// # Panics
    /// When name or value cannot be a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("a header's name");
        self.headers.insert(name, HeaderValue::try_from(value).expect("a header's value"));
        self
    }

    /// The same, signed as GitHub signs.
    #[must_use]
    pub fn signed(self, secret: &str) -> Self {
        let value = format!("sha256={}", hex::encode(hmac_sha256(secret, &self.body)));
        self.with("x-hub-signature-256", &value)
    }

    /// The same from this address.
    ///
    /// # Panics
    /// When the text is no address.
    #[must_use]
    pub fn from(self, address: &str) -> Self {
        Self { from: Some(address.parse().expect("an address")), ..self }
    }

    /// The request to `path`.
    ///
    /// # Panics
    /// When the path cannot be one.
    #[must_use]
    pub fn to(&self, path: &str) -> Request<Bytes> {
        let mut request = Request::post(path).body(self.body.clone()).expect("a request");
        *request.headers_mut() = self.headers.clone();
        if let Some(from) = self.from {
            request.extensions_mut().insert(SourceIp(from));
        }
        request
    }
}

/// The tag of `parts`, one after another, by any HMAC.
///
/// # Panics
/// Never: HMAC takes any key.
#[must_use]
pub fn tag<M: KeyInit + Mac>(secret: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).expect("any key");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// The HMAC-SHA256 tag of a body.
#[must_use]
pub fn hmac_sha256(secret: &str, body: &[u8]) -> Vec<u8> {
    tag::<Hmac<Sha256>>(secret, &[body])
}
