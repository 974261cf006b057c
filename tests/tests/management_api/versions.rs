//! The versions of inbound webhooks, and what differs between them.

use hookport_tests::TestGateway;
use hookport_tests::gateway::{SECRET, text};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{WEBHOOKS, call, delete, get, put, refused, refused_field, tenant};

/// A webhook with the slug `github`, changed twice. Gives its path.
async fn changed_twice(gateway: &TestGateway) -> String {
    let path = format!("{WEBHOOKS}/{}", gateway.webhook("github", json!({})).await);
    let second = json!({"name": "two", "slug": "github", "event_type": "github.push", "max_body_bytes": 10});
    let third = json!({
        "name": "two",
        "slug": "hub",
        "event_type": "github.push",
        "max_body_bytes": 10,
        "auth_config": {"type": "hmac_sha256", "secret": "another secret of mine"},
    });
    for body in [second, third] {
        let (status, answer) = put(gateway, &path, body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    path
}

fn numbers(page: &Value) -> Vec<u64> {
    page["data"].as_array().expect("a list").iter().filter_map(|version| version["version"].as_u64()).collect()
}

async fn shown(gateway: &TestGateway, path: &str) -> Value {
    let (status, answer) = get(gateway, path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    answer
}

#[tokio::test]
async fn versions_are_listed_newest_first_in_pages_and_shown_one_by_one() {
    let gateway = TestGateway::new().await;
    let path = changed_twice(&gateway).await;
    let first = shown(&gateway, &format!("{path}/versions?limit=2")).await;
    let cursor = text(&first["meta"]["next_cursor"]);
    let second = shown(&gateway, &format!("{path}/versions?limit=2&cursor={cursor}")).await;
    assert_eq!([numbers(&first), numbers(&second)], [vec![3, 2], vec![1]]);
    assert_eq!(second["meta"]["next_cursor"], json!(null));
    assert_eq!(first["data"][0], shown(&gateway, &path).await["data"], "the newest is the one that holds");
    let one = shown(&gateway, &format!("{path}/versions/1")).await;
    assert_eq!((&one["data"]["name"], &one["data"]["slug"]), (&json!("github"), &json!("github")));
    assert_eq!(one["data"], second["data"][0]);
}

#[tokio::test]
async fn a_difference_is_named_by_its_path_and_a_secret_is_never_shown() {
    let gateway = TestGateway::new().await;
    let path = changed_twice(&gateway).await;
    let second = shown(&gateway, &format!("{path}/versions/2/diff")).await;
    let expected = json!({
        "from": 1,
        "to": 2,
        "changes": [
            {"path": "max_body_bytes", "before": 1_048_576, "after": 10},
            {"path": "name", "before": "github", "after": "two"},
        ],
    });
    assert_eq!(second["data"], expected);
    let url = |slug: &str| format!("https://hooks.example.com/api/inbound/default/{slug}");
    let secret = json!({"path": "auth_config.secret", "before": "(secret)", "after": "(another secret)"});
    let third = shown(&gateway, &format!("{path}/versions/3/diff")).await;
    let expected = json!([
        secret,
        {"path": "slug", "before": "github", "after": "hub"},
        {"path": "url", "before": url("github"), "after": url("hub")},
    ]);
    assert_eq!(third["data"]["changes"], expected);

    let back = shown(&gateway, &format!("{path}/versions/1/diff?against=3")).await;
    assert_eq!((&back["data"]["from"], &back["data"]["to"]), (&json!(3), &json!(1)));
    assert_eq!(back["data"]["changes"].as_array().map(Vec::len), Some(5));
    let same = shown(&gateway, &format!("{path}/versions/3/diff?against=3")).await;
    assert_eq!(same["data"]["changes"], json!([]));
    let whole = format!("{back}{}", shown(&gateway, &format!("{path}/versions")).await);
    for hidden in [SECRET, "another secret of mine", "sealed", "hash"] {
        assert!(!whole.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn a_key_that_was_added_is_a_difference_and_is_not_shown() {
    let gateway = TestGateway::new().await;
    let made = gateway.create(WEBHOOKS, json!({"name": "x"})).await;
    let path = format!("{WEBHOOKS}/{}", text(&made["data"]["id"]));
    let added = gateway.create(&format!("{path}/keys"), json!({})).await;
    let (status, diff) = get(&gateway, &format!("{path}/versions/2/diff")).await;
    assert_eq!(status, StatusCode::OK, "{diff}");
    let paths: Vec<String> =
        diff["data"]["changes"].as_array().expect("a list").iter().map(|change| text(&change["path"])).collect();
    assert!(paths.contains(&format!("webhook_keys.{}", text(&added["data"]["id"]))), "{paths:?}");
    let key = text(&made["data"]["webhook_key"]);
    assert!(!diff.to_string().contains(&key), "{diff}");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let gateway = TestGateway::new().await;
    let path = changed_twice(&gateway).await;
    for version in ["versions/4", "versions/0", "versions/18446744073709551615", "versions/1/diff", "versions/4/diff"] {
        let answer = get(&gateway, &format!("{path}/{version}")).await;
        refused(&answer, StatusCode::NOT_FOUND, "webhook_version_not_found");
    }
    let answer = get(&gateway, &format!("{path}/versions/2/diff?against=9")).await;
    refused(&answer, StatusCode::NOT_FOUND, "webhook_version_not_found");
    refused(&get(&gateway, &format!("{path}/versions/new")).await, StatusCode::BAD_REQUEST, "invalid_id");
    refused_field(&get(&gateway, &format!("{path}/versions/2/diff?against=first")).await, "against");
    let stranger = tenant(&gateway, "acme").await;
    for part in ["versions", "versions/1", "versions/2/diff"] {
        let answer = call(&gateway, Method::GET, &format!("{path}/{part}"), &stranger, None).await;
        refused(&answer, StatusCode::NOT_FOUND, "inbound_webhook_not_found");
    }
}

#[tokio::test]
async fn the_versions_of_a_deleted_webhook_stay() {
    let gateway = TestGateway::new().await;
    let path = changed_twice(&gateway).await;
    assert_eq!(delete(&gateway, &path).await.0, StatusCode::NO_CONTENT);
    refused(&get(&gateway, &path).await, StatusCode::NOT_FOUND, "inbound_webhook_not_found");
    assert_eq!(numbers(&shown(&gateway, &format!("{path}/versions")).await), [3, 2, 1]);
    assert_eq!(shown(&gateway, &format!("{path}/versions/1")).await["data"]["name"], json!("github"));
}
