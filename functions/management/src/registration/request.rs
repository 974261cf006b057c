//! What a listener asks for. There is nothing in it that takes an admin: no owner, no headers, no secret of its own.

use std::collections::BTreeMap;

use hookport::dialect::DialectName;
use hookport::dialect::proof::ProofStyle;
use hookport::domain::event_facts::{OwnerName, Scope};
use hookport::domain::event_type::EventPattern;
use hookport::domain::payload_filter::PayloadFilter;
use hookport::domain::payload_mode::PayloadMode;
use hookport::domain::registration::{Bounds, RequestDigest};
use hookport::domain::retry::RetrySchedule;
use hookport::domain::subscription::Challenge;
use hookport::domain::target_url::{TargetUrl, UrlPolicy};
use hookport::domain::text::{Description, Name};
use hookport::random::Random;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::{Error, OutboundRefusal, Result};
use crate::inbound_webhook::RateLimitSetting;
use crate::subscription::settings::SettingsInput;

/// The member that is not one of a subscription's settings.
const CHALLENGE: &str = "challenge";

/// A subscription that a listener makes itself.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterSubscription {
    /// Its name for people.
    pub(super) name: Name,
    /// Where deliveries go: `https`, and no address of a private network.
    #[schema(format = "uri", min_length = 8, max_length = 1024, example = "https://example.com/hooks")]
    pub(super) url: String,
    /// The event types wanted: exact ones, prefixes such as `invoice.*`, or `*`.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 50, example = json!(["invoice.*"]))]
    pub(super) events: Vec<EventPattern>,
    /// What the target will have to echo, known to the listener alone; made by the gateway when absent.
    #[schema(min_length = 16, max_length = 128, pattern = "^[A-Za-z0-9_-]{16,128}$")]
    challenge: Option<String>,
    /// What it is for.
    description: Option<Description>,
    /// Only events about entities of this type, in any case; null or absent: about any.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_.-]+$")]
    object_type: Option<String>,
    /// Only events at this scope or below it; null or absent: at any.
    scope: Option<Scope>,
    /// Only events about one of these entities; null, absent or empty: about any.
    #[schema(max_items = 100)]
    entity_ids: Option<Vec<String>>,
    /// Only events with such a payload; null or absent: with any.
    filter: Option<PayloadFilter>,
    /// How much of an event is sent; all of it when absent.
    pub(super) payload: Option<PayloadMode>,
    /// How deliveries look on the wire; `standard` when absent.
    pub(super) dialect: Option<DialectName>,
    /// How the target proves itself; as the dialect says when absent.
    proof: Option<ProofStyle>,
    /// The longest that an attempt may take.
    #[schema(minimum = 1, maximum = 30, default = 15)]
    timeout_seconds: Option<u32>,
    /// When failed attempts are made again; `standard` when absent.
    retry_schedule: Option<RetrySchedule>,
    /// How many attempts are made in which time; null or absent: any number.
    rate_limit: Option<RateLimitSetting>,
    /// How many attempts are under way at once; null or absent: any number.
    #[schema(minimum = 1, maximum = 50)]
    max_in_flight: Option<u32>,
    /// At most 20 notes: names of 1 to 64 characters, texts of at most 512.
    metadata: Option<BTreeMap<String, String>>,
}

/// What is wanted, on whose behalf.
pub(super) struct Wanted {
    pub(super) owner: Option<OwnerName>,
    pub(super) input: SettingsInput,
}

impl RegisterSubscription {
    /// What tells the request from others: every member of it, however it was written.
    pub(super) fn digest(&self) -> Result<RequestDigest> {
        let text = serde_json::to_vec(self).map_err(|error| Error::Internal(error.into()))?;
        Ok(RequestDigest::of(&text))
    }

    /// Tells whether what the target has to echo is the listener's own.
    pub(super) fn has_own_challenge(&self) -> bool {
        self.challenge.is_some()
    }

    /// What the target has to echo.
    pub(super) fn challenge(&self, random: &Random) -> Result<Challenge> {
        match &self.challenge {
            Some(text) => Challenge::supplied(text.clone()).map_err(|rule| Error::field(CHALLENGE, rule)),
            None => Ok(Challenge::new(random)),
        }
    }

    /// Makes sure that all of it may be asked for, before anything is looked up.
    pub(super) fn fits(&self, bounds: &Bounds, urls: &UrlPolicy) -> Result<()> {
        if let Some(beyond) = bounds.first_beyond(&self.events) {
            return Err(not_allowed(String::from(beyond.clone())));
        }
        let url = TargetUrl::parse(&self.url, urls)?;
        if bounds.admits_host(url.host()) { Ok(()) } else { Err(not_allowed(url.host().to_owned())) }
    }

