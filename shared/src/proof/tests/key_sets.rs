//! Published keys: what is read of them, and when they are fetched.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use futures_util::future::join_all;
use http::StatusCode;
use jsonwebtoken::Algorithm;
use serde_json::Value;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use super::issuer::{Ec, Ed, URL, base64url, document, key_set, rsa_jwk};
use super::*;
use crate::egress::{DenyList, Egress, EgressPolicy};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
/// Far more than anything here takes; a test that would hang fails instead.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on loopback that publishes keys.
#[derive(Clone)]
struct Publisher {
    url: String,
    answer: Arc<Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
    /// Told of every question.
    was_asked: Arc<Notify>,
    /// A permit is needed for every answer.
    may_answer: Arc<Semaphore>,
}

impl Publisher {
    async fn start(keys: &[Value]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let publisher = Self {
            url: format!("http://{}/keys", listener.local_addr().unwrap()),
            answer: Arc::new(Mutex::new((StatusCode::OK, document(keys)))),
            asked: Arc::default(),
            was_asked: Arc::default(),
            may_answer: Arc::new(Semaphore::new(1_000)),
        };
        let asked = publisher.clone();
        let route = get(move || async move {
            asked.asked.fetch_add(1, Ordering::SeqCst);
            asked.was_asked.notify_one();
            asked.may_answer.acquire().await.unwrap().forget();
            asked.answer.lock().unwrap().clone()
        });
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/keys", route)).await });
        publisher
    }

    fn answers(&self, status: StatusCode, body: impl Into<String>) {
        *self.answer.lock().unwrap() = (status, body.into());
    }

