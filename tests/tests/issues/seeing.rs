//! Who sees issues.

use hookport_tests::Sink;
use hookport_tests::gateway::text;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{ISSUES, SUBSCRIPTIONS, gateway, happen, issues};

#[tokio::test]
async fn another_tenant_sees_and_changes_nothing() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": "none"})).await;
    sink.answers([400]);
    happen(&gateway, 1).await;
    let rival = gateway.create("/api/v1/tenants", json!({"slug": "rival", "name": "Rival"})).await;
    let rival = text(&rival["token"]);
    let path = format!("{ISSUES}/{}", text(&issues(&gateway).await[0]["id"]));
    let (status, page) = gateway.api(Method::GET, ISSUES, &rival, None).await;
    assert_eq!((status, &page["data"]), (StatusCode::OK, &json!([])));
    let calls =
        [(Method::GET, ""), (Method::POST, "/acknowledge"), (Method::POST, "/resolve"), (Method::POST, "/retry")];
    for (method, verb) in calls {
        let (status, answer) = gateway.api(method, &format!("{path}{verb}"), &rival, None).await;
        assert_eq!((status, &answer["error"]["code"]), (StatusCode::NOT_FOUND, &json!("issue_not_found")), "{verb}");
    }
    let of = format!("{ISSUES}?subscription_id={}", text(&made["data"]["id"]));
    let (status, _) = gateway.api(Method::GET, &of, &rival, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(issues(&gateway).await[0]["state"], "open");
}

#[tokio::test]
async fn a_token_of_an_owner_sees_the_issues_of_that_owner_alone() {
    let gateway = gateway().await;
    let (anns, bobs) = (Sink::start().await, Sink::start().await);
    let mut made = Vec::new();
    for (sink, owner) in [(&anns, "ann"), (&bobs, "bob")] {
        let more = json!({"retry_schedule": "none", "owner": owner});
        made.push(gateway.subscribe(sink, &["ticket.updated"], more).await);
        sink.answers([400]);
    }
    happen(&gateway, 1).await;
    let body = json!({"name": "t", "owner": "ann", "permissions": ["issue:read", "issue:update"]});
    let ann = text(&gateway.create("/api/v1/api-tokens", body).await["token"]);
    let (status, page) = gateway.api(Method::GET, ISSUES, &ann, None).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let seen: Vec<&Value> =
        page["data"].as_array().expect("a list").iter().map(|one| &one["subscription_id"]).collect();
    assert_eq!(seen, [&made[0]["data"]["id"]]);
    let all = issues(&gateway).await;
    let other = all.iter().find(|one| one["subscription_id"] == made[1]["data"]["id"]).expect("bob's");
    for verb in ["acknowledge", "resolve", "retry"] {
        let path = format!("{ISSUES}/{}/{verb}", text(&other["id"]));
        let (status, _) = gateway.api(Method::POST, &path, &ann, None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{verb}");
    }
    let subscription = format!("{SUBSCRIPTIONS}/{}", text(&made[1]["data"]["id"]));
    let (status, _) = gateway.api(Method::GET, &subscription, gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn the_list_comes_in_pages() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["ticket.updated"], json!({"retry_schedule": "none"})).await;
    sink.answers([400, 401, 402]);
    happen(&gateway, 3).await;
    let (mut causes, mut cursor) = (Vec::new(), String::new());
    for _ in 0..3 {
        let page = gateway.get(&format!("{ISSUES}?limit=1{cursor}")).await;
        causes.extend(page["data"].as_array().expect("a list").iter().map(|one| text(&one["cause"])));
        match page["meta"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    causes.sort();
    assert_eq!(causes, ["status_400", "status_401", "status_402"]);
}
