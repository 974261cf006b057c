//! Statistics of inbound webhooks: counted by whoever looks, each request once.

use futures_util::future::join_all;
use hookport::domain::id::{InboundDeliveryId, InboundWebhookId};
use hookport::domain::inbound_delivery::{DispatchStatus, InboundDelivery};
use hookport::domain::text::TenantSlug;
use hookport::store::Writer;
use hookport_tests::gateway::{SECRET, TENANT, answer, text};
use hookport_tests::{SenderRequest, TestGateway};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{WEBHOOKS, call, get, refused, tenant};

const URL: &str = "/api/inbound/default/github";

/// A webhook with the slug `github` that deduplicates by the header `x-key`. Gives its path.
async fn github(gateway: &TestGateway) -> String {
    let source = json!({"idempotency_source": {"type": "header", "value": "x-key"}});
    format!("{WEBHOOKS}/{}", gateway.webhook("github", source).await)
}

async fn sent(gateway: &TestGateway, request: SenderRequest) -> Value {
    let request = request.signed(SECRET);
    answer(&gateway.send(gateway.instance(0), URL, &request).await)
}

async fn stats(gateway: &TestGateway, path: &str) -> Value {
    gateway.get(&format!("{path}/stats")).await["data"].clone()
}

async fn detailed(gateway: &TestGateway, path: &str) -> Value {
    gateway.get(&format!("{path}/stats/detailed")).await["data"].clone()
}

/// The numbers of [`detailed`] that are not zero.
fn outcomes(detailed: &Value) -> Value {
    let outcomes = detailed["outcomes"].as_object().expect("numbers").clone();
    outcomes.into_iter().filter(|(_, number)| *number != json!(0)).collect::<serde_json::Map<_, _>>().into()
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

#[tokio::test]
async fn a_request_is_counted_at_once_and_once() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    let made_at = gateway.clock.now().to_string();
    let nothing = json!({"created_at": made_at, "last_used_at": null, "total_events": 0, "complete": true});
    assert_eq!(stats(&gateway, &path).await, nothing);
    gateway.advance(minutes(1));
    for n in 1..=3 {
        sent(&gateway, SenderRequest::json("{}")).await;
        let used_at = gateway.clock.now().to_string();
        for _ in 0..4 {
            let used = json!({"created_at": made_at, "last_used_at": used_at, "total_events": n, "complete": true});
            assert_eq!(stats(&gateway, &path).await, used);
            gateway.advance(SignedDuration::from_secs(30));
        }
    }
}

#[tokio::test]
async fn looks_at_the_same_instant_count_nothing_twice() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    for round in 1..=3 {
        for _ in 0..5 {
            sent(&gateway, SenderRequest::json("{}")).await;
        }
        gateway.advance(minutes(2));
        let looks = join_all((0..8).map(|_| stats(&gateway, &path))).await;
        assert!(looks.iter().all(|look| look["total_events"] == json!(5 * round)), "{looks:?}");
    }
}

#[tokio::test]
async fn what_became_of_requests_is_told_apart() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    let first = sent(&gateway, SenderRequest::json("{}").with("x-key", "k1")).await;
    sent(&gateway, SenderRequest::json("{}").with("x-key", "k1")).await;
    sent(&gateway, SenderRequest::json("{")).await;
    gateway.drain(gateway.instance(0)).await;
    let replay = format!("{path}/deliveries/{}/replay", text(&first["delivery_id"]));
    for (path, body) in [(replay, json!({})), (format!("{path}/test"), json!({"body": {}}))] {
        let made = call(&gateway, Method::POST, &path, gateway.admin_token(), Some(body)).await;
        assert_eq!(made.0, StatusCode::ACCEPTED, "{}", made.1);
    }
    for wait in [0, 2, 2] {
        gateway.advance(minutes(wait));
        let shown = detailed(&gateway, &path).await;
        let expected = json!({"dispatched": 1, "duplicate": 1, "failed": 1, "replay": 1, "test": 1});
        assert_eq!(outcomes(&shown), expected);
        assert_eq!((&shown["total_events"], &shown["total_requests"]), (&json!(1), &json!(3)));
        let statuses = json!([{"status": 200, "requests": 2}, {"status": 400, "requests": 1}]);
        assert_eq!(shown["response_statuses"], statuses);
        assert_eq!(shown["latency_ms"], json!({"p50": 1, "p90": 1, "p99": 1}), "the clock stands still");
        assert_eq!(shown["recent"]["requests"], json!(3));
        assert_eq!(shown["counted_since"], shown["created_at"]);
    }
}

/// Requests that nobody dispatched in time are looked at again, so that no number is wrong for good.
#[tokio::test]
async fn a_request_that_was_pending_when_it_was_counted_is_settled_later() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    for _ in 0..60 {
        sent(&gateway, SenderRequest::json("{}")).await;
    }
    gateway.advance(minutes(2));
    assert_eq!(outcomes(&detailed(&gateway, &path).await), json!({"pending": 60}));
    gateway.drain(gateway.instance(0)).await;
    for _ in 0..3 {
        let shown = detailed(&gateway, &path).await;
        assert_eq!((outcomes(&shown), &shown["complete"]), (json!({"dispatched": 60}), &json!(true)));
        gateway.advance(minutes(2));
    }
}

