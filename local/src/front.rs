//! The front door: one port, from which requests go to the receiver or to management, as the template's routes say.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookport::aws::lambda::SourceIp;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::functions::Functions;

/// What API Gateway lets through at most, in bytes.
const MAX_MANAGEMENT_BODY: usize = 1024 * 1024;
/// Where deliveries can be sent to be seen.
const LISTENER: &str = "/dev/listener";
/// The largest body that the listener reads, in bytes.
const MAX_LISTENED_BODY: usize = 8 * 1024 * 1024;
/// How long a client may take for the head of its request.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long a client may take for the body of its request.
const BODY_PATIENCE: Duration = Duration::from_secs(25);

/// Takes connections until `stop` says so, then finishes the requests under way.
pub async fn run(listener: TcpListener, functions: Arc<Functions>, mut stop: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).half_close(true);
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stopped| *stopped) => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, most likely: those that are open must get a chance to close.
                warn!(%error, "front.accept_failed");
                tokio::task::yield_now().await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let functions = Arc::clone(&functions);
        let service = service_fn(move |request: Request<Incoming>| {
            let functions = Arc::clone(&functions);
            async move { Ok::<_, Infallible>(answer(&functions, request, SourceIp(peer.ip())).await) }
        });
        let connection = graceful.watch(server.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(connection);
    }
    graceful.shutdown().await;
}

async fn answer(functions: &Functions, request: Request<Incoming>, from: SourceIp) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    if path == LISTENER {
        return listen(request).await;
    }
    let is_receivers = path.starts_with("/api/v1/webhooks/") || path.starts_with("/api/inbound/");
    let most = if is_receivers { functions.max_body_bytes } else { MAX_MANAGEMENT_BODY };
    let (head, body) = request.into_parts();
    let body = match tokio::time::timeout(BODY_PATIENCE, Limited::new(body, most).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        // One byte too many, so that the function itself gives its answer for bodies that are too large.
        Ok(Err(error)) if error.is::<LengthLimitError>() => vec![0; most + 1].into(),
        Ok(Err(_)) => return empty(StatusCode::BAD_REQUEST),
        Err(_) => return empty(StatusCode::REQUEST_TIMEOUT),
    };
    let mut request = Request::from_parts(head, body);
    request.extensions_mut().insert(from);
    let response = if is_receivers {
        functions.receiver.handle(request).await
    } else {
        management::handle(&functions.management, request).await
    };
    response.map(Full::new)
}

/// Takes deliveries that are sent to the gateway itself, so that a first event can be seen without another server.
async fn listen(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let header =
        |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (event_type, webhook_id) = (header("hookport-event-type"), header("webhook-id"));
    let body = Limited::new(request.into_body(), MAX_LISTENED_BODY).collect().await;
    let Ok(body) = body else { return empty(StatusCode::PAYLOAD_TOO_LARGE) };
    let body = body.to_bytes();
    if event_type == "webhook.challenge" {
        info!("listener.challenged");
        // What came is what has to be echoed; other members are ignored.
        return Response::new(Full::new(body));
    }
    info!(event.r#type = event_type, webhook.id = webhook_id, bytes = body.len(), "listener.received");
    empty(StatusCode::OK)
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
