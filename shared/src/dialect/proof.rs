//! How a target proves that it wants what a subscription sends: the gateway's own challenge, and those of others, so that
//! listeners that were built for those answer unchanged.
//!
//! Sources: HTTP 1.1 Web Hooks for Event Delivery 1.0.1 (CloudEvents), section 4; WebSub (W3C Recommendation), section
//! 5.3; Microsoft Graph, "Receive change notifications through webhooks".

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::message::Message;
use super::{Keys, Manner, Unsendable, Written};
use crate::domain::target_url::TargetUrl;
use crate::signature::challenge::{ChallengeFailure, MAX_ANSWER_BYTES, echoes};

/// How a target proves that it wants what a subscription sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProofStyle {
    /// A signed POST with a challenge, which the answer's JSON echoes.
    #[default]
    Challenge,
    /// An OPTIONS request by which the gateway asks for leave, as CloudEvents has it: the answer names it as allowed.
    CloudEvents,
    /// A GET with `hub.challenge` in its query, which the answer's body echoes, as WebSub has it.
    WebSub,
    /// A POST with `validationToken` in its query, which the answer's body echoes, as Microsoft Graph has it.
    ValidationToken,
    /// A message that says hello. Only for templates, whose hosts hand out URLs that nobody can guess.
    Message,
}

const REQUEST_ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
/// What is said where saying hello is enough, and the type of event that it is said to be.
const HELLO: &str = r#"{"message":"Hookport is connected. Events come here from now on."}"#;
const HELLO_TYPE: &str = "webhook.connected";
/// How long WebSub's subscription is said to last, in seconds: it has no end here, but the member is required.
const LEASE_S: u32 = 315_360_000;

/// What is asked of a target.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// How.
    pub style: ProofStyle,
    /// The value to be echoed.
    pub challenge: &'a str,
    /// What the gateway calls itself where an origin is asked for: a host name.
    pub origin: &'a str,
}

/// A question as it is sent.
pub struct Asked {
    /// The request.
    pub written: Written,
    /// Where it goes, when not to the subscription's URL itself.
    pub url: Option<TargetUrl>,
}

impl Question<'_> {
    /// Writes the question down; `message` has the challenge as its payload. It is signed as the dialect signs.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn write(&self, manner: &Manner<'_>, message: &Message<'_>, keys: &Keys) -> Result<Asked, Unsendable> {
        let empty =
            Message { payload: &Bytes::new(), content_type: None, json: std::cell::OnceCell::new(), ..*message };
        let to = |pairs: &[(&str, &str)]| manner.url.with_query(pairs).ok_or(Unsendable::Header);
        Ok(match self.style {
            ProofStyle::Challenge => Asked { written: manner.write_own(Method::POST, message, keys)?, url: None },
            ProofStyle::Message => {
                let hello = Message {
                    event_type: HELLO_TYPE,
                    payload: &Bytes::from_static(HELLO.as_bytes()),
                    json: std::cell::OnceCell::new(),
                    ..*message
                };
                Asked { written: manner.write(&hello, keys)?, url: None }
            }
            ProofStyle::CloudEvents => {
                let mut written = manner.write_own(Method::OPTIONS, &empty, keys)?;
                let origin = HeaderValue::from_str(self.origin).map_err(|_| Unsendable::Header)?;
                written.headers.insert(REQUEST_ORIGIN, origin);
                Asked { written, url: None }
            }
            ProofStyle::WebSub => {
                let topic = format!("urn:hookport:{}:{}", message.tenant, message.subscription_id);
                let lease = LEASE_S.to_string();
                let url = to(&[
                    ("hub.mode", "subscribe"),
                    ("hub.topic", &topic),
                    ("hub.challenge", self.challenge),
                    ("hub.lease_seconds", &lease),
                ])?;
                let manner = Manner { url: &url, ..*manner };
                let written = manner.write_own(Method::GET, &empty, keys)?;
                Asked { written, url: Some(url) }
            }
            ProofStyle::ValidationToken => {
                let url = to(&[("validationToken", self.challenge)])?;
                let manner = Manner { url: &url, ..*manner };
                let mut written = manner.write_own(Method::POST, &empty, keys)?;
                written.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
                Asked { written, url: Some(url) }
            }
        })
    }

    /// Judges an answer.
    ///
    /// # Errors
    /// When it does not pass. The text says neither the value that was sent nor the one that came back.
    pub fn judge(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        truncated: bool,
    ) -> Result<(), ChallengeFailure> {
        match self.style {
            ProofStyle::Challenge => echoes(self.challenge, status, body, truncated),
            ProofStyle::Message => is_success(status),
            ProofStyle::CloudEvents => {
                is_success(status)?;
                let allowed = headers.get_all(ALLOWED_ORIGIN).iter().filter_map(|value| value.to_str().ok());
                let mut origins = allowed.flat_map(|value| value.split(',')).map(str::trim);
                let is_ours = |origin: &str| origin == "*" || origin.eq_ignore_ascii_case(self.origin);
                if origins.any(is_ours) { Ok(()) } else { Err(ChallengeFailure::OriginNotAllowed) }
            }
            ProofStyle::WebSub => {
                is_success(status)?;
                self.is_echoed(body, truncated)
            }
            ProofStyle::ValidationToken => {
                if status != 200 {
                    return Err(ChallengeFailure::Status(status));
                }
                self.is_echoed(body, truncated)
            }
        }
    }

    /// Tells whether the body is the value and nothing else but the white space that servers add at its end.
    fn is_echoed(&self, body: &[u8], truncated: bool) -> Result<(), ChallengeFailure> {
        if truncated || body.len() > MAX_ANSWER_BYTES {
            return Err(ChallengeFailure::TooLarge);
        }
        if body.trim_ascii() == self.challenge.as_bytes() { Ok(()) } else { Err(ChallengeFailure::NotTheValue) }
    }
}

fn is_success(status: u16) -> Result<(), ChallengeFailure> {
    if (200..300).contains(&status) { Ok(()) } else { Err(ChallengeFailure::NotSuccess(status)) }
}
