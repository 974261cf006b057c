//! The Lambda runtime API, and built functions run as processes that get their events from it.
//!
//! What is deployed is a program that asks this API for work. The suite that sees those very programs work stands on
//! this module; it knows nothing of what they do.

mod binaries;
mod output;
mod process;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use hookport::clock::Clock;
use http::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub use binaries::{Binaries, binaries};
pub use process::{InvocationError, LambdaProcess};

/// The largest answer that Lambda takes from a function, in bytes.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// What a function tells the platform when it fails.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionError {
    /// The kind of the error.
    pub error_type: String,
    /// The error for people.
    pub error_message: String,
}

/// How a function ended an invocation: its answer as it wrote it, or its error.
pub type Outcome = Result<Bytes, FunctionError>;

/// An event on its way to the function.
struct Invocation {
    event: Bytes,
    ended: oneshot::Sender<Outcome>,
}

/// The runtime API of one function, on loopback. It stops when dropped.
pub struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<Invocation>,
    desk: Arc<Desk>,
    server: JoinHandle<()>,
}

/// What the endpoints share.
struct Desk {
    function_arn: String,
    timeout: SignedDuration,
    clock: Clock,
    /// Events that the function has not fetched yet.
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    /// The invocations under way, by request id.
    under_way: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    fetched: AtomicU64,
    /// Set once the function has asked for its first event, or has said that it cannot start.
    begun: watch::Sender<Option<Result<(), FunctionError>>>,
}

impl RuntimeApi {
    /// Serves the API on a free port, for a function of this name that may take `timeout` for an event.
    ///
    /// # Panics
    /// When loopback cannot be listened on.
    pub async fn start(function: &str, timeout: SignedDuration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be listened on");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (events, fetching) = mpsc::unbounded_channel();
        let desk = Arc::new(Desk {
            function_arn: format!("arn:aws:lambda:us-east-1:000000000000:function:{function}"),
            timeout,
            clock: Clock::system(),
            events: tokio::sync::Mutex::new(fetching),
            under_way: Mutex::default(),
            fetched: AtomicU64::new(0),
            begun: watch::Sender::new(None),
        });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(respond))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(fail))
            .route("/2018-06-01/runtime/init/error", post(fail_to_start))
            .layer(DefaultBodyLimit::max(MAX_ANSWER_BYTES))
            .with_state(Arc::clone(&desk));
        let server = tokio::spawn(async move {
            // It ends by being aborted.
            let _ = axum::serve(listener, routes).await;
        });
        Self { address, events, desk, server }
    }

    /// Where it is, as `AWS_LAMBDA_RUNTIME_API` says it.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Waits until the function asks for its first event.
    ///
    /// # Errors
    /// When the function says that it cannot start.
    pub async fn begun(&self) -> Result<(), FunctionError> {
        let mut begun = self.desk.begun.subscribe();
        match begun.wait_for(Option::is_some).await {
            Ok(begun) => begun.clone().unwrap_or(Ok(())),
            // Only when the sender is gone, which is borrowed here.
            Err(_) => Ok(()),
        }
    }

    /// Hands an event over. The outcome comes when the function has worked it.
    #[must_use]
    pub fn hand_over(&self, event: &Value) -> oneshot::Receiver<Outcome> {
        let (ended, outcome) = oneshot::channel();
        let invocation = Invocation { event: event.to_string().into(), ended };
        // Were the API gone, the outcome's sender would be dropped and tell the same.
        let _ = self.events.send(invocation);
        outcome
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Desk {
    fn begin(&self, how: Result<(), FunctionError>) {
        self.begun.send_if_modified(|begun| {
            let first = begun.is_none();
            begun.get_or_insert(how);
            first
        });
    }

    fn end(&self, id: &str, outcome: Outcome) -> StatusCode {
        match self.under_way().remove(id) {
            Some(ended) => {
                // Nobody may be waiting any longer.
                let _ = ended.send(outcome);
                StatusCode::ACCEPTED
            }
            None => StatusCode::BAD_REQUEST,
        }
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Outcome>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for an event and gives it to the function.
async fn next(State(desk): State<Arc<Desk>>) -> Response {
    desk.begin(Ok(()));
    let Some(Invocation { event, ended }) = desk.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let count = desk.fetched.fetch_add(1, Ordering::Relaxed) + 1;
    let id = format!("00000000-0000-4000-8000-{count:012x}");
    let now = desk.clock.now();
    let deadline = now.saturating_add(desk.timeout).unwrap_or(now);
    let trace = format!("Root=1-{:08x}-{count:024x};Parent={count:016x};Sampled=0", now.as_second());
    desk.under_way().insert(id.clone(), ended);
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.as_millisecond().to_string()),
        ("lambda-runtime-invoked-function-arn", desk.function_arn.clone()),
        ("lambda-runtime-trace-id", trace),
    ];
    (headers, event).into_response()
}

async fn respond(State(desk): State<Arc<Desk>>, Path(id): Path<String>, answer: Bytes) -> StatusCode {
    desk.end(&id, Ok(answer))
}

async fn fail(State(desk): State<Arc<Desk>>, Path(id): Path<String>, error: Bytes) -> StatusCode {
    desk.end(&id, Err(FunctionError::read(&error)))
}

async fn fail_to_start(State(desk): State<Arc<Desk>>, error: Bytes) -> StatusCode {
    desk.begin(Err(FunctionError::read(&error)));
    StatusCode::ACCEPTED
}

impl FunctionError {
    /// Reads what the function posted; whatever it is, it is an error.
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_else(|_| Self {
            error_type: "unreadable".to_owned(),
            error_message: String::from_utf8_lossy(body).into_owned(),
        })
    }
}
