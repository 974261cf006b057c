//! What a target's authentication must be like, by itself and beside the rest of its subscription.

use http::HeaderName;
use http::header::AUTHORIZATION;

use super::{ClientCertificate, Credential, KeyPlace, SecretName, TargetAuth};
use crate::domain::static_headers::{StaticHeaders, StaticHeadersError, allowed_name};
use crate::domain::target_url::{TargetUrl, TargetUrlError, UrlPolicy};
use crate::egress::{ClientIdentity, IdentityError};

/// The most scopes that are asked for.
const MAX_SCOPES: usize = 20;
/// The most parameters beside the standard's.
const MAX_PARAMS: usize = 10;
/// The longest name of a query parameter.
const MAX_PARAMETER_CHARS: usize = 64;
/// The longest certificate chain, in bytes of PEM.
const MAX_CERTIFICATE_BYTES: usize = 16 * 1024;
/// The longest private key, in bytes of PEM.
const MAX_KEY_BYTES: usize = 8 * 1024;
/// What a request for a token says by itself.
const OWN_PARAMS: [&str; 3] = ["grant_type", "scope", "audience"];
/// A parameter with one of these in its name is taken for a credential, which would be shown.
const CREDENTIALS: [&str; 5] = ["client_", "secret", "password", "token", "assertion"];
/// Headers that a signature of version 4 writes.
static SIGV4_HEADERS: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-security-token"),
    HeaderName::from_static("x-amz-content-sha256"),
];

/// Why an authentication was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetAuthError {
    /// Neither a credential nor a certificate.
    #[error("must have a credential, a client certificate or both")]
    Empty,
    /// A text of the wrong length or with other characters.
    #[error("must have {min} to {max} {of}")]
    Text {
        /// The member.
        field: &'static str,
        /// The least characters.
        min: usize,
        /// The most characters.
        max: usize,
        /// Which characters.
        of: &'static str,
    },
    /// A hidden secret that is not known.
    #[error("is (hidden), and there is no earlier value to keep")]
    Hidden(SecretName),
    /// A hidden secret that would be sent to somebody else than before.
    #[error("is (hidden), and the earlier value was for another scheme, host, port, client or use: give it anew")]
    Moved(SecretName),
    /// A header that is not the subscription's to set.
    #[error(transparent)]
    HeaderName(#[from] StaticHeadersError),
    /// A header that the subscription sets itself.
    #[error("writes the header {0}, which stands in the subscription's headers as well")]
    HeaderTaken(HeaderName),
    /// A query parameter that the URL has.
    #[error("is a parameter of the subscription's URL already")]
    ParameterTaken,
    /// Too many scopes, or one that is none.
    #[error("must have at most 20 entries of 1 to 128 visible ASCII characters, none of them \" or \\")]
    Scopes,
    /// Too many parameters, one that is written already, or one that should not be seen.
    #[error(
        "must have at most 10 members: names that are neither the grant's own nor those of credentials, and values \
        of 1 to 1024 printable ASCII characters"
    )]
    Params,
    /// A place that no token may be fetched from.
    #[error(transparent)]
    TokenUrl(#[from] TargetUrlError),
    /// A certificate or key that is of no use.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A certificate for a target that makes no TLS handshake.
    #[error("needs a target whose URL starts with https://")]
    NeedsHttps,
}

impl TargetAuthError {
    /// The member that breaks the rule; empty when it is the whole.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Empty => "",
            Self::Text { field, .. } => field,
            Self::Hidden(name) | Self::Moved(name) => name.field(),
            Self::HeaderName(_) | Self::ParameterTaken => "credential.name",
            Self::HeaderTaken(_) => "credential",
            Self::Scopes => "credential.scopes",
            Self::Params => "credential.params",
            Self::TokenUrl(_) => "credential.token_url",
            Self::Identity(IdentityError::Certificate) => "mtls.certificate",
            Self::Identity(IdentityError::Key | IdentityError::Mismatch) => SecretName::PrivateKey.field(),
            Self::NeedsHttps => "mtls",
        }
    }
}

/// What a subscription's requests are like beside the authentication.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// Where they go.
    pub url: &'a TargetUrl,
    /// The headers that its owner adds.
    pub headers: &'a StaticHeaders,
}

impl TargetAuth {
    /// Holds it against the rules, with all secrets in it.
    ///
    /// # Errors
    /// Says what breaks which rule.
    pub fn check(&self, beside: &Written<'_>, urls: &UrlPolicy) -> Result<(), TargetAuthError> {
        if self.credential.is_none() && self.mtls.is_none() {
            return Err(TargetAuthError::Empty);
        }
        if let Some(mtls) = &self.mtls {
            mtls.check(beside.url)?;
        }
        let Some(credential) = &self.credential else { return Ok(()) };
        credential.check(beside.url, urls)?;
        let written = credential.headers();
        match beside.headers.iter().find(|(name, _)| written.contains(name)) {
            Some((name, _)) => Err(TargetAuthError::HeaderTaken(name)),
            None => Ok(()),
        }
    }
}

