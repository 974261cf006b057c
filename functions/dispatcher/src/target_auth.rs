//! What shows a target who is asking: opened once for a subscription, put on each request just before it is sent.

mod failure;
mod scrub;
mod tokens;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use hookport::app::App;
use hookport::aws::clients::AwsCredentials;
use hookport::aws::sigv4::{SigV4, Unsigned};
use hookport::domain::subscription::Subscription;
use hookport::domain::target_auth::{
    Credential, KeyPlace, SecretText, StoredAuth, TargetAuth, TokenRequest, basic_authorization,
};
use hookport::domain::target_url::TargetUrl;
use hookport::egress::{ClientIdentity, OutgoingRequest, OutgoingResponse, Timeouts};
use hookport::vault::VaultError;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::{Instant, timeout};
use tracing::error;

pub(crate) use self::failure::SendFailure;
use self::failure::TokenFailure;
use self::scrub::Scrub;
pub(crate) use self::tokens::Tokens;
use self::tokens::{Client, Key, Token};
use crate::subscriptions::Ready;
use crate::{Dispatcher, Trouble};

/// How long an attempt waits for a token, whoever fetches it: a little longer than a fetch may take.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(12);

/// A subscription's authentication with its secrets opened.
pub(crate) struct OpenAuth {
    means: Means,
    identity: Option<Arc<ClientIdentity>>,
    scrub: Scrub,
    /// What its tokens are remembered by.
    key: Key,
}

/// What is done to a request.
enum Means {
    /// Nothing can be done: the secrets do not open. Its attempts fail and are made again.
    Unusable,
    /// Nothing has to be: the certificate says it all.
    Certificate,
    Header(HeaderName, HeaderValue),
    Query {
        name: String,
        value: SecretText,
    },
    Token(Box<TokenRequest>),
    Signature(Box<SigV4>),
}

/// Opens a subscription's authentication, if it has one.
pub(crate) async fn open(app: &App, subscription: &Subscription, now: Timestamp) -> Result<Option<OpenAuth>, Trouble> {
    let Some(stored) = &subscription.auth else { return Ok(None) };
    let key = (subscription.tenant.clone(), subscription.id, stored.fingerprint());
    let owner = StoredAuth::owner(&subscription.tenant, subscription.id);
    let opened = match app.vault.open(stored.sealed(), &owner, now).await {
        Ok(secrets) => stored.opened(&secrets).map_err(|error| error.to_string()),
        Err(VaultError::Keyring(broken)) => Err(broken.to_string()),
        Err(trouble @ VaultError::Fetch(_)) => return Err(trouble.into()),
    };
    let made = opened.and_then(|auth| OpenAuth::new(&auth, key.clone()));
    Ok(Some(made.unwrap_or_else(|why| {
        error!(subscription.id = %subscription.id, why, "subscription.auth_unusable");
        OpenAuth { means: Means::Unusable, identity: None, scrub: Scrub::default(), key }
    })))
}

impl OpenAuth {
    fn new(auth: &TargetAuth, key: Key) -> Result<Self, String> {
        let identity = match &auth.mtls {
            Some(mtls) => {
                let identity = ClientIdentity::from_pem(&mtls.certificate, mtls.private_key.expose());
                Some(Arc::new(identity.map_err(|error| error.to_string())?))
            }
            None => None,
        };
        let means = means(auth.credential.as_ref()).ok_or("the credential is no header text")?;
        Ok(Self { means, identity, scrub: Scrub::of(auth), key })
    }

    /// The URL that requests go to, where that is not the subscription's own: a key may stand in it.
    pub(crate) fn url(&self, own: &TargetUrl) -> Option<TargetUrl> {
        match &self.means {
            Means::Query { name, value } => own.with_query(&[(name.as_str(), value.expose())]),
            _ => None,
        }
    }

    /// Puts it on a request, which must not be changed any more. Tokens are put on by whoever fetched them.
    fn apply(&self, request: &mut OutgoingRequest, now: Timestamp) -> Result<(), SendFailure> {
        request.identity.clone_from(&self.identity);
        match &self.means {
            Means::Unusable => return Err(SendFailure::Unusable),
            // What stands in the URL was there before it was signed.
            Means::Certificate | Means::Token(_) | Means::Query { .. } => {}
            Means::Header(name, value) => drop(request.headers.insert(name.clone(), value.clone())),
            Means::Signature(signer) => {
                let OutgoingRequest { method, url, headers, body, .. } = &*request;
                let made = signer.sign(&Unsigned { method, url: url.as_str(), headers, body }, now)?;
                for (name, value) in made {
                    request.headers.insert(name, value);
                }
            }
        }
        Ok(())
    }
}

