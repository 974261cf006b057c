//! The service against real sockets on loopback.

mod allowed;
mod answers;
mod deny_list;
mod proxied;
mod refusals;
mod target;
mod tunnels;

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderName;
use http::{Method, StatusCode};

use self::target::{Behaviour, Target};
use super::*;

/// `http` and loopback are allowed, so that a target on this machine can be reached.
fn local() -> EgressPolicy {
    EgressPolicy { allow_http: true, allow_loopback: true, ..EgressPolicy::default() }
}

/// Loopback is refused as in production; `http` is allowed, so that nothing else refuses.
fn strict() -> EgressPolicy {
    EgressPolicy { allow_http: true, ..EgressPolicy::default() }
}

fn egress(policy: EgressPolicy) -> Egress {
    Egress::new(policy, DenyList::none())
}

fn resolving(policy: EgressPolicy, resolver: Resolver) -> Egress {
    Egress::with_resolver(policy, DenyList::none(), resolver)
}

fn names(name: &str, addresses: &[&str]) -> Resolver {
    Resolver::Fixed(HashMap::from([(name.to_owned(), ips(addresses))]))
}

fn ips(addresses: &[&str]) -> Vec<IpAddr> {
    addresses.iter().map(|address| address.parse().unwrap()).collect()
}

fn url(text: &str) -> TargetUrl {
    let allowed_hosts = vec!["*".to_owned().try_into().unwrap()];
    let permissive = UrlPolicy { allow_http: true, allow_loopback: true, allowed_hosts, ..UrlPolicy::default() };
    TargetUrl::parse(text, &permissive).unwrap()
}

fn post(text: &str) -> OutgoingRequest {
    OutgoingRequest {
        method: Method::POST,
        url: url(text),
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"{\"n\":1}"),
        timeouts: None,
        max_response_bytes: None,
        identity: None,
    }
}

fn post_to(target: &Target) -> OutgoingRequest {
    post(&format!("http://{}/hook?a=b", target.address))
}

fn answer(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

async fn ok_target() -> Target {
    Target::start(Behaviour::Answers(answer("200 OK", ""))).await
}

/// A connection that was opened before this one would have been counted before it.
async fn assert_untouched(target: &Target) {
    egress(local()).send(post_to(target)).await.unwrap();
    assert_eq!(target.accepted(), 1);
}
