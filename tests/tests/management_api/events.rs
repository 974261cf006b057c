//! Events: what accepted requests became.

use hookport_tests::gateway::{SECRET, answer, merge, text};
use hookport_tests::{SenderRequest, Sink, TestGateway};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{SUBSCRIPTIONS, WEBHOOKS, delete, get, ids, known, post, raw, refused};

/// Sends a request to a webhook and gives the id of its event.
async fn event(gateway: &TestGateway, slug: &str, request: SenderRequest) -> String {
    let url = format!("/api/inbound/default/{slug}");
    let response = gateway.send(gateway.instance(0), &url, &request.signed(SECRET)).await;
    assert_eq!(response.status(), StatusCode::OK);
    gateway.advance(SignedDuration::from_secs(1));
    text(&answer(&response)["delivery_id"]).replace("ind_", "evt_")
}

#[tokio::test]
async fn the_events_of_all_webhooks_are_one_list_newest_first() {
    let gateway = TestGateway::new().await;
    let one = gateway.webhook("one", json!({"event_type": "one.done"})).await;
    gateway.webhook("two", json!({})).await;
    let mut made = Vec::new();
    for slug in ["one", "two", "one", "two", "one"] {
        made.insert(0, event(&gateway, slug, SenderRequest::json("{}")).await);
    }
    let (_, first) = get(&gateway, "/api/v1/events?limit=2").await;
    let cursor = text(&first["meta"]["next_cursor"]);
    let (_, second) = get(&gateway, &format!("/api/v1/events?limit=100&cursor={cursor}")).await;
    assert_eq!([ids(&first), ids(&second)].concat(), made);
    let newest = &first["data"][0];
    let source = json!({
        "kind": "webhook",
        "inbound_webhook_id": one,
        "inbound_delivery_id": made[0].replace("evt_", "ind_"),
        "webhook_key_id": null,
    });
    assert_eq!(
        (&newest["type"], &newest["source"], &newest["status"]),
        (&json!("one.done"), &source, &json!("pending"))
    );
    assert_eq!(newest.get("payload"), None);

    let (status, _) = delete(&gateway, &format!("{WEBHOOKS}/{one}")).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(ids(&get(&gateway, "/api/v1/events").await.1), made, "events outlive their webhook");
}

#[tokio::test]
async fn an_event_says_whether_it_was_received_published_or_told_by_the_gateway() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    known(&gateway, &["invoice.paid"]).await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["github.push"], json!({})).await;
    let received = event(&gateway, "github", SenderRequest::json("{}")).await;
    let body = json!({"type": "invoice.paid", "data": {"total": 7}, "entity_type": "invoice", "entity_id": "42"});
    let (status, published) = post(&gateway, "/api/v1/events", body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{published}");
    let none = json!({"inbound_webhook_id": null, "inbound_delivery_id": null, "webhook_key_id": null});
    let of = |kind: &str, place: &Value| {
        let mut source = place.clone();
        merge(&mut source, json!({"kind": kind}));
        source
    };
    let place = json!({
        "inbound_webhook_id": webhook,
        "inbound_delivery_id": received.replace("evt_", "ind_"),
        "webhook_key_id": null,
    });
    for (event_type, expected) in [
        ("github.push", of("webhook", &place)),
        ("invoice.paid", of("published", &none)),
        ("subscription.activated", of("hookport", &none)),
    ] {
        let (_, page) = get(&gateway, &format!("/api/v1/events?type={event_type}")).await;
        assert_eq!((ids(&page).len(), &page["data"][0]["source"]), (1, &expected), "{event_type}: {page}");
    }
    let (_, shown) = get(&gateway, &format!("/api/v1/events/{}", text(&published["data"]["id"]))).await;
    assert_eq!(shown["data"]["payload"]["data"], json!({"total": 7}));
    let facts = &shown["data"]["facts"];
    assert_eq!((&facts["entity_type"], &facts["entity_id"]), (&json!("invoice"), &json!("42")));
    assert_eq!(shown["data"]["metadata"]["source"], json!("published"));
}

#[tokio::test]
async fn a_payload_is_shown_as_what_it_is() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    let typed = |content_type: &str, body: &'static [u8]| SenderRequest::json(body).with("content-type", content_type);
    let cases = [
        (typed("application/json", br#"{"a":[1,null]}"#), json!("json"), json!({"a": [1, null]})),
        (typed("application/vnd.x+json; charset=utf-8", b"3"), json!("json"), json!(3)),
        (typed("application/json", b""), json!("json"), json!(null)),
        (typed("text/plain", b"{}"), json!("text"), json!("{}")),
        (
            typed("application/x-www-form-urlencoded", b"a=1&b=x+y&a=2"),
            json!("form"),
            json!({"a": ["1", "2"], "b": "x y"}),
        ),
        (typed("application/octet-stream", &[0xff]), json!("base64"), json!("/w==")),
    ];
    for (request, form, payload) in cases {
        let content_type = request.headers["content-type"].to_str().expect("text").to_owned();
        let id = event(&gateway, "github", request).await;
        let (status, shown) = get(&gateway, &format!("/api/v1/events/{id}")).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!((&shown["data"]["payload_form"], &shown["data"]["payload"]), (&form, &payload), "{content_type}");
        assert_eq!(
            (&shown["data"]["content_type"], &shown["data"]["subscriptions"]),
            (&json!(content_type), &json!([]))
        );
        assert_eq!(shown["data"]["id"], json!(id));
    }
}

#[tokio::test]
async fn numbers_in_a_payload_are_shown_digit_for_digit() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    let body = r#"{"id":12345678901234567890123,"price":1.10}"#;
    let id = event(&gateway, "github", SenderRequest::json(body)).await;
    let response = raw(&gateway, http::Method::GET, &format!("/api/v1/events/{id}"), None, "").await;
    let shown = std::str::from_utf8(response.body()).expect("text");
    assert!(shown.contains(body), "{shown}");
}

