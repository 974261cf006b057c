use serde_json::{Value, json};

use super::*;

fn checked(more: &Value) -> std::result::Result<Settings, String> {
    let mut body = json!({"name": "x", "url": "https://example.com/hook", "events": ["invoice.*"]});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let input: SettingsInput = serde_json::from_value(body).map_err(|error| error.to_string())?;
    input.checked(&UrlPolicy::default(), None).map_err(|error| error.to_string())
}

#[test]
fn what_is_left_out_gets_its_default() {
    let settings = checked(&json!({})).unwrap();
    let url = TargetUrl::try_from("https://example.com/hook".to_owned()).unwrap();
    let expected = crate::subscription::defaults(settings.name.clone(), url, settings.events.clone());
    assert_eq!(settings, expected);
}

#[test]
fn auto_disable_is_the_default_when_absent_and_never_when_null() {
    assert_eq!(checked(&json!({})).unwrap().auto_disable, Some(AutoDisable { after_hours: 24, after_failures: 50 }));
    assert_eq!(checked(&json!({"auto_disable": null})).unwrap().auto_disable, None);
    let own = json!({"auto_disable": {"after_hours": 8760, "after_failures": 1}});
    assert_eq!(checked(&own).unwrap().auto_disable, Some(AutoDisable { after_hours: 8_760, after_failures: 1 }));
}

/// A14, and every limit of the other settings: a refusal names the field.
#[test]
fn a14_a_setting_beyond_its_limits_is_refused_by_its_name() {
    let refused = [
        (json!({"events": []}), "events: "),
        (json!({"events": vec!["a.b"; 51]}), "events: must have 1 to 50"),
        (json!({"events": ["a.b", "a.*", "a.b"]}), "events[2]: "),
        (json!({"object_type": "a b"}), "object_type: "),
        (json!({"entity_ids": vec!["x"; 101]}), "entity_ids: "),
        (json!({"entity_ids": ["x", ""]}), "entity_ids[1]: "),
        (json!({"headers": {"X-Api-Key": "(hidden)"}}), "headers: x-api-key"),
        (json!({"timeout_seconds": 0}), "timeout_seconds: "),
        (json!({"timeout_seconds": 31}), "timeout_seconds: "),
        (json!({"rate_limit": {"requests": 0, "window_seconds": 60}}), "rate_limit.requests: "),
        (json!({"rate_limit": {"requests": 1, "window_seconds": 3601}}), "rate_limit.window_seconds: "),
        (json!({"max_in_flight": 51}), "max_in_flight: "),
        (json!({"auto_disable": {"after_hours": 0, "after_failures": 1}}), "auto_disable.after_hours: "),
        (json!({"auto_disable": {"after_hours": 1, "after_failures": 51}}), "auto_disable.after_failures: "),
        (json!({"kept_response_bytes": 8193}), "kept_response_bytes: "),
        (json!({"reverify_days": 366}), "reverify_days: "),
        (json!({"metadata": {"": "x"}}), "metadata: "),
        (json!({"metadata": {"x": "é".repeat(513)}}), "metadata: "),
        (json!({"owner": "ann"}), "unknown field `owner`"),
    ];
    for (more, rule) in refused {
        let refusal = checked(&more).unwrap_err();
        assert!(refusal.starts_with(rule), "{more}: {refusal}");
    }
}
