//! The requests of a subscription as they look on the wire today, for people: signatures and credentials are hidden.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hookport::dialect::proof::ProofStyle;
use hookport::dialect::{Dialect, Key, Keys, Manner, Message, Signing, TenantKey, Written, catalogue};
use hookport::domain::attempt::Attempt;
use hookport::domain::delivery::{Delivery, DeliveryKind};
use hookport::domain::event_facts::EventFacts;
use hookport::domain::payload_mode::PayloadMode;
use hookport::domain::static_headers::HIDDEN;
use hookport::domain::subscription::Subscription;
use http::{HeaderMap, Method};
use secrecy::SecretString;

use super::manner::dialects;
use crate::api::Api;
use crate::error::Result;

/// What an event says, as the subscription's payload mode renders it.
pub(super) struct Payload {
    pub(super) bytes: Bytes,
    pub(super) content_type: Option<String>,
    pub(super) facts: Option<EventFacts>,
    /// The path of the URL that it was received at.
    pub(super) path: String,
}

/// A request as people may see it.
pub(super) struct Shown {
    pub(super) method: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Bytes,
}

/// How a subscription speaks today.
pub(super) struct Speech {
    dialect: Arc<Dialect>,
    also: Vec<Arc<Dialect>>,
    keys: Keys,
}

impl Speech {
    /// Reads the dialects of a subscription; one that is gone is shown as `standard`.
    pub(super) async fn of(api: &Api, subscription: &Subscription) -> Result<Self> {
        let found = dialects(api, &subscription.tenant, &subscription.settings).await;
        let mut found = found.unwrap_or_else(|_| vec![catalogue::standard()]).into_iter();
        let dialect = found.next().unwrap_or_else(catalogue::standard);
        // What is made with these is never shown; they only have to fit.
        let secret = SecretString::from("0".repeat(32));
        let seed = SecretString::from(format!("{}=", "A".repeat(43)));
        let tenant: Vec<TenantKey> = TenantKey::new("hidden".to_owned(), &seed, None).into_iter().collect();
        let keys = Keys::new(Key::new(secret), None).with_tenant(tenant.into());
        Ok(Self { dialect, also: found.collect(), keys })
    }

    /// The request of an attempt. Headers that are passed on from a received request are not among its own.
    pub(super) fn shown(
        &self,
        subscription: &Subscription,
        delivery: &Delivery,
        attempt: &Attempt,
        payload: Option<&Payload>,
    ) -> Shown {
        let settings = &subscription.settings;
        let (none, empty) = (HeaderMap::new(), Bytes::new());
        let manner = Manner {
            dialect: &self.dialect,
            also: &self.also,
            headers: &settings.headers,
            forwarded: &none,
            url: &settings.url,
        };
        let id = delivery.event_id.to_string();
        let is_own = !delivery.kind.is_of_event();
        let facts = payload.and_then(|payload| payload.facts.as_ref());
        let message = Message {
            id: &id,
            event_type: delivery.event_type.as_str(),
            accepted_at: delivery.event_id.created_at(),
            at: attempt.started_at,
            attempt: attempt.n,
            delivery_id: delivery.id,
            subscription_id: subscription.id,
            tenant: &subscription.tenant,
            path: payload.filter(|payload| payload.facts.is_none()).map(|payload| payload.path.as_str()),
            facts,
            payload: payload.map_or(&empty, |payload| &payload.bytes),
            content_type: match payload {
                Some(payload) => payload.content_type.as_deref(),
                None => is_own.then_some("application/json"),
            },
            is_envelope: facts.is_some() && settings.payload != PayloadMode::Keys,
            json: OnceCell::new(),
        };
        let written = match (delivery.kind, settings.proof.unwrap_or(self.dialect.proof)) {
            (DeliveryKind::Challenge, ProofStyle::CloudEvents) => {
                manner.write_own(Method::OPTIONS, &message, &self.keys)
            }
            (DeliveryKind::Challenge, ProofStyle::WebSub) => manner.write_own(Method::GET, &message, &self.keys),
            (DeliveryKind::Challenge, ProofStyle::Challenge | ProofStyle::ValidationToken) => {
                manner.write_own(Method::POST, &message, &self.keys)
            }
            (DeliveryKind::Challenge, ProofStyle::Message)
            | (DeliveryKind::Event | DeliveryKind::Resend | DeliveryKind::Test, _) => {
                manner.write(&message, &self.keys)
            }
        };
        match written {
            Ok(written) => self.hidden(subscription, written),
            Err(_) => Shown {
                method: self.dialect.method.method().to_string(),
                headers: settings.headers.shown(),
                body: message.payload.clone(),
            },
        }
    }

    fn hidden(&self, subscription: &Subscription, written: Written) -> Shown {
        let signings = self.dialect.signatures.iter().chain(self.also.iter().flat_map(|also| &also.signatures));
        let signatures: Vec<String> = signings.flat_map(Signing::headers).collect();
        let chosen = subscription.settings.headers.shown();
        let headers = written.headers.iter().map(|(name, value)| {
            let name = name.as_str();
            let is_signature = name != "content-digest" && signatures.iter().any(|one| one.eq_ignore_ascii_case(name));
            let shown = match chosen.get(name) {
                _ if is_signature => HIDDEN.to_owned(),
                Some(chosen) if value.is_sensitive() => chosen.clone(),
                _ => String::from_utf8_lossy(value.as_bytes()).into_owned(),
            };
            (name.to_owned(), shown)
        });
        Shown { method: written.method.to_string(), headers: headers.collect(), body: written.body }
    }
}
