//! Lists: newest first, in pages, by cursors.

use hookport_tests::TestGateway;
use hookport_tests::gateway::text;
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::json;

use crate::client::{SUBSCRIPTIONS, TENANTS, TOKENS, WEBHOOKS, get, ids, refused, refused_field};

const LISTS: [&str; 7] =
    [WEBHOOKS, SUBSCRIPTIONS, TOKENS, TENANTS, "/api/v1/events", "/api/v1/deliveries", "/api/v1/owners"];

/// Seven subscriptions, a second apart. Gives their ids, newest first.
async fn seven(gateway: &TestGateway) -> Vec<String> {
    let mut made = Vec::new();
    for n in 0..7 {
        let body = json!({"name": format!("s{n}"), "url": "https://example.com/", "events": ["*"]});
        made.insert(0, text(&gateway.create(SUBSCRIPTIONS, body).await["data"]["id"]));
        gateway.advance(SignedDuration::from_secs(1));
    }
    made
}

#[tokio::test]
async fn pages_follow_each_other_newest_first_without_gap_or_repetition() {
    let gateway = TestGateway::new().await;
    let made = seven(&gateway).await;
    let mut seen = Vec::new();
    let mut path = format!("{SUBSCRIPTIONS}?limit=3");
    let mut sizes = Vec::new();
    loop {
        let (_, page) = get(&gateway, &path).await;
        assert_eq!(page["meta"]["limit"], json!(3));
        sizes.push(ids(&page).len());
        seen.extend(ids(&page));
        match page["meta"]["next_cursor"].as_str() {
            Some(cursor) => path = format!("{SUBSCRIPTIONS}?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!((seen, sizes), (made, vec![3, 3, 1]));
}

#[tokio::test]
async fn what_is_made_between_two_pages_moves_nothing() {
    let gateway = TestGateway::new().await;
    let made = seven(&gateway).await;
    let (_, first) = get(&gateway, &format!("{SUBSCRIPTIONS}?limit=3")).await;
    let body = json!({"name": "late", "url": "https://example.com/", "events": ["*"]});
    gateway.create(SUBSCRIPTIONS, body).await;
    let cursor = text(&first["meta"]["next_cursor"]);
    let (_, second) = get(&gateway, &format!("{SUBSCRIPTIONS}?limit=100&cursor={cursor}")).await;
    assert_eq!(ids(&second), made[3..]);
}

/// D16: no list gives more than a hundred.
#[tokio::test]
async fn a_limit_is_clamped_to_1_to_100_and_is_25_by_default() {
    let gateway = TestGateway::new().await;
    for list in LISTS {
        for (query, limit) in [("", 25), ("?limit=0", 1), ("?limit=1", 1), ("?limit=100", 100), ("?limit=101", 100)] {
            let (status, page) = get(&gateway, &format!("{list}{query}")).await;
            assert_eq!((status, &page["meta"]["limit"]), (StatusCode::OK, &json!(limit)), "{list}{query}: {page}");
        }
        let (status, page) = get(&gateway, &format!("{list}?limit=18446744073709551615")).await;
        assert_eq!((status, &page["meta"]["limit"]), (StatusCode::OK, &json!(100)));
    }
}

#[tokio::test]
async fn a_page_can_be_full_and_still_be_the_last_one() {
    let gateway = TestGateway::new().await;
    seven(&gateway).await;
    let (_, page) = get(&gateway, &format!("{SUBSCRIPTIONS}?limit=7")).await;
    assert_eq!((ids(&page).len(), &page["meta"]["next_cursor"]), (7, &json!(null)));
}

#[tokio::test]
async fn a_cursor_of_nobodys_is_refused() {
    let gateway = TestGateway::new().await;
    for list in LISTS {
        for cursor in ["", "!", "a", "AAAA", "%00"] {
            let answer = get(&gateway, &format!("{list}?cursor={cursor}")).await;
            refused(&answer, StatusCode::BAD_REQUEST, "invalid_cursor");
        }
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let gateway = TestGateway::new().await;
    for list in LISTS {
        for (query, name) in [("limit=many", "limit"), ("limit=-1", "limit"), ("limit=", "limit"), ("page=2", "page")] {
            refused_field(&get(&gateway, &format!("{list}?{query}")).await, name);
        }
    }
    let answer = get(&gateway, "/api/v1/deliveries?subscription_id=inw_01m5w3rm008000000400000003").await;
    refused_field(&answer, "subscription_id");
}
