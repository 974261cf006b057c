//! What is sent to a target, and what is kept of its answer.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookport::dialect::proof::Question;
use hookport::dialect::{Dialect, Keys, Manner, Message, Unsendable, Written};
use hookport::domain::attempt::{Answer, Outcome};
use hookport::domain::delivery::{Delivery, DeliveryKind};
use hookport::domain::payload_mode::PayloadMode;
use hookport::domain::static_headers::allowed_name;
use hookport::domain::subscription::{Purpose, Subscription};
use hookport::domain::target_url::TargetUrl;
use hookport::egress::{EgressError, OutgoingRequest, OutgoingResponse, Timeouts};
use hookport::signature::challenge::{MAX_ANSWER_BYTES, challenge_body};
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde_json::json;

use crate::event::Event;

/// Whether the request whose headers are passed on had proven where it came from.
const VERIFIED: HeaderName = HeaderName::from_static("hookport-source-verified");
/// The type that challenges say they are of.
const CHALLENGE_TYPE: &str = "webhook.challenge";

/// How long a challenge may take: to the answer's head, and in all.
const CHALLENGE_TIMEOUTS: Timeouts = Timeouts { head: Duration::from_secs(5), total: Duration::from_secs(10) };

/// The headers of an answer that are kept: they say who answered, and what it asks for.
const TELLING: [&str; 8] = [
    "content-type",
    "retry-after",
    "location",
    "server",
    "www-authenticate",
    "x-request-id",
    "x-amzn-requestid",
    "cf-ray",
];
/// The longest value of a header that is kept, in bytes.
const MAX_KEPT_HEADER_BYTES: usize = 128;

/// What an attempt carries, before a dialect writes it down.
pub(crate) struct Parcel<'e> {
    payload: Bytes,
    content_type: Option<String>,
    /// What the signature and `webhook-id` name it by.
    id: String,
    event_type: String,
    /// The event, when it is one.
    event: Option<&'e Event>,
    is_envelope: bool,
}

impl<'e> Parcel<'e> {
    /// An event as the subscription wants it.
    pub(crate) fn of_event(event: &'e Event, subscription: &Subscription) -> Self {
        let mode = &subscription.settings.payload;
        let (payload, content_type) = mode.render(&event.content());
        Self {
            payload,
            content_type,
            id: event.id.to_string(),
            event_type: event.event_type.to_string(),
            event: Some(event),
            is_envelope: event.facts.is_some() && *mode != PayloadMode::Keys,
        }
    }

    /// The challenge that the subscription's target has to echo; `None` when none is under way.
    pub(crate) fn of_challenge(delivery: &Delivery, subscription: &Subscription) -> Option<Self> {
        let challenge = subscription.verification.challenge.as_ref()?;
        Some(Self::own(delivery, challenge_body(challenge.as_str()), CHALLENGE_TYPE.to_owned()))
    }

    /// A try by hand.
    pub(crate) fn of_test(delivery: &Delivery, subscription: &Subscription) -> Self {
        let body = json!({
            "type": "test",
            "subscription_id": subscription.id,
            "timestamp": delivery.event_id.created_at().to_string(),
            "message": "This is a test of the subscription. Nothing happened.",
        });
        Self::own(delivery, body.to_string().into(), delivery.event_type.to_string())
    }

    /// Something of the gateway's own.
    fn own(delivery: &Delivery, payload: Bytes, event_type: String) -> Self {
        let content_type = Some("application/json".to_owned());
        let id = delivery.event_id.to_string();
        Self { payload, content_type, id, event_type, event: None, is_envelope: false }
    }

