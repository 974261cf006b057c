use serde_json::json;

use super::super::publish::Publication;
use super::*;

fn name(text: &str) -> OwnerName {
    OwnerName::try_from(text.to_owned()).unwrap()
}

fn refusal(body: Value) -> String {
    let Value::Object(members) = body else { return "no object".to_owned() };
    match Publication::read(members) {
        Ok(Publication::One(event)) => format!("one: {}", event.event_type),
        Ok(Publication::Several(_)) => "several".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_body_is_one_event_or_a_list_of_them_and_a_refusal_names_the_field() {
    let cases = [
        (json!({"type": "a.b", "data": null}), "one: a.b"),
        (json!({"events": [{"type": "not an event"}]}), "several"),
        (json!({"type": "a.b"}), "missing field `data`"),
        (json!({"data": 1}), "missing field `type`"),
        (json!({"events": {}}), "events: invalid type: map, expected a sequence"),
        (json!({"events": [], "type": "a.b"}), "type: unknown field `type`, expected `events`"),
    ];
    for (body, expected) in cases {
        assert_eq!(refusal(body.clone()), expected, "{body}");
    }
    let broken = refusal(json!({"type": "a.b", "data": 1, "scope": "/"}));
    assert!(broken.starts_with("scope: must be "), "{broken}");
}

#[test]
fn a_caller_that_acts_for_an_owner_publishes_for_that_owner_alone() {
    let (ann, bob) = (name("ann"), name("bob"));
    assert_eq!(owner(Some(&ann), None).unwrap(), Some(ann.clone()));
    assert_eq!(owner(Some(&ann), Some(ann.clone())).unwrap(), Some(ann.clone()));
    assert!(matches!(owner(Some(&ann), Some(bob.clone())), Err(Error::InvalidRequest(_))));
    assert_eq!(owner(None, Some(bob.clone())).unwrap(), Some(bob));
    assert_eq!(owner(None, None).unwrap(), None);
}

#[test]
fn no_caller_can_take_the_key_of_another_owner() {
    let (ann, bob) = (name("ann"), name("bob"));
    let keys = [key(Some(&ann), "1").unwrap(), key(Some(&bob), "1").unwrap(), key(None, "1").unwrap()];
    for (index, one) in keys.iter().enumerate() {
        assert!(one.is_some());
        assert!(keys[index + 1..].iter().all(|other| other != one), "{one:?}");
    }
    assert!(key(None, "ann\n1").is_err(), "or it would be the first of them");
}

#[test]
fn a_blank_key_is_none_and_a_long_one_is_refused() {
    let ann = name("ann");
    for blank in ["", "  ", "\n"] {
        assert_eq!(key(None, blank).unwrap(), None, "{blank:?}");
        assert_eq!(key(Some(&ann), blank).unwrap(), None, "{blank:?}");
    }
    assert!(key(None, &"k".repeat(512)).unwrap().is_some());
    assert!(key(None, &"k".repeat(513)).is_err());
}
