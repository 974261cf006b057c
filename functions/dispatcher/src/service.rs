//! Attempts whose target is a service of the operator's cloud: what a request would say, in the service's own words.

use hookport::dialect::Signing;
use hookport::domain::attempt::{Answer, Outcome};
use hookport::domain::delivery::Delivery;
use hookport::domain::retry::FailureClass;
use hookport::domain::subscription::Settings;
use hookport::domain::target::{FunctionMode, Target};
use hookport::domain::verdict::{self, Policy, Verdict, judge};
use hookport::egress::OutgoingRequest;
use http::HeaderMap;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderName, PROXY_AUTHORIZATION, USER_AGENT,
};
use jiff::Timestamp;
use targets::{Fault, Parcel, Sent, TargetError};

use crate::Dispatcher;
use crate::attempt::{End, GIVE_UP, TRY_AGAIN, here};
use crate::event::Event;
use crate::gates::Seen;
use crate::subscriptions::Ready;

/// Headers of a connection, or of a proof to a host: nobody behind a queue has a use for them. The type of the body is
/// said apart.
const NOT_CARRIED: [HeaderName; 7] =
    [AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, PROXY_AUTHORIZATION, USER_AGENT];

/// Of the gateway's own headers, those that a receiver needs to check a signature and to drop what it has already.
const IDENTITY: [&str; 3] = ["webhook-id", "webhook-timestamp", "hookport-delivery-id"];

impl Dispatcher {
    /// Sends what `request` says to the subscription's service. `event` is what a delivery of an event carries.
    pub(crate) async fn sent_to_service(
        &self,
        request: OutgoingRequest,
        delivery: &Delivery,
        event: Option<&Event>,
        ready: &Ready,
    ) -> End {
        let settings = &ready.subscription.settings;
        // The operator may have taken back what was allowed when the subscription was made, and may allow it again.
        if !self.app.config.allows(&delivery.tenant, &settings.target) {
            return here("target_not_allowed", "the operator does not let this tenant send there", TRY_AGAIN);
        }
        let parcel = parcel(request, delivery, event, ready);
        match self.targets.send(&settings.target, &parcel).await {
            Ok(sent) => taken(&sent, settings, self.app.clock.now()),
            Err(error) => not_taken(&error, settings),
        }
    }
}

fn parcel(request: OutgoingRequest, delivery: &Delivery, event: Option<&Event>, ready: &Ready) -> Parcel {
    let content_type = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let facts = event.and_then(|event| event.facts.as_ref());
    Parcel {
        delivery_id: delivery.id,
        subscription_id: delivery.subscription_id,
        id: delivery.event_id.to_string(),
        event_type: delivery.event_type.to_string(),
        occurred_at: delivery.event_id.created_at(),
        entity: facts.and_then(|facts| {
            let id = facts.entity_id.as_deref()?;
            Some(facts.entity_type.as_deref().map_or_else(|| id.to_owned(), |kind| format!("{kind}/{id}")))
        }),
        content_type: content_type.to_owned(),
        attributes: attributes(&request.headers, ready),
        body: request.body,
        timeout: ready.subscription.settings.timeout(),
    }
}

/// What the headers say. A service takes a few only, or a few bytes of them: what a receiver cannot do without comes
/// first, and what senders and owners may add as much of as they like comes last.
fn attributes(headers: &HeaderMap, ready: &Ready) -> Vec<(String, String)> {
    let carried = headers.iter().filter(|(name, _)| !NOT_CARRIED.contains(name));
    let mut ranked: Vec<_> = carried
        .filter_map(|(name, value)| {
            Some((rank(name, ready), name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect();
    ranked.sort_by_key(|(rank, ..)| *rank);
    ranked.into_iter().map(|(_, name, value)| (name, value)).collect()
}

/// Where an attribute stands among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Signature,
    /// What is signed, and what tells repetitions apart.
    Identity,
    Dialect,
    Gateway,
    Forwarded,
    Added,
}

fn rank(name: &HeaderName, ready: &Ready) -> Rank {
    let is = |known: &str| known.eq_ignore_ascii_case(name.as_str());
    let mut dialects = ready.dialect.iter().chain(&ready.also);
    if dialects.any(|dialect| dialect.signatures.iter().flat_map(Signing::headers).any(|known| is(&known))) {
        Rank::Signature
    } else if IDENTITY.iter().any(|known| is(known)) {
        Rank::Identity
    } else if ready.dialect.iter().any(|dialect| dialect.headers.keys().any(|known| is(known))) {
        Rank::Dialect
    } else if ready.subscription.settings.headers.has(name) {
        Rank::Added
    } else if name.as_str().starts_with("hookport-") {
        Rank::Gateway
    } else {
        Rank::Forwarded
    }
}

/// The service took it. What it says is a receipt, but for a function that was waited for: that has answered, and the
/// subscription may have said what the answer must be.
fn taken(sent: &Sent, settings: &Settings, now: Timestamp) -> End {
    let has_answered = matches!(settings.target, Target::Function { mode: FunctionMode::Wait, .. });
    let rule = settings.response_rule.as_ref().filter(|_| has_answered);
    let policy = Policy { retry_on: &settings.retry_on, rule };
    let (status, body) = (sent.status, sent.body.as_bytes());
    let verdict = judge(&verdict::Answer::Response { status, headers: &HeaderMap::new(), body }, &policy, now);
    let most = sent.body.floor_char_boundary(settings.kept_response_bytes.into());
    let answer = Answer {
        status,
        headers: Vec::new(),
        body: (most > 0).then(|| sent.body[..most].to_owned()),
        is_cut: most < sent.body.len(),
        fault: rule.and_then(|rule| rule.broken_by(status, body)),
    };
    End { outcome: Outcome::Answered(answer), verdict, seen: Seen::Alive }
}

fn not_taken(error: &TargetError, settings: &Settings) -> End {
    let failed = |class, status, slow_down| Verdict::Failed {
        retry: settings.retry_on.retries(class, status),
        not_before: None,
        slow_down,
    };
    let (verdict, seen) = match error.fault {
        Fault::Unfit => (GIVE_UP, Seen::Unknown),
        Fault::Refused(status) => (failed(FailureClass::of(status), Some(status), false), Seen::Alive),
        // As HTTP says it, which is tried again whatever the subscription says.
        Fault::Throttled => (failed(FailureClass::Client, Some(429), true), Seen::Alive),
        Fault::Failed(status) => (failed(FailureClass::Server, Some(status), status != 500), Seen::Trouble),
        Fault::Silent => (failed(FailureClass::Network, None, false), Seen::Trouble),
    };
    let permanent = error.fault == Fault::Unfit;
    let outcome = Outcome::Failed { code: error.code.to_owned(), message: error.message.clone(), permanent };
    End { outcome, verdict, seen }
}
