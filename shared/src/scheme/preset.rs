//! Presets: everything that is known of one provider, as a row.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Scheme;
use super::handshake::{Handshake, MAX_HANDSHAKES};
use super::naming::{Dedupe, MAX_PLACES, Naming, normal};
use super::place::Place;
use super::settings::PUBLIC_URL;
use crate::domain::own_event::OWN_EVENT_TYPES;

/// The most settings of one row.
const MAX_SETTINGS: usize = 10;
/// The most known names and samples of one row.
const MAX_NAMES: usize = 200;
/// The most places that tell events apart together.
const MAX_DEDUPE_PLACES: usize = 8;
/// The longest text of a row that is for people, in bytes.
const MAX_TEXT_BYTES: usize = 1_024;

/// The name of a preset: 1 to 64 characters of a-z, 0-9 and -, of which the first is a letter or a digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 64, pattern = "^[a-z0-9][a-z0-9-]*$", example = "stripe")]
pub struct PresetName(String);

impl TryFrom<String> for PresetName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_name = (1..=64).contains(&text.len()) && text.bytes().all(is_allowed) && !text.starts_with('-');
        if is_name { Ok(Self(text)) } else { Err("must have 1 to 64 characters of a-z, 0-9 and -") }
    }
}

impl fmt::Display for PresetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PresetName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first word of its event types.
    #[must_use]
    pub fn noun(&self) -> String {
        self.0.replace('-', "_")
    }
}

/// What is known of one provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its name.
    pub name: PresetName,
    /// The provider's name for people.
    pub label: String,
    /// The public page that the row was made from.
    pub source: String,
    /// The provider's page on webhooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// What to paste where.
    pub setup: String,
    /// What the provider calls the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretInfo>,
    /// The values beside the secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, SettingInfo>,
    /// How a request proves itself.
    pub verify: Scheme,
    /// What its events are called.
    pub events: Events,
    /// What tells events apart.
    pub dedupe: Dedupe,
    /// How it asks whether a URL is ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handshakes: Vec<Handshake>,
    /// Requests by the name of their event.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub samples: BTreeMap<String, SampleRequest>,
}

/// What the provider calls the secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretInfo {
    /// Its name in the provider's settings.
    pub label: String,
    /// What one looks like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// Who chooses it.
    #[serde(default)]
    pub given_by: GivenBy,
}

/// Who chooses a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum GivenBy {
    /// The provider shows it.
    #[default]
    Provider,
    /// The admin pastes it into the provider's settings; the gateway makes one when none is given.
    Gateway,
}

/// A value beside the secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingInfo {
    /// Its name in the provider's settings.
    pub label: String,
    /// What one looks like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// Whether it is never shown again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
    /// Whether it may be absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

/// What the events of a provider are called.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// The places whose texts, joined by dots, are the name.
    #[serde(rename = "type", default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// The names that the provider documents most, as it writes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<String>,
}

/// A request as the provider would send it, before it is signed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleRequest {
    /// The method; POST when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Parameters of the query string.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The body, as the fields of a form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Map<String, Value>>,
    /// The body, as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Preset {
    /// Reads a row.
    ///
    /// # Errors
    /// When it is none, or its parts make no sense together; the text says which.
    pub fn parse(json: &str) -> Result<Self, String> {
        let preset: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        preset.check()?;
        Ok(preset)
    }

    /// How its events are called.
    #[must_use]
    pub fn naming(&self) -> Option<Naming> {
        let places = self.events.places.clone();
        (!places.is_empty()).then(|| Naming { prefix: self.name.noun(), places })
    }

    /// The type of its events that do not name theirs.
    #[must_use]
    pub fn fallback_type(&self) -> String {
        format!("{}.received", self.name.noun())
    }

    /// The event types that the provider documents most.
    #[must_use]
    pub fn known_types(&self) -> Vec<String> {
        let noun = self.name.noun();
        self.events.known.iter().map(|known| format!("{noun}.{}", normal(known))).collect()
    }

    /// Tells whether the webhook's secret comes with a handshake.
    #[must_use]
    pub fn learns_secret(&self) -> bool {
        learns_secret(&self.handshakes)
    }

    /// The names of the settings that it reads.
    #[must_use]
    pub fn reads(&self) -> BTreeSet<String> {
        let of_handshakes = self.handshakes.iter().flat_map(Handshake::settings);
        self.verify.settings().into_iter().chain(of_handshakes).collect()
    }

    /// Holds its parts against each other.
    ///
    /// # Errors
    /// When they make no sense together; the text says which.
    pub fn check(&self) -> Result<(), String> {
        self.verify.check()?;
        check_dedupe(&self.verify, &self.dedupe)?;
        check_handshakes(&self.handshakes)?;
        if self.learns_secret() && !self.verify.has_secret() {
            return Err("a handshake brings a secret that nothing uses".to_owned());
        }
        if self.events.places.len() > MAX_PLACES {
            return Err(format!("events.type: must have at most {MAX_PLACES} places"));
        }
        if self.settings.len() > MAX_SETTINGS || self.events.known.len() > MAX_NAMES || self.samples.len() > MAX_NAMES {
            return Err(format!("must have at most {MAX_SETTINGS} settings, and {MAX_NAMES} known events and samples"));
        }
        let texts = [&self.label, &self.source, &self.setup].into_iter().chain(&self.docs);
        if texts.into_iter().any(|text| text.is_empty() || text.len() > MAX_TEXT_BYTES) {
            return Err(format!("label, source, setup and docs must have 1 to {MAX_TEXT_BYTES} bytes"));
        }
        for handshake in &self.handshakes {
            let is_secret = |name: &&String| self.settings.get(*name).is_some_and(|info| info.secret);
            if let Some(told) = handshake.told_settings().iter().find(is_secret) {
                return Err(format!("handshake {}: would tell the secret setting {told}", handshake.name));
            }
        }
        let noun = self.name.noun();
        if OWN_EVENT_TYPES.iter().any(|own| own.name.split('.').next() == Some(noun.as_str())) {
            return Err("name: the gateway tells events of this noun itself".to_owned());
        }
        for name in self.reads() {
            if name != PUBLIC_URL && !self.settings.contains_key(&name) {
                return Err(format!("settings: {name} is read and not described"));
            }
        }
        for name in self.settings.keys() {
            if !self.reads().contains(name) {
                return Err(format!("settings: {name} is described and not read"));
            }
        }
        Ok(())
    }
}

/// Holds what tells events apart against the scheme: a key that anybody on the way can change lets an event in twice.
///
/// # Errors
/// When the place is not covered.
pub fn check_dedupe(scheme: &Scheme, dedupe: &Dedupe) -> Result<(), String> {
    match dedupe.places() {
        places if places.len() > MAX_DEDUPE_PLACES => Err(format!("dedupe: has at most {MAX_DEDUPE_PLACES} places")),
        places if places.iter().all(|place| scheme.covers(place)) => Ok(()),
        _ => Err("dedupe: a place is not covered by the signature".to_owned()),
    }
}

/// Tells whether one of these handshakes brings the webhook's secret.
#[must_use]
pub fn learns_secret(handshakes: &[Handshake]) -> bool {
    handshakes.iter().any(|handshake| handshake.learn.is_some())
}

/// Checks handshakes, together and each.
///
/// # Errors
/// When there are too many, or one makes no sense.
pub fn check_handshakes(handshakes: &[Handshake]) -> Result<(), String> {
    if handshakes.len() > MAX_HANDSHAKES {
        return Err(format!("handshakes: must have at most {MAX_HANDSHAKES} entries"));
    }
    handshakes.iter().try_for_each(Handshake::check)
}
