//! The transport over the network: HTTP/1.1, with TLS by rustls and the public authorities that it is built with.
//!
//! The transport that comes with the SDKs brings HTTP/2, proxies and the reading of the machine's certificates along:
//! a twentieth of each program, and work at each start, for what no call of the gateway uses. This is the same client
//! underneath, which deliveries use as well, behind the interface that the SDKs have for transports.

use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as Tcp, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::crypto::ring::default_provider;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

type BoxError = Box<dyn Error + Send + Sync>;

/// A transport whose connections are open after `connect_timeout`, TLS included, or not at all.
///
/// # Panics
/// Never: what rustls is built with speaks TLS 1.2 and 1.3.
pub(super) fn transport(connect_timeout: Duration) -> SharedHttpClient {
    SharedHttpClient::new(Network::new(connect_timeout))
}

#[derive(Clone)]
struct Network(Client<Connector, SdkBody>);

impl Network {
    fn new(connect_timeout: Duration) -> Self {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(default_provider());
        let open = tls.expect("TLS 1.2 and 1.3").https_or_http().enable_http1().wrap_connector(tcp);
        let connector = Connector { open, limit: connect_timeout };
        Self(Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector))
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

impl HttpClient for Network {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let mut request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let connection = capture_connection(&mut request);
            if let Some(wanted) = request.extensions().get::<CaptureSmithyConnection>() {
                wanted.set_connection_retriever(move || metadata(&connection));
            }
            let response = client.request(request).await.map_err(|error| kind(error.into()))?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The connection as the SDK wants to know it, so that it can give up one whose server fails.
fn metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    let of_poison = connection.clone();
    connection.connection_metadata().as_ref().map(|connected| {
        let poison = move || {
            if let Some(connected) = of_poison.connection_metadata().as_ref() {
                connected.poison();
            }
        };
        ConnectionMetadata::builder().proxied(connected.is_proxied()).poison_fn(poison).build()
    })
}

/// What kind of failure it was: the SDK repeats a call whose connection failed, or that took too long.
fn kind(error: BoxError) -> ConnectorError {
    if cause::<TimedOut>(&*error).is_some() {
        return ConnectorError::timeout(error);
    }
    match cause::<hyper::Error>(&*error) {
        Some(found) if found.is_timeout() => return ConnectorError::timeout(error),
        Some(found) if found.is_user() => return ConnectorError::user(error),
        // The server closed the connection in the middle of its answer.
        Some(found) if found.is_incomplete_message() => {
            return ConnectorError::other(error, Some(ErrorKind::TransientError));
        }
        Some(found) if found.is_closed() || found.is_canceled() => return ConnectorError::io(error),
        _ => {}
    }
    let is_connect =
        cause::<hyper_util::client::legacy::Error>(&*error).is_some_and(hyper_util::client::legacy::Error::is_connect);
    if is_connect || cause::<io::Error>(&*error).is_some() {
        return ConnectorError::io(error);
    }
    ConnectorError::other(error, None)
}

/// The first in a chain of causes that is an `E`.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let chain = std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source());
    chain.into_iter().find_map(|error| error.downcast_ref())
}

#[derive(Debug, thiserror::Error)]
#[error("connecting took too long")]
struct TimedOut;

/// Opens connections within a limit of time. The resolver's time, that of TCP and that of TLS count.
#[derive(Clone)]
struct Connector {
    open: HttpsConnector<Tcp>,
    limit: Duration,
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.open.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (opening, limit) = (self.open.call(uri), self.limit);
        Box::pin(async move { timeout(limit, opening).await.map_err(|_| TimedOut)? })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// What comes of a call to a server that answers like this once it was asked, and then hangs up.
    async fn answered(with: &'static [u8]) -> Result<HttpResponse, ConnectorError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let _ = stream.read(&mut [0; 1024]).await;
            stream.write_all(with).await.expect("it is read");
        };
        let url = format!("http://{address}/");
        let (_, answer) = tokio::join!(server, call(&url, Duration::from_secs(5)));
        answer
    }

    async fn call(url: &str, limit: Duration) -> Result<HttpResponse, ConnectorError> {
        let request = http::Request::post(url).body(SdkBody::from("{}")).expect("a request");
        Network::new(limit).call(HttpRequest::try_from(request).expect("a request")).await
    }

    #[tokio::test]
    async fn an_answer_comes_as_it_was_sent() {
        let answer = answered(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\nx-amzn-requestid: a\r\n\r\n{}").await;
        let answer = answer.expect("an answer");
        assert_eq!((answer.status().as_u16(), answer.headers().get("x-amzn-requestid")), (400, Some("a")));
    }

    #[tokio::test]
    async fn a_failure_of_the_connection_is_one_that_is_tried_again() {
        let broken = answered(b"").await.expect_err("no answer");
        assert!(broken.is_io() || broken.as_other() == Some(ErrorKind::TransientError), "{broken:?}");
        let cut = answered(b"HTTP/1.1 200 OK\r\ncont").await.expect_err("half a head");
        assert!(cut.is_io() || cut.as_other() == Some(ErrorKind::TransientError), "{cut:?}");

        let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
        let refused = call(&format!("http://{closed}/"), Duration::from_secs(5)).await.expect_err("nobody listens");
        assert!(refused.is_io(), "{refused:?}");
        let unknown = call("http://nobody.invalid/", Duration::from_secs(5)).await.expect_err("no such name");
        assert!(unknown.is_io(), "{unknown:?}");
    }

    #[tokio::test]
    async fn a_handshake_that_does_not_end_is_a_timeout() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let slow = call(&format!("https://{address}/"), Duration::from_millis(20)).await.expect_err("no handshake");
        assert!(slow.is_timeout(), "{slow:?}");
    }

    #[tokio::test]
    async fn a_server_that_is_no_authoritys_is_not_spoken_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut hello = [0; 1024];
            let read = stream.read(&mut hello).await.expect("a hello");
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.expect("it is read");
            read
        };
        let url = format!("https://{address}/");
        let (read, answer) = tokio::join!(server, call(&url, Duration::from_secs(5)));
        assert!(read > 0);
        assert!(answer.expect_err("that was no TLS").is_io());
    }
}
