//! Where a request comes from.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use hookport::aws::lambda::SourceIp;
use hookport::domain::source_address::sender;
use http::HeaderValue;
use http::request::Parts;

use crate::api::Api;

/// The address of the caller, as far as anybody trustworthy says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source(pub(crate) Option<IpAddr>);

impl FromRequestParts<Api> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<SourceIp>().map(|peer| peer.0);
        let forwarded = parts.headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes);
        let forwarded: Vec<&[u8]> = forwarded.collect();
        Ok(Self(sender(peer, &forwarded, &api.app.config.trusted_proxies)))
    }
}
