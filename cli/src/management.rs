//! The management API as commands call it: one request, one answer, errors in the API's own words.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// The longest that one call may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the gateway is when nothing else is said.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// Which gateway to call, and as whom.
#[derive(clap::Args)]
pub struct Connection {
    /// What the URLs of the gateway start with.
    #[arg(long, value_name = "URL", default_value = DEFAULT_URL)]
    pub url: String,
    /// An API token. Other users of the machine can see it in the list of processes: --token-file hides it.
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file", required_unless_present = "token_file")]
    pub token: Option<String>,
    /// A file that holds the API token and nothing else.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// The management API of one gateway, called with one token.
pub struct Management {
    base: String,
    authorization: HeaderValue,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// An answer of the API.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body; null when it is empty.
    pub body: Value,
}

impl Answer {
    /// The stable code of a refusal.
    pub fn code(&self) -> Option<&str> {
        self.body.pointer("/error/code")?.as_str()
    }

    /// What is in `data`, or the refusal as an error.
    pub fn data(mut self) -> anyhow::Result<Value> {
        if self.status.is_success() {
            return Ok(self.body["data"].take());
        }
        match self.body.pointer("/error/message").and_then(Value::as_str) {
            Some(message) => bail!("{message}"),
            None => bail!("the gateway answered {}", self.status),
        }
    }
}

impl Management {
    /// Makes the client. Nothing is sent yet.
    pub fn new(connection: &Connection) -> anyhow::Result<Self> {
        let token = match (&connection.token, &connection.token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(file)) => {
                std::fs::read_to_string(file).with_context(|| format!("reading {} failed", file.display()))?
            }
            (None, None) => bail!("give a token: --token or --token-file"),
        };
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.trim()))
            .context("the token has characters that no token has")?;
        authorization.set_sensitive(true);
        let uri: http::Uri = connection.url.parse().context("--url is not a URL")?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if uri.scheme_str() != Some("https") && !is_here {
            bail!("--url must be https: over http anybody on the way could read the token");
        }
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { base: connection.url.trim_end_matches('/').to_owned(), authorization, client })
    }

    /// Gets what is at a path.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.call(Method::GET, path, None).await
    }

    /// Sends JSON to a path.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.call(method, path, Some(body)).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let url = format!("{}{path}", self.base);
        let what = format!("{method} {url}");
        let mut request = Request::builder().method(method).uri(&url).header(AUTHORIZATION, &self.authorization);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(Full::new(body)).with_context(|| format!("{url} is not a URL"))?;
        let answered = async {
            let (head, body) = self.client.request(request).await?.into_parts();
            anyhow::Ok((head.status, body.collect().await?.to_bytes()))
        };
        let answered = tokio::time::timeout(PATIENCE, answered).await;
        let (status, body) = answered
            .with_context(|| format!("{what}: no answer in time"))?
            .with_context(|| format!("{what} failed"))?;
        if body.is_empty() {
            return Ok(Answer { status, body: Value::Null });
        }
        let body = serde_json::from_slice(&body).with_context(|| format!("{what}: the answer is not JSON"))?;
        Ok(Answer { status, body })
    }
}
