//! The service against real sockets on loopback.

mod answers;
mod refusals;
mod target;

use self::target::{Behaviour, Target};
use super::*;
use crate::domain::target_url::UrlPolicy;

/// `http` and loopback are allowed, so that a target on this machine can be reached.
fn local() -> EgressPolicy {
    EgressPolicy { allow_http: true, allow_loopback: true, ..EgressPolicy::default() }
}

fn url(text: &str) -> TargetUrl {
    let permissive = UrlPolicy { allow_http: true, allow_loopback: true, ..UrlPolicy::default() };
    TargetUrl::parse(text, &permissive).unwrap()
}

fn post(text: &str) -> OutgoingRequest {
    OutgoingRequest {
        method: Method::POST,
        url: url(text),
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"{\"n\":1}"),
        timeout: None,
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
