//! Packs against what there is.

use serde_json::json;

use super::*;
use crate::domain::id::EventTypeId;
use crate::domain::text::TenantSlug;

fn trigger(reference: &str, more: Value) -> PackTrigger {
    let mut said = json!({"ref": reference, "type": "webhook"});
    said.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    serde_json::from_value(said).expect("a trigger")
}

fn name() -> PackName {
    PackName::try_from("github".to_owned()).expect("a name")
}

fn pack(triggers: Vec<PackTrigger>) -> Pack {
    Pack::new(name(), triggers).expect("a pack")
}

fn definition(reference: &str) -> EventTypeDefinition {
    let event_type = EventType::try_from(reference.to_owned()).expect("a type");
    let tenant = TenantSlug::try_from("acme".to_owned()).expect("a slug");
    EventTypeDefinition::new(EventTypeId::new(Timestamp::UNIX_EPOCH, 1), tenant, event_type, Timestamp::UNIX_EPOCH)
}

/// What there is once `pack` was applied to nothing.
fn applied(pack: &Pack) -> Vec<EventTypeDefinition> {
    pack.triggers.iter().map(|trigger| pack.define(trigger, definition(trigger.event_type.as_str()))).collect()
}

#[test]
fn a_name_is_one_word_of_a_ref() {
    for good in ["a", "github", "my-app_2", &"a".repeat(64)] {
        assert!(PackName::try_from(good.to_owned()).is_ok(), "{good}");
    }
    for bad in ["", "GitHub", "git.hub", "git hub", "ü", &"a".repeat(65)] {
        assert_eq!(PackName::try_from(bad.to_owned()), Err(PackNameError), "{bad}");
    }
}

#[test]
fn a_trigger_that_breaks_a_rule_is_named() {
    let push = || trigger("github.push", json!({}));
    let cases = [
        (vec![push(), trigger("gitlab.push", json!({}))], "triggers[1].ref: must begin with github."),
        (vec![trigger("github-app.push", json!({}))], "triggers[0].ref: must begin with github."),
        (vec![push(), push()], "triggers[1].ref: must not be that of another trigger of the pack"),
        (
            vec![trigger("github.push", json!({"payload_schema": []}))],
            "triggers[0].payload_schema: must be a JSON object",
        ),
    ];
    for (triggers, expected) in cases {
        let error = Pack::new(name(), triggers).expect_err(expected);
        assert_eq!(error.to_string(), expected);
    }
    let many = (0..=MAX_TRIGGERS).map(|n| trigger(&format!("github.t{n}"), json!({}))).collect();
    assert_eq!(Pack::new(name(), many), Err(PackError::TooMany));
}

#[test]
fn a_member_that_no_trigger_has_is_refused() {
    for bad in [json!({"ref": "a.b", "payload_shema": {}}), json!({"ref": "a.b", "type": "timer"}), json!({})] {
        assert!(serde_json::from_value::<PackTrigger>(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn what_is_new_is_made_and_what_is_the_same_is_left_alone() {
    let both = pack(vec![trigger("github.push", json!({"name": "push"})), trigger("github.ping", json!({}))]);
    let plan_of_nothing = plan(&[], &both);
    assert_eq!(plan_of_nothing, Plan { create: both.triggers.clone(), ..Plan::default() });
    let unchanged = both.triggers.iter().map(|trigger| trigger.event_type.clone()).collect();
    assert_eq!(plan(&applied(&both), &both), Plan { unchanged, ..Plan::default() });
}

#[test]
fn what_says_something_else_is_changed_and_keeps_its_webhook() {
    let before = pack(vec![trigger("github.push", json!({"name": "push", "description": "old"}))]);
    let mut current = applied(&before);
    current[0].webhook_id = Some(crate::domain::id::InboundWebhookId::new(Timestamp::UNIX_EPOCH, 9));
    for more in [
        json!({"name": "push", "description": "new"}),
        json!({"description": "old"}),
        json!({"name": "push", "description": "old", "payload_schema": {"type": "object"}}),
        json!({"name": "push", "description": "old", "enabled": false}),
    ] {
        let made = plan(&current, &pack(vec![trigger("github.push", more.clone())]));
        let [change] = &made.update[..] else { panic!("{more}: {made:?}") };
        assert_eq!((&change.before, change.after.webhook_id), (&current[0], current[0].webhook_id), "{more}");
        assert!(made.create.is_empty() && made.unchanged.is_empty() && made.disable.is_empty(), "{more}");
    }
}

#[test]
fn what_was_made_by_hand_becomes_the_packs_once_it_is_named_and_is_left_alone_before() {
    let by_hand = [definition("github.push"), definition("github.star")];
    let made = plan(&by_hand, &pack(vec![trigger("github.push", json!({}))]));
    let [change] = &made.update[..] else { panic!("{made:?}") };
    assert_eq!((change.after.event_type.as_str(), &change.after.pack), ("github.push", &Some(name())));
    assert!(made.disable.is_empty(), "github.star is nobody's");
}

#[test]
fn what_is_no_longer_named_is_switched_off_once_and_on_again_when_put_back() {
    let both = pack(vec![trigger("github.push", json!({})), trigger("github.ping", json!({}))]);
    let one = pack(vec![trigger("github.push", json!({}))]);
    let mut current = applied(&both);
    let made = plan(&current, &one);
    let [change] = &made.disable[..] else { panic!("{made:?}") };
    assert_eq!((change.after.event_type.as_str(), change.after.is_enabled), ("github.ping", false));
    assert_eq!(change.after.pack, Some(name()), "it stays the pack's");

    current[1] = change.after.clone();
    assert!(plan(&current, &one).disable.is_empty(), "it is off already");
    let back = plan(&current, &both);
    let [change] = &back.update[..] else { panic!("{back:?}") };
    assert_eq!((change.after.event_type.as_str(), change.after.is_enabled), ("github.ping", true));
}
