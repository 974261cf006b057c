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
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
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

/// One answer of a sink.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers beside those of the connection.
    pub headers: Vec<(&'static str, String)>,
    /// The body; `{challenge}` in it stands for the value that a challenge carries.
    pub body: String,
}

impl Reply {
    /// An answer with this status and the body `seen`.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: "seen".to_owned() }
    }

    /// The same with this body.
    #[must_use]
    pub fn saying(self, body: impl Into<String>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// The same with this header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[derive(Default)]
struct State {
    received: Vec<SinkRequest>,
    challenges: Vec<SinkRequest>,
    answers: VecDeque<Reply>,
    echoes: VecDeque<Reply>,
    body: Option<Bytes>,
}

/// A target of deliveries. It echoes challenges and answers 200 unless told otherwise, and ends when dropped.
pub struct Sink {
    base: String,
    state: Arc<Mutex<State>>,
    hangs: watch::Sender<bool>,
    count: watch::Receiver<usize>,
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
        let (hangs, hanging) = watch::channel(false);
        let (counter, count) = watch::channel(0);
        let shared = Shared { state: Arc::clone(&state), hanging, counter: Arc::new(counter) };
        let server = tokio::spawn(serve(listener, shared));
        Self { base, state, hangs, count, server }
    }

    /// A URL of the sink.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The statuses of the next answers, in order; 200 after them.
    pub fn answers(&self, statuses: impl IntoIterator<Item = u16>) {
        self.state().answers.extend(statuses.into_iter().map(Reply::status));
    }

    /// The next answers, in order; 200 after them.
    pub fn replies(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state().answers.extend(replies);
    }

    /// The next answers to challenges, in order; the echo after them.
    pub fn answers_challenges(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state().echoes.extend(replies);
    }

    /// Takes requests and answers none, until it is told to go on.
    pub fn hang(&self, hangs: bool) {
        self.hangs.send_replace(hangs);
    }

    /// Waits until it has got so many requests in all, challenges apart.
    ///
    /// # Panics
    /// When the sink is gone.
    pub async fn got(&self, requests: usize) {
        let mut count = self.count.clone();
        count.wait_for(|count| *count >= requests).await.expect("the sink runs");
    }

    /// The challenges that it got.
    #[must_use]
    pub fn challenges(&self) -> Vec<SinkRequest> {
        self.state().challenges.clone()
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

#[derive(Clone)]
struct Shared {
    state: Arc<Mutex<State>>,
    hanging: watch::Receiver<bool>,
    counter: Arc<watch::Sender<usize>>,
}

impl Shared {
    /// Notes a request and finds its answer.
    fn take(&self, request: SinkRequest) -> Reply {
        let is_challenge = request.header("hookport-event-type") == "webhook.challenge";
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if is_challenge {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            state.challenges.push(request);
            let reply = state.echoes.pop_front();
            let mut reply = reply.unwrap_or_else(|| Reply::status(200).saying(r#"{"challenge":"{challenge}"}"#));
            reply.body = reply.body.replace("{challenge}", body["challenge"].as_str().unwrap_or_default());
            return reply;
        }
        state.received.push(request);
        self.counter.send_modify(|count| *count += 1);
        let mut reply = state.answers.pop_front().unwrap_or_else(|| Reply::status(200));
        if let Some(body) = &state.body {
            reply.body = String::from_utf8_lossy(body).into_owned();
        }
        reply
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
        let path = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
        let reply = self.take(SinkRequest { method: head.method, path, headers: head.headers, body });
        let _ = self.hanging.clone().wait_for(|hangs| !hangs).await;
        let mut response = Response::builder().status(reply.status);
        for (name, value) in reply.headers {
            response = response.header(name, value);
        }
        response.body(Full::new(reply.body.into())).expect("an answer from the script")
    }
}

async fn serve(listener: TcpListener, shared: Shared) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let shared = shared.clone();
            async move { Ok::<_, Infallible>(shared.answer(request).await) }
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