    fn publishes(&self, keys: &[Value]) {
        self.answers(StatusCode::OK, document(keys));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// `http` and loopback are allowed, so that the publisher can be reached.
fn key_sets() -> KeySets {
    KeySets::new(Egress::new(
        EgressPolicy { allow_http: true, allow_loopback: true, ..EgressPolicy::default() },
        DenyList::none(),
    ))
}

fn jwk(kid: &str) -> Value {
    Ed::new(1).jwk(kid)
}

#[tokio::test]
async fn keys_are_fetched_once_in_ten_minutes() {
    let publisher = Publisher::start(&[jwk("one")]).await;
    let sets = key_sets();
    for second in [0, 1, 10 * MINUTE - 1] {
        let keys = sets.get(&publisher.url, Some("one"), at(NOW_S + second)).await.unwrap();
        assert_eq!(keys.url(), publisher.url);
        assert_eq!(publisher.asked(), 1);
    }
    publisher.publishes(&[jwk("two")]);
    let keys = sets.get(&publisher.url, None, at(NOW_S + 10 * MINUTE)).await.unwrap();
    assert!(keys.knows("two") && !keys.knows("one"));
    assert_eq!(publisher.asked(), 2);
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_once_a_minute() {
    let publisher = Publisher::start(&[jwk("one")]).await;
    let sets = key_sets();
    let knows_two = async |second| {
        let keys = sets.get(&publisher.url, Some("two"), at(NOW_S + second)).await.unwrap();
        (keys.knows("two"), publisher.asked())
    };
    assert_eq!(knows_two(0).await, (false, 1));
    publisher.publishes(&[jwk("one"), jwk("two")]);
    assert_eq!(knows_two(59).await, (false, 1));
    assert_eq!(knows_two(60).await, (true, 2));
    publisher.publishes(&[jwk("one")]);
    assert_eq!(knows_two(10 * MINUTE).await, (true, 2));
    assert_eq!(knows_two(11 * MINUTE).await, (false, 3));
    assert_eq!(knows_two(11 * MINUTE + 59).await, (false, 3));
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_again_stay_in_use_for_a_day() {
    let publisher = Publisher::start(&[jwk("one")]).await;
    let sets = key_sets();
    let knows_one = async |second| {
        let keys = sets.get(&publisher.url, Some("one"), at(NOW_S + second)).await;
        (keys.is_some_and(|keys| keys.knows("one")), publisher.asked())
    };
    assert_eq!(knows_one(0).await, (true, 1));
    publisher.answers(StatusCode::INTERNAL_SERVER_ERROR, "");
    assert_eq!(knows_one(10 * MINUTE).await, (true, 2));
    assert_eq!(knows_one(10 * MINUTE + 29).await, (true, 2), "no second try within 30 seconds");
    assert_eq!(knows_one(10 * MINUTE + 30).await, (true, 3));
    assert_eq!(knows_one(24 * HOUR - 1).await, (true, 4));
    assert_eq!(knows_one(24 * HOUR).await, (false, 4));
    publisher.publishes(&[jwk("one")]);
    assert_eq!(knows_one(24 * HOUR + 29).await, (true, 5));
}

#[tokio::test]
async fn whatever_is_not_a_set_of_keys_is_none() {
    let publisher = Publisher::start(&[]).await;
    let good = document(&[jwk("one")]);
    let too_long = document(&[json!({ "kid": "x".repeat(1_100_000) })]);
    let answers = [
        (StatusCode::NOT_FOUND, good.clone()),
        (StatusCode::NO_CONTENT, String::new()),
        (StatusCode::FOUND, good.clone()),
        (StatusCode::CREATED, good.clone()),
        (StatusCode::OK, String::new()),
        (StatusCode::OK, "<html>".to_owned()),
        (StatusCode::OK, r#"{"keys":{}}"#.to_owned()),
        (StatusCode::OK, good[..good.len() - 1].to_owned()),
        (StatusCode::OK, too_long),
    ];
    for (n, (status, body)) in answers.into_iter().enumerate() {
        publisher.answers(status, body);
        assert!(key_sets().get(&publisher.url, None, at(NOW_S)).await.is_none(), "{n}: {status}");
        assert_eq!(publisher.asked(), n + 1);
    }
    publisher.answers(StatusCode::OK, good);
    assert!(key_sets().get(&publisher.url, None, at(NOW_S)).await.is_some());
}

#[tokio::test]
async fn no_url_that_deliveries_may_not_go_to_is_asked_for_keys() {
    let publisher = Publisher::start(&[jwk("one")]).await;
    let http_only = EgressPolicy { allow_http: true, ..EgressPolicy::default() };
    let loopback_only = EgressPolicy { allow_loopback: true, ..EgressPolicy::default() };
    for policy in [EgressPolicy::default(), http_only, loopback_only] {
        let sets = KeySets::new(Egress::new(policy, DenyList::none()));
        for url in [publisher.url.as_str(), "http://169.254.169.254/keys", "file:///etc/keys", "keys", ""] {
            assert!(sets.get(url, Some("one"), at(NOW_S)).await.is_none(), "{url}");
        }
    }
    assert_eq!(publisher.asked(), 0);
}

#[tokio::test]
async fn who_comes_at_the_same_time_waits_for_one_fetch() {
    let publisher = Publisher::start(&[jwk("one")]).await;
    let sets = key_sets();
    let found = join_all((0..20).map(|_| sets.get(&publisher.url, Some("one"), at(NOW_S)))).await;
    assert!(found.iter().all(|keys| keys.as_ref().is_some_and(|keys| keys.knows("one"))));
    assert_eq!(publisher.asked(), 1);
}

/// A slow issuer, or a stranger who names unknown keys, must not hold up those whose key is at hand.
#[tokio::test]
async fn who_has_a_known_key_does_not_wait_while_others_fetch() {
    let publisher = Publisher::start(&[jwk("one")]).await;
    let sets = Arc::new(key_sets());
    let first = timeout(PATIENCE, sets.get(&publisher.url, Some("one"), at(NOW_S))).await.unwrap();
    assert!(first.is_some());
    publisher.was_asked.notified().await;
    publisher.may_answer.forget_permits(1_000);

    let later = at(NOW_S + 11 * MINUTE);
    let (fetching, url) = (Arc::clone(&sets), publisher.url.clone());
    let fetching = tokio::spawn(async move { fetching.get(&url, Some("two"), later).await });
    timeout(PATIENCE, publisher.was_asked.notified()).await.unwrap();

    let keys = timeout(PATIENCE, sets.get(&publisher.url, Some("one"), later)).await.unwrap();
    assert!(keys.is_some_and(|keys| keys.knows("one")));
    assert_eq!(publisher.asked(), 2);
    publisher.publishes(&[jwk("two")]);
    publisher.may_answer.add_permits(1);
    assert!(timeout(PATIENCE, fetching).await.unwrap().unwrap().is_some_and(|keys| keys.knows("two")));
}

#[tokio::test]
async fn a_fetch_goes_on_when_who_asked_for_it_goes_away() {
    let publisher = Publisher::start(&[jwk("one")]).await;
    publisher.may_answer.forget_permits(1_000);
    let sets = Arc::new(key_sets());
    let (fetching, url) = (Arc::clone(&sets), publisher.url.clone());
    let fetching = tokio::spawn(async move { fetching.get(&url, Some("one"), at(NOW_S)).await });
    timeout(PATIENCE, publisher.was_asked.notified()).await.unwrap();
    fetching.abort();
    assert!(fetching.await.is_err_and(|error| error.is_cancelled()));

    publisher.may_answer.add_permits(1);
    let keys = timeout(PATIENCE, sets.get(&publisher.url, Some("one"), at(NOW_S))).await.unwrap();
    assert!(keys.is_some_and(|keys| keys.knows("one")));
    assert_eq!(publisher.asked(), 1);
}

#[test]
fn keys_that_cannot_judge_signatures_are_left_out() {
    let with = |mut jwk: Value, name: &str, value: Value| {
        jwk[name] = value;
        jwk
    };
    let unusable = [
        json!({ "kty": "oct", "kid": "k", "alg": "HS256", "k": base64url("published") }),
        json!({ "kty": "EC", "kid": "k", "crv": "P-521", "x": base64url([1_u8; 66]), "y": base64url([1_u8; 66]) }),
        json!({ "kty": "EC", "kid": "k", "crv": "P-256", "x": base64url([1_u8; 31]), "y": base64url([1_u8; 32]) }),
        json!({ "kty": "OKP", "kid": "k", "crv": "X25519", "x": base64url([1_u8; 32]) }),
        json!({ "kty": "OKP", "kid": "k", "crv": "Ed25519", "x": base64url([1_u8; 31]) }),
        json!({ "kty": "RSA", "kid": "k", "n": base64url([255_u8; 128]), "e": "AQAB" }),
        with(jwk("k"), "use", json!("enc")),
        with(jwk("k"), "key_ops", json!(["sign"])),
        with(jwk("k"), "alg", json!("HS256")),
        with(jwk("k"), "alg", json!("ES256")),
        with(jwk("k"), "alg", json!("unheard of")),
        with(jwk("k"), "x", json!("!")),
        with(jwk("k"), "kty", json!("none")),
        with(rsa_jwk(), "alg", json!("RSA-OAEP-256")),
        json!(null),
        json!("k"),
        json!([]),
    ];
    for jwk in unusable {
        let keys = key_set(&[jwk.clone(), Ed::new(2).jwk("good")]);
        assert!(!keys.knows("k") && !keys.knows("rsa"), "{jwk}");
        assert!(keys.find(None, Algorithm::EdDSA).is_some(), "the good one is the only one: {jwk}");
    }
}

#[test]
fn a_key_is_good_for_the_algorithms_of_its_kind_and_no_others() {
    use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512};
    let every = [ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512];
    let p384 =
        json!({ "kty": "EC", "kid": "p384", "crv": "P-384", "x": base64url([1_u8; 48]), "y": base64url([1_u8; 48]) });
    let keys = key_set(&[jwk("ed"), Ec::new().jwk("ec"), p384, rsa_jwk()]);
    let of = |kid: &str| every.into_iter().filter(|one| keys.find(Some(kid), *one).is_some()).collect::<Vec<_>>();
    assert_eq!(of("ed"), [EdDSA]);
    assert_eq!(of("ec"), [ES256]);
    assert_eq!(of("p384"), [ES384]);
    assert_eq!(of("rsa"), [PS256, PS384, PS512, RS256, RS384, RS512]);
    assert!(of("other").is_empty());
}

#[test]
fn only_the_first_fifty_keys_are_looked_at() {
    let keys = key_set(&(0..60).map(|n| jwk(&n.to_string())).collect::<Vec<_>>());
    assert!(keys.knows("0") && keys.knows("49") && !keys.knows("50"));
    assert!(KeySet::parse(URL, b"[]").is_none());
}
