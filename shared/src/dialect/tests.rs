//! Every dialect on the wire, held against what receivers compute.

mod bodies;
mod headers;
mod proofs;
mod signatures;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use super::{Dialect, Key, Keys, Manner, Message, TenantKey, Unsendable, Written, catalogue};
use crate::domain::event_facts::EventFacts;
use crate::domain::id::{DeliveryId, EventId, InboundDeliveryId, InboundWebhookId, SubscriptionId};
use crate::domain::static_headers::StaticHeaders;
use crate::domain::target_url::{TargetUrl, UrlPolicy};
use crate::domain::text::TenantSlug;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const AT: i64 = 1_700_000_000;

fn at() -> Timestamp {
    Timestamp::from_second(AT).expect("a time")
}

fn keys_of(secret: &str) -> Keys {
    let tenant = TenantKey::new("sgk_test".to_owned(), &SecretString::from(SEED), None).expect("a seed");
    Keys::new(Key::new(SecretString::from(secret)), None).with_tenant(Arc::new([tenant]))
}

/// What is sent in a test, and how.
struct Sent {
    dialect: Arc<Dialect>,
    also: Vec<Arc<Dialect>>,
    payload: Bytes,
    content_type: Option<&'static str>,
    facts: Option<EventFacts>,
    is_envelope: bool,
    static_headers: BTreeMap<String, String>,
    forwarded: HeaderMap,
    keys: Keys,
    id: String,
}

impl Sent {
    fn in_dialect(name: &str) -> Self {
        Self::with(catalogue::dialect(name).expect("a built-in dialect"))
    }

    fn with(dialect: Arc<Dialect>) -> Self {
        Self {
            dialect,
            also: Vec::new(),
            payload: Bytes::from_static(br#"{"a":1}"#),
            content_type: Some("application/json"),
            facts: None,
            is_envelope: false,
            static_headers: BTreeMap::new(),
            forwarded: HeaderMap::new(),
            keys: keys_of(SECRET),
            id: "evt_1".to_owned(),
        }
    }

    fn declared(row: Value) -> Self {
        let dialect: Dialect = serde_json::from_value(row).expect("a row");
        dialect.check().expect("a row that makes sense");
        Self::with(Arc::new(dialect))
    }

    fn body(self, body: &'static str) -> Self {
        Self { payload: Bytes::from_static(body.as_bytes()), ..self }
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.static_headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// An event that was published, with its data in an envelope.
    fn published(self, data: &str, entity: (&str, &str)) -> Self {
        let envelope = format!(r#"{{"id":"evt_1","type":"invoice.paid","data":{data}}}"#);
        let facts = EventFacts {
            entity_type: Some(entity.0.to_owned()),
            entity_id: Some(entity.1.to_owned()),
            ..EventFacts::default()
        };
        Self { payload: Bytes::from(envelope), facts: Some(facts), is_envelope: true, ..self }
    }

    fn try_write(&self) -> Result<Written, Unsendable> {
        self.under(|manner, message| manner.write(message, &self.keys))
    }

    fn write(&self) -> Written {
        self.try_write().expect("it can be sent")
    }

    fn under<T>(&self, work: impl FnOnce(&Manner<'_>, &Message<'_>) -> T) -> T {
        let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
        let subscription = SubscriptionId::new(at(), 6);
        let event: EventId = InboundDeliveryId::new(at(), InboundWebhookId::NONE, 7).into();
        let headers = StaticHeaders::try_from(self.static_headers.clone()).expect("headers");
        let url = TargetUrl::parse("https://example.com/hooks?x=1", &UrlPolicy::default()).expect("a URL");
        let manner = Manner {
            dialect: &self.dialect,
            also: &self.also,
            headers: &headers,
            forwarded: &self.forwarded,
            url: &url,
        };
        let message = Message {
            id: &self.id,
            event_type: "invoice.paid",
            accepted_at: at(),
            at: at(),
            attempt: 1,
            delivery_id: DeliveryId::derive(event, subscription),
            subscription_id: subscription,
            tenant: &tenant,
            path: None,
            facts: self.facts.as_ref(),
            payload: &self.payload,
            content_type: self.content_type,
            is_envelope: self.is_envelope,
            json: OnceCell::new(),
        };
        work(&manner, &message)
    }
}

fn text<'w>(written: &'w Written, name: &str) -> &'w str {
    written.headers.get(name).map_or("", |value| value.to_str().expect("text"))
}

fn json(written: &Written) -> Value {
    serde_json::from_slice(&written.body).expect("JSON")
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &'static str) {
    headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
}

#[test]
fn every_built_in_row_makes_sense_under_its_own_name() {
    let names: Vec<&str> = catalogue::all().iter().map(|dialect| dialect.name.as_str()).collect();
    let expected = [
        "standard",
        "standard-v1a",
        "hub",
        "timestamped",
        "cloudevents",
        "cloudevents-structured",
        "rfc9421",
        "rfc9421-ed25519",
        "bare",
        "slack",
        "teams",
        "discord",
    ];
    assert_eq!(names, expected);
    for dialect in catalogue::all() {
        // What only templates may have is held back from tenants, and is all that is.
        let as_a_tenants = Dialect { proof: super::proof::ProofStyle::Challenge, ..Dialect::clone(dialect) };
        assert_eq!(as_a_tenants.check(), Ok(()), "{}", dialect.name);
        assert!((10..=200).contains(&dialect.summary.chars().count()), "{}", dialect.name);
        let again: Dialect = serde_json::from_value(serde_json::to_value(&**dialect).unwrap()).unwrap();
        assert_eq!(again, **dialect, "a row reads back as it was written");
    }
}
