//! How many requests are taken, and what it costs to count them.

use hookport_tests::SenderRequest;
use hookport_tests::gateway::{SECRET, TestGateway, answer, text};
use http::{Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const URL: &str = "/api/inbound/default/github";

fn request() -> SenderRequest {
    SenderRequest::json("{}").signed(SECRET)
}

fn limit(requests: u32) -> Value {
    json!({"rate_limit": {"requests": requests, "window_seconds": 60}})
}

fn header<'a>(response: &'a Response<bytes::Bytes>, name: &str) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// C6: N pass, the next is refused with the time to come back, whatever it claims to come from; the window's end frees.
#[tokio::test]
async fn c6_the_limit_is_exact_and_ends_with_its_window() {
    for requests in [1, 3, 40] {
        let gateway = TestGateway::with_instances(&["a", "b"]).await;
        gateway.webhook("github", limit(requests)).await;
        for n in 0..requests {
            let response = gateway.send(gateway.instance(n as usize % 2), URL, &request()).await;
            assert_eq!(response.status(), StatusCode::OK, "{n} of {requests}");
            assert_eq!(header(&response, "ratelimit-limit"), requests.to_string());
        }
        for n in 0..4 {
            let forwarded = request().with("x-forwarded-for", &format!("203.0.113.{n}"));
            let response = gateway.send(gateway.instance(n % 2), URL, &forwarded).await;
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS, "after {requests}");
            assert_eq!(answer(&response), json!({"error": "rate_limited"}));
            assert_eq!(header(&response, "ratelimit-remaining"), "0");
            let wait: i64 = header(&response, "retry-after").parse().expect("seconds");
            assert!((1..=60).contains(&wait), "{wait}");
            assert_eq!(header(&response, "ratelimit-reset"), wait.to_string());
        }
        let refused = gateway.send(gateway.instance(0), URL, &request()).await;
        let wait = header(&refused, "retry-after").parse().expect("seconds");
        gateway.advance(SignedDuration::from_secs(wait));
        assert_eq!(gateway.send(gateway.instance(1), URL, &request()).await.status(), StatusCode::OK);
    }
}

