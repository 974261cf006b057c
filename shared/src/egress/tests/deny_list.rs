//! The operator's deny list, and what happens when it cannot be had.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::clock::Clock;

/// A source whose answers are set by the test; `None` is a failure.
#[derive(Clone, Default)]
struct Listing {
    rules: Arc<Mutex<Option<Vec<DenyRule>>>>,
    loads: Arc<AtomicUsize>,
}

impl Listing {
    fn of(patterns: &[&str]) -> Self {
        let listing = Self::default();
        listing.becomes(Some(patterns));
        listing
    }

    fn becomes(&self, patterns: Option<&[&str]>) {
        let rule = |pattern: &&str| DenyRule {
            pattern: (*pattern).to_owned().try_into().unwrap(),
            description: format!("rule {pattern}"),
        };
        *self.rules.lock().unwrap() = patterns.map(|patterns| patterns.iter().map(rule).collect());
    }

    fn list(&self, clock: &Clock) -> DenyList {
        let listing = self.clone();
        let source = move || -> DenyLoading {
            let listing = listing.clone();
            Box::pin(async move {
                // Others get to ask while this load is under way.
                tokio::task::yield_now().await;
                listing.loads.fetch_add(1, Ordering::SeqCst);
                listing.rules.lock().unwrap().clone().ok_or_else(|| BoxError::from("the table does not answer"))
            })
        };
        DenyList::new(Arc::new(source), clock.clone())
    }

    fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }
}

fn clock() -> Clock {
    Clock::manual(Timestamp::UNIX_EPOCH)
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn denying(listing: &Listing, clock: &Clock, resolver: Resolver) -> Egress {
    Egress::with_resolver(local(), listing.list(clock), resolver)
}

#[tokio::test]
async fn a_denied_host_opens_no_socket() {
    let target = ok_target().await;
    let port = target.address.port();
    for (pattern, host) in [
        ("hooks.example", "hooks.example"),
        ("*.example", "HOOKS.example"),
        ("127.0.0.1", "hooks.example"),
        ("127.*", "127.0.0.1"),
        ("127.0.0.1", "2130706433"),
        ("127.0.0.1", "[::ffff:127.0.0.1]"),
    ] {
        let resolver = names("hooks.example", &["127.0.0.1"]);
        let egress = denying(&Listing::of(&["other.example", pattern]), &clock(), resolver);
        let error = egress.send(post(&format!("http://{host}:{port}/"))).await.unwrap_err();
        let EgressError::Denied { description } = &error else { panic!("{pattern} {host}: {error:?}") };
        assert_eq!(*description, format!("rule {pattern}"));
        assert_eq!((error.code(), error.is_permanent()), ("host_denied", true));
        assert_eq!(error.to_string(), format!("the host is on the operator's deny list: rule {pattern}"));
    }
    assert_untouched(&target).await;
}

#[tokio::test]
async fn an_address_is_denied_in_every_form() {
    for address in ["203.0.115.7", "::ffff:203.0.115.7", "64:ff9b::203.0.115.7", "2002:cb00:7307::1"] {
        let egress = denying(&Listing::of(&["203.0.115.7"]), &clock(), names("hooks.example", &[address]));
        let error = egress.send(post("http://hooks.example/")).await.unwrap_err();
        assert!(matches!(error, EgressError::Denied { .. }), "{address}: {error:?}");
    }
}

#[tokio::test]
async fn judging_a_url_asks_the_list() {
    let egress = denying(&Listing::of(&["*.denied.example"]), &clock(), Resolver::Fixed(HashMap::new()));
    egress.judge(&url("https://hooks.example/")).await.unwrap();
    let error = egress.judge(&url("https://hooks.denied.example/")).await.unwrap_err();
    assert_eq!(error.code(), "host_denied");
}

/// A17: what cannot be checked is not sent.
#[tokio::test]
async fn a17_nothing_is_sent_while_the_list_is_unavailable() {
    let target = ok_target().await;
    let (listing, clock) = (Listing::default(), clock());
    let egress = Egress::new(local(), listing.list(&clock));
    for _ in 0..3 {
        let error = egress.send(post_to(&target)).await.unwrap_err();
        assert!(matches!(error, EgressError::DenyListUnavailable), "{error:?}");
        assert_eq!((error.code(), error.is_permanent()), ("deny_list_unavailable", false));
        assert_eq!(egress.judge(&url("https://hooks.example/")).await.unwrap_err().code(), "deny_list_unavailable");
    }
    assert_untouched(&target).await;

    listing.becomes(Some(&[]));
    egress.send(post_to(&target)).await.unwrap();
}

/// A17: a list that was known less than five minutes ago is used when no newer one is to be had.
#[tokio::test]
async fn a17_a_known_list_is_used_for_five_minutes() {
    let target = ok_target().await;
    let (listing, clock) = (Listing::of(&["denied.example"]), clock());
    let egress = denying(&listing, &clock, names("denied.example", &["127.0.0.1"]));
    let denied = || post("http://denied.example/");
    egress.send(post_to(&target)).await.unwrap();

    listing.becomes(None);
    for wait in [61, 10, 200, 28] {
        clock.advance(seconds(wait));
        egress.send(post_to(&target)).await.unwrap();
        assert_eq!(egress.send(denied()).await.unwrap_err().code(), "host_denied");
    }
    assert_eq!(listing.loads(), 5, "a failed load is tried again once it is five seconds old");
    let received = target.received().len();

    clock.advance(seconds(1));
    assert_eq!(egress.send(post_to(&target)).await.unwrap_err().code(), "deny_list_unavailable");
    assert_eq!(target.received().len(), received);
}

#[tokio::test]
async fn the_list_is_loaded_once_a_minute_however_many_ask() {
    let target = ok_target().await;
    let (listing, clock) = (Listing::of(&[]), clock());
    let egress = Egress::new(local(), listing.list(&clock));
    for loads in 1..=3 {
        let (a, b, c) =
            tokio::join!(egress.send(post_to(&target)), egress.send(post_to(&target)), egress.send(post_to(&target)));
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
        assert_eq!(listing.loads(), loads);
        clock.advance(seconds(59));
        egress.send(post_to(&target)).await.unwrap();
        assert_eq!(listing.loads(), loads);
        clock.advance(seconds(1));
    }
}

#[tokio::test]
async fn whoever_waits_for_a_load_that_fails_shares_its_failure() {
    let (listing, clock) = (Listing::default(), clock());
    let egress = Egress::new(local(), listing.list(&clock));
    let hooks = url("https://hooks.example/");
    let (a, b, c) = tokio::join!(egress.judge(&hooks), egress.judge(&hooks), egress.judge(&hooks));
    assert!(a.is_err() && b.is_err() && c.is_err());
    assert_eq!(listing.loads(), 1);
}

/// An open connection is not a way around a rule that came later.
#[tokio::test]
async fn a_new_rule_closes_the_connections_to_its_address() {
    let target = ok_target().await;
    let (listing, clock) = (Listing::of(&[]), clock());
    let turns = VecDeque::from([ips(&["127.0.0.1"]), ips(&["127.0.0.1"]), ips(&["127.0.0.1"])]);
    let egress = denying(&listing, &clock, Resolver::InTurn(Arc::new(Mutex::new(turns))));
    let request = || post(&format!("http://hooks.example:{}/", target.address.port()));
    egress.send(request()).await.unwrap();

    clock.advance(seconds(60));
    listing.becomes(Some(&["127.0.0.1"]));
    assert_eq!(egress.send(request()).await.unwrap_err().code(), "host_denied");
    assert_eq!(target.received().len(), 1);
}
