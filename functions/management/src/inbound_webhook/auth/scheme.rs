//! Proofs by a row: that of a preset, or one given with the webhook.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::domain::inbound_webhook::{Auth, Proof, SchemeProof, Secrets, SettingValue};
use hookport::random::Random;
use hookport::scheme::Scheme;
use hookport::scheme::handshake::Handshake;
use hookport::scheme::key::{KeyEncoding, KeyText};
use hookport::scheme::place::At;
use hookport::scheme::preset::{GivenBy, Preset, PresetName, SettingInfo, learns_secret};
use hookport::scheme::settings::PUBLIC_URL;
use hookport::vault::Owner;
use secrecy::{ExposeSecret, SecretString};

use crate::api::Api;
use crate::error::{Error, Result};
use crate::inbound_webhook::seal;
use crate::secret::hex_secret;

/// The longest value of a setting, in bytes.
const MAX_SETTING_BYTES: usize = 2_048;
/// The shortest secret, in bytes: providers give what they give, and less can be tried out.
const MIN_SECRET_BYTES: usize = 8;
/// The longest secret or public key, in bytes.
const MAX_SECRET_BYTES: usize = 4_096;

/// A proof by a row, before anything of it is sealed.
pub(super) struct AskedScheme {
    preset: Option<PresetName>,
    scheme: Scheme,
    settings: BTreeMap<String, String>,
    /// Those that are never shown again.
    secret_settings: Vec<String>,
    /// Those that must be there.
    needed_settings: Vec<String>,
    supplied: Option<SecretString>,
    given_by: GivenBy,
    learns: bool,
}

/// The values that a caller gave beside a row.
pub(super) struct Given {
    pub(super) settings: BTreeMap<String, String>,
    pub(super) secret: Option<SecretString>,
    pub(super) tolerance_s: Option<u32>,
}

