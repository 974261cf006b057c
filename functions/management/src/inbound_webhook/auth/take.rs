//! The members of a configuration, by the type that they belong to.

use hookport::domain::inbound_webhook::{
    AuthType, DEFAULT_TOLERANCE_S, HmacAlgorithm, HmacProof, JwtProof, MAX_PROOFS, Proof, Secrets, SignatureForm,
};
use hookport::domain::target_url::TargetUrl;
use secrecy::{ExposeSecret, SecretString};

use super::scheme::{AskedScheme, Given};
use super::{
    AskedProof, AuthConfig, DEFAULT_KEY_HEADERS, DEFAULT_LEEWAY_S, DEFAULT_QUERY_PARAM, DEFAULT_SLUG_HEADER,
    MAX_TEXT_CHARS, Part, Rules, SignatureFormat,
};
use crate::error::{Error, Result};
use crate::extract::JsonObject;
use crate::inbound_webhook::settings::{header_name, networks, within};
use crate::secret::{ProviderSecret, SuppliedSecret};

impl AuthConfig {
    /// The parts of `all`.
    pub(super) fn take_members(&mut self, rules: &Rules<'_>) -> Result<Vec<Part>> {
        let members = self.of.take().unwrap_or_default();
        if !(2..=MAX_PROOFS).contains(&members.len()) {
            return Err(Error::field("auth_config.of", format!("must have 2 to {MAX_PROOFS} entries")));
        }
        let members = members.into_iter().enumerate().map(|(index, JsonObject(mut member))| -> Result<Part> {
            let at = format!("auth_config.of[{index}]");
            let kind = member.kind.ok_or_else(|| Error::field(&format!("{at}.type"), "must be given"))?;
            let part = member.take_part(kind, &at, rules)?;
            member.refuse_rest(&at)?;
            Ok(part)
        });
        members.collect()
    }

    /// The row of the preset or of the caller, and the allow-list beside it if there is one.
    pub(super) fn take_scheme(&mut self, rules: &Rules<'_>) -> Result<Vec<Part>> {
        let given = Given {
            settings: self.settings.take().unwrap_or_default(),
            secret: self.secret.take().map(|ProviderSecret(secret)| secret),
            tolerance_s: within("auth_config.tolerance_seconds", self.tolerance_seconds.take(), 1..=604_800)?,
        };
        let asked = match (rules.preset, self.scheme.take()) {
            (Some(preset), None) => AskedScheme::of_preset(preset, rules.handshakes, given)?,
            (Some(_), Some(_)) => {
                return Err(Error::field("auth_config.scheme", "must be absent: the preset has one"));
            }
            (None, Some(row)) => {
                let scheme = serde_json::from_value(row);
                let scheme = scheme.map_err(|error| Error::field("auth_config.scheme", error.to_string()))?;
                AskedScheme::of_row(scheme, rules.handshakes, given)?
            }
            (None, None) => {
                return Err(Error::field("auth_config.scheme", "must be given with this type, or else preset"));
            }
        };
        let mut parts = vec![Part::Proof(AskedProof::Scheme(Box::new(asked)))];
        if let Some(given) = self.ip_cidrs.take() {
            parts.push(Part::Networks(networks("auth_config.ip_cidrs", &given)?));
        }
        Ok(parts)
    }

    /// Takes the members that belong to `kind`; `at` is where the configuration stands in the request.
    pub(super) fn take_part(&mut self, kind: AuthType, at: &str, rules: &Rules<'_>) -> Result<Part> {
        match kind {
            AuthType::HmacSha256 => self.take_hmac(kind, HmacAlgorithm::Sha256, at, rules),
            AuthType::HmacSha1 => self.take_hmac(kind, HmacAlgorithm::Sha1, at, rules),
            AuthType::HmacSha512 => self.take_hmac(kind, HmacAlgorithm::Sha512, at, rules),
            AuthType::Bearer => {
                secret(kind, &format!("{at}.token"), self.token.take(), |secret| Proof::Bearer { secret })
            }
            AuthType::Basic => {
                let field = format!("{at}.username");
                let username = text(&field, needed(&field, self.username.take())?)?;
                if username.contains(':') {
                    return Err(Error::field(&field, "must not contain a colon, which ends it on its way"));
                }
                let with = |secret| Proof::Basic { username, secret };
                secret(kind, &format!("{at}.password"), self.password.take(), with)
            }
            AuthType::ApiKey => {
                let field = format!("{at}.header");
                let header = header_name(&field, needed(&field, self.header.take())?)?;
                secret(kind, &format!("{at}.key"), self.key.take(), |secret| Proof::HeaderKey { header, secret })
            }
            AuthType::PathToken => {
                let param = self.query_param.take().unwrap_or_else(|| DEFAULT_QUERY_PARAM.to_owned());
                let param = text(&format!("{at}.query_param"), param)?;
                secret(kind, &format!("{at}.token"), self.token.take(), |secret| Proof::QueryKey { param, secret })
            }
            AuthType::Jwt => {
                let jwks_url = needed(&format!("{at}.jwks_url"), self.jwks_url.take())?;
                let jwks_url = TargetUrl::parse(&jwks_url, rules.urls)?.as_str().to_owned();
                let optional = |name: &str, given: Option<String>| -> Result<Option<String>> {
                    given.map(|given| text(&format!("{at}.{name}"), given)).transpose()
                };
                let leeway_s = within(&format!("{at}.leeway_seconds"), self.leeway_seconds.take(), 0..=600)?;
                Ok(Part::Proof(AskedProof::Whole(Proof::Jwt(JwtProof {
                    jwks_url,
                    issuer: optional("issuer", self.issuer.take())?,
                    // Many issuers sign for anybody: only this says that a token is meant for us.
                    audience: Some(needed(&format!("{at}.audience"), optional("audience", self.audience.take())?)?),
                    leeway_s: leeway_s.unwrap_or(DEFAULT_LEEWAY_S),
                }))))
            }
            AuthType::IpAllowlist => {
                let given = self.ip_cidrs.take().unwrap_or_default();
                networks(&format!("{at}.ip_cidrs"), &given).map(Part::Networks)
            }
            AuthType::All | AuthType::None | AuthType::Scheme => {
                Err(Error::field(&format!("{at}.type"), "must be a proof or ip_allowlist"))
            }
        }
    }