    /// The settings that are asked for. They are read as an admin's are, so that the same rules hold.
    pub(super) fn wanted(&self, owner: Option<OwnerName>) -> Result<Wanted> {
        let mut members = serde_json::to_value(self).map_err(|error| Error::Internal(error.into()))?;
        if let Value::Object(members) = &mut members {
            members.remove(CHALLENGE);
        }
        let input = serde_json::from_value(members).map_err(|rule| Error::InvalidRequest(rule.to_string()))?;
        Ok(Wanted { owner, input })
    }
}

/// The refusal of something that the registration may not ask for.
pub(super) fn not_allowed(what: String) -> Error {
    OutboundRefusal::RegistrationNotAllowed(what).into()
}

#[cfg(test)]
mod tests {
    use hookport::domain::host_pattern::HostPattern;
    use serde_json::json;

    use super::*;

    fn read(more: Value) -> RegisterSubscription {
        let mut body = json!({"name": "x", "url": "https://example.com/hook", "events": ["invoice.*"]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(body).unwrap()
    }

    fn fits(events: &[&str], hosts: &[&str]) -> std::result::Result<(), &'static str> {
        let events = events.iter().map(|text| EventPattern::try_from((*text).to_owned()).unwrap()).collect();
        let hosts = hosts.iter().map(|text| HostPattern::try_from((*text).to_owned()).unwrap()).collect();
        let policy = UrlPolicy::default();
        read(json!({})).fits(&Bounds { events, hosts }, &policy).map_err(|error| error.code())
    }

    #[test]
    fn only_what_lies_within_the_bounds_can_be_asked_for() {
        assert_eq!(fits(&["*"], &[]), Ok(()));
        assert_eq!(fits(&["invoice.*"], &["example.com"]), Ok(()));
        assert_eq!(fits(&["invoice.paid"], &[]), Err("registration_not_allowed"));
        assert_eq!(fits(&["*"], &["*.example.com"]), Err("registration_not_allowed"));
    }

    #[test]
    fn every_member_is_one_of_the_settings_but_the_challenge() {
        let all = json!({
            "challenge": "0123456789abcdef", "description": "d", "object_type": "invoice", "scope": "acme",
            "entity_ids": ["1"], "filter": {"total": {"$gt": 5}}, "payload": {"mode": "keys"}, "dialect": "standard",
            "proof": "challenge", "timeout_seconds": 5, "retry_schedule": "none",
            "rate_limit": {"requests": 1, "window_seconds": 60}, "max_in_flight": 2, "metadata": {"a": "b"},
        });
        assert!(read(all).wanted(None).is_ok());
        assert!(read(json!({})).wanted(None).is_ok());
    }

    #[test]
    fn what_takes_an_admin_has_no_place() {
        for member in ["owner", "secret", "headers", "permission", "trigger_challenge", "auto_disable"] {
            let mut body = json!({"name": "x", "url": "https://example.com/hook", "events": ["invoice.*"]});
            body[member] = Value::Null;
            assert!(serde_json::from_value::<RegisterSubscription>(body).is_err(), "{member}");
        }
    }

    #[test]
    fn requests_are_told_apart_by_what_they_say_and_not_by_how_it_is_written() {
        let digest = |more| read(more).digest().unwrap();
        assert_eq!(
            digest(json!({"metadata": {"a": "1", "b": "2"}})),
            digest(json!({"metadata": {"b": "2", "a": "1"}}))
        );
        assert_eq!(digest(json!({"scope": null})), digest(json!({})));
        assert_ne!(digest(json!({"challenge": "0123456789abcdef"})), digest(json!({})));
    }

    #[test]
    fn the_challenge_is_the_listeners_or_made() {
        let random = Random::seeded(7);
        let own = read(json!({"challenge": "0123456789abcdef"}));
        assert_eq!(own.challenge(&random).unwrap().as_str(), "0123456789abcdef");
        assert_eq!(read(json!({})).challenge(&random).unwrap().as_str().len(), 64);
        let refused = read(json!({"challenge": "short"})).challenge(&random).unwrap_err();
        assert_eq!(refused.to_string(), "challenge: must have 16 to 128 letters, digits, - and _");
        assert!(read(json!({"challenge": "dots.are.no.part.of.it"})).challenge(&random).is_err());
    }
}