#[tokio::test]
async fn refused_requests_are_counted_by_reason() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    let nothing = detailed(&gateway, &path).await;
    assert_eq!((&nothing["recent"]["rejection_rate"], &nothing["latency_ms"]["p50"]), (&json!(null), &json!(null)));
    for _ in 0..2 {
        let forged = SenderRequest::json("{}").signed("a secret of nobody's");
        assert_eq!(gateway.send(gateway.instance(0), URL, &forged).await.status(), StatusCode::UNAUTHORIZED);
    }
    let unsigned = SenderRequest::json("{}");
    assert_eq!(gateway.send(gateway.instance(0), URL, &unsigned).await.status(), StatusCode::UNAUTHORIZED);
    sent(&gateway, SenderRequest::json("{}")).await;
    let recent = detailed(&gateway, &path).await["recent"].clone();
    let reasons = json!([
        {"reason": "signature_mismatch", "requests": 2},
        {"reason": "signature_missing", "requests": 1},
    ]);
    let rate = (&recent["requests"], &recent["rejections_logged"], &recent["rejection_rate"]);
    assert_eq!((&recent["rejections"], rate), (&reasons, (&json!(1), &json!(3), &json!(0.75))));
    gateway.advance(SignedDuration::from_hours(25));
    let later = detailed(&gateway, &path).await;
    assert_eq!((&later["recent"]["rejections_logged"], &later["recent"]["requests"]), (&json!(0), &json!(0)));
    assert_eq!(later["total_requests"], json!(1));
}

/// Requests are counted for nothing when they come, and for one write when somebody looks.
#[tokio::test]
async fn a_look_at_what_has_not_changed_writes_nothing() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    for _ in 0..20 {
        sent(&gateway, SenderRequest::json("{}")).await;
    }
    gateway.drain(gateway.instance(0)).await;
    gateway.advance(minutes(2));
    gateway.cloud.meter().count();
    for expected in [1.0, 0.0, 0.0] {
        let before = gateway.cloud.meter().snapshot();
        assert_eq!(stats(&gateway, &path).await["total_events"], json!(20));
        let used = gateway.cloud.meter().snapshot().since(&before);
        assert_eq!(used.write_units(), expected, "{used}");
    }
}

/// A request that was kept, in the first partition of a webhook's rows.
fn row(gateway: &TestGateway, webhook: InboundWebhookId, n: u32) -> InboundDelivery {
    let arrived_at = gateway.clock.now() - SignedDuration::from_secs(3_600) + SignedDuration::from_millis(n.into());
    InboundDelivery {
        id: InboundDeliveryId::new(arrived_at, webhook, u128::from(n) << 8),
        tenant: TenantSlug::try_from(TENANT.to_owned()).expect("a slug"),
        webhook_id: webhook,
        webhook_version: 1,
        event_type: "github.push".to_owned().try_into().expect("a type"),
        idempotency_key: None,
        status: DispatchStatus::Dispatched,
        duplicate_of: None,
        response_status: 200,
        latency_ms: 1,
        error: None,
        violations: Vec::new(),
        replay_of: None,
        is_test: false,
        key_id: None,
        subscriptions: Vec::new(),
        due_at: None,
        redrives: 0,
        handshake: None,
    }
}

#[tokio::test]
async fn a_look_reads_so_much_and_the_next_one_goes_on() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    let webhook = path.trim_start_matches(WEBHOOKS).trim_start_matches('/').parse().expect("an id");
    let store = &gateway.instance(0).management_app.store;
    let expires_at = gateway.clock.now() + SignedDuration::from_hours(24);
    for n in 0..2_510 {
        let row = row(&gateway, webhook, n);
        store.keep_inbound(&row, None, Writer::new(n.into()), expires_at).await.expect("kept");
    }
    let newest = row(&gateway, webhook, 2_509).received_at().to_string();
    for (total, complete) in [(2_500, false), (2_510, true), (2_510, true)] {
        let shown = stats(&gateway, &path).await;
        assert_eq!((&shown["total_events"], &shown["complete"]), (&json!(total), &json!(complete)));
        assert_eq!(shown["last_used_at"], json!(newest), "it is known although not all is counted");
    }
}

#[tokio::test]
async fn statistics_of_another_tenants_webhook_are_not_found() {
    let gateway = TestGateway::new().await;
    let path = github(&gateway).await;
    let other = tenant(&gateway, "acme").await;
    for what in ["stats", "stats/detailed", "health"] {
        let answer = call(&gateway, Method::GET, &format!("{path}/{what}"), &other, None).await;
        refused(&answer, StatusCode::NOT_FOUND, "inbound_webhook_not_found");
        let answer = get(&gateway, &format!("{WEBHOOKS}/inx_1/{what}")).await;
        refused(&answer, StatusCode::BAD_REQUEST, "invalid_id");
    }
}
