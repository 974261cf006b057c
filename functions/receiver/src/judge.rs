//! Whether a request is taken, in the order that its URL's form asks for.
//!
//! The key form: switched on, address, rate, size, proof; whoever knows the key may learn which one failed. The slug
//! form: proof with the address first, then size, then rate; before proof every refusal is alike, in bytes and in work.

use std::net::IpAddr;
use std::sync::Arc;

use hookport::domain::refusal::Refusal;
use hookport::proof::{Evidence, KeySet, kid_of};
use http::header::AUTHORIZATION;

use crate::endpoint::{Endpoint, Form};
use crate::limits::{Admission, Quota};
use crate::{Arrived, Receiver, Trouble};

/// So many tags over the body are computed for each refusal of a slug, whatever was wrong: as many as a wrong signature
/// costs while two secrets are taken.
pub(crate) const TAGS_OF_A_REFUSAL: u32 = 2;

/// What came of judging a request.
pub(crate) struct Verdict {
    pub(crate) result: Result<(), Refusal>,
    /// What is left of the webhook's limit, if it was counted.
    pub(crate) quota: Option<Quota>,
    /// How many tags over the body were computed.
    pub(crate) tags: u32,
}

impl Verdict {
    fn refused(refusal: Refusal) -> Self {
        Self { result: Err(refusal), quota: None, tags: 0 }
    }
}

impl Receiver {
    /// Judges a request to a webhook that exists.
    pub(crate) async fn judge(
        &self,
        form: Form,
        endpoint: &Endpoint,
        arrived: &Arrived,
        source: Option<IpAddr>,
    ) -> Result<Verdict, Trouble> {
        match form {
            Form::Slug => self.judge_slug(endpoint, arrived, source).await,
            Form::Key => self.judge_key(endpoint, arrived, source).await,
        }
    }

    async fn judge_slug(
        &self,
        endpoint: &Endpoint,
        arrived: &Arrived,
        source: Option<IpAddr>,
    ) -> Result<Verdict, Trouble> {
        let (proved, tags) = self.prove(endpoint, arrived).await?;
        if !endpoint.webhook.is_active {
            return Ok(Verdict { tags, ..Verdict::refused(Refusal::Disabled) });
        }
        if let Err(refusal) = endpoint.verifier.admits(source).and(proved) {
            return Ok(Verdict { tags, ..Verdict::refused(refusal) });
        }
        if let Err(refusal) = fits(endpoint, arrived) {
            return Ok(Verdict { tags, ..Verdict::refused(refusal) });
        }
        let verdict = self.count(endpoint, arrived, source).await?;
        Ok(Verdict { tags, ..verdict })
    }

    async fn judge_key(
        &self,
        endpoint: &Endpoint,
        arrived: &Arrived,
        source: Option<IpAddr>,
    ) -> Result<Verdict, Trouble> {
        if !endpoint.webhook.is_active {
            return Ok(Verdict::refused(Refusal::Disabled));
        }
        if let Err(refusal) = endpoint.verifier.admits(source) {
            return Ok(Verdict::refused(refusal));
        }
        let counted = self.count(endpoint, arrived, source).await?;
        if counted.result.is_err() {
            return Ok(counted);
        }
        if let Err(refusal) = fits(endpoint, arrived) {
            return Ok(Verdict { quota: counted.quota, ..Verdict::refused(refusal) });
        }
        let (proved, tags) = self.prove(endpoint, arrived).await?;
        Ok(Verdict { result: proved, quota: counted.quota, tags })
    }

    /// Judges a request that need not prove itself: everything else holds for it as well.
    pub(crate) async fn judge_open(
        &self,
        endpoint: &Endpoint,
        arrived: &Arrived,
        source: Option<IpAddr>,
    ) -> Result<Verdict, Trouble> {
        if !endpoint.webhook.is_active {
            return Ok(Verdict::refused(Refusal::Disabled));
        }
        if let Err(refusal) = endpoint.verifier.admits(source).and_then(|()| fits(endpoint, arrived)) {
            return Ok(Verdict::refused(refusal));
        }
        // A limit of their own: strangers must not use up what the provider's events are counted by.
        Ok(match self.limits.admit_stranger(&self.app, &endpoint.webhook, source, arrived.at).await? {
            Admission::Taken(_) => Verdict { result: Ok(()), quota: None, tags: 0 },
            Admission::Refused(refusal, _) => Verdict::refused(refusal),
        })
    }

    async fn prove(&self, endpoint: &Endpoint, arrived: &Arrived) -> Result<(Result<(), Refusal>, u32), Trouble> {
        let keys = self.key_set(endpoint, arrived).await?;
        let mut evidence = self.evidence(arrived);
        let certificate = match endpoint.verifier.certificate_url(&evidence).filter(|_| endpoint.webhook.is_active) {
            Some(url) => {
                // Without it nothing could be asked for, which would be no fault of the sender's.
                self.app.egress.ready().await?;
                let payer = endpoint.webhook.id.to_string();
                self.certificates.get(&url, &payer, arrived.at).await?
            }
            None => None,
        };
        evidence.certificate = certificate.as_deref();
        let judged = endpoint.verifier.prove(&evidence, keys.as_deref());
        Ok((judged.result, judged.macs))
    }

    /// What a request shows.
    pub(crate) fn evidence<'a>(&'a self, arrived: &'a Arrived) -> Evidence<'a> {
        let request = &arrived.request;
        Evidence {
            method: request.method().as_str(),
            base_url: &self.app.config.public_base_url,
            path_and_query: request.uri().path_and_query().map_or("/", |path| path.as_str()),
            headers: request.headers(),
            body: request.body(),
            certificate: None,
            now: arrived.at,
        }
    }

    /// The issuer's keys, for webhooks that ask for a token by one.
    async fn key_set(&self, endpoint: &Endpoint, arrived: &Arrived) -> Result<Option<Arc<KeySet>>, Trouble> {
        // Not for requests that cannot be taken anyway: nobody makes us call an issuer without showing a token.
        let shows_one = arrived.request.headers().contains_key(AUTHORIZATION);
        let url = endpoint.verifier.key_set_url().filter(|_| shows_one && endpoint.webhook.is_active);
        let Some(url) = url else { return Ok(None) };
        // Without it no issuer could be asked, which would be no fault of the token.
        self.app.egress.ready().await?;
        let kid = kid_of(arrived.request.headers());
        Ok(self.key_sets.get(url, kid.as_deref(), arrived.at).await)
    }

    async fn count(&self, endpoint: &Endpoint, arrived: &Arrived, source: Option<IpAddr>) -> Result<Verdict, Trouble> {
        Ok(match self.limits.admit(&self.app, &endpoint.webhook, source, arrived.at).await? {
            Admission::Taken(quota) => Verdict { result: Ok(()), quota: Some(quota), tags: 0 },
            Admission::Refused(refusal, quota) => Verdict { quota: Some(quota), ..Verdict::refused(refusal) },
        })
    }
}

fn fits(endpoint: &Endpoint, arrived: &Arrived) -> Result<(), Refusal> {
    let most = usize::try_from(endpoint.webhook.max_body_bytes).unwrap_or(usize::MAX);
    if arrived.request.body().len() > most { Err(Refusal::TooLarge) } else { Ok(()) }
}