impl AskedScheme {
    /// The row of a preset, with the handshakes that are answered beside it.
    pub(super) fn of_preset(preset: &Preset, handshakes: &[Handshake], given: Given) -> Result<Self> {
        let named = |is: fn(&SettingInfo) -> bool| {
            preset.settings.iter().filter(|(_, info)| is(info)).map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        let asked = Self {
            preset: Some(preset.name.clone()),
            scheme: preset.verify.clone(),
            settings: given.settings,
            secret_settings: named(|info| info.secret),
            needed_settings: named(|info| !info.optional),
            supplied: given.secret,
            given_by: preset.secret.as_ref().map_or(GivenBy::Provider, |secret| secret.given_by),
            learns: learns_secret(handshakes),
        };
        let known: Vec<_> = preset.settings.keys().cloned().collect();
        asked.checked(&known, given.tolerance_s)
    }

    /// A row that came with the webhook. What its settings are is not known, so none is shown again.
    pub(super) fn of_row(scheme: Scheme, handshakes: &[Handshake], given: Given) -> Result<Self> {
        scheme.check().map_err(|rule| Error::field("auth_config.scheme", rule))?;
        let of_handshakes = handshakes.iter().flat_map(Handshake::settings);
        let read: Vec<_> =
            scheme.settings().into_iter().chain(of_handshakes).filter(|name| name != PUBLIC_URL).collect();
        let asked = Self {
            preset: None,
            scheme,
            settings: given.settings,
            secret_settings: read.clone(),
            needed_settings: read.clone(),
            supplied: given.secret,
            given_by: GivenBy::Gateway,
            learns: learns_secret(handshakes),
        };
        asked.checked(&read, given.tolerance_s)
    }

    fn checked(mut self, known: &[String], tolerance_s: Option<u32>) -> Result<Self> {
        for (name, value) in &self.settings {
            let field = format!("auth_config.settings.{name}");
            let is_read = known.contains(name) || (name == PUBLIC_URL && self.scheme.signs_url());
            if !is_read {
                return Err(Error::field(&field, "is no setting of this row"));
            }
            if !(1..=MAX_SETTING_BYTES).contains(&value.len()) {
                return Err(Error::field(&field, format!("must have 1 to {MAX_SETTING_BYTES} bytes")));
            }
            if name == PUBLIC_URL && (value.contains(['?', '#']) || !value.starts_with("http")) {
                return Err(Error::field(&field, "must be a URL without a query string"));
            }
        }
        if let Some(secret) = &self.supplied {
            check(&self.scheme, secret)?;
        }
        if let Some(tolerance_s) = tolerance_s
            && !self.scheme.set_tolerance(tolerance_s)
        {
            return Err(Error::field("auth_config.tolerance_seconds", "has no meaning: nothing is timed by this row"));
        }
        Ok(self)
    }

    /// Tells whether what was kept for a row may be used for this one: not what was a public key for a shared secret.
    fn is_that_of(&self, before: &SchemeProof) -> bool {
        let (mut one, mut other) = (self.scheme.clone(), before.scheme.clone());
        one.set_tolerance(1);
        other.set_tolerance(1);
        let is_alike = || {
            self.preset.is_some()
                && one.key_text() == other.key_text()
                && one.has_public_key() == other.has_public_key()
                && one.has_secret() == other.has_secret()
        };
        before.preset == self.preset && (one == other || is_alike())
    }

    /// Seals what is secret, and keeps what the same row had before.
    pub(super) async fn sealed(
        self,
        api: &Api,
        owner: &Owner,
        before: &Auth,
        index: usize,
    ) -> Result<(Proof, Option<SecretString>)> {
        let before = match before.proofs.get(index) {
            Some(Proof::Scheme(before)) if self.is_that_of(before) => Some(&**before),
            _ => None,
        };
        let mut settings = BTreeMap::new();
        for (name, value) in &self.settings {
            let value = match self.secret_settings.contains(name) {
                true => SettingValue::Sealed(seal(api, &SecretString::from(value.clone()), owner).await?),
                false => SettingValue::Plain(value.clone()),
            };
            settings.insert(name.clone(), value);
        }
        // What is never shown cannot be sent back.
        let kept = before.iter().flat_map(|before| &before.settings);
        let kept = kept
            .filter(|(name, value)| self.secret_settings.contains(name) && matches!(value, SettingValue::Sealed(_)));
        for (name, value) in kept {
            settings.entry(name.clone()).or_insert_with(|| value.clone());
        }
        if let Some(missing) = self.needed_settings.iter().find(|name| !settings.contains_key(*name)) {
            return Err(Error::field(&format!("auth_config.settings.{missing}"), "must be given"));
        }
        let kept = before.and_then(|before| before.secret.clone());
        let (secret, new) = match (self.supplied, kept) {
            (Some(supplied), _) => (Some(Secrets::new(seal(api, &supplied, owner).await?)), Some(supplied)),
            (None, Some(kept)) => (Some(kept), None),
            (None, None) if !self.scheme.has_secret() || self.learns => (None, None),
            (None, None) if self.given_by == GivenBy::Gateway && !self.scheme.has_public_key() => {
                let made = made(&self.scheme, &api.app.random);
                (Some(Secrets::new(seal(api, &made, owner).await?)), Some(made))
            }
            (None, None) => {
                return Err(Error::field("auth_config.secret", "must be given: it is the provider who makes it"));
            }
        };
        let proof = SchemeProof { preset: self.preset, scheme: self.scheme, settings, secret, learned_at: None };
        Ok((Proof::Scheme(Box::new(proof)), new))
    }
}

/// Refuses a secret that does not hold a key of the row.
pub(in crate::inbound_webhook) fn check(scheme: &Scheme, secret: &SecretString) -> Result<()> {
    let field = "auth_config.secret";
    if !scheme.has_secret() {
        return Err(Error::field(field, "must be absent: the key comes with the requests"));
    }
    let text = secret.expose_secret();
    if !(MIN_SECRET_BYTES..=MAX_SECRET_BYTES).contains(&text.len()) {
        return Err(Error::field(field, format!("must have {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes")));
    }
    if matches!(scheme, Scheme::Token(_)) && (text.trim() != text || text.chars().any(char::is_control)) {
        return Err(Error::field(field, "must not begin or end with a space, or contain control characters"));
    }
    match scheme.key_text() {
        Some(how) if how.read(secret).is_none() => {
            Err(Error::field(field, "does not hold a key as the provider writes it"))
        }
        _ => Ok(()),
    }
}

/// Makes a secret as the row reads it.
pub(crate) fn made(scheme: &Scheme, random: &Random) -> SecretString {
    if let Scheme::Token(token) = scheme
        && token.place.at == At::Basic
    {
        return format!("hookport:{}", hex_secret::<32>(random).expose_secret()).into();
    }
    match scheme.key_text() {
        Some(KeyText { encoding: KeyEncoding::Base64, strip, .. }) => {
            let prefix = strip.as_deref().unwrap_or_default();
            format!("{prefix}{}", STANDARD.encode(random.bytes::<32>())).into()
        }
        _ => hex_secret::<32>(random),
    }
}
