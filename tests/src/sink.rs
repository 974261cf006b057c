//! A target of deliveries: a real server on loopback that answers as it is told and remembers what it got.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One request that reached the sink.
#[derive(Clone, Debug)]
pub struct SinkRequest {
    /// The HTTP method.
    pub method: Method,
    /// The path and query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl SinkRequest {
    /// A header's value as text; empty when it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
}

#[derive(Default)]
struct State {
    received: Vec<SinkRequest>,
    answers: VecDeque<u16>,
    body: Option<Bytes>,
}

/// A target of deliveries. It answers 200 unless told otherwise, and ends when dropped.
pub struct Sink {
    base: String,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

impl Sink {
    /// Starts a sink on a free port.
    ///
    /// # Panics
    /// When loopback cannot be listened on.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be listened on");
        let base = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let state = Arc::new(Mutex::new(State::default()));
        let server = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { base, state, server }
    }

    /// A URL of the sink.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The statuses of the next answers, in order; 200 after them.
    pub fn answers(&self, statuses: impl IntoIterator<Item = u16>) {
        self.state().answers.extend(statuses);
    }

    /// The body of all answers from now on.
    pub fn serves(&self, body: impl Into<Bytes>) {
        self.state().body = Some(body.into());
    }

    /// What it got so far.
    #[must_use]
    pub fn received(&self) -> Vec<SinkRequest> {
        self.state().received.clone()
    }

    /// Forgets what it got.
    pub fn forget(&self) {
        self.state().received.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = service_fn(move |request: Request<Incoming>| {
            let state = Arc::clone(&state);
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
                let path = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
                let request = SinkRequest { method: head.method, path, headers: head.headers, body };
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                state.received.push(request);
                let status = state.answers.pop_front().unwrap_or(200);
                let body = state.body.clone().unwrap_or_else(|| Bytes::from_static(b"seen"));
                let response = Response::builder().status(status).body(Full::new(body));
                Ok::<_, Infallible>(response.expect("a status from the script"))
            }
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
