//! Answers senders that ask whether a URL is ours. What they are answered is a row's; it is kept in the log, and is
//! never an event.

use hookport::domain::id::InboundDeliveryId;
use hookport::domain::inbound_delivery::{
    DispatchStatus, FIRST_SWEEP_AFTER, HandshakeNote, InboundDelivery, row_expires_at,
};
use hookport::domain::inbound_webhook::SchemeProof;
use hookport::domain::refusal::Refusal;
use hookport::domain::target_url::TargetUrl;
use hookport::domain::time::later;
use hookport::inbound::hint;
use hookport::message::InboundMessage;
use hookport::proof::Evidence;
use hookport::scheme::handshake::{Answered, Handshake, HandshakeProof};
use hookport::store::{Kept, Writer};
use hookport::vault::Owner;
use http::{HeaderMap, Method};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use tracing::info;

use crate::endpoint::Endpoint;
use crate::keep::{Named, received};
use crate::{Arrived, Ended, Receiver, Trouble};

/// The longest that a sender waits while its confirmation URL is fetched.
const VISIT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(3);
/// The longest secret that a handshake brings, in bytes.
const MAX_LEARNED_BYTES: usize = 512;
/// For how long after a change of a webhook that waits for its secret a handshake may bring it: strangers have no longer.
const LEARNING: SignedDuration = SignedDuration::from_hours(1);

/// A handshake that was answered.
pub(crate) struct Greeted {
    pub(crate) delivery: InboundDelivery,
    pub(crate) answered: Answered,
}

/// The methods that events come by.
pub(crate) fn takes_events(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}

/// The handshake that a request is before anything is proven: one that a stranger may ask for, or one by a method that no
/// event comes by. A body that proved nothing is not read for the others.
pub(crate) fn asked<'e>(endpoint: &'e Endpoint, evidence: &Evidence<'_>, method: &Method) -> Option<&'e Handshake> {
    let may_be = |handshake: &&Handshake| handshake.proof == HandshakeProof::None || !takes_events(method);
    find(endpoint, evidence, may_be)
}

/// The handshake that a proven request is.
pub(crate) fn proven<'e>(endpoint: &'e Endpoint, evidence: &Evidence<'_>) -> Option<&'e Handshake> {
    find(endpoint, evidence, |handshake| handshake.proof == HandshakeProof::Verified)
}

fn find<'e>(
    endpoint: &'e Endpoint,
    evidence: &Evidence<'_>,
    may_be: impl Fn(&&'e Handshake) -> bool,
) -> Option<&'e Handshake> {
    if endpoint.webhook.handshakes.is_empty() {
        return None;
    }
    let view = evidence.unproven();
    let settings = endpoint.verifier.means(evidence.now).settings;
    let is_learning = evidence.now < later(endpoint.webhook.updated_at, LEARNING);
    let waits = is_learning && endpoint.webhook.scheme().is_some_and(SchemeProof::waits_for_secret);
    let is_for_now = |handshake: &&Handshake| handshake.learn.is_none() || waits;
    endpoint.webhook.handshakes.iter().filter(is_for_now).filter(may_be).find(|asked| asked.is(&view, settings))
}

/// Tells whether a text that a handshake brought can be the secret of the webhook's row.
fn is_a_key(endpoint: &Endpoint, secret: &SecretString) -> bool {
    let reads = |proof: &SchemeProof| proof.scheme.key_text().is_none_or(|how| how.read(secret).is_some());
    (8..=MAX_LEARNED_BYTES).contains(&secret.expose_secret().len()) && endpoint.webhook.scheme().is_some_and(reads)
}

impl Receiver {
    /// Answers a handshake and keeps its row; what it asks for is done before.
    pub(crate) async fn greet(
        &self,
        endpoint: &Endpoint,
        handshake: &Handshake,
        arrived: &Arrived,
    ) -> Result<Ended, Trouble> {
        let answer = {
            let evidence = self.evidence(arrived);
            handshake.answer(&evidence.view(), &endpoint.verifier.means(arrived.at))
        };
        let Ok(mut answered) = answer else { return Ok(Ended::Refused(Refusal::HandshakeMalformed)) };
        if let Some(url) = &answered.visit {
            let Ok(url) = TargetUrl::parse(url.as_str(), &self.app.egress.policy().urls()) else {
                return Ok(Ended::Refused(Refusal::HandshakeMalformed));
            };
            self.visit(url).await?;
        }
        let webhook = &endpoint.webhook;
        let learned = match answered.learned.take() {
            None => None,
            Some(secret) if !is_a_key(endpoint, &secret) => return Ok(Ended::Refused(Refusal::HandshakeMalformed)),
            Some(secret) => {
                let owner = Owner::new(&webhook.tenant, webhook.id);
                Some(self.app.vault.seal(&secret, &owner, arrived.at).await?)
            }
        };
        let brings_secret = learned.is_some();
        let named = Named { event_type: webhook.event_type.clone(), key: None };
        let mut delivery = InboundDelivery {
            status: if brings_secret { DispatchStatus::Pending } else { DispatchStatus::Handshake },
            response_status: answered.status,
            due_at: brings_secret.then(|| later(arrived.at, FIRST_SWEEP_AFTER)),
            handshake: Some(HandshakeNote { name: handshake.name.clone(), learned }),
            ..received(&self.app, endpoint, arrived, self.new_id(endpoint, arrived), &named)
        };
        let expires_at = row_expires_at(arrived.at, 0);
        let writer = Writer::new(self.app.random.bits());
        while self.app.store.keep_inbound(&delivery, None, writer, expires_at).await? == Kept::Exists {
            delivery.id = self.new_id(endpoint, arrived);
        }
        if brings_secret {
            hint(&self.app, InboundMessage::again(webhook.tenant.clone(), delivery.id)).await;
        }
        Ok(Ended::Greeted(Greeted { delivery, answered }))
    }

    fn new_id(&self, endpoint: &Endpoint, arrived: &Arrived) -> InboundDeliveryId {
        InboundDeliveryId::new(arrived.at, endpoint.webhook.id, self.app.random.bits())
    }

    /// Fetches a confirmation URL. Whoever sent it comes again when that fails.
    async fn visit(&self, url: TargetUrl) -> Result<(), Trouble> {
        let answer = self.app.egress.get(url, HeaderMap::new(), VISIT_TIMEOUT).await?;
        info!(status = answer.status.as_u16(), "inbound.confirmed");
        if answer.status.is_success() { Ok(()) } else { Err(Trouble::Unconfirmed(answer.status.as_u16())) }
    }
}