/// `None` when a text in it cannot stand in a header.
fn means(credential: Option<&Credential>) -> Option<Means> {
    Some(match credential {
        None => Means::Certificate,
        Some(Credential::Basic { username, password }) => {
            Means::Header(AUTHORIZATION, sensitive(basic_authorization(username, password.expose()).expose())?)
        }
        Some(Credential::Bearer { token }) => Means::Header(AUTHORIZATION, bearer(token)?),
        Some(Credential::ApiKey { place: KeyPlace::Header, name, value }) => {
            Means::Header(HeaderName::from_bytes(name.as_bytes()).ok()?, sensitive(value.expose())?)
        }
        Some(Credential::ApiKey { place: KeyPlace::Query, name, value }) => {
            Means::Query { name: name.clone(), value: value.clone() }
        }
        Some(oauth2 @ Credential::Oauth2 { .. }) => Means::Token(Box::new(oauth2.token_request()?)),
        Some(Credential::AwsSigv4 { region, service, access_key_id, secret_access_key, session_token }) => {
            let sealed = |text: &SecretText| SecretString::from(text.expose());
            let credentials = AwsCredentials {
                access_key_id: access_key_id.clone(),
                secret_access_key: sealed(secret_access_key),
                session_token: session_token.as_ref().map(sealed),
            };
            Means::Signature(Box::new(SigV4 { region: region.clone(), service: service.clone(), credentials }))
        }
    })
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The value of `Authorization` that shows a token.
fn bearer(token: &SecretText) -> Option<HeaderValue> {
    let value = SecretText::from(format!("Bearer {}", token.expose()));
    sensitive(value.expose())
}

impl Dispatcher {
    /// Sends a subscription's request with what shows its target who is asking.
    ///
    /// A target that refuses a remembered token has processed nothing: the same attempt is then sent once more with a
    /// new one, within what is left of its time.
    pub(crate) async fn send_authorised(
        &self,
        mut request: OutgoingRequest,
        ready: &Ready,
    ) -> Result<OutgoingResponse, SendFailure> {
        let Some(auth) = &ready.auth else { return Ok(self.app.egress.send(request).await?) };
        auth.apply(&mut request, self.app.clock.now())?;
        if let Means::Token(grant) = &auth.means {
            return self.send_with_token(request, auth, grant).await;
        }
        let mut response = self.app.egress.send(request).await?;
        auth.scrub.clean(&mut response, None);
        Ok(response)
    }

    async fn send_with_token(
        &self,
        mut request: OutgoingRequest,
        auth: &OpenAuth,
        grant: &TokenRequest,
    ) -> Result<OutgoingResponse, SendFailure> {
        let client = Client { key: &auth.key, grant, identity: auth.identity.as_ref() };
        let token = self.token(&client, None, TOKEN_TIMEOUT).await?;
        let limits = request.timeouts.unwrap_or_else(|| self.app.egress.policy().timeouts());
        let end = Instant::now() + limits.total;
        request.headers.insert(AUTHORIZATION, token.authorization.clone());
        let mut response = self.app.egress.send(request.clone()).await?;
        auth.scrub.clean(&mut response, Some(&token.text));
        if response.status != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        if token.is_fresh {
            // A newer one would be no better now. It may be by the next attempt.
            self.tokens.forget(&client, &token, self.app.clock.now()).await;
            return Ok(response);
        }
        let left = end.saturating_duration_since(Instant::now());
        let renewed = match self.token(&client, Some(&token), left.min(TOKEN_TIMEOUT)).await {
            Ok(renewed) => renewed,
            // The time was up: what the target said stands.
            Err(TokenFailure::TimedOut) => return Ok(response),
            Err(failure) => return Err(failure.into()),
        };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(response);
        }
        request.timeouts = Some(Timeouts { head: limits.head.min(left), total: left });
        request.headers.insert(AUTHORIZATION, renewed.authorization.clone());
        let mut response = self.app.egress.send(request).await?;
        auth.scrub.clean(&mut response, Some(&renewed.text));
        if response.status == StatusCode::UNAUTHORIZED {
            self.tokens.forget(&client, &renewed, self.app.clock.now()).await;
        }
        Ok(response)
    }

    async fn token(
        &self,
        client: &Client<'_>,
        refused: Option<&Token>,
        within: Duration,
    ) -> Result<Token, TokenFailure> {
        let token = self.tokens.token(&self.app, client, refused);
        timeout(within, token).await.unwrap_or(Err(TokenFailure::TimedOut))
    }
}
