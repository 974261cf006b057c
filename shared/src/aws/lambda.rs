//! The Lambda side: events in, answers out. A function's `main.rs` calls one of the three runners.
//!
//! The shapes are those of the Lambda developer guide: HTTP API payload format 2.0, SQS events with partial batch
//! responses, and scheduled events, of which nothing is read.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

/// What a function ends with when it cannot go on.
pub type Error = lambda_runtime::Error;

/// The address that a request came from, as the platform saw it. An extension of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceIp(pub IpAddr);

/// Work must be over by this time, which leaves the platform some time before its own limit.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(pub Timestamp);

/// What is kept back from the platform's limit, for answers and logs.
const RESERVE: SignedDuration = SignedDuration::from_secs(3);

impl Deadline {
    fn of(context: &lambda_runtime::Context) -> Self {
        let limit = i64::try_from(context.deadline).unwrap_or(i64::MAX);
        let limit = Timestamp::from_millisecond(limit).unwrap_or(Timestamp::MAX);
        Self(limit.saturating_sub(RESERVE).unwrap_or(Timestamp::MIN))
    }
}

/// A message as a function receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Names the message in the answer.
    pub message_id: String,
    /// The text.
    pub body: String,
    /// How often it was received, this time included.
    pub receive_count: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpEvent {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    request_context: HttpContext,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct HttpContext {
    http: HttpDescription,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpDescription {
    method: String,
    #[serde(default)]
    source_ip: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HttpAnswer {
    status_code: u16,
    headers: BTreeMap<String, String>,
    body: String,
    is_base64_encoded: bool,
}

/// A request that the platform should not have passed on.
#[derive(Debug, thiserror::Error)]
#[error("the event is no usable HTTP request")]
struct Unusable;

impl HttpEvent {
    fn into_request(self) -> Result<Request<Bytes>, Unusable> {
        let target = match self.raw_query_string.as_str() {
            "" => self.raw_path,
            query => format!("{}?{query}", self.raw_path),
        };
        let body = match self.body {
            Some(text) if self.is_base64_encoded => STANDARD.decode(text).map_err(|_| Unusable)?,
            Some(text) => text.into_bytes(),
            None => Vec::new(),
        };
        let context = self.request_context.http;
        let builder = Request::builder().method(context.method.as_str()).uri(target);
        let mut request = builder.body(Bytes::from(body)).map_err(|_| Unusable)?;
        for (name, value) in self.headers {
            let name = HeaderName::try_from(name).map_err(|_| Unusable)?;
            let value = HeaderValue::try_from(value).map_err(|_| Unusable)?;
            request.headers_mut().append(name, value);
        }
        if let Some(ip) = context.source_ip.and_then(|ip| ip.parse().ok()) {
            request.extensions_mut().insert(SourceIp(ip));
        }
        Ok(request)
    }
}

impl From<Response<Bytes>> for HttpAnswer {
    fn from(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        let mut headers = BTreeMap::<String, String>::new();
        for (name, value) in &parts.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            // Format 2.0 has one value for a name; several are joined as HTTP allows.
            headers
                .entry(name.as_str().to_owned())
                .and_modify(|all| {
                    all.push_str(", ");
                    all.push_str(&value);
                })
                .or_insert_with(|| value.into_owned());
        }
        let (body, is_base64_encoded) = match String::from_utf8(body.to_vec()) {
            Ok(text) => (text, false),
            Err(bytes) => (STANDARD.encode(bytes.as_bytes()), true),
        };
        Self { status_code: parts.status.as_u16(), headers, body, is_base64_encoded }
    }
}

/// What a function that serves HTTP is invoked with: a request, or something else by whoever may invoke it directly.
#[derive(Deserialize)]
#[serde(untagged)]
enum HttpOrDirect {
    Http(HttpEvent),
    Direct(serde_json::Value),
}

/// Serves HTTP requests until the platform ends the process.
///
/// # Errors
/// When the runtime cannot be reached.
pub async fn run_http<H, F>(handle: H) -> Result<(), Error>
where
    H: Fn(Request<Bytes>) -> F,
    F: Future<Output = Response<Bytes>>,
{
    let handle = &handle;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<HttpEvent>| {
        Ok::<_, Error>(answer(event.payload, handle).await)
    }))
    .await
}

async fn answer<H, F>(event: HttpEvent, handle: &H) -> HttpAnswer
where
    H: Fn(Request<Bytes>) -> F,
    F: Future<Output = Response<Bytes>>,
{
    match event.into_request() {
        // Boxed: the future of a whole function is deeper than the compiler follows for the layout of `main`.
        Ok(request) => Box::pin(handle(request)).await.into(),
        Err(Unusable) => {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response.into()
        }
    }
}

/// Serves HTTP requests, and hands what is no HTTP request to `direct`. Only those who are allowed to invoke the
/// function itself can send such a thing. Telling the two apart copies the event, which the receiver's runner spares.
///
/// # Errors
/// When the runtime cannot be reached.
pub async fn run_http_or<H, F, D>(handle: H, direct: D) -> Result<(), Error>
where
    H: Fn(Request<Bytes>) -> F,
    F: Future<Output = Response<Bytes>>,
    D: AsyncFn(serde_json::Value) -> Result<serde_json::Value, Error>,
{
    let (handle, direct) = (&handle, &direct);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<HttpOrDirect>| match event.payload {
        HttpOrDirect::Http(event) => Ok(serde_json::to_value(answer(event, handle).await)?),
        HttpOrDirect::Direct(event) => Box::pin(direct(event)).await,
    }))
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueueEvent {
    records: Vec<QueueRecord>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueueRecord {
    message_id: String,
    body: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchAnswer {
    batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchItemFailure {
    item_identifier: String,
}

/// Works batches of queue messages until the platform ends the process.
///
/// `handle` gives the ids of the messages that must come again.
///
/// # Errors
/// When the runtime cannot be reached.
pub async fn run_queue<H, F>(handle: H) -> Result<(), Error>
where
    H: Fn(Vec<Received>, Deadline) -> F,
    F: Future<Output = Vec<String>>,
{
    let handle = &handle;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<QueueEvent>| {
        let deadline = Deadline::of(&event.context);
        let received = event.payload.records.into_iter().map(|record| Received {
            receive_count: record.attributes.get("ApproximateReceiveCount").and_then(|n| n.parse().ok()).unwrap_or(1),
            message_id: record.message_id,
            body: record.body,
        });
        let failed = Box::pin(handle(received.collect(), deadline)).await;
        let failures = failed.into_iter().map(|item_identifier| BatchItemFailure { item_identifier });
        Ok::<_, Error>(BatchAnswer { batch_item_failures: failures.collect() })
    }))
    .await
}

/// Works at each tick of a schedule until the platform ends the process.
///
/// # Errors
/// When the runtime cannot be reached.
pub async fn run_schedule<H, F, E>(handle: H) -> Result<(), Error>
where
    H: Fn(Deadline) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<Error>,
{
    let handle = &handle;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        Box::pin(handle(Deadline::of(&event.context))).await.map_err(Into::into)
    }))
    .await
}
