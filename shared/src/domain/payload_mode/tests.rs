use serde_json::json;

use super::*;

const AT: &str = "2019-01-01T00:00:00Z";

fn event_id() -> EventId {
    EventId::from_bytes([7; 16])
}

fn event_type(text: &str) -> EventType {
    EventType::try_from(text.to_owned()).unwrap()
}

fn mode(value: Value) -> Result<PayloadMode, serde_json::Error> {
    serde_json::from_value(value)
}

fn fields(choice: Value) -> PayloadMode {
    mode(json!({"mode": "fields", "fields": choice})).unwrap()
}

/// Renders a body that was received, or, with facts, one that was published.
fn rendered(mode: &PayloadMode, kind: &str, facts: Option<&EventFacts>, body: &str) -> (String, Option<String>) {
    let body = Bytes::from(body.to_owned());
    let kind = event_type(kind);
    let content = Content {
        id: event_id(),
        event_type: &kind,
        occurred_at: AT.parse().unwrap(),
        facts,
        body: &body,
        content_type: Some("application/json; charset=utf-8"),
    };
    let (body, content_type) = mode.render(&content);
    (String::from_utf8(body.to_vec()).unwrap(), content_type)
}

fn about(entity_type: Option<&str>, entity_id: Option<&str>) -> EventFacts {
    EventFacts {
        entity_type: entity_type.map(str::to_owned),
        entity_id: entity_id.map(str::to_owned),
        ..EventFacts::default()
    }
}

#[test]
fn a_mode_is_read_as_it_is_written_and_is_full_by_default() {
    for value in [
        json!({"mode": "full"}),
        json!({"mode": "keys"}),
        json!({"mode": "fields", "fields": {"ticket": ["title", "tags"], "project": null, "task": []}}),
        json!({"mode": "fields", "fields": {}}),
    ] {
        assert_eq!(serde_json::to_value(mode(value.clone()).unwrap()).unwrap(), value);
    }
    assert_eq!(PayloadMode::default(), PayloadMode::Full);
    assert_eq!(mode(json!({"mode": "fields"})).unwrap(), PayloadMode::Fields(BTreeMap::new()));
    assert_eq!(mode(json!({"mode": "fields", "fields": null})).unwrap(), PayloadMode::Fields(BTreeMap::new()));
}

#[test]
fn b18_a_mode_outside_the_limits_is_refused() {
    let entities = |n: usize| (0..n).map(|i| (format!("e{i}"), Some(vec![]))).collect::<Choice>();
    let list = |n: usize| json!({"e": vec!["f"; n]});
    let taken = [json!(entities(20)), list(64), json!({("é".repeat(64)): ["é".repeat(64)]})];
    for choice in taken {
        assert!(mode(json!({"mode": "fields", "fields": choice})).is_ok(), "{choice}");
    }
    let refused = [
        (json!(entities(21)), "at most 20 entities"),
        (list(65), "at most 64 fields"),
        (json!({"": []}), "1 to 64 characters"),
        (json!({"e": [""]}), "1 to 64 characters"),
        (json!({"e": ["f".repeat(65)]}), "1 to 64 characters"),
    ];
    for (choice, rule) in refused {
        let refusal = mode(json!({"mode": "fields", "fields": choice})).unwrap_err().to_string();
        assert!(refusal.contains(rule), "{refusal}");
    }
    for unknown in [json!({"mode": "half"}), json!({"mode": "full", "extra": 1}), json!({}), json!("full")] {
        assert!(mode(unknown.clone()).is_err(), "{unknown}");
    }
    let refusal = mode(json!({"mode": "keys", "fields": {}})).unwrap_err().to_string();
    assert!(refusal.contains("in mode fields only"), "{refusal}");
}