    fn take_hmac(&mut self, kind: AuthType, algorithm: HmacAlgorithm, at: &str, rules: &Rules<'_>) -> Result<Part> {
        let headers = match self.signature_header.take() {
            Some(header) => vec![header_name(&format!("{at}.signature_header"), header)?],
            None if rules.has_slug => vec![DEFAULT_SLUG_HEADER.to_owned()],
            None => DEFAULT_KEY_HEADERS.map(str::to_owned).into(),
        };
        let field = format!("{at}.tolerance_seconds");
        let tolerance = within(&field, self.tolerance_seconds.take(), 1..=3_600)?;
        let form = match self.format.take().unwrap_or_default() {
            SignatureFormat::Body if tolerance.is_some() => {
                return Err(Error::field(&field, "needs the format timestamped"));
            }
            SignatureFormat::Body => SignatureForm::Body,
            SignatureFormat::Timestamped => {
                SignatureForm::Timestamped { tolerance_s: tolerance.unwrap_or(DEFAULT_TOLERANCE_S) }
            }
        };
        let encoding = self.encoding.take().unwrap_or_default();
        let given = self.secret.take().map(ProviderSecret::supplied).transpose();
        let given = given.map_err(|rule| Error::field(&format!("{at}.secret"), rule))?;
        let given = given.map(SuppliedSecret);
        secret(kind, &format!("{at}.secret"), given, move |secret| {
            Proof::Hmac(HmacProof { algorithm, headers, encoding, form, secret })
        })
    }

    /// Refuses what is left once the members that belong to the type were taken.
    pub(super) fn refuse_rest(&self, at: &str) -> Result<()> {
        let rest = [
            ("signature_header", self.signature_header.is_some()),
            ("encoding", self.encoding.is_some()),
            ("format", self.format.is_some()),
            ("tolerance_seconds", self.tolerance_seconds.is_some()),
            ("secret", self.secret.is_some()),
            ("scheme", self.scheme.is_some()),
            ("settings", self.settings.is_some()),
            ("token", self.token.is_some()),
            ("username", self.username.is_some()),
            ("password", self.password.is_some()),
            ("header", self.header.is_some()),
            ("key", self.key.is_some()),
            ("query_param", self.query_param.is_some()),
            ("jwks_url", self.jwks_url.is_some()),
            ("issuer", self.issuer.is_some()),
            ("audience", self.audience.is_some()),
            ("leeway_seconds", self.leeway_seconds.is_some()),
            ("ip_cidrs", self.ip_cidrs.is_some()),
            ("of", self.of.is_some()),
        ];
        match rest.into_iter().find(|(_, is_left)| *is_left) {
            Some((name, _)) => Err(Error::field(&format!("{at}.{name}"), "does not belong to this type")),
            None => Ok(()),
        }
    }
}

fn secret(
    kind: AuthType,
    field: &str,
    supplied: Option<SuppliedSecret>,
    with: impl FnOnce(Secrets) -> Proof + Send + 'static,
) -> Result<Part> {
    let supplied = supplied.map(|SuppliedSecret(secret)| secret);
    if let Some(supplied) = &supplied {
        check_secret(kind, field, supplied)?;
    }
    Ok(Part::Proof(AskedProof::Secret { kind, supplied, with: Box::new(with) }))
}

/// Refuses a secret that a header cannot carry as it is, if that is where it travels.
pub(in crate::inbound_webhook) fn check_secret(kind: AuthType, field: &str, secret: &SecretString) -> Result<()> {
    let secret = secret.expose_secret();
    let in_header = matches!(kind, AuthType::Bearer | AuthType::ApiKey);
    if in_header && (secret.trim() != secret || secret.chars().any(char::is_control)) {
        return Err(Error::field(field, "must not begin or end with a space, or contain control characters"));
    }
    Ok(())
}

fn needed(field: &str, given: Option<String>) -> Result<String> {
    given.ok_or_else(|| Error::field(field, "must be given with this type"))
}

fn text(field: &str, given: String) -> Result<String> {
    if !(1..=MAX_TEXT_CHARS).contains(&given.chars().count()) {
        return Err(Error::field(field, format!("must have 1 to {MAX_TEXT_CHARS} characters")));
    }
    if given.chars().any(char::is_control) {
        return Err(Error::field(field, "must not contain control characters"));
    }
    Ok(given)
}
