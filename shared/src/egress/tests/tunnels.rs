//! Requests that go through the operator's proxy.

use super::proxied::{Carrying, Proxying};
use super::*;
use crate::domain::address::AddressKind;

fn through(proxy: &Proxying, policy: EgressPolicy) -> EgressPolicy {
    let proxy = Proxy::parse(&format!("http://user:p%40ss@{}", proxy.address)).unwrap();
    EgressPolicy { proxy: Some(proxy), ..policy }
}

#[tokio::test]
async fn the_proxy_is_asked_for_the_address_that_was_judged() {
    let target = ok_target().await;
    let proxy = Proxying::start(Carrying::Faithfully).await;
    let egress = resolving(through(&proxy, local()), names("hooks.example", &["127.0.0.1"]));
    let port = target.address.port();

    let response = egress.send(post(&format!("http://hooks.example:{port}/hook"))).await.unwrap();

    assert_eq!(response.status, StatusCode::OK);
    let asked = proxy.asked();
    assert_eq!(asked.len(), 1);
    let basic = "proxy-authorization: Basic dXNlcjpwQHNz\r\n";
    assert_eq!(asked[0], format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{basic}\r\n"));
    // The target sees a request as without a proxy, and no credentials of it.
    let received = target.received().concat();
    assert!(received.starts_with("POST /hook HTTP/1.1\r\n"), "{received}");
    assert!(received.contains(&format!("host: hooks.example:{port}\r\n")), "{received}");
    assert!(!received.contains("proxy-authorization"), "{received}");
}

#[tokio::test]
async fn a_refused_address_is_not_shown_to_the_proxy() {
    let proxy = Proxying::start(Carrying::Nowhere).await;
    let egress = resolving(through(&proxy, strict()), names("hooks.example", &["93.184.215.14", "10.0.0.1"]));
    for host in ["hooks.example", "10.0.0.1"] {
        let error = egress.send(post(&format!("http://{host}/"))).await.unwrap_err();
        let EgressError::Refused(refusal) = &error else { panic!("{host}: {error:?}") };
        assert_eq!(refusal.kind, AddressKind::Private);
    }
    let error = egress.send(post("http://unknown.example/")).await.unwrap_err();
    assert!(matches!(error, EgressError::Resolve(_)), "{error:?}");
    assert_eq!(proxy.accepted(), 0);
}

#[tokio::test]
async fn the_handshake_behind_the_proxy_names_the_target() {
    let proxy = Proxying::start(Carrying::Nowhere).await;
    let egress = resolving(through(&proxy, strict()), names("hooks.example", &["93.184.215.14"]));

    let error = egress.send(post("https://hooks.example/")).await.unwrap_err();

    assert!(matches!(error, EgressError::Tls(_)), "{error:?}");
    assert!(proxy.asked()[0].starts_with("CONNECT 93.184.215.14:443 HTTP/1.1\r\n"));
    let hello = proxy.swallowed();
    assert_eq!(hello.first(), Some(&22), "a TLS handshake");
    assert!(hello.windows(13).any(|part| part == b"hooks.example"));
}

#[tokio::test]
async fn an_ipv6_target_is_asked_for_in_brackets() {
    let proxy = Proxying::start(Carrying::Refusing(b"HTTP/1.1 503 No\r\n\r\n".to_vec())).await;
    let egress = egress(through(&proxy, strict()));
    egress.send(post("http://[2606:4700:4700::1111]:8080/")).await.unwrap_err();
    assert!(proxy.asked()[0].starts_with("CONNECT [2606:4700:4700::1111]:8080 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn only_a_plain_200_opens_the_tunnel() {
    let mut large = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
    large.extend_from_slice(&[b'x'; 10 * 1024]);
    for answer in [
        b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n".to_vec(),
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n".to_vec(),
        b"HTTP/1.1 201 Created\r\n\r\n".to_vec(),
        b"HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec(),
        b"HTTP/1.1 2000 OK\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec(),
        Vec::new(),
        large,
    ] {
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(30)]).into_owned();
        let proxy = Proxying::start(Carrying::Refusing(answer)).await;
        let error = egress(through(&proxy, strict())).send(post("http://93.184.215.14/")).await.unwrap_err();
        assert!(matches!(error, EgressError::Proxy(_)), "{shown}: {error:?}");
        assert_eq!((error.code(), error.is_permanent()), ("proxy_failed", false));
    }
}

#[tokio::test]
async fn a_silent_or_absent_proxy_fails_within_the_connect_timeout() {
    let silent = Proxying::start(Carrying::Silently).await;
    let policy = EgressPolicy { connect_timeout: Duration::from_millis(100), ..through(&silent, strict()) };
    let error = egress(policy).send(post("http://93.184.215.14/")).await.unwrap_err();
    assert!(matches!(error, EgressError::Proxy(_)), "{error:?}");

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let proxy = Some(Proxy::parse(&format!("http://{closed}")).unwrap());
    let error = egress(EgressPolicy { proxy, ..strict() }).send(post("http://93.184.215.14/")).await.unwrap_err();
    assert!(matches!(error, EgressError::Proxy(_)), "{error:?}");
}

#[test]
fn a_proxy_is_read_from_a_url() {
    let proxy = Proxy::parse("http://proxy.example:3128").unwrap();
    assert_eq!((proxy.host(), proxy.port()), ("proxy.example", 3128));
    assert_eq!(Proxy::parse("http://user:pass@[fd00::1]/").unwrap().host(), "fd00::1");
    assert_eq!(Proxy::parse("http://proxy.example/").unwrap().port(), 80);
    for (text, error) in [
        ("https://proxy.example:3128", ProxyError::Scheme),
        ("socks5://proxy.example:1080", ProxyError::Scheme),
        ("http://proxy.example:3128/path", ProxyError::Surplus),
        ("http://proxy.example:3128/?a=b", ProxyError::Surplus),
        ("http://proxy.example:0", ProxyError::Address),
        ("http://us%3Aer:pass@proxy.example:3128", ProxyError::UserName),
    ] {
        assert_eq!(Proxy::parse(text).unwrap_err(), error, "{text}");
    }
    assert!(matches!(Proxy::parse("proxy.example"), Err(ProxyError::Syntax(_))));
}

#[test]
fn debugging_shows_no_credentials_of_the_proxy() {
    let policy =
        EgressPolicy { proxy: Some(Proxy::parse("http://user:hunter2@proxy.example:3128").unwrap()), ..local() };
    let shown = format!("{:?} {:?}", policy.proxy, Egress::new(policy.clone(), DenyList::none()));
    assert!(shown.contains("proxy.example"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("Basic"), "{shown}");
}