#[test]
fn full_sends_the_very_bytes_that_were_stored() {
    let body = " {\"b\": 1,\n \"a\": 12345678901234567890123} ";
    let sent = rendered(&PayloadMode::Full, "ticket.created", None, body);
    assert_eq!(sent, (body.to_owned(), Some("application/json; charset=utf-8".to_owned())));
}

/// B19: byte for byte what the receivers of this form were promised.
#[test]
fn b19_keys_are_the_bytes_of_the_example() {
    let facts = about(Some("User"), Some("IDNUMBER1234"));
    let (body, content_type) = rendered(&PayloadMode::Keys, "user.updated", Some(&facts), "{}");
    assert_eq!(
        body,
        r#"{ "id":"IDNUMBER1234", "entityType":"USER", "eventType":"UPDATE", "timestamp":"2019-01-01T00:00:00Z" }"#
    );
    assert_eq!(content_type.as_deref(), Some("application/json"));
}

#[test]
fn keys_of_an_event_without_facts_come_from_its_id_and_type() {
    let (body, _) = rendered(&PayloadMode::Keys, "project.task.status_changed", None, "no JSON");
    let keys: Value = serde_json::from_str(&body).unwrap();
    let expected = json!({
        "id": event_id().to_string(), "entityType": "PROJECT_TASK", "eventType": "STATUS_CHANGED", "timestamp": AT,
    });
    assert_eq!(keys, expected);
}

#[test]
fn keys_name_what_happened_as_a_command() {
    let cases = [
        ("created", "CREATE"),
        ("updated", "UPDATE"),
        ("deleted", "DELETE"),
        ("added", "ADD"),
        ("removed", "REMOVE"),
        ("closed", "CLOSE"),
        ("assigned", "ASSIGN"),
        ("completed", "COMPLETE"),
        ("paid", "PAID"),
    ];
    for (verb, expected) in cases {
        let (body, _) = rendered(&PayloadMode::Keys, &format!("user.{verb}"), None, "{}");
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["eventType"], expected);
    }
}

#[test]
fn keys_escape_what_an_id_may_hold_and_cut_the_time_to_whole_seconds() {
    let facts = about(None, Some("a\"b\\c"));
    let body = Bytes::new();
    let kind = event_type("user.updated");
    let content = Content {
        id: event_id(),
        event_type: &kind,
        occurred_at: "2026-03-04T05:06:07.999Z".parse().unwrap(),
        facts: Some(&facts),
        body: &body,
        content_type: None,
    };
    let keys: Value = serde_json::from_slice(&PayloadMode::Keys.render(&content).0).unwrap();
    assert_eq!(keys["id"], "a\"b\\c");
    assert_eq!(keys["timestamp"], "2026-03-04T05:06:07Z");
}

const TICKET: &str = r#"{"title":"Printer","zone":7,"id":"t1","ticket_id":42,"tags":["a", "b"],"client_id":3}"#;

#[test]
fn b18_what_is_not_chosen_from_is_sent_whole() {
    for choice in [json!({}), json!({"project": []}), json!({"ticket": null})] {
        assert_eq!(rendered(&fields(choice.clone()), "ticket.created", None, TICKET).0, TICKET, "{choice}");
    }
}

