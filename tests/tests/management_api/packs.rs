//! Packs: files of triggers that are applied as a whole, again and again.

use std::path::{Path, PathBuf};

use hookport_tests::gateway::{merge, text};
use hookport_tests::{SenderRequest, TestGateway};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{call, get, ids, post, put, refused, refused_field, tenant, token};

const PACKS: &str = "/api/v1/packs";
const TRIGGERS: &str = "/api/v1/triggers";

/// The triggers of an example pack, as its files say them.
fn example(name: &str) -> Vec<Value> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/packs").join(name).join("triggers");
    let files = std::fs::read_dir(folder).expect("an example's folder");
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).expect("an example's file");
        serde_norway::from_str::<Value>(&text).expect("YAML")
    };
    files.map(|file| read(&file.expect("an entry").path())).collect()
}

fn trigger(reference: &str, more: Value) -> Value {
    let mut trigger = json!({"ref": reference, "type": "webhook"});
    merge(&mut trigger, more);
    trigger
}

async fn applied(gateway: &TestGateway, name: &str, triggers: &[Value]) -> Value {
    let (status, answer) = put(gateway, &format!("{PACKS}/{name}"), json!({"triggers": triggers})).await;
    assert_eq!((status, &answer["data"]["applied"]), (StatusCode::OK, &json!(true)), "{answer}");
    answer["data"]["plan"].clone()
}

/// A plan that names these refs in these places.
fn plan(created: &[&str], updated: &[&str], unchanged: &[&str], disabled: &[&str]) -> Value {
    json!({"created": created, "updated": updated, "unchanged": unchanged, "disabled": disabled})
}

