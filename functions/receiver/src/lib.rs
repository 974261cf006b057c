//! The receiver: takes a sender's request, keeps it, and answers. It never waits for what becomes of it.

mod answer;
mod capture;
mod endpoint;
mod handshake;
mod judge;
mod keep;
mod limits;
mod rejections;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hookport::app::App;
use hookport::aws::lambda::SourceIp;
use hookport::aws::table::TableError;
use hookport::domain::inbound_delivery::DispatchStatus;
use hookport::domain::refusal::Refusal;
use hookport::domain::source_address;
use hookport::egress::EgressError;
use hookport::proof::{CertificateError, Certificates, KeySets, Nobody};
use hookport::scheme::handshake::HandshakeProof;
use hookport::vault::VaultError;
use http::{Request, Response};
use jiff::Timestamp;
use tracing::{info, instrument, warn};

use answer::Answer;
use endpoint::{Endpoint, Endpoints, Form, Url};
use handshake::{Greeted, asked, proven, takes_events};
use judge::{TAGS_OF_A_REFUSAL, Verdict};
use keep::Named;
use limits::Limits;
use rejections::{Refused, Rejections};

/// The largest key set that is read from an issuer, in bytes.
const MAX_KEY_SET_BYTES: usize = 256 * 1024;

/// The receiver and what it remembers between requests.
pub struct Receiver {
    app: App,
    endpoints: Endpoints,
    limits: Limits,
    rejections: Rejections,
    key_sets: KeySets,
    certificates: Certificates,
    examined: capture::Examined,
    nobody: Nobody,
    tags: AtomicU64,
}

/// A request could not be kept now; the sender is asked to come again.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Egress(#[from] EgressError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("the URL that confirms the subscription answered {0}")]
    Unconfirmed(u16),
}

/// How a request ended, for the answer and for the log.
enum Ended {
    Kept(keep::KeptAs),
    Greeted(Greeted),
    Refused(Refusal),
}

/// A request as it arrived.
struct Arrived {
    at: Timestamp,
    request: Request<Bytes>,
}

