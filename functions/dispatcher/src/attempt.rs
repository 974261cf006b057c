//! One attempt: sign, send, record.

use hookport::aws::queue::Outgoing;
use hookport::domain::delivery::{
    Attempt, Delivery, DeliveryState, MAX_KEPT_RESPONSE_BYTES, Outcome, OwnerToken, Wait,
};
use hookport::domain::retry::RetrySchedule;
use hookport::egress::{EgressError, OutgoingRequest, OutgoingResponse};
use hookport::message::{Message, OutboundMessage};
use hookport::store::Recorded;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use tracing::{info, warn};

use crate::fan_out::Event;
use crate::subscriptions::Ready;
use crate::{Dispatcher, Trouble};

const AGENT: HeaderValue = HeaderValue::from_static(concat!("Hookport/", env!("CARGO_PKG_VERSION")));
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const EVENT_TYPE: HeaderName = HeaderName::from_static("hookport-event-type");
const DELIVERY_ID: HeaderName = HeaderName::from_static("hookport-delivery-id");
const ATTEMPT: HeaderName = HeaderName::from_static("hookport-attempt");

impl Dispatcher {
    /// Makes the attempt that `owner` holds, records how it ended, and gives the delivery as it is then.
    pub(crate) async fn attempt(
        &self,
        delivery: Delivery,
        owner: OwnerToken,
        event: &Event,
        ready: &Ready,
    ) -> Result<Delivery, Trouble> {
        let DeliveryState::Attempting { n, lease_until, .. } = delivery.state else { return Ok(delivery) };
        let started_at = self.app.clock.now();
        if started_at >= lease_until {
            // We were held up for so long that others count us as dead and may be sending already.
            warn!(delivery.id = %delivery.id, attempt = n, "delivery.lease_lost_before_sending");
            return Ok(delivery);
        }
        let outcome = match &ready.key {
            Some(key) => {
                let signature = key.sign(&event.id.to_string(), started_at, &event.payload);
                match self.app.egress.send(request(&delivery, n, event, ready, signature, started_at)).await {
                    Ok(response) => answered(response),
                    Err(error) => failed(&error),
                }
            }
            None => Outcome::Failed {
                code: "secret_unusable".to_owned(),
                message: "the subscription's secret does not open".to_owned(),
                permanent: false,
            },
        };
        self.record(
            delivery,
            owner,
            Attempt { n, started_at, duration_ms: 0, outcome },
            ready.subscription.retry_schedule,
        )
        .await
    }

    /// Records how an attempt ended, and hints at the next one.
    pub(crate) async fn record(
        &self,
        delivery: Delivery,
        owner: OwnerToken,
        attempt: Attempt,
        schedule: RetrySchedule,
    ) -> Result<Delivery, Trouble> {
        let now = self.app.clock.now();
        let duration_ms = u32::try_from(now.duration_since(attempt.started_at).as_millis()).unwrap_or(u32::MAX);
        let attempt = Attempt { duration_ms, ..attempt };
        let (n, outcome) = (attempt.n, Summary::of(&attempt.outcome));
        let after = delivery.after_attempt(attempt, schedule, self.app.random.fraction(), now);
        let recorded = self.app.store.record_attempt(owner, &after).await?;
        info!(
            tenant = %after.tenant,
            event.id = %after.event_id,
            event.r#type = %after.event_type,
            subscription.id = %after.subscription_id,
            delivery.id = %after.id,
            attempt = n,
            outcome = outcome.word,
            status = outcome.status,
            error = outcome.error,
            duration_ms,
            state = state_word(&after.state),
            recorded = recorded == Recorded::Yes,
            "delivery.attempted"
        );
        self.hint(&after, now).await;
        Ok(after)
    }

    /// Records the attempt of a sender that died as unknown and lets another follow; `None` while its lease runs or when
    /// someone else was faster.
    pub(crate) async fn record_lost_lease(
        &self,
        delivery: Delivery,
        schedule: RetrySchedule,
    ) -> Result<Option<Delivery>, Trouble> {
        let now = self.app.clock.now();
        let DeliveryState::Attempting { n, owner, .. } = delivery.state else { return Ok(None) };
        let Some(after) = delivery.after_lost_lease(schedule, self.app.random.fraction(), now) else { return Ok(None) };
        if self.app.store.record_attempt(owner, &after).await? == Recorded::Lost {
            return Ok(None);
        }
        warn!(tenant = %after.tenant, delivery.id = %after.id, attempt = n, "delivery.sender_died");
        self.hint(&after, now).await;
        Ok(Some(after))
    }

    /// Sends the delayed message that brings the next attempt on time; without it the sweeper does, a little later.
    async fn hint(&self, delivery: &Delivery, now: Timestamp) {
        let Some(Wait::OnQueue(delay)) = delivery.wait(now) else { return };
        let body = Message::Outbound(OutboundMessage::new(delivery.tenant.clone(), delivery.id)).encode();
        if let Err(error) = self.app.outbound_queue.send(Outgoing { body, delay }).await {
            warn!(delivery.id = %delivery.id, code = error.code, "delivery.hint_lost");
        }
    }
}

/// What an attempt came to, as a log line tells it.
struct Summary {
    word: &'static str,
    status: Option<u16>,
    error: Option<String>,
}

impl Summary {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Answered { status, .. } => Self { word: "answered", status: Some(*status), error: None },
            Outcome::Failed { code, .. } => Self { word: "failed", status: None, error: Some(code.clone()) },
            Outcome::Unknown => Self { word: "unknown", status: None, error: None },
        }
    }
}

fn state_word(state: &DeliveryState) -> &'static str {
    match state {
        DeliveryState::Pending { .. } => "pending",
        DeliveryState::Attempting { .. } => "attempting",
        DeliveryState::Delivered { .. } => "delivered",
        DeliveryState::Exhausted { .. } => "exhausted",
    }
}

fn request(
    delivery: &Delivery,
    n: u32,
    event: &Event,
    ready: &Ready,
    signature: String,
    at: Timestamp,
) -> OutgoingRequest {
    let content_type = event.content_type.as_deref().and_then(|text| HeaderValue::from_str(text).ok());
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, content_type.unwrap_or(OCTETS));
    headers.insert(USER_AGENT, AGENT);
    headers.insert(WEBHOOK_TIMESTAMP, HeaderValue::from(at.as_second()));
    headers.insert(ATTEMPT, HeaderValue::from(n));
    let texts = [
        (WEBHOOK_ID, event.id.to_string()),
        (WEBHOOK_SIGNATURE, signature),
        (EVENT_TYPE, event.event_type.to_string()),
        (DELIVERY_ID, delivery.id.to_string()),
    ];
    for (name, text) in texts {
        headers.insert(name, HeaderValue::try_from(text).expect("ids, types and base64 are header text"));
    }
    OutgoingRequest {
        method: Method::POST,
        url: ready.subscription.url.clone(),
        headers,
        body: event.payload.clone(),
        timeout: None,
    }
}

fn answered(response: OutgoingResponse) -> Outcome {
    let kept = &response.body[..response.body.len().min(MAX_KEPT_RESPONSE_BYTES)];
    let body = (!response.status.is_success() && !kept.is_empty()).then(|| String::from_utf8_lossy(kept).into_owned());
    Outcome::Answered { status: response.status.as_u16(), body }
}

fn failed(error: &EgressError) -> Outcome {
    Outcome::Failed { code: error.code().to_owned(), message: error.to_string(), permanent: error.is_permanent() }
}
