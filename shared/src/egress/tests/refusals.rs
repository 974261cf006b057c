//! Where requests go, and where they do not.

use std::collections::VecDeque;
use std::sync::Mutex;

use serde::Deserialize;

use super::*;
use crate::domain::address::AddressKind;

#[tokio::test]
async fn b5_a_refused_address_opens_no_socket() {
    let target = ok_target().await;
    let port = target.address.port();
    let egress = resolving(strict(), names("hooks.example", &["::ffff:127.0.0.1"]));
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
    let error = egress(policy).send(post_to(&target)).await.unwrap_err();
    assert_eq!((error.code(), error.is_permanent()), ("http_refused", true));
    assert_untouched(&target).await;
}

/// A16: also when the other addresses are public, whichever comes first.
#[tokio::test]
async fn a16_one_refused_address_refuses_the_name() {
    let target = ok_target().await;
    let port = target.address.port();
    for addresses in [
        ["127.0.0.1", "10.0.0.1"],
        ["10.0.0.1", "127.0.0.1"],
        ["93.184.215.14", "10.0.0.1"],
        ["10.0.0.1", "93.184.215.14"],
        ["2a00:1450::1", "fd00::1"],
    ] {
        let egress = resolving(local(), names("mixed.example", &addresses));
        let request = post(&format!("http://mixed.example:{port}/"));
        let error = egress.send(request).await.unwrap_err();
        assert!(matches!(error, EgressError::Refused(_)), "{error:?}");
    }
    assert_untouched(&target).await;
}

/// A16 and defect 24: the address that was judged is the one that is connected to.
#[tokio::test]
async fn a16_a_name_that_changes_after_the_check_is_still_refused() {
    let target = Target::start(Behaviour::AnswersAndCloses(answer("200 OK\r\nconnection: close", ""))).await;
    let port = target.address.port();
    let turns = VecDeque::from([ips(&["127.0.0.1"]), ips(&["10.0.0.1"]), ips(&["127.0.0.1"])]);
    let turns = Arc::new(Mutex::new(turns));
    let egress = resolving(local(), Resolver::InTurn(Arc::clone(&turns)));
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

#[derive(Deserialize)]
struct Vectors {
    addresses: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    address: IpAddr,
    refused: Option<String>,
}

/// A15 and defect 12: a private address was never looked for.
#[tokio::test]
async fn a15_defect_12_every_special_address_is_refused_behind_a_name() {
    let vectors = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/ssrf.json"));
    let vectors: Vectors = serde_json::from_str(vectors).unwrap();
    let mut refused = 0;
    for Listed { address, refused: kind } in vectors.addresses {
        let Some(kind) = kind else { continue };
        let text = address.to_string();
        let egress = resolving(strict(), names("hooks.example", &[text.as_str()]));
        let error = egress.send(post("http://hooks.example/")).await.unwrap_err();
        let EgressError::Refused(refusal) = &error else { panic!("{address}: {error:?}") };
        assert_eq!(refusal.kind.code(), kind, "{address}");
        refused += 1;
    }
    assert!(refused >= 150, "{refused}");
}

/// Defect 11: the look-up was asked for the host and its port, and so for a name that does not exist.
#[tokio::test]
async fn defect_11_the_name_is_looked_up_without_its_port() {
    let target = ok_target().await;
    let port = target.address.port();
    let known = resolving(local(), names("hooks.example", &["127.0.0.1"]));
    known.send(post(&format!("http://hooks.example:{port}/"))).await.unwrap();
    assert_eq!(target.accepted(), 1);

    // Nor does a port get an address past the judgement.
    let private = resolving(strict(), names("hooks.example", &["10.0.0.1"]));
    let error = private.send(post(&format!("http://hooks.example:{port}/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Refused(_)), "{error:?}");
}

#[tokio::test]
async fn defect_24_a_unique_local_address_is_refused() {
    let egress = resolving(strict(), names("hooks.example", &["fd12:3456::1"]));
    for host in ["[fd12:3456::1]", "hooks.example"] {
        let error = egress.send(post(&format!("http://{host}/"))).await.unwrap_err();
        let EgressError::Refused(refusal) = &error else { panic!("{host}: {error:?}") };
        assert_eq!(refusal.kind, AddressKind::UniqueLocal);
    }
}

#[tokio::test]
async fn judging_a_url_resolves_and_opens_nothing() {
    let turns = Arc::new(Mutex::new(VecDeque::from([ips(&["10.0.0.1"])])));
    let egress = resolving(EgressPolicy::default(), Resolver::InTurn(Arc::clone(&turns)));
    egress.judge(&url("https://hooks.example/")).await.unwrap();
    for (refused, code) in [
        ("http://hooks.example/", "http_refused"),
        ("https://10.0.0.1/", "address_refused"),
        ("https://localhost/", "url_loopback_name"),
        ("https://hooks.corp.internal/", "url_internal_name"),
    ] {
        let error = egress.judge(&url(refused)).await.unwrap_err();
        assert_eq!((error.code(), error.is_permanent()), (code, true), "{refused}");
    }
    assert_eq!(turns.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_dead_address_gives_way_to_the_next() {
    let target = ok_target().await;
    // Nothing on this machine listens on the second loopback address at that port.
    let egress = resolving(local(), names("two.example", &["127.0.0.2", "127.0.0.1"]));
    let request = post(&format!("http://two.example:{}/", target.address.port()));
    let response = egress.send(request).await.unwrap();
    assert_eq!(response.status, StatusCode::OK);
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_say_what_they_are() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let egress = resolving(local(), names("known.example", &["127.0.0.1"]));

    let error = egress.send(post(&format!("http://{closed}/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Connect(_)), "{error:?}");
    let error = egress.send(post("http://unknown.example/")).await.unwrap_err();
    assert!(matches!(error, EgressError::Resolve(_)), "{error:?}");
    assert!(!error.is_permanent());
}
