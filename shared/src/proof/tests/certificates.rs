//! Certificates that requests name: fetched once, for those who pay, and told from those that cannot be had.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use http::StatusCode;
use url::Url;

use super::*;
use crate::egress::{DenyList, Egress, EgressPolicy};

/// A server on loopback: what is called `x.pem` is there, `gone` is not, and `broken` fails.
async fn server() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let route = get(move |Path(name): Path<String>| async move {
        counted.fetch_add(1, Ordering::SeqCst);
        match name.as_str() {
            "gone" => (StatusCode::NOT_FOUND, String::new()),
            "broken" => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
            _ => (StatusCode::OK, format!("the certificate {name}")),
        }
    });
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/{name}", route)).await });
    (base, asked)
}

fn certificates() -> Certificates {
    let policy = EgressPolicy { allow_http: true, allow_loopback: true, ..EgressPolicy::default() };
    Certificates::new(&Egress::new(policy, DenyList::none()))
}

#[tokio::test]
async fn a_certificate_is_fetched_once_a_day_and_so_is_the_knowledge_that_there_is_none() {
    let (base, asked) = server().await;
    let certificates = certificates();
    let url = |name: &str| Url::parse(&format!("{base}/{name}")).unwrap();
    for _ in 0..3 {
        let found = certificates.get(&url("x.pem"), "inw_1", at(NOW_S)).await;
        assert_eq!(found.unwrap().as_deref(), Some(b"the certificate x.pem".as_slice()));
        assert_eq!(certificates.get(&url("gone"), "inw_1", at(NOW_S)).await, Ok(None));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert!(certificates.get(&url("x.pem"), "inw_1", at(NOW_S + 86_401)).await.is_ok());
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn what_cannot_be_had_now_is_an_error_worth_another_try() {
    let (base, asked) = server().await;
    let certificates = certificates();
    let url = Url::parse(&format!("{base}/broken")).unwrap();
    for tries in 1..=2 {
        assert!(certificates.get(&url, "inw_1", at(NOW_S)).await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), tries);
    }
}

/// Strangers who name many certificates to one webhook leave those of the others alone.
#[tokio::test]
async fn each_webhook_has_ten_fetches_a_minute() {
    let (base, asked) = server().await;
    let certificates = certificates();
    let url = |n: usize| Url::parse(&format!("{base}/{n}.pem")).unwrap();
    for n in 0..10 {
        assert!(certificates.get(&url(n), "inw_1", at(NOW_S)).await.is_ok());
    }
    assert!(certificates.get(&url(10), "inw_1", at(NOW_S)).await.is_err());
    assert!(certificates.get(&url(3), "inw_1", at(NOW_S)).await.is_ok(), "what is known costs nothing");
    assert!(certificates.get(&url(10), "inw_2", at(NOW_S)).await.is_ok());
    assert!(certificates.get(&url(11), "inw_1", at(NOW_S + 60)).await.is_ok());
    assert_eq!(asked.load(Ordering::SeqCst), 12);
}