#[tokio::test]
async fn a_refused_request_is_no_event() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let broken = SenderRequest::json("{").signed(SECRET);
    gateway.send(gateway.instance(0), "/api/inbound/default/github", &broken).await;
    let (_, page) = get(&gateway, &format!("{WEBHOOKS}/{webhook}/deliveries")).await;
    let id = text(&page["data"][0]["id"]).replace("ind_", "evt_");
    assert_eq!(page["data"][0]["event_id"], json!(null));
    for path in [format!("/api/v1/events/{id}"), format!("/api/v1/events/{id}/deliveries")] {
        refused(&get(&gateway, &path).await, StatusCode::NOT_FOUND, "event_not_found");
    }
}

#[tokio::test]
async fn the_deliveries_of_an_event_are_listed_in_pages() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    gateway.webhook("github", json!({})).await;
    for _ in 0..5 {
        gateway.subscribe(&sink, &["github.push"], json!({})).await;
    }
    known(&gateway, &["invoice.paid"]).await;
    gateway.subscribe(&sink, &["invoice.*"], json!({})).await;
    let id = event(&gateway, "github", SenderRequest::json("{}")).await;
    gateway.drain(gateway.instance(0)).await;

    let (_, shown) = get(&gateway, &format!("/api/v1/events/{id}")).await;
    assert_eq!(shown["data"]["status"], json!("dispatched"));
    let wanted = shown["data"]["subscriptions"].as_array().expect("a list");
    assert_eq!(wanted.len(), 5);
    let list = format!("/api/v1/events/{id}/deliveries");
    let (_, whole) = get(&gateway, &list).await;
    let seen: Vec<_> = whole["data"].as_array().expect("a list").iter().map(|d| d["subscription_id"].clone()).collect();
    assert_eq!(&seen, wanted);
    assert!(whole["data"].as_array().expect("a list").iter().all(|d| d["event_id"] == json!(id)));

    let (_, first) = get(&gateway, &format!("{list}?limit=3")).await;
    let cursor = text(&first["meta"]["next_cursor"]);
    let (_, second) = get(&gateway, &format!("{list}?limit=3&cursor={cursor}")).await;
    assert_eq!([ids(&first), ids(&second)].concat(), ids(&whole));
    assert_eq!(second["meta"]["next_cursor"], json!(null));
    for bad in ["!", "c3Vi", &cursor[1..]] {
        let answer = get(&gateway, &format!("{list}?cursor={bad}")).await;
        refused(&answer, StatusCode::BAD_REQUEST, "invalid_cursor");
    }
    let (_, subscriptions) = get(&gateway, SUBSCRIPTIONS).await;
    assert_eq!(ids(&subscriptions).len(), 6);
}

/// Events are found by type, webhook, key and time.
#[tokio::test]
async fn events_are_found_by_type_webhook_key_and_time() {
    let gateway = TestGateway::new().await;
    let one = gateway.webhook("one", json!({"event_type": "order.paid"})).await;
    gateway.webhook("two", json!({"event_type": "order.sent"})).await;
    let keyed = json!({"name": "Key", "auth_type": "none", "event_type": "ticket.made"});
    let keyed = gateway.create(WEBHOOKS, keyed).await;
    let key = text(&get(&gateway, &format!("{WEBHOOKS}/{}/keys", text(&keyed["data"]["id"]))).await.1["data"][0]["id"]);
    let paid = event(&gateway, "one", SenderRequest::json("{}")).await;
    gateway.advance(SignedDuration::from_secs(60));
    let then = gateway.clock.now();
    let sent = event(&gateway, "two", SenderRequest::json("{}")).await;
    gateway.advance(SignedDuration::from_secs(60));
    let url = format!("/api/v1/webhooks/{}", text(&keyed["data"]["webhook_key"]));
    let response = gateway.send(gateway.instance(0), &url, &SenderRequest::json("{}")).await;
    let made = text(&answer(&response)["delivery_id"]).replace("ind_", "evt_");
    let cases = [
        ("type=order.paid".to_owned(), vec![paid.clone()]),
        ("type=order.*".to_owned(), vec![sent.clone(), paid.clone()]),
        (format!("webhook={one}"), vec![paid.clone()]),
        (format!("key_id={key}"), vec![made.clone()]),
        (format!("date_from={then}"), vec![made.clone(), sent.clone()]),
        (format!("date_to={then}"), vec![sent.clone(), paid]),
        (format!("date_from={then}&date_to={then}&type=*"), vec![sent]),
        ("type=ticket.closed".to_owned(), vec![]),
    ];
    for (query, expected) in cases {
        let (status, found) = get(&gateway, &format!("/api/v1/events?{query}")).await;
        assert_eq!((status, ids(&found)), (StatusCode::OK, expected), "{query}");
    }
    let (_, shown) = get(&gateway, &format!("/api/v1/events/{made}")).await;
    assert_eq!(shown["data"]["metadata"]["webhook_key_id"], json!(key));
    assert!(!shown.to_string().contains(&text(&keyed["data"]["webhook_key"])), "the key itself is nowhere");
}
