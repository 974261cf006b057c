//! A sender or an admin over real sockets.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A client that keeps its connections.
#[derive(Clone)]
pub struct HttpClient(Client<HttpConnector, Full<Bytes>>);

impl Default for HttpClient {
    fn default() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }
}

impl HttpClient {
    /// Sends a request; `None` when the connection broke before the whole answer came.
    pub async fn send(&self, request: Request<Bytes>) -> Option<Response<Bytes>> {
        let response = self.0.request(request.map(Full::new)).await.ok()?;
        let (head, body) = response.into_parts();
        Some(Response::from_parts(head, body.collect().await.ok()?.to_bytes()))
    }

    /// Posts JSON as the holder of `token` and gives the JSON answer.
    ///
    /// # Panics
    /// When there is no JSON answer.
    pub async fn post(&self, url: &str, token: &str, body: &Value) -> Value {
        let request = Request::post(url)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .expect("a request");
        let response = self.send(request).await.expect("an answer");
        serde_json::from_slice(response.body()).expect("a JSON answer")
    }
}