impl Receiver {
    /// A receiver that remembers nothing yet.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self {
            endpoints: Endpoints::new(),
            limits: Limits::new(),
            rejections: Rejections::new(&app),
            key_sets: KeySets::new(app.egress.keeping(MAX_KEY_SET_BYTES)),
            certificates: Certificates::new(&app.egress),
            examined: capture::Examined::default(),
            nobody: Nobody::new(app.random.bytes()),
            tags: AtomicU64::new(0),
            app,
        }
    }

    /// How many tags over bodies were computed so far: the work that a stranger could time.
    #[must_use]
    pub fn tags_computed(&self) -> u64 {
        self.tags.load(Ordering::Relaxed)
    }

    /// Takes one request to either form of URL and answers it.
    #[instrument(skip_all)]
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let at = self.app.clock.now();
        let source = self.source(&request);
        let arrived = Arrived { at, request };
        let Some(url) = Url::of(arrived.request.uri().path()) else {
            return Answer::not_found().into();
        };
        match self.take(&url, &arrived, source).await {
            Ok(answer) => answer.into(),
            Err(trouble) => {
                let cause = std::error::Error::source(&trouble).map(ToString::to_string);
                warn!(error = %trouble, cause, "inbound.unavailable");
                Answer::unavailable().into()
            }
        }
    }

    /// Where a request comes from, as far as anybody trustworthy says.
    fn source(&self, request: &Request<Bytes>) -> Option<IpAddr> {
        let peer = request.extensions().get::<SourceIp>().map(|peer| peer.0);
        let trusted = &self.app.config.trusted_proxies;
        if trusted.is_empty() {
            return source_address::sender(peer, &[], trusted);
        }
        let forwarded: Vec<&[u8]> =
            request.headers().get_all("x-forwarded-for").iter().map(http::HeaderValue::as_bytes).collect();
        source_address::sender(peer, &forwarded, trusted)
    }

    /// Judges the request, in the order of its URL's form, and keeps it or notes why not.
    async fn take(&self, url: &Url, arrived: &Arrived, source: Option<IpAddr>) -> Result<Answer, Trouble> {
        let body = arrived.request.body();
        let is_too_large = body.len() > self.app.config.max_body_bytes;
        let found = self.endpoints.find(&self.app, url, arrived.at).await?;
        let endpoint = found.endpoint.as_deref();
        let method = arrived.request.method();
        let asks = endpoint.filter(|_| !is_too_large);
        let asks = asks.and_then(|endpoint| asked(endpoint, &self.evidence(arrived), method));
        if asks.is_none() && !takes_events(method) {
            return Ok(Answer::method_not_allowed());
        }
        let verdict = match endpoint {
            // Told to anybody, and looked up only to note it in the right log.
            _ if is_too_large => Verdict { result: Err(Refusal::OverCap), quota: None, tags: 0 },
            Some(endpoint) if asks.is_some_and(|handshake| handshake.proof == HandshakeProof::None) => {
                self.judge_open(endpoint, arrived, source).await?
            }
            Some(endpoint) => self.judge(url.form(), endpoint, arrived, source).await?,
            None => Verdict { result: Err(Refusal::Unknown), quota: None, tags: 0 },
        };
        let mut tags = verdict.tags;
        let ended = match (verdict.result, endpoint) {
            (Ok(()), Some(endpoint)) => match asks.or_else(|| proven(endpoint, &self.evidence(arrived))) {
                Some(handshake) => self.greet(endpoint, handshake, arrived).await?,
                None => self.keep(endpoint, arrived, source).await?,
            },
            (Err(refusal), _) => Ended::Refused(refusal),
            (Ok(()), None) => Ended::Refused(Refusal::Unknown),
        };
        let mut answer = match &ended {
            Ended::Kept(kept) => Answer::kept(kept),
            Ended::Greeted(greeted) => Answer::greeted(&greeted.answered),
            Ended::Refused(refusal) => Answer::refused(url.form(), *refusal),
        };
        if let Ended::Refused(refusal) = ended {
            if url.form() == Form::Slug && !takes_events(method) {
                // As where there is nothing: a handshake that fails does not tell that there is a webhook.
                answer = Answer::method_not_allowed();
            }
            if url.form() == Form::Slug && answer.is_bare() {
                // As much work for every refusal that looks the same, so that time tells strangers nothing.
                let missing = TAGS_OF_A_REFUSAL.saturating_sub(tags);
                self.nobody.spend(body, missing);
                tags += missing;
            }
            let diagnosis = match endpoint.filter(|_| refusal.is_proof()) {
                Some(endpoint) => self.examined(endpoint, arrived).await,
                None => None,
            };
            let refused = Refused {
                diagnosis,
                refusal,
                url,
                endpoint: found.concerned.as_deref().map(|concerned| &concerned.webhook),
                tenant_is_known: found.tenant_is_known,
                arrived,
                source_ip: source,
                response_status: answer.status().as_u16(),
            };
            self.rejections.note(&self.app, &refused).await;
        }
        self.tags.fetch_add(tags.into(), Ordering::Relaxed);
        if let Some(quota) = verdict.quota.filter(|_| !answer.is_bare()) {
            answer = answer.with_quota(quota);
        }
        self.log(endpoint, &ended, arrived.at);
        Ok(answer)
    }

    fn log(&self, endpoint: Option<&Endpoint>, ended: &Ended, arrived_at: Timestamp) {
        let duration_ms = self.app.clock.now().duration_since(arrived_at).as_millis();
        let tenant = endpoint.map(|e| e.webhook.tenant.to_string());
        let webhook = endpoint.map(|e| e.webhook.id.to_string());
        let (tenant, webhook) = (tenant.as_deref(), webhook.as_deref());
        match ended {
            Ended::Kept(kept) => {
                let delivery = &kept.delivery;
                info!(
                    tenant,
                    webhook.id = webhook,
                    delivery.id = %delivery.id,
                    event.r#type = %delivery.event_type,
                    status = delivery.response_status,
                    duplicate = delivery.status == DispatchStatus::Duplicate,
                    error = delivery.error.as_deref(),
                    duration_ms,
                    "inbound.kept"
                );
            }
            Ended::Greeted(Greeted { delivery, .. }) => {
                let handshake = delivery.handshake.as_ref().map(|handshake| handshake.name.as_str());
                let (id, status) = (delivery.id, delivery.response_status);
                info!(tenant, webhook.id = webhook, delivery.id = %id, handshake, status, duration_ms, "inbound.greeted");
            }
            Ended::Refused(refusal) => {
                info!(tenant, webhook.id = webhook, reason = refusal.code(), duration_ms, "inbound.refused");
            }
        }
    }

    /// Keeps a request that has proved itself; the last question is whether its event type is switched on.
    async fn keep(&self, endpoint: &Endpoint, arrived: &Arrived, source: Option<IpAddr>) -> Result<Ended, Trouble> {
        let named = Named::of(endpoint, &self.evidence(arrived));
        let tenant = &endpoint.webhook.tenant;
        let definition = self.endpoints.definition(&self.app, tenant, &named.event_type, arrived.at).await?;
        if definition.as_ref().is_some_and(|definition| !definition.is_enabled) {
            return Ok(Ended::Refused(Refusal::Disabled));
        }
        let schema = definition.and_then(|definition| definition.schema);
        keep::keep(&self.app, endpoint, arrived, source, schema.as_deref(), named).await
    }
}
