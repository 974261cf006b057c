//! The receiver: takes a sender's request, keeps it, and answers. It never waits for what becomes of it.

mod answer;
mod endpoint;
mod keep;
mod refusal;

use bytes::Bytes;
use hookport::app::App;
use hookport::aws::lambda::SourceIp;
use hookport::aws::table::TableError;
use hookport::domain::inbound_delivery::DispatchStatus;
use hookport::vault::VaultError;
use http::{Method, Request, Response};
use jiff::Timestamp;
use tracing::{info, instrument, warn};

use answer::Answer;
use endpoint::{Endpoint, Endpoints};
use refusal::Refusal;

/// The receiver and what it remembers between requests.
pub struct Receiver {
    app: App,
    endpoints: Endpoints,
}

/// A request could not be kept now; the sender is asked to come again.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// How a request ended, for the answer and for the log.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is nearly always the large one")]
enum Ended {
    Kept(keep::KeptAs),
    Refused(Refusal),
}

/// A request as it arrived.
struct Arrived {
    at: Timestamp,
    source_ip: Option<SourceIp>,
    request: Request<Bytes>,
}

impl Receiver {
    /// A receiver that remembers nothing yet.
    #[must_use]
    pub fn new(app: App) -> Self {
        let endpoints = Endpoints::new(&app);
        Self { app, endpoints }
    }

    /// Takes one request to either form of URL and answers it.
    #[instrument(skip_all)]
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let at = self.app.clock.now();
        let source_ip = request.extensions().get::<SourceIp>().copied();
        let arrived = Arrived { at, source_ip, request };
        let Some(url) = endpoint::Url::of(arrived.request.uri().path()) else {
            return Answer::not_found().into();
        };
        if ![Method::POST, Method::PUT, Method::PATCH].contains(arrived.request.method()) {
            return Answer::method_not_allowed().into();
        }
        let form = url.form();
        let (endpoint, ended) = match self.take(&url, &arrived).await {
            Ok(ended) => ended,
            Err(trouble) => {
                let cause = std::error::Error::source(&trouble).map(ToString::to_string);
                warn!(error = %trouble, cause, "inbound.unavailable");
                return Answer::unavailable().into();
            }
        };
        self.log(endpoint.as_deref(), &ended, arrived.at);
        match ended {
            Ended::Kept(kept) => Answer::kept(&kept).into(),
            Ended::Refused(refusal) => Answer::refused(form, &refusal).into(),
        }
    }

    /// Judges the request, in the order of its URL's form, and keeps it.
    async fn take(
        &self,
        url: &endpoint::Url,
        arrived: &Arrived,
    ) -> Result<(Option<std::sync::Arc<Endpoint>>, Ended), Trouble> {
        let body = arrived.request.body();
        if body.len() > self.app.config.max_body_bytes {
            return Ok((None, Ended::Refused(Refusal::TooLarge)));
        }
        let endpoint = self.endpoints.find(&self.app, url, arrived.at).await?;
        let Some(endpoint) = endpoint else {
            // As much work as for a known one, so that time tells strangers nothing.
            self.endpoints.prove_in_vain(body);
            return Ok((None, Ended::Refused(Refusal::Unknown)));
        };
        let judged = endpoint.judge(url.form(), arrived.request.headers(), body);
        let ended = match judged {
            Err(refusal) => Ended::Refused(refusal),
            Ok(()) => keep::keep(&self.app, &endpoint, arrived).await?,
        };
        Ok((Some(endpoint), ended))
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
            Ended::Refused(refusal) => {
                info!(tenant, webhook.id = webhook, reason = refusal.code(), duration_ms, "inbound.refused");
            }
        }
    }
}