impl ClientCertificate {
    fn check(&self, url: &TargetUrl) -> Result<(), TargetAuthError> {
        if self.certificate.len() > MAX_CERTIFICATE_BYTES {
            return Err(IdentityError::Certificate.into());
        }
        if self.private_key.expose().len() > MAX_KEY_BYTES {
            return Err(IdentityError::Key.into());
        }
        ClientIdentity::from_pem(&self.certificate, self.private_key.expose())?;
        if url.is_https() { Ok(()) } else { Err(TargetAuthError::NeedsHttps) }
    }
}

impl Credential {
    /// The headers that it writes.
    #[must_use]
    pub fn headers(&self) -> Vec<HeaderName> {
        match self {
            Self::Basic { .. } | Self::Bearer { .. } | Self::Oauth2 { .. } => vec![AUTHORIZATION],
            Self::ApiKey { place: KeyPlace::Header, name, .. } => {
                HeaderName::from_bytes(name.as_bytes()).into_iter().collect()
            }
            Self::ApiKey { place: KeyPlace::Query, .. } => Vec::new(),
            Self::AwsSigv4 { .. } => SIGV4_HEADERS.to_vec(),
        }
    }

    fn check(&self, url: &TargetUrl, urls: &UrlPolicy) -> Result<(), TargetAuthError> {
        match self {
            Self::Basic { username, password } => {
                if username.contains(':') {
                    return Err(text_error(
                        "credential.username",
                        1,
                        255,
                        "printable ASCII characters but for the colon",
                    ));
                }
                printable("credential.username", username, 1, 255)?;
                printable("credential.password", password.expose(), 0, 1024)
            }
            Self::Bearer { token } => visible("credential.token", token.expose(), 4096),
            Self::ApiKey { place, name, value } => {
                match place {
                    KeyPlace::Header => drop(allowed_name(name)?),
                    KeyPlace::Query => parameter_name(name, url)?,
                }
                let value = value.expose();
                if value.starts_with(' ') || value.ends_with(' ') {
                    return Err(text_error(
                        "credential.value",
                        1,
                        1024,
                        "printable ASCII characters, a space at neither end",
                    ));
                }
                printable("credential.value", value, 1, 1024)
            }
            Self::Oauth2 { token_url, client_id, client_secret, scopes, audience, auth_style: _, params } => {
                TargetUrl::parse(token_url.as_str(), urls)?;
                printable("credential.client_id", client_id, 1, 255)?;
                printable("credential.client_secret", client_secret.expose(), 1, 1024)?;
                if let Some(audience) = audience {
                    printable("credential.audience", audience, 1, 1024)?;
                }
                if scopes.len() > MAX_SCOPES || !scopes.iter().all(|scope| is_scope(scope)) {
                    return Err(TargetAuthError::Scopes);
                }
                let is_fine = params.len() <= MAX_PARAMS && params.iter().all(|(name, value)| is_param(name, value));
                if is_fine { Ok(()) } else { Err(TargetAuthError::Params) }
            }
            Self::AwsSigv4 { region, service, access_key_id, secret_access_key, session_token } => {
                label("credential.region", region)?;
                label("credential.service", service)?;
                let is_fine = access_key_id.bytes().all(|b| b.is_ascii_alphanumeric());
                if !is_fine || !(1..=128).contains(&access_key_id.len()) {
                    return Err(text_error("credential.access_key_id", 1, 128, "letters and digits"));
                }
                visible(SecretName::SecretAccessKey.field(), secret_access_key.expose(), 256)?;
                match session_token {
                    Some(token) => visible(SecretName::SessionToken.field(), token.expose(), 4096),
                    None => Ok(()),
                }
            }
        }
    }
}

fn text_error(field: &'static str, min: usize, max: usize, of: &'static str) -> TargetAuthError {
    TargetAuthError::Text { field, min, max, of }
}

fn visible(field: &'static str, text: &str, max: usize) -> Result<(), TargetAuthError> {
    let is_fine = (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if is_fine { Ok(()) } else { Err(text_error(field, 1, max, "visible ASCII characters")) }
}

fn printable(field: &'static str, text: &str, min: usize, max: usize) -> Result<(), TargetAuthError> {
    let is_fine = (min..=max).contains(&text.len()) && is_printable(text);
    if is_fine { Ok(()) } else { Err(text_error(field, min, max, "printable ASCII characters")) }
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
}

fn label(field: &'static str, text: &str) -> Result<(), TargetAuthError> {
    let is_fine = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_fine { Ok(()) } else { Err(text_error(field, 1, 64, "letters, digits and hyphens")) }
}

fn parameter_name(name: &str, url: &TargetUrl) -> Result<(), TargetAuthError> {
    visible("credential.name", name, MAX_PARAMETER_CHARS)?;
    let query = url.uri().query().unwrap_or_default();
    let is_taken = url::form_urlencoded::parse(query.as_bytes()).any(|(known, _)| known == name);
    if is_taken { Err(TargetAuthError::ParameterTaken) } else { Ok(()) }
}

/// A scope token of RFC 6749, 3.3.
fn is_scope(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

fn is_param(name: &str, value: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    (1..=MAX_PARAMETER_CHARS).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_graphic())
        && !OWN_PARAMS.contains(&lower.as_str())
        && !CREDENTIALS.iter().any(|word| lower.contains(word))
        && (1..=1024).contains(&value.len())
        && is_printable(value)
}
