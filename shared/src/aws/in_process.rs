//! A transport that hands each signed request to a function in the same process, without sockets.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use super::clients::Transport;

/// What the function gives back: an answer, or the way in which none came.
pub type Answer = Result<http::Response<Bytes>, NoAnswer>;

/// Why no answer came to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
    /// The answer did not come in time.
    #[error("no answer came in time")]
    TimedOut,
}

type Handler = dyn Fn(http::Request<Bytes>) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync;

struct InProcess(Arc<Handler>);

/// Makes a transport of a function.
pub fn transport<F>(handler: F) -> Transport
where
    F: Fn(http::Request<Bytes>) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync + 'static,
{
    Transport::InProcess(SharedHttpClient::new(InProcess(Arc::new(handler))))
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Self(Arc::clone(&self.0)))
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let handler = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|e| ConnectorError::user(Box::new(e)))?;
            let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
            let answer = handler(request).await.map_err(|none| match none {
                NoAnswer::Broken => ConnectorError::io(Box::new(none)),
                NoAnswer::TimedOut => ConnectorError::timeout(Box::new(none)),
            })?;
            HttpResponse::try_from(answer.map(SdkBody::from)).map_err(|e| ConnectorError::other(Box::new(e), None))
        })
    }
}