/// C3: the key form counts before it judges the proof, the slug form after it, so that strangers cannot spend a limit.
#[tokio::test]
async fn c3_strangers_cannot_spend_the_limit_of_a_slug() {
    let gateway = TestGateway::new().await;
    let instance = gateway.instance(0);
    gateway.webhook("github", limit(2)).await;
    let stranger = SenderRequest::json("{}");
    for _ in 0..10 {
        assert_eq!(gateway.send(instance, URL, &stranger).await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(gateway.send(instance, URL, &request()).await.status(), StatusCode::OK);

    let mut made =
        json!({"name": "Key", "auth_type": "hmac_sha256", "auth_config": {"type": "hmac_sha256", "secret": SECRET}});
    hookport_tests::gateway::merge(&mut made, limit(2));
    let made = gateway.create("/api/v1/inbound-webhooks", made).await;
    let url = format!("/api/v1/webhooks/{}", text(&made["data"]["webhook_key"]));
    let statuses = [StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS];
    for status in statuses {
        assert_eq!(gateway.send(instance, &url, &stranger).await.status(), status);
    }
}

/// C3: with everything wrong at once the order decides: switched off, address, rate, size, signature.
#[tokio::test]
async fn c3_with_several_violations_the_first_in_order_is_told() {
    let gateway = TestGateway::new().await;
    let instance = gateway.instance(0);
    let made = json!({
        "name": "Key", "max_body_bytes": 10, "rate_limit": {"requests": 2, "window_seconds": 60},
        "auth_type": "all",
        "auth_config": {"type": "all", "of": [
            {"type": "hmac_sha256", "secret": SECRET},
            {"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24"]},
        ]},
    });
    let made = gateway.create("/api/v1/inbound-webhooks", made).await;
    let url = format!("/api/v1/webhooks/{}", text(&made["data"]["webhook_key"]));
    let large = SenderRequest::json(r#"{"more":"than ten bytes"}"#);
    let send = async |request: &SenderRequest| {
        let response = gateway.send(instance, &url, request).await;
        (response.status().as_u16(), text(&answer(&response)["error"]))
    };
    let told = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(send(&large).await, told(403, "ip_not_allowed"), "nobody knows where it comes from");
    let here = large.clone().from("192.0.2.9");
    assert_eq!(send(&here).await, told(413, "too_large"));
    assert_eq!(send(&SenderRequest::json("{}").from("192.0.2.9")).await, told(401, "unauthorized"));
    assert_eq!(send(&here).await, told(429, "rate_limited"), "before its size is looked at");
    assert_eq!(send(&large).await, told(403, "ip_not_allowed"), "and still after its address");
    let path = format!("/api/v1/inbound-webhooks/{}", text(&made["data"]["id"]));
    let off = json!({"name": "Key", "is_active": false});
    let (status, _) = gateway.api(http::Method::PUT, &path, gateway.admin_token(), Some(off)).await;
    assert_eq!(status, StatusCode::OK);
    gateway.advance(SignedDuration::from_secs(5));
    assert_eq!(send(&large).await, told(403, "disabled"));
}

/// D12: webhooks and tenants have buckets of their own; an address, a tenant and the deployment have theirs.
#[tokio::test]
async fn d12_every_limit_counts_for_itself() {
    let gateway = TestGateway::new().await;
    let instance = gateway.instance(0);
    gateway.webhook("github", limit(1)).await;
    gateway.webhook("gitlab", limit(1)).await;
    for url in [URL, "/api/inbound/default/gitlab"] {
        assert_eq!(gateway.send(instance, url, &request()).await.status(), StatusCode::OK, "{url}");
        assert_eq!(gateway.send(instance, url, &request()).await.status(), StatusCode::TOO_MANY_REQUESTS, "{url}");
    }

    for (name, same_address_frees) in [("RATE_PER_SOURCE", true), ("RATE_PER_TENANT", false), ("RATE_GLOBAL", false)] {
        let gateway = TestGateway::with_settings(&["a"], &[(name, "2")]).await;
        let instance = gateway.instance(0);
        gateway.webhook("github", json!({})).await;
        gateway.webhook("gitlab", json!({})).await;
        let here = request().from("192.0.2.1");
        for url in [URL, "/api/inbound/default/gitlab"] {
            assert_eq!(gateway.send(instance, url, &here).await.status(), StatusCode::OK, "{name}");
        }
        assert_eq!(gateway.send(instance, URL, &here).await.status(), StatusCode::TOO_MANY_REQUESTS, "{name}");
        let elsewhere = gateway.send(instance, URL, &request().from("192.0.2.2")).await.status();
        let expected = if same_address_frees { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(elsewhere, expected, "{name}");
    }
}

/// Far from the limit, counting adds less than 0.05 writes a request.
#[tokio::test]
async fn far_from_the_limit_counting_costs_hardly_a_write() {
    let settings = [("RATE_PER_SOURCE", "1000"), ("RATE_PER_TENANT", "1000"), ("RATE_GLOBAL", "10000")];
    let gateway = TestGateway::with_settings(&["a", "b"], &settings).await;
    gateway.webhook("github", json!({})).await;
    gateway.cloud.meter().record();
    let count = 200;
    for n in 0..count {
        let response = gateway.send(gateway.instance(n % 2), URL, &request().from("192.0.2.1")).await;
        assert_eq!(response.status(), StatusCode::OK);
    }
    let journal = gateway.cloud.meter().take_journal();
    let counting = journal.iter().filter(|call| call.operation == "UpdateItem").count();
    assert!((counting as f64) < 0.05 * count as f64, "{counting} writes for {count} requests");
}

/// Defect 36: a limit that cannot be asked lets nobody through, and says so.
#[tokio::test]
async fn defect_36_a_limiter_that_cannot_count_does_not_let_through() {
    use hookport_local::cloud::{Fault, FaultKind};
    let gateway = TestGateway::new().await;
    gateway.webhook("github", limit(3)).await;
    gateway.cloud.faults().set(Fault::new(FaultKind::Before).on("UpdateItem").sticky());
    let response = gateway.send(gateway.instance(0), URL, &request()).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    gateway.cloud.faults().clear();
    for status in [StatusCode::OK, StatusCode::OK, StatusCode::OK, StatusCode::TOO_MANY_REQUESTS] {
        assert_eq!(gateway.send(gateway.instance(0), URL, &request()).await.status(), status);
    }
}