    /// The request of attempt `n`, signed anew.
    ///
    /// # Errors
    /// When it cannot be written in the subscription's dialect.
    pub(crate) fn request(
        self,
        delivery: &Delivery,
        n: u32,
        speech: &Speech<'_>,
        at: Timestamp,
    ) -> Result<OutgoingRequest, Unsendable> {
        let subscription = speech.subscription;
        let settings = &subscription.settings;
        let forwarded = self.event.map(|event| forwarded(event, &settings.forward_headers)).unwrap_or_default();
        let manner = Manner {
            dialect: speech.dialect,
            also: speech.also,
            headers: &settings.headers,
            forwarded: &forwarded,
            url: speech.url,
        };
        let message = Message {
            id: &self.id,
            event_type: &self.event_type,
            accepted_at: delivery.event_id.created_at(),
            at,
            attempt: n,
            delivery_id: delivery.id,
            subscription_id: subscription.id,
            tenant: &subscription.tenant,
            path: self.event.filter(|event| event.facts.is_none()).map(|event| event.path.as_str()),
            facts: self.event.and_then(|event| event.facts.as_ref()),
            payload: &self.payload,
            content_type: self.content_type.as_deref(),
            is_envelope: self.is_envelope,
            json: OnceCell::new(),
        };
        let timeout = settings.timeout();
        let outgoing = |url: &TargetUrl, written: Written, timeouts, max_response_bytes| OutgoingRequest {
            method: written.method,
            url: url.clone(),
            headers: written.headers,
            body: written.body,
            timeouts: Some(timeouts),
            max_response_bytes,
            identity: None,
        };
        if delivery.kind != DeliveryKind::Challenge {
            let written = manner.write(&message, speech.keys)?;
            let timeouts = Timeouts { head: timeout, total: timeout };
            return Ok(outgoing(speech.url, written, timeouts, None));
        }
        let question = speech.question().ok_or(Unsendable::Secret)?;
        let asked = if subscription.verification.purpose == Purpose::Rotation {
            // The new secret has to be proven, not the one that still signs beside it.
            question.write(&manner, &message, &speech.keys.current_alone())?
        } else {
            question.write(&manner, &message, speech.keys)?
        };
        let url = asked.url.as_ref().unwrap_or(speech.url);
        Ok(outgoing(url, asked.written, CHALLENGE_TIMEOUTS, Some(MAX_ANSWER_BYTES)))
    }
}

/// How a subscription speaks to its target.
pub(crate) struct Speech<'a> {
    pub(crate) subscription: &'a Subscription,
    pub(crate) dialect: &'a Dialect,
    pub(crate) also: &'a [Arc<Dialect>],
    pub(crate) keys: &'a Keys,
    /// The host name by which the gateway asks for leave.
    pub(crate) origin: &'a str,
    /// Where it goes.
    pub(crate) url: &'a TargetUrl,
}

impl Speech<'_> {
    /// What its target is asked to prove itself; `None` when nothing is asked.
    pub(crate) fn question(&self) -> Option<Question<'_>> {
        let challenge = self.subscription.verification.challenge.as_ref()?.as_str();
        let style = self.subscription.settings.proof.unwrap_or(self.dialect.proof);
        Some(Question { style, challenge, origin: self.origin })
    }
}

/// The headers of the original request that are passed on, and whether it had proven where it came from.
fn forwarded(event: &Event, wanted: &[String]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if wanted.is_empty() || event.facts.is_some() {
        return headers;
    }
    // Those of AWS say what is to be done where requests are signed for it: not the sender's to say.
    let is_wanted = |name: &str| wanted.iter().any(|one| one == "*" || one == name) && !name.starts_with("x-amz-");
    for (name, value) in event.headers.iter().filter(|(name, _)| is_wanted(name)) {
        // What could pass for the gateway's own, or belongs to a connection, stays behind.
        if let (Ok(_), Ok(header), Ok(value)) =
            (allowed_name(name), HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            headers.append(header, value);
        }
    }
    headers.remove(USER_AGENT);
    headers.insert(VERIFIED, HeaderValue::from_static(if event.is_verified { "true" } else { "false" }));
    headers
}

/// What is kept of an answer: the first `most` bytes of its body. `fault` says why it counts as a failure although its
/// status is a success.
pub(crate) fn kept(response: &OutgoingResponse, most: usize, fault: Option<String>) -> Outcome {
    let beginning = &response.body[..response.body.len().min(most)];
    let body = String::from_utf8_lossy(beginning);
    let headers = TELLING.iter().filter_map(|name| {
        let value = response.headers.get(*name)?.to_str().ok()?;
        let end = value.floor_char_boundary(MAX_KEPT_HEADER_BYTES);
        Some(((*name).to_owned(), value[..end].to_owned()))
    });
    Outcome::Answered(Answer {
        status: response.status.as_u16(),
        headers: headers.collect(),
        body: (!body.is_empty()).then(|| body.into_owned()),
        is_cut: response.truncated || response.body.len() > most,
        fault,
    })
}

/// What is kept of an answer to a challenge: nothing that was echoed.
pub(crate) fn kept_of_challenge(response: &OutgoingResponse, fault: Option<String>) -> Outcome {
    Outcome::Answered(Answer { status: response.status.as_u16(), fault, ..Answer::default() })
}

/// Why no answer came.
pub(crate) fn failed(error: &EgressError) -> Outcome {
    Outcome::Failed { code: error.code().to_owned(), message: error.to_string(), permanent: error.is_permanent() }
}
