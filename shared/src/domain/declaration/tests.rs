use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::domain::subscription::{Declared, pinned};
use crate::domain::target_url::TargetUrl;
use crate::domain::text::TenantSlug;

fn id(number: i64) -> SubscriptionId {
    SubscriptionId::new(Timestamp::from_second(1_790_000_000 + number).expect("a time in range"), 7)
}

fn existing(number: i64, fingerprint: &str) -> Existing<'_> {
    Existing { id: id(number), fingerprint, is_undeclared: false }
}

fn wanted(fingerprints: &[&str]) -> Vec<String> {
    fingerprints.iter().map(|text| (*text).to_owned()).collect()
}

fn of(declaration: Value) -> String {
    let Value::Object(members) = declaration else { panic!("an object") };
    fingerprint(&members)
}

#[test]
fn b22_an_unchanged_file_changes_nothing() {
    let plan = plan(&[existing(1, "a"), existing(2, "b")], &wanted(&["b", "a"]));
    assert_eq!(plan, Plan { keep: vec![id(2), id(1)], ..Plan::default() });
}

#[test]
fn b22_a_new_entry_is_made() {
    let plan = plan(&[existing(1, "a")], &wanted(&["a", "b"]));
    assert_eq!(plan, Plan { keep: vec![id(1)], create: vec![1], deactivate: vec![] });
}

#[test]
fn b22_a_changed_entry_gives_way_to_a_new_one() {
    let plan = plan(&[existing(1, "a"), existing(2, "b")], &wanted(&["changed", "b"]));
    assert_eq!(plan, Plan { keep: vec![id(2)], create: vec![0], deactivate: vec![id(1)] });
}

#[test]
fn b22_an_entry_that_is_gone_is_deactivated_once() {
    let gone = existing(1, "a");
    assert_eq!(plan(&[gone], &[]), Plan { deactivate: vec![id(1)], ..Plan::default() });
    assert_eq!(plan(&[Existing { is_undeclared: true, ..gone }], &[]), Plan::default());
}

#[test]
fn b22_an_entry_that_is_put_back_is_made_anew() {
    let gone = Existing { is_undeclared: true, ..existing(1, "a") };
    assert_eq!(plan(&[gone], &wanted(&["a"])), Plan { create: vec![0], ..Plan::default() });
    let back = plan(&[gone, existing(2, "a")], &wanted(&["a"]));
    assert_eq!(back, Plan { keep: vec![id(2)], ..Plan::default() });
}

#[test]
fn b22_equal_entries_are_as_many_subscriptions() {
    assert_eq!(plan(&[], &wanted(&["a", "a"])).create, [0, 1]);
    let both = [existing(2, "a"), existing(1, "a")];
    assert_eq!(plan(&both, &wanted(&["a", "a"])).keep, [id(2), id(1)]);
    let one = plan(&both, &wanted(&["a"]));
    assert_eq!((one.keep, one.create, one.deactivate), (vec![id(2)], vec![], vec![id(1)]));
    assert_eq!(plan(&both, &wanted(&["a", "a", "a"])).create, [2]);
}

/// B22: what the gateway or an admin switched off, and what never proved itself, still is what its declaration made.
#[test]
fn b22_only_the_lack_of_a_declaration_makes_a_subscription_undeclared() {
    let url = TargetUrl::try_from("https://example.com/hook".to_owned()).expect("a URL");
    let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
    let set = SetName::try_from("nightly".to_owned()).expect("a name");
    let declared = Some(Declared { set: "nightly".to_owned(), fingerprint: "a".to_owned() });
    let subscription = Subscription { declared, id: id(1), ..pinned(tenant, url) };
    for (state, cause, expected) in [
        (State::Disabled, Cause::Undeclared, true),
        (State::Disabled, Cause::EndpointGone, false),
        (State::Disabled, Cause::ByHand, false),
        (State::VerificationFailed, Cause::ChallengeFailed, false),
        (State::Paused, Cause::ByHand, false),
        (State::Active, Cause::ChallengePassed, false),
    ] {
        let known = subscription.put_into(state, cause, subscription.created_at);
        let found = Existing::of(&known, &set).map(|known| (known.id, known.fingerprint, known.is_undeclared));
        assert_eq!(found, Some((id(1), "a", expected)), "{state:?} {cause:?}");
    }
    let other = SetName::try_from("daily".to_owned()).expect("a name");
    assert_eq!(Existing::of(&subscription, &other), None, "it is of another set");
    assert_eq!(Existing::of(&Subscription { declared: None, ..subscription }, &set), None, "it was made by hand");
}

#[test]
fn every_parameter_is_part_of_the_identity() {
    let base = of(json!({"name": "x", "url": "https://example.com", "events": ["a.*", "b.*"]}));
    for other in [
        json!({"name": "y", "url": "https://example.com", "events": ["a.*", "b.*"]}),
        json!({"name": "x", "url": "https://example.com/", "events": ["a.*", "b.*"]}),
        json!({"name": "x", "url": "https://example.com", "events": ["b.*", "a.*"]}),
        json!({"name": "x", "url": "https://example.com", "events": ["a.*", "b.*"], "owner": "ann"}),
        json!({"name": "x", "url": "https://example.com", "events": ["a.*", "b.*"], "auto_disable": null}),
        json!({"name": "x", "url": "https://example.com", "events": ["a.*", "b.*"], "filter": {"status": null}}),
    ] {
        assert_ne!(of(other.clone()), base, "{other}");
    }
    assert!(base.len() == 64 && base.bytes().all(|b| b.is_ascii_hexdigit()), "{base}");
}

/// The fingerprint is stored: another way to make it would deactivate every declared subscription.
#[test]
fn an_identity_is_the_hash_of_the_json_in_the_order_of_names() {
    let expected = hex::encode(Sha256::digest(br#"{"events":["a.*"],"metadata":{"a":"1","b":"2"},"name":"x"}"#));
    for same in [
        json!({"name": "x", "events": ["a.*"], "metadata": {"b": "2", "a": "1"}}),
        json!({"metadata": {"a": "1", "b": "2"}, "events": ["a.*"], "name": "x", "owner": null, "filter": null}),
    ] {
        assert_eq!(of(same.clone()), expected, "{same}");
    }
}

#[test]
fn the_name_of_a_set_is_short_and_plain() {
    let longest = "a".repeat(64);
    for good in ["a", "nightly-sync", "site_2", longest.as_str()] {
        assert_eq!(SetName::try_from(good.to_owned()).map(|name| name.to_string()), Ok(good.to_owned()));
    }
    for bad in [String::new(), "Nightly".to_owned(), "a b".to_owned(), "a/b".to_owned(), "a".repeat(65)] {
        assert_eq!(SetName::try_from(bad.clone()), Err(SetNameError), "{bad}");
    }
}
