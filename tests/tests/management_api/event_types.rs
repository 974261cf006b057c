//! Event types: making, showing, changing and deleting them, under both of their names, and the schemas they enforce.

use futures_util::future::join_all;
use hookport_tests::gateway::{SECRET, answer, merge, text};
use hookport_tests::{SenderRequest, TestGateway};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{EVENT_TYPES, WEBHOOKS, call, delete, get, ids, post, put, refused, refused_field, tenant, token};

const TRIGGERS: &str = "/api/v1/triggers";

fn push_schema() -> Value {
    json!({
        "type": "object",
        "required": ["ref"],
        "properties": {"ref": {"type": "string"}, "commits": {"type": "array", "items": {"type": "object"}}},
    })
}

/// Makes the event type `github.push`; `more` changes members.
async fn push(gateway: &TestGateway, more: Value) -> Value {
    let mut body = json!({"ref": "github.push"});
    merge(&mut body, more);
    gateway.create(EVENT_TYPES, body).await["data"].clone()
}

/// Enables webhooks for an event type and gives the path of the URL.
async fn enabled(gateway: &TestGateway, name: &str) -> String {
    let (status, answer) = post(gateway, &format!("{TRIGGERS}/{name}/webhook/enable"), json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    text(&answer["data"]["webhook_url"]).replace("https://hooks.example.com", "")
}

/// What a request is answered with once every cache has forgotten.
async fn sent(gateway: &TestGateway, url: &str, request: &SenderRequest) -> (StatusCode, Value) {
    gateway.advance(SignedDuration::from_secs(6));
    let response = gateway.send(gateway.instance(0), url, request).await;
    let body = if response.body().is_empty() { Value::Null } else { answer(&response) };
    (response.status(), body)
}

#[tokio::test]
async fn an_event_type_says_what_it_was_told_and_has_no_webhook_at_first() {
    let gateway = TestGateway::new().await;
    let plain = push(&gateway, json!({})).await;
    let now = gateway.clock.now().to_string();
    let expected = json!({
        "id": plain["id"],
        "ref": "github.push",
        "name": null,
        "description": null,
        "schema": null,
        "enabled": true,
        "pack": null,
        "webhook_enabled": false,
        "webhook_id": null,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    });
    assert_eq!(plain, expected);
    assert!(text(&plain["id"]).starts_with("ety_"));
    let more = json!({"name": "Push", "description": "d", "schema": push_schema(), "enabled": false});
    let mut said = json!({"ref": "git.push"});
    merge(&mut said, more.clone());
    let full = push(&gateway, said).await;
    for (name, value) in more.as_object().expect("an object") {
        assert_eq!(&full[name], value, "{name}");
    }
}

#[tokio::test]
async fn an_event_type_is_named_by_its_id_or_by_its_ref_under_both_prefixes() {
    let gateway = TestGateway::new().await;
    let made = push(&gateway, json!({"schema": push_schema()})).await;
    let of_trigger = gateway.create(TRIGGERS, json!({"ref": "github.ping"})).await["data"].clone();
    for prefix in [EVENT_TYPES, TRIGGERS] {
        for name in [text(&made["id"]), "github.push".to_owned()] {
            assert_eq!(gateway.get(&format!("{prefix}/{name}")).await["data"], made, "{prefix}/{name}");
        }
        let listed = gateway.get(prefix).await;
        let mut made_in_both = ids(&listed);
        made_in_both.sort_unstable();
        let mut expected = [text(&of_trigger["id"]), text(&made["id"])];
        expected.sort_unstable();
        assert_eq!(made_in_both, expected);
        for nobody in ["github.nothing", "ety_01m5w3rm008000000400000003"] {
            let answer = get(&gateway, &format!("{prefix}/{nobody}")).await;
            refused(&answer, StatusCode::NOT_FOUND, "event_type_not_found");
        }
        for bad in ["push", "Github.push", "inw_01m5w3rm008000000400000003", "%ff"] {
            refused(&get(&gateway, &format!("{prefix}/{bad}")).await, StatusCode::BAD_REQUEST, "invalid_id");
        }
    }
}

#[tokio::test]
async fn a_ref_is_taken_once_in_each_tenant() {
    let gateway = TestGateway::new().await;
    push(&gateway, json!({})).await;
    let answer = post(&gateway, TRIGGERS, json!({"ref": "github.push"})).await;
    refused(&answer, StatusCode::CONFLICT, "event_type_exists");
    let other = tenant(&gateway, "acme").await;
    let body = json!({"ref": "github.push"});
    let (status, theirs) = call(&gateway, Method::POST, EVENT_TYPES, &other, Some(body)).await;
    assert_eq!(status, StatusCode::CREATED);

    let paths = [text(&theirs["data"]["id"]), "github.star".to_owned()].map(|name| format!("{EVENT_TYPES}/{name}"));
    for path in paths {
        refused(&get(&gateway, &path).await, StatusCode::NOT_FOUND, "event_type_not_found");
        refused(&put(&gateway, &path, json!({})).await, StatusCode::NOT_FOUND, "event_type_not_found");
        refused(&delete(&gateway, &path).await, StatusCode::NOT_FOUND, "event_type_not_found");
        let enable = format!("{path}/webhook/enable");
        refused(&post(&gateway, &enable, json!({})).await, StatusCode::NOT_FOUND, "event_type_not_found");
    }
}

#[tokio::test]
async fn the_list_is_newest_first_and_has_neither_schemas_nor_keys() {
    let gateway = TestGateway::new().await;
    let mut made = Vec::new();
    for n in 0..5 {
        let one = push(&gateway, json!({"ref": format!("github.e{n}"), "schema": push_schema()})).await;
        made.insert(0, text(&one["id"]));
        gateway.advance(SignedDuration::from_secs(1));
    }
    enabled(&gateway, "github.e1").await;
    let (_, first) = get(&gateway, &format!("{EVENT_TYPES}?limit=3")).await;
    let cursor = text(&first["meta"]["next_cursor"]);
    let (_, second) = get(&gateway, &format!("{TRIGGERS}?limit=3&cursor={cursor}")).await;
    assert_eq!([ids(&first), ids(&second)].concat(), made);
    let flags: Vec<_> = second["data"].as_array().expect("a list").iter().map(|one| &one["webhook_enabled"]).collect();
    assert_eq!(flags, [&json!(true), &json!(false)], "e1 and e0");
    for page in [first, second] {
        let shown = page.to_string();
        assert!(!shown.contains("wh_") && !shown.contains("schema") && !shown.contains("webhook_url"), "{shown}");
    }
}

#[tokio::test]
async fn a_change_replaces_what_was_said_and_is_a_new_version() {
    let gateway = TestGateway::new().await;
    let before = push(&gateway, json!({"name": "a", "description": "d", "schema": push_schema()})).await;
    gateway.advance(SignedDuration::from_secs(60));
    let path = format!("{EVENT_TYPES}/github.push");
    let (status, after) = put(&gateway, &path, json!({"ref": "github.push", "name": "b"})).await;
    let mut expected = before;
    let now = gateway.clock.now().to_string();
    for (name, value) in
        [("name", json!("b")), ("description", Value::Null), ("schema", Value::Null), ("version", json!(2))]
    {
        expected[name] = value;
    }
    expected["updated_at"] = json!(now);
    assert_eq!((status, &after["data"]), (StatusCode::OK, &expected));
    assert_eq!(gateway.get(&path).await["data"], expected);
    refused_field(&put(&gateway, &path, json!({"ref": "github.pushed"})).await, "ref: must stay the same");
}

/// Every change that was answered with 200 is a version of its own, and every other was told that it lost.
#[tokio::test]
async fn changes_of_an_event_type_at_the_same_time_do_not_undo_each_other() {
    let gateway = TestGateway::new().await;
    push(&gateway, json!({})).await;
    let path = format!("{EVENT_TYPES}/github.push");
    let answers = join_all((0..8).map(|n| put(&gateway, &path, json!({"name": format!("n{n}")})))).await;
    let mut made = 1;
    for answer in &answers {
        match answer.0 {
            StatusCode::OK => made += 1,
            _ => drop(refused(answer, StatusCode::CONFLICT, "conflict")),
        }
    }
    assert_eq!(gateway.get(&path).await["data"]["version"], json!(made));
    assert!(made < 9, "they were made at the same time");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let gateway = TestGateway::new().await;
    let cases = [
        (json!({"ref": "push"}), "ref"),
        (json!({"ref": null}), "ref"),
        (json!({"name": ""}), "name"),
        (json!({"description": "d".repeat(2_001)}), "description"),
        (json!({"enabled": "yes"}), "enabled"),
        (json!({"payload_schema": {}}), "payload_schema"),
        (json!({"webhook_enabled": true}), "webhook_enabled"),
        (json!({"schema": true}), "schema: must be a JSON object"),
        (json!({"schema": {"type": "text"}}), "schema: /type"),
        (json!({"schema": {"$ref": "https://example.com/s"}}), "schema: $ref"),
        (json!({"schema": {"allOf": [{"$ref": "#"}]}}), "schema: refers to itself"),
        (json!({"schema": {"description": "d".repeat(64 * 1024)}}), "schema: must have at most 64 KiB"),
    ];
    for (more, field) in cases {
        let mut body = json!({"ref": "github.push"});
        merge(&mut body, more);
        refused_field(&post(&gateway, EVENT_TYPES, body).await, field);
    }
    assert!(ids(&gateway.get(EVENT_TYPES).await).is_empty(), "nothing was made");
    push(&gateway, json!({})).await;
    let answer = put(&gateway, &format!("{EVENT_TYPES}/github.push"), json!({"schema": {"type": 1}})).await;
    refused_field(&answer, "schema: /type");
}

#[tokio::test]
async fn a_deleted_event_type_takes_its_webhook_with_it_and_leaves_its_events() {
    let gateway = TestGateway::new().await;
    push(&gateway, json!({})).await;
    let url = enabled(&gateway, "github.push").await;
    let request = SenderRequest::json("{}");
    assert_eq!(sent(&gateway, &url, &request).await.0, StatusCode::OK);
    let path = format!("{EVENT_TYPES}/github.push");
    assert_eq!(delete(&gateway, &path).await, (StatusCode::NO_CONTENT, Value::Null));
    assert_eq!(sent(&gateway, &url, &request).await.0, StatusCode::NOT_FOUND);
    refused(&get(&gateway, &path).await, StatusCode::NOT_FOUND, "event_type_not_found");
    for list in [EVENT_TYPES, WEBHOOKS] {
        assert!(ids(&gateway.get(list).await).is_empty(), "{list}");
    }
    assert_eq!(ids(&gateway.get("/api/v1/events").await).len(), 1);

    push(&gateway, json!({})).await;
    let again = enabled(&gateway, "github.push").await;
    assert_ne!(again, url, "what is made anew has a key of its own");
    assert_eq!(sent(&gateway, &url, &request).await.0, StatusCode::NOT_FOUND);
}

/// C8, the part that says that what is switched off does not run.
#[tokio::test]
async fn c8_nothing_is_taken_for_an_event_type_that_is_switched_off() {
    let gateway = TestGateway::new().await;
    push(&gateway, json!({})).await;
    let url = enabled(&gateway, "github.push").await;
    gateway.webhook("github", json!({})).await;
    let slug_url = "/api/inbound/default/github";
    let request = SenderRequest::json("{}").signed(SECRET);
    let path = format!("{EVENT_TYPES}/github.push");
    let (_, off) = put(&gateway, &path, json!({"enabled": false})).await;
    assert_eq!((&off["data"]["enabled"], &off["data"]["webhook_enabled"]), (&json!(false), &json!(true)));
    assert_eq!(sent(&gateway, &url, &request).await, (StatusCode::FORBIDDEN, json!({"error": "disabled"})));
    assert_eq!(sent(&gateway, slug_url, &request).await, (StatusCode::UNAUTHORIZED, Value::Null));
    put(&gateway, &path, json!({"enabled": true})).await;
    assert_eq!(sent(&gateway, &url, &request).await.0, StatusCode::OK);
    assert_eq!(sent(&gateway, slug_url, &request).await.0, StatusCode::OK);
    assert_eq!(ids(&gateway.get("/api/v1/events").await).len(), 2);
}

/// Defect 21: the schema of an event type is enforced, and the sender learns where its body breaks it.
#[tokio::test]
async fn defect_21_a_body_that_breaks_the_schema_is_refused_with_its_places() {
    let gateway = TestGateway::new().await;
    push(&gateway, json!({"schema": push_schema()})).await;
    let url = enabled(&gateway, "github.push").await;
    let (status, refusal) = sent(&gateway, &url, &SenderRequest::json(r#"{"ref":1,"commits":[{},"x"]}"#)).await;
    assert_eq!((status, &refusal["error"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("schema_mismatch")));
    assert!(text(&refusal["delivery_id"]).starts_with("ind_"));
    let mut violations = refusal["violations"].as_array().expect("a list").clone();
    violations.sort_by_key(|violation| text(&violation["path"]));
    let expected = [
        json!({"path": "/commits/1", "message": "\"x\" is not of type \"object\""}),
        json!({"path": "/ref", "message": "1 is not of type \"string\""}),
    ];
    assert_eq!(violations, expected);
    let (status, missing) = sent(&gateway, &url, &SenderRequest::json("")).await;
    assert_eq!((status, &missing["violations"][0]["path"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("")));
    assert!(ids(&gateway.get("/api/v1/events").await).is_empty(), "no event is made");

    let webhook = text(&gateway.get(&format!("{TRIGGERS}/github.push")).await["data"]["webhook_id"]);
    let row = gateway.get(&format!("{WEBHOOKS}/{webhook}/deliveries/{}", text(&refusal["delivery_id"]))).await;
    assert_eq!((&row["data"]["status"], &row["data"]["error"]), (&json!("failed"), &json!("schema_mismatch")));

    assert_eq!(sent(&gateway, &url, &SenderRequest::json(r#"{"ref":"x"}"#)).await.0, StatusCode::OK);
    assert_eq!(sent(&gateway, &url, &SenderRequest::fixture("github-push")).await.0, StatusCode::OK);
    put(&gateway, &format!("{EVENT_TYPES}/github.push"), json!({})).await;
    assert_eq!(sent(&gateway, &url, &SenderRequest::json("[]")).await.0, StatusCode::OK, "without it anything goes");
    assert_eq!(ids(&gateway.get("/api/v1/events").await).len(), 3);
}

/// Defect 21: the schema is the event type's, so it holds for every webhook that makes such events.
#[tokio::test]
async fn a_schema_holds_for_other_webhooks_of_the_same_event_type() {
    let gateway = TestGateway::new().await;
    push(&gateway, json!({"schema": push_schema()})).await;
    gateway.webhook("github", json!({})).await;
    gateway.webhook("other", json!({"event_type": "other.thing"})).await;
    let request = SenderRequest::json("{}").signed(SECRET);
    let (status, _) = sent(&gateway, "/api/inbound/default/github", &request).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(sent(&gateway, "/api/inbound/default/other", &request).await.0, StatusCode::OK);
    let forged = SenderRequest::json("{}").signed("a secret of nobody's");
    let (status, body) = sent(&gateway, "/api/inbound/default/github", &forged).await;
    assert_eq!((status, body), (StatusCode::UNAUTHORIZED, Value::Null), "only who has proved itself learns of it");
}

#[tokio::test]
async fn a_key_is_shown_to_those_who_may_change_webhooks_and_to_no_one_else() {
    let gateway = TestGateway::new().await;
    push(&gateway, json!({})).await;
    let url = enabled(&gateway, "github.push").await;
    let key = url.rsplit('/').next().expect("a key").to_owned();
    let readers = [
        token(&gateway, &["event_type:read", "event_type:update", "inbound_webhook:read"]).await,
        token(&gateway, &["event_type:read", "inbound_webhook:update"]).await,
    ];
    for path in [format!("{TRIGGERS}/github.push"), format!("{TRIGGERS}/github.push/webhook")] {
        let (status, hidden) = call(&gateway, Method::GET, &path, &readers[0], None).await;
        assert_eq!(status, StatusCode::OK);
        assert!(!hidden.to_string().contains("wh_") && hidden["data"].get("webhook_url").is_none(), "{hidden}");
        let (_, shown) = call(&gateway, Method::GET, &path, &readers[1], None).await;
        assert_eq!(shown["data"]["webhook_key"], json!(key));
        assert_eq!(shown["data"]["webhook_url"], json!(format!("https://hooks.example.com{url}")));
    }
    for verb in ["enable", "regenerate"] {
        let path = format!("{TRIGGERS}/github.push/webhook/{verb}");
        let (status, hidden) = call(&gateway, Method::POST, &path, &readers[0], None).await;
        assert_eq!(status, StatusCode::OK);
        assert!(!hidden.to_string().contains("wh_"), "{verb}: {hidden}");
    }
}

/// An event type that is deleted and made again under the same ref is another one: its schema holds, not the old one's.
#[tokio::test]
async fn an_event_type_that_is_made_again_is_held_against_its_own_schema() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    let requiring = |member: &str| json!({"ref": "github.push", "schema": {"type": "object", "required": [member]}});
    let send = async |body: &str| {
        let request = SenderRequest::json(body.to_owned()).signed(SECRET);
        gateway.send(gateway.instance(0), "/api/inbound/default/github", &request).await.status()
    };
    gateway.create("/api/v1/event-types", requiring("a")).await;
    assert_eq!(
        (send(r#"{"a":1}"#).await, send(r#"{"b":1}"#).await),
        (StatusCode::OK, StatusCode::UNPROCESSABLE_ENTITY)
    );
    let path = "/api/v1/event-types/github.push";
    let (status, _) = gateway.api(Method::DELETE, path, gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    gateway.create("/api/v1/event-types", requiring("b")).await;
    gateway.advance(SignedDuration::from_secs(5));
    assert_eq!(
        (send(r#"{"a":1}"#).await, send(r#"{"b":1}"#).await),
        (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::OK)
    );
}
