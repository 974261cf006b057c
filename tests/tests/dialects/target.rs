//! A target that proves itself however it is asked, and remembers what it got.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use hookport_tests::sink::SinkRequest;
use http::Method;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

#[derive(Default)]
struct Seen {
    asked: Vec<SinkRequest>,
    received: Vec<SinkRequest>,
}

/// A real server on loopback. It passes every style of proof, answers the rest with 200, and ends when dropped.
pub struct Target {
    base: String,
    seen: Arc<Mutex<Seen>>,
    server: JoinHandle<()>,
}

impl Target {
    /// Starts a target on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be listened on");
        let base = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a target serves until it is dropped");
        });
        Self { base, seen, server }
    }

    /// A URL of the target.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The requests by which it was asked to prove itself.
    pub fn asked(&self) -> Vec<SinkRequest> {
        lock(&self.seen).asked.clone()
    }

    /// All other requests, oldest first.
    pub fn received(&self) -> Vec<SinkRequest> {
        lock(&self.seen).received.clone()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(seen): State<Arc<Mutex<Seen>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let path = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let request = SinkRequest { method: head.method, path, headers: head.headers, body };
    let proof = proof(&request);
    let mut seen = lock(&seen);
    match proof {
        Some(proof) => {
            seen.asked.push(request);
            proof
        }
        None => {
            seen.received.push(request);
            Response::new(Body::from("seen"))
        }
    }
}

/// The answer that passes, if the request asks for a proof.
fn proof(request: &SinkRequest) -> Option<Response> {
    if request.method == Method::OPTIONS {
        let origin = request.headers.get("webhook-request-origin")?;
        let mut response = Response::new(Body::empty());
        response.headers_mut().insert("webhook-allowed-origin", origin.clone());
        return Some(response);
    }
    let query = request.path.split_once('?').map_or("", |(_, query)| query);
    let value = |field: &str| query.split('&').find_map(|pair| pair.strip_prefix(field).map(str::to_owned));
    if let Some(value) = value("hub.challenge=").or_else(|| value("validationToken=")) {
        return Some(Response::new(Body::from(value)));
    }
    let said: Value = serde_json::from_slice(&request.body).ok()?;
    (said["type"] == "webhook.challenge").then(|| Response::new(Body::from(request.body.clone())))
}
