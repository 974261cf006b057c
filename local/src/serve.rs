//! The embedded cloud over HTTP on the loopback interface.
//!
//! For what cannot be given a transport: Lambda binaries, which find it through `AWS_ENDPOINT_URL`, and suites that
//! speak HTTP. Whoever can reach the port can read everything, so nothing but tests and tools may start it.

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use hookport::aws::in_process::NoAnswer;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::cloud::Cloud;

/// The largest body that DynamoDB takes; the other services take less.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// A cloud that is served. It stops, and breaks its connections, when this is dropped.
pub struct Served {
    /// Where it is, such as `http://127.0.0.1:40123`.
    pub url: String,
    accepting: JoinHandle<Infallible>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves `cloud` on a free port, as the instance called `instance`.
///
/// # Errors
/// When no port can be had.
pub async fn on_loopback(cloud: Cloud, instance: &str) -> io::Result<Served> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let accepting = tokio::spawn(accept(listener, cloud, instance.into()));
    Ok(Served { url, accepting })
}

async fn accept(listener: TcpListener, cloud: Cloud, instance: Arc<str>) -> Infallible {
    // Dropped with this task, which ends every connection.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, cloud.clone(), Arc::clone(&instance)));
                }
                Err(error) => {
                    tracing::warn!(%error, "serve.not_accepted");
                    // Most likely too many files are open, which the end of a connection mends.
                    connections.join_next().await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, cloud: Cloud, instance: Arc<str>) {
    let service = service_fn(move |request| answer(cloud.clone(), Arc::clone(&instance), request));
    let connection = match stream.set_nodelay(true) {
        Ok(()) => http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        // The client has gone already.
        Err(_) => return,
    };
    if let Err(error) = connection.await {
        tracing::debug!(%error, "serve.connection_ended");
    }
}

async fn answer(
    cloud: Cloud,
    instance: Arc<str>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, NoAnswer> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        let mut refused = Response::new(Full::default());
        *refused.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(refused);
    };
    let request = Request::from_parts(parts, body.to_bytes());
    match cloud.handle(&instance, request).await {
        Ok(response) => Ok(response.map(Full::new)),
        // The error ends the connection without an answer.
        Err(NoAnswer::Broken) => Err(NoAnswer::Broken),
        // The client decides how long it waits. Its leaving drops this.
        Err(NoAnswer::TimedOut) => pending().await,
    }
}