#[test]
fn b18_an_empty_list_leaves_the_ids() {
    let (body, content_type) = rendered(&fields(json!({"ticket": []})), "ticket.created", None, TICKET);
    assert_eq!(body, r#"{"id":"t1","ticket_id":42}"#);
    assert_eq!(content_type.as_deref(), Some("application/json; charset=utf-8"));
}

#[test]
fn b18_a_list_adds_to_the_ids_and_keeps_the_order_of_the_body() {
    let mode = fields(json!({"ticket": ["tags", "title", "absent"]}));
    let (body, _) = rendered(&mode, "ticket.created", None, TICKET);
    assert_eq!(body, r#"{"title":"Printer","id":"t1","ticket_id":42,"tags":["a", "b"]}"#);
}

#[test]
fn b18_the_ids_of_every_noun_in_the_type_stay() {
    let body = r#"{"project_id":1,"task_id":2,"phase_id":3,"created_id":4}"#;
    let (sent, _) = rendered(&fields(json!({"project": []})), "project.task.created", None, body);
    assert_eq!(sent, r#"{"project_id":1,"task_id":2}"#);
}

#[test]
fn a_chosen_number_keeps_all_of_its_digits() {
    let body = r#"{"amount":12345678901234567890.10,"note":"x"}"#;
    let (sent, _) = rendered(&fields(json!({"invoice": ["amount"]})), "invoice.paid", None, body);
    assert_eq!(sent, r#"{"amount":12345678901234567890.10}"#);
}

#[test]
fn a_body_that_is_no_object_is_sent_untouched() {
    let mode = fields(json!({"ticket": []}));
    let facts = EventFacts::default();
    for body in ["", "[1,2]", "\"text\"", "null", "a=b", r#"{"id":1"#] {
        assert_eq!(rendered(&mode, "ticket.created", None, body).0, body);
        assert_eq!(rendered(&mode, "ticket.created", Some(&facts), body).0, body);
    }
    let text = r#"{"id":"evt","data":"text"}"#;
    assert_eq!(rendered(&mode, "ticket.created", Some(&facts), text).0, text);
}

#[test]
fn fields_of_a_published_event_are_chosen_from_its_data_alone() {
    let facts = about(Some("ticket"), Some("42"));
    let envelope = |data: &str| format!(r#"{{"id":"evt_1","zone":1,"data":{data},"previous":{{"zone":6}}}}"#);
    let body = envelope(r#"{"title":"x","zone":7,"ticket_id":42}"#);
    let (sent, _) = rendered(&fields(json!({"ticket": ["title"]})), "ticket.updated", Some(&facts), &body);
    assert_eq!(sent, envelope(r#"{"title":"x","ticket_id":42}"#));
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

#[test]
fn b19_an_envelope_holds_the_previous_values_and_its_members_in_order() {
    let facts: EventFacts = serde_json::from_value(json!({
        "entity_type": "ticket", "entity_id": "42", "scope": "acme/berlin", "owner": "ann", "initiator": "bo",
    }))
    .unwrap();
    let kind = event_type("ticket.updated");
    let (data, previous, changes) = (raw(r#"{"zone":7}"#), raw(r#"{"zone":6}"#), raw(r#"{"zone":{"new":7}}"#));
    let envelope = Envelope {
        id: event_id(),
        event_type: &kind,
        timestamp: AT.parse().unwrap(),
        facts: &facts,
        data: &data,
        previous: Some(&previous),
        changes: Some(&changes),
        instructions: None,
    };
    let about = r#""entity_type":"ticket","entity_id":"42","scope":"acme/berlin""#;
    let values = r#""data":{"zone":7},"previous":{"zone":6},"changes":{"zone":{"new":7}}"#;
    let id = event_id();
    let expected = format!(r#"{{"id":"{id}","type":"ticket.updated","timestamp":"{AT}",{about},{values}}}"#);
    assert_eq!(envelope.to_bytes(), expected.as_bytes());

    let (instructions, facts) = (raw(r#""call back""#), EventFacts::default());
    let bare = Envelope { facts: &facts, previous: None, changes: None, instructions: Some(&instructions), ..envelope };
    let values = r#""data":{"zone":7},"instructions":"call back""#;
    let expected = format!(r#"{{"id":"{id}","type":"ticket.updated","timestamp":"{AT}",{values}}}"#);
    assert_eq!(bare.to_bytes(), expected.as_bytes());
}

#[test]
fn filters_read_the_data_of_a_published_event_and_all_of_any_other() {
    let whole = json!({"id": "evt_1", "data": {"zone": 7}});
    assert_eq!(filterable(Some(&EventFacts::default()), &whole), &json!({"zone": 7}));
    assert_eq!(filterable(None, &whole), &whole);
}
