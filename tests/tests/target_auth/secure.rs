//! A target that speaks TLS and answers nobody without a certificate of the tests' authority.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

pub(crate) const CA: &str = include_str!("../../fixtures/mtls/ca.pem");

/// What arrived: the event type that was said, and the certificate that was shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    pub(crate) event_type: String,
    pub(crate) authorization: String,
    pub(crate) certificate: CertificateDer<'static>,
}

/// The target. It echoes challenges, answers 200, and ends when dropped.
pub(crate) struct SecureSink {
    base: String,
    shown: Arc<Mutex<Vec<Shown>>>,
    server: JoinHandle<()>,
}

/// The first certificate of a text.
pub(crate) fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
}

fn acceptor() -> TlsAcceptor {
    let provider = Arc::new(default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificate(CA)).expect("an authority");
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let chain = vec![certificate(include_str!("../../fixtures/mtls/server.pem"))];
    let key = include_str!("../../fixtures/mtls/server.key");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key"))
        .expect("the key of the certificate");
    TlsAcceptor::from(Arc::new(config))
}

impl SecureSink {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be listened on");
        let base = format!("https://{}", listener.local_addr().expect("a bound socket has an address"));
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (acceptor, into) = (acceptor(), Arc::clone(&shown));
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&into)));
            }
        });
        Self { base, shown, server }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// All that arrived, in order.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        self.shown.lock().expect("no holder of the lock panics").clone()
    }
}

impl Drop for SecureSink {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, shown: Arc<Mutex<Vec<Shown>>>) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let certificates = stream.get_ref().1.peer_certificates().expect("nobody comes without one");
    let certificate = certificates[0].clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (certificate, shown) = (certificate.clone(), Arc::clone(&shown));
        async move { Ok::<_, Infallible>(answer(request, certificate, &shown).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    certificate: CertificateDer<'static>,
    shown: &Mutex<Vec<Shown>>,
) -> Response<Full<Bytes>> {
    let said = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (event_type, authorization) = (said("hookport-event-type"), said("authorization"));
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    shown.lock().expect("no holder of the lock panics").push(Shown { event_type, authorization, certificate });
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    // A form asks for a token; everything else with a challenge in it wants it back.
    let token = body.starts_with(b"grant_type=").then_some("bound-to-the-certificate");
    let echo = json!({"challenge": said["challenge"], "access_token": token, "expires_in": 3600});
    Response::new(Full::new(echo.to_string().into()))
}
