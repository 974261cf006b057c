//! Where requests go, and where they do not.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Mutex;

use super::*;
use crate::domain::address::AddressKind;

/// Loopback is refused as in production; `http` is allowed, so that nothing else refuses.
fn strict() -> EgressPolicy {
    EgressPolicy { allow_http: true, ..EgressPolicy::default() }
}

fn names(name: &str, addresses: &[&str]) -> Resolver {
    Resolver::Fixed(HashMap::from([(name.to_owned(), ips(addresses))]))
}

fn ips(addresses: &[&str]) -> Vec<IpAddr> {
    addresses.iter().map(|address| address.parse().unwrap()).collect()
}

/// A connection that was opened before this one would have been counted before it.
async fn assert_untouched(target: &Target) {
    Egress::new(local()).send(post_to(target)).await.unwrap();
    assert_eq!(target.accepted(), 1);
}

#[tokio::test]
async fn a_refused_address_opens_no_socket() {
    let target = ok_target().await;
    let port = target.address.port();
    let egress = Egress::with_resolver(strict(), names("hooks.example", &["::ffff:127.0.0.1"]));
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "2130706433", "hooks.example"] {
        let error = egress.send(post(&format!("http://{host}:{port}/"))).await.unwrap_err();
        let EgressError::Refused(refusal) = &error else {
            panic!("{host}: {error:?}");
        };
        assert_eq!(refusal.kind, AddressKind::Loopback);
        assert!(error.to_string().starts_with("the host is a loopback address (127.0.0.0/8)"));
        assert_eq!((error.code(), error.is_permanent()), ("address_refused", true));
    }
    assert_untouched(&target).await;
}

#[tokio::test]
async fn plain_http_is_refused_unless_allowed() {
    let target = ok_target().await;
    let policy = EgressPolicy { allow_http: false, ..local() };
    let error = Egress::new(policy).send(post_to(&target)).await.unwrap_err();
    assert_eq!((error.code(), error.is_permanent()), ("http_refused", true));
    assert_untouched(&target).await;
}

#[tokio::test]
async fn one_refused_address_refuses_the_name() {
    let target = ok_target().await;
    let port = target.address.port();
    for addresses in [["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"]] {
        let egress = Egress::with_resolver(local(), names("mixed.example", &addresses));
        let request = post(&format!("http://mixed.example:{port}/"));
        let error = egress.send(request).await.unwrap_err();
        assert!(matches!(error, EgressError::Refused(_)), "{error:?}");
    }
    assert_untouched(&target).await;
}

#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_judged() {
    let target = Target::start(Behaviour::AnswersAndCloses(answer("200 OK\r\nconnection: close", ""))).await;
    let port = target.address.port();
    let turns = VecDeque::from([ips(&["127.0.0.1"]), ips(&["10.0.0.1"]), ips(&["127.0.0.1"])]);
    let turns = Arc::new(Mutex::new(turns));
    let egress = Egress::with_resolver(local(), Resolver::InTurn(Arc::clone(&turns)));
    let request = || post(&format!("http://rebinding.example:{port}/"));

    // The name means something else right after the look-up, and nobody asks again.
    egress.send(request()).await.unwrap();
    assert_eq!(turns.lock().unwrap().len(), 2);
    assert!(target.received()[0].contains(&format!("host: rebinding.example:{port}\r\n")));

    // The next connection is judged anew.
    let error = egress.send(request()).await.unwrap_err();
    assert!(matches!(error, EgressError::Refused(_)), "{error:?}");
    assert_eq!(turns.lock().unwrap().len(), 1);
    assert_eq!(target.accepted(), 1);
}

#[tokio::test]
async fn a_dead_address_gives_way_to_the_next() {
    let target = ok_target().await;
    // Nothing on this machine listens on the second loopback address at that port.
    let egress = Egress::with_resolver(local(), names("two.example", &["127.0.0.2", "127.0.0.1"]));
    let request = post(&format!("http://two.example:{}/", target.address.port()));
    let response = egress.send(request).await.unwrap();
    assert_eq!(response.status, StatusCode::OK);
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_say_what_they_are() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let egress = Egress::with_resolver(local(), names("known.example", &["127.0.0.1"]));

    let error = egress.send(post(&format!("http://{closed}/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Connect(_)), "{error:?}");
    let error = egress.send(post("http://unknown.example/")).await.unwrap_err();
    assert!(matches!(error, EgressError::Resolve(_)), "{error:?}");
    assert!(!error.is_permanent());
}