async fn enabled(gateway: &TestGateway, name: &str) -> String {
    let (status, answer) = post(gateway, &format!("{TRIGGERS}/{name}/webhook/enable"), json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    text(&answer["data"]["webhook_url"]).replace("https://hooks.example.com", "")
}

/// How a request is answered once every cache has forgotten.
async fn sent(gateway: &TestGateway, url: &str, request: &SenderRequest) -> StatusCode {
    gateway.advance(SignedDuration::from_secs(6));
    gateway.send(gateway.instance(0), url, request).await.status()
}

#[tokio::test]
async fn the_example_packs_are_applied_and_take_their_senders_requests() {
    let gateway = TestGateway::new().await;
    let deployed = |environment: &str| {
        let body = json!({
            "environment": environment, "version": "v2.1.0", "deployed_by": "jenkins", "status": "success",
        });
        SenderRequest::json(body.to_string())
    };
    let examples = [
        ("github", "github.push", SenderRequest::fixture("github-push"), SenderRequest::json(r#"{"commits":{}}"#)),
        (
            "stripe",
            "stripe.payment_succeeded",
            SenderRequest::fixture("stripe-payment-intent-succeeded"),
            SenderRequest::json(r#"{"amount":1.5}"#),
        ),
        ("myapp", "myapp.deployment_complete", deployed("production"), deployed("moon")),
    ];
    for (name, reference, good, bad) in examples {
        let triggers = example(name);
        assert_eq!(applied(&gateway, name, &triggers).await, plan(&[reference], &[], &[], &[]));
        assert_eq!(applied(&gateway, name, &triggers).await, plan(&[], &[], &[reference], &[]), "again, nothing");
        let shown = gateway.get(&format!("{TRIGGERS}/{reference}")).await["data"].clone();
        assert_eq!((&shown["pack"], &shown["version"]), (&json!(name), &json!(1)));
        assert_eq!(shown["schema"], triggers[0]["payload_schema"]);
        assert_eq!((&shown["name"], &shown["description"]), (&triggers[0]["name"], &triggers[0]["description"]));
        let url = enabled(&gateway, reference).await;
        assert_eq!(sent(&gateway, &url, &good).await, StatusCode::OK, "{name}");
        assert_eq!(sent(&gateway, &url, &bad).await, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
    }
    let names = gateway.get(PACKS).await["data"].as_array().expect("a list").clone();
    let names: Vec<_> = names.iter().map(|pack| text(&pack["name"])).collect();
    assert_eq!(names, ["github", "myapp", "stripe"]);
}

#[tokio::test]
async fn what_a_pack_no_longer_names_is_switched_off_and_kept_until_it_is_put_back() {
    let gateway = TestGateway::new().await;
    let (push, ping) = (trigger("github.push", json!({})), trigger("github.ping", json!({})));
    let both = [push.clone(), ping.clone()];
    applied(&gateway, "github", &both).await;
    let url = enabled(&gateway, "github.ping").await;
    let before = gateway.get(&format!("{TRIGGERS}/github.ping")).await["data"].clone();
    let request = SenderRequest::json("{}");
    assert_eq!(sent(&gateway, &url, &request).await, StatusCode::OK);

    let one = [push];
    assert_eq!(applied(&gateway, "github", &one).await, plan(&[], &[], &["github.push"], &["github.ping"]));
    let off = gateway.get(&format!("{TRIGGERS}/github.ping")).await["data"].clone();
    assert_eq!((&off["enabled"], &off["id"], &off["pack"]), (&json!(false), &before["id"], &json!("github")));
    assert_eq!(sent(&gateway, &url, &request).await, StatusCode::FORBIDDEN);
    assert_eq!(ids(&gateway.get("/api/v1/events").await).len(), 1, "its history stays");
    assert_eq!(applied(&gateway, "github", &one).await, plan(&[], &[], &["github.push"], &[]), "it is off already");
    let (_, shown) = get(&gateway, &format!("{PACKS}/github")).await;
    let refs = json!([
        {"id": before["id"], "ref": "github.ping", "enabled": false},
        {"id": shown["data"]["triggers"][1]["id"], "ref": "github.push", "enabled": true},
    ]);
    assert_eq!(shown["data"]["triggers"], refs);

    assert_eq!(applied(&gateway, "github", &both).await, plan(&[], &["github.ping"], &["github.push"], &[]));
    let on = gateway.get(&format!("{TRIGGERS}/github.ping")).await["data"].clone();
    assert_eq!((&on["enabled"], &on["webhook_key"]), (&json!(true), &before["webhook_key"]));
    assert_eq!(sent(&gateway, &url, &request).await, StatusCode::OK, "with the key that it had");
}

#[tokio::test]
async fn what_a_pack_says_otherwise_is_changed_and_what_was_made_by_hand_becomes_its_own() {
    let gateway = TestGateway::new().await;
    gateway.create(TRIGGERS, json!({"ref": "github.push", "description": "by hand"})).await;
    gateway.create(TRIGGERS, json!({"ref": "github.star"})).await;
    gateway.create(TRIGGERS, json!({"ref": "github-app.push"})).await;
    let first = [trigger("github.push", json!({"description": "by the pack"}))];
    assert_eq!(applied(&gateway, "github", &first).await, plan(&[], &["github.push"], &[], &[]));
    let taken = gateway.get(&format!("{TRIGGERS}/github.push")).await["data"].clone();
    assert_eq!((&taken["description"], &taken["pack"]), (&json!("by the pack"), &json!("github")));

    let schema = json!({"payload_schema": {"type": "object"}, "enabled": false});
    let second = [trigger("github.push", schema)];
    assert_eq!(applied(&gateway, "github", &second).await, plan(&[], &["github.push"], &[], &[]));
    let changed = gateway.get(&format!("{TRIGGERS}/github.push")).await["data"].clone();
    assert_eq!((&changed["description"], &changed["enabled"]), (&Value::Null, &json!(false)));
    assert_eq!(changed["schema"], json!({"type": "object"}));

    assert_eq!(applied(&gateway, "github", &[]).await, plan(&[], &[], &[], &[]), "it was off before");
    for untouched in ["github.star", "github-app.push"] {
        let shown = gateway.get(&format!("{TRIGGERS}/{untouched}")).await["data"].clone();
        let state = (&shown["version"], &shown["pack"], &shown["enabled"]);
        assert_eq!(state, (&json!(1), &Value::Null, &json!(true)), "{untouched}");
    }
}

#[tokio::test]
async fn a_dry_run_tells_what_would_be_done_and_does_nothing() {
    let gateway = TestGateway::new().await;
    let path = format!("{PACKS}/github");
    let body = json!({"triggers": [trigger("github.push", json!({}))], "dry_run": true});
    let (status, told) = put(&gateway, &path, body).await;
    let expected = json!({"data": {
        "pack": "github", "plan": plan(&["github.push"], &[], &[], &[]), "applied": false,
    }});
    assert_eq!((status, told), (StatusCode::OK, expected));
    assert!(ids(&gateway.get(TRIGGERS).await).is_empty());
    refused(&get(&gateway, &path).await, StatusCode::NOT_FOUND, "pack_not_found");
    assert_eq!(gateway.get(PACKS).await["data"], json!([]));
}

/// More event types than are read at once, with neighbours on both sides.
#[tokio::test]
async fn a_pack_of_many_triggers_is_known_whole() {
    let gateway = TestGateway::new().await;
    for neighbour in ["githua.z", "githuc.a", "github-x.a"] {
        gateway.create(TRIGGERS, json!({"ref": neighbour})).await;
    }
    let refs: Vec<_> = (0..100).map(|n| format!("github.t{n:03}")).collect();
    let triggers: Vec<_> = refs.iter().map(|reference| trigger(reference, json!({}))).collect();
    let refs: Vec<_> = refs.iter().map(String::as_str).collect();
    assert_eq!(applied(&gateway, "github", &triggers).await, plan(&refs, &[], &[], &[]));
    assert_eq!(applied(&gateway, "github", &triggers).await, plan(&[], &[], &refs, &[]));
    gateway.create(TRIGGERS, json!({"ref": "github.zzz"})).await;
    assert_eq!(applied(&gateway, "github", &triggers[..99]).await, plan(&[], &[], &refs[..99], &refs[99..]));
    let shown = gateway.get(&format!("{PACKS}/github")).await;
    assert_eq!(shown["data"]["triggers"].as_array().map(Vec::len), Some(100), "github.zzz is nobody's");
}

#[tokio::test]
async fn a_pack_that_makes_no_sense_is_refused_by_name_and_changes_nothing() {
    let gateway = TestGateway::new().await;
    let push = || trigger("github.push", json!({}));
    let cases = [
        (json!({}), "triggers"),
        (json!({"triggers": {}}), "triggers"),
        (json!({"triggers": [push(), "x"]}), "triggers[1]"),
        (json!({"triggers": [push(), {}]}), "triggers[1]"),
        (json!({"triggers": [push(), trigger("gitlab.push", json!({}))]}), "triggers[1].ref: must begin with github."),
        (json!({"triggers": [push(), push()]}), "triggers[1].ref"),
        (json!({"triggers": [push(), trigger("github.ping", json!({"type": "timer"}))]}), "triggers[1].type"),
        (json!({"triggers": [trigger("github.push", json!({"schema": {}}))]}), "triggers[0].schema"),
        (
            json!({"triggers": [trigger("github.push", json!({"payload_schema": {"type": 1}}))]}),
            "triggers[0].payload_schema: /type",
        ),
        (json!({"triggers": vec![push(); 101]}), "triggers: must have at most 100 entries"),
        (json!({"triggers": [], "dry_run": "yes"}), "dry_run"),
        (json!({"triggers": [], "name": "github"}), "name"),
    ];
    for (body, field) in cases {
        refused_field(&put(&gateway, &format!("{PACKS}/github"), body).await, field);
    }
    for bad in ["GitHub", "git.hub", "git%20hub"] {
        let answer = put(&gateway, &format!("{PACKS}/{bad}"), json!({"triggers": []})).await;
        refused(&answer, StatusCode::BAD_REQUEST, "invalid_id");
    }
    assert!(ids(&gateway.get(TRIGGERS).await).is_empty(), "nothing was made");
}

#[tokio::test]
async fn a_pack_is_its_tenants_and_makes_nothing_without_permission() {
    let gateway = TestGateway::new().await;
    let path = format!("{PACKS}/github");
    let body = || Some(json!({"triggers": [trigger("github.push", json!({}))]}));
    let updater = token(&gateway, &["event_type:update", "event_type:read"]).await;
    let answer = call(&gateway, Method::PUT, &path, &updater, body()).await;
    let message = refused(&answer, StatusCode::FORBIDDEN, "forbidden");
    assert!(message.contains("event_type:create"), "{message}");
    applied(&gateway, "github", &[trigger("github.push", json!({}))]).await;
    let (status, answer) = call(&gateway, Method::PUT, &path, &updater, body()).await;
    assert_eq!((status, &answer["data"]["plan"]["unchanged"]), (StatusCode::OK, &json!(["github.push"])));

    let other = tenant(&gateway, "acme").await;
    let answer = call(&gateway, Method::GET, &path, &other, None).await;
    refused(&answer, StatusCode::NOT_FOUND, "pack_not_found");
    let (_, theirs) = call(&gateway, Method::PUT, &path, &other, body()).await;
    assert_eq!(theirs["data"]["plan"]["created"], json!(["github.push"]));
}

#[tokio::test]
async fn packs_are_listed_by_name_in_pages() {
    let gateway = TestGateway::new().await;
    for name in ["c", "a", "d", "b"] {
        applied(&gateway, name, &[]).await;
        gateway.advance(SignedDuration::from_secs(1));
    }
    let (_, first) = get(&gateway, &format!("{PACKS}?limit=3")).await;
    let cursor = text(&first["meta"]["next_cursor"]);
    let (_, second) = get(&gateway, &format!("{PACKS}?limit=3&cursor={cursor}")).await;
    let names = |page: &Value| -> Vec<String> {
        page["data"].as_array().expect("a list").iter().map(|pack| text(&pack["name"])).collect()
    };
    assert_eq!((names(&first), names(&second)), (vec!["a".into(), "b".into(), "c".into()], vec!["d".to_owned()]));
    assert_eq!(second["meta"]["next_cursor"], Value::Null);
}
