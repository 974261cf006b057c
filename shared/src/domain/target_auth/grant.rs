//! The client credentials grant (RFC 6749, 4.4): what is asked, and what is made of the answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{ClientAuthStyle, Credential, SecretText};
use crate::domain::target_url::TargetUrl;

/// The longest access token that is taken, in characters.
const MAX_TOKEN_CHARS: usize = 8 * 1024;
/// How long before its end a token is no longer used.
const MARGIN: SignedDuration = SignedDuration::from_secs(30);
/// How long a token is used of which nothing is said.
const DEFAULT_LIFE: SignedDuration = SignedDuration::from_mins(5);
/// The longest that a token is used.
const MAX_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// The error codes of RFC 6749, 5.2. No other text of an answer is repeated: it could hold what was sent.
const ERROR_CODES: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];

/// The form that asks for a token.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// Where it is posted to.
    pub url: TargetUrl,
    /// The value of `Authorization`, where the client shows itself by it.
    pub authorization: Option<SecretText>,
    /// The body, of the type `application/x-www-form-urlencoded`.
    pub form: SecretText,
}

/// A token that was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The token.
    pub token: SecretText,
    /// How long it is used from when it was asked for.
    pub life: SignedDuration,
}

/// An answer without a token. Says nothing of what was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// A status that is no success.
    #[error("the token endpoint answered {status}{}", .error.map(|code| format!(" ({code})")).unwrap_or_default())]
    Status {
        /// The status.
        status: u16,
        /// The standard's code for it, where the body named one.
        error: Option<&'static str>,
    },
    /// A success that grants nothing that could be used.
    #[error("the token endpoint granted no bearer token")]
    NoToken,
}

impl TokenRefusal {
    /// Tells whether the endpoint does not work at the moment, rather than that it refuses.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        match self {
            Self::Status { status, .. } => !matches!(status, 300..=499) || matches!(status, 408 | 425 | 429),
            Self::NoToken => false,
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<SecretText>,
    token_type: Option<String>,
    expires_in: Option<Value>,
}

impl Credential {
    /// The form that asks for a token; `None` for a credential that needs none.
    #[must_use]
    pub fn token_request(&self) -> Option<TokenRequest> {
        let Self::Oauth2 { token_url, client_id, client_secret, scopes, audience, auth_style, params } = self else {
            return None;
        };
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if !scopes.is_empty() {
            form.append_pair("scope", &scopes.join(" "));
        }
        if let Some(audience) = audience {
            form.append_pair("audience", audience);
        }
        form.extend_pairs(params);
        let authorization = match auth_style {
            ClientAuthStyle::Basic => {
                // RFC 6749, 2.3.1: both are written as a form writes them first.
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                Some(basic_authorization(&encoded(client_id), &encoded(client_secret.expose())))
            }
            ClientAuthStyle::Body => {
                form.append_pair("client_id", client_id).append_pair("client_secret", client_secret.expose());
                None
            }
        };
        Some(TokenRequest { url: (**token_url).clone(), authorization, form: form.finish().into() })
    }
}

/// The value of `Authorization` that shows a user by name and password.
#[must_use]
pub fn basic_authorization(username: &str, password: &str) -> SecretText {
    let both = SecretText::from(format!("{username}:{password}"));
    SecretText::from(format!("Basic {}", STANDARD.encode(both.expose())))
}

/// The token in an answer.
///
/// # Errors
/// When there is none that could be used.
pub fn granted(status: u16, body: &[u8]) -> Result<Granted, TokenRefusal> {
    if !(200..=299).contains(&status) {
        let said = serde_json::from_slice::<Value>(body).unwrap_or_default();
        let error = ERROR_CODES.into_iter().find(|code| said["error"] == **code);
        return Err(TokenRefusal::Status { status, error });
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|_| TokenRefusal::NoToken)?;
    let is_bearer = answer.token_type.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    let is_token = |token: &SecretText| {
        let text = token.expose();
        (1..=MAX_TOKEN_CHARS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
    };
    let token = answer.access_token.filter(|token| is_bearer && is_token(token)).ok_or(TokenRefusal::NoToken)?;
    Ok(Granted { token, life: life(answer.expires_in.as_ref()) })
}

/// How long a token is used. Some servers write the seconds as a text.
fn life(expires_in: Option<&Value>) -> SignedDuration {
    let seconds = match expires_in {
        Some(Value::Number(number)) => number.as_f64().map(|seconds| seconds.clamp(0.0, 86_400.0)),
        Some(Value::String(text)) => text.parse::<u32>().ok().map(|seconds| f64::from(seconds.min(86_400))),
        _ => None,
    };
    match seconds {
        Some(seconds) => SignedDuration::try_from_secs_f64(seconds)
            .map_or(DEFAULT_LIFE, |given| given.saturating_sub(MARGIN).clamp(SignedDuration::ZERO, MAX_LIFE)),
        None => DEFAULT_LIFE,
    }
}
