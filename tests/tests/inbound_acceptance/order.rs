//! C3, D12 and D20: in which order a request is judged, who is counted with whom, and which methods there are.

use hookport_tests::gateway::{SECRET, TestGateway, answer, text};
use hookport_tests::{SenderRequest, Sink};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{URL, WEBHOOKS, keyed, row, rows, sent, tenant};

/// No JSON, and more than ten bytes.
const LARGE: &str = "{ and more than ten bytes of it";

/// C3: the deployment's cap comes before the look-up, a switch, an address or a proof; only path and method come first.
#[tokio::test]
async fn c3_the_deployments_cap_comes_before_all_that_a_webhook_asks_for() {
    let gateway = TestGateway::with_settings(&["a"], &[("MAX_BODY_BYTES", "1000")]).await;
    gateway.webhook("github", json!({})).await;
    gateway.webhook("off", json!({"is_active": false})).await;
    let (_, off) = keyed(&gateway, json!({"is_active": false})).await;
    let listed = json!({"auth_config": {"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24"]}});
    let (_, listed) = keyed(&gateway, listed).await;
    let unknown = format!("/api/v1/webhooks/wh_{}", "q".repeat(32));
    let of = |bytes: usize| SenderRequest::json(vec![b' '; bytes]);
    for (url, otherwise) in [
        (URL, 401),
        ("/api/inbound/default/off", 401),
        ("/api/inbound/default/nothing", 401),
        ("/api/inbound/nobody/nothing", 401),
        (unknown.as_str(), 404),
        (off.as_str(), 403),
        (listed.as_str(), 403),
    ] {
        assert_eq!(sent(&gateway, url, &of(1001)).await, 413, "{url}");
        assert_eq!(sent(&gateway, url, &of(1000)).await, otherwise, "{url}");
    }
    assert_eq!(sent(&gateway, "/api/inbound/default", &of(1001)).await, 404, "no URL of a webhook");
    let mut request = of(1001).to(URL);
    *request.method_mut() = Method::DELETE;
    let response = gateway.instance(0).receiver.handle(request).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}

/// C3: a slug asks for address and proof, then for the size, then for the rate; JSON is read last of all.
#[tokio::test]
async fn c3_a_slug_asks_for_proof_then_size_then_rate_then_json() {
    let gateway = TestGateway::new().await;
    let of = json!([
        {"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24"]},
        {"type": "hmac_sha256", "secret": SECRET},
    ]);
    let more = json!({
        "auth_type": "all",
        "auth_config": {"type": "all", "of": of},
        "max_body_bytes": 10,
        "rate_limit": {"requests": 2, "window_seconds": 60},
    });
    let webhook = gateway.webhook("github", more).await;
    let proven = |body: &'static str| SenderRequest::json(body).signed(SECRET).from("192.0.2.9");
    let unproven = |body: &'static str| SenderRequest::json(body).from("192.0.2.9");
    for (request, expected) in [
        (proven(LARGE).from("203.0.113.7"), 401),
        (unproven(LARGE), 401),
        (proven(LARGE), 413),
        (unproven("{"), 401),
        (proven("{"), 400),
        (proven("{}"), 200),
        (proven("{"), 429),
        (proven(LARGE), 413),
        (unproven(LARGE), 401),
        (proven("{}").from("203.0.113.7"), 401),
    ] {
        assert_eq!(sent(&gateway, URL, &request).await, expected, "{:?} {:?}", request.body, request.from);
    }
    let statuses: Vec<Value> =
        rows(&gateway, &webhook).await.iter().map(|row| row["response_status"].clone()).collect();
    assert!(statuses.len() == 2 && statuses.contains(&json!(200)) && statuses.contains(&json!(400)), "{statuses:?}");
}

/// D12: a slug of one tenant and the same of another are counted apart, and each end of a window frees.
#[tokio::test]
async fn d12_equal_slugs_of_two_tenants_are_counted_apart() {
    let gateway = TestGateway::new().await;
    let acme = tenant(&gateway, "acme").await;
    let limit = json!({"requests": 1, "window_seconds": 60});
    let own = gateway.webhook("github", json!({"rate_limit": limit})).await;
    let config = json!({"type": "hmac_sha256", "secret": SECRET});
    let body = json!({"name": "x", "slug": "github", "auth_config": config, "rate_limit": limit});
    let (status, made) = gateway.api(Method::POST, WEBHOOKS, &acme, Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let theirs = text(&made["data"]["id"]);
    let request = SenderRequest::json("{}").signed(SECRET);
    for _ in 0..2 {
        for (url, webhook, token) in
            [(URL, &own, gateway.admin_token()), ("/api/inbound/acme/github", &theirs, acme.as_str())]
        {
            assert_eq!(sent(&gateway, url, &request).await, 200, "{url}");
            let refused = gateway.send(gateway.instance(0), url, &request).await;
            assert_eq!((refused.status().as_u16(), answer(&refused)), (429, json!({"error": "rate_limited"})), "{url}");
            let wait = refused.headers()["retry-after"].to_str().expect("text").parse::<i64>().expect("whole seconds");
            assert!((1..=60).contains(&wait), "{wait}");
            let path = format!("{WEBHOOKS}/{webhook}/rejections?reason=rate_webhook&limit=1");
            let (_, log) = gateway.api(Method::GET, &path, token, None).await;
            assert_eq!(log["data"][0]["at"], json!(gateway.clock.now().to_string()), "the refusal is logged: {log}");
        }
        gateway.advance(SignedDuration::from_secs(60));
    }
}

/// D20: POST, PUT and PATCH make the same of a request on either form of URL, and nothing else is allowed on either,
/// whether it leads anywhere or not.
#[tokio::test]
async fn d20_three_methods_are_alike_and_all_others_refused_on_both_forms() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let by_slug = gateway.webhook("github", json!({})).await;
    let (by_key, key_url) = keyed(&gateway, json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    let send = async |method: &Method, url: &str, body: &str| {
        let mut request = SenderRequest::json(body.to_owned()).signed(SECRET).to(url);
        *request.method_mut() = method.clone();
        gateway.instance(0).receiver.handle(request).await
    };
    for (webhook, url) in [(&by_slug, URL), (&by_key, key_url.as_str())] {
        for method in [Method::POST, Method::PUT, Method::PATCH] {
            let body = format!(r#"{{"by":"{method}"}}"#);
            let response = send(&method, url, body.as_str()).await;
            assert_eq!(response.status(), StatusCode::OK, "{method} {url}");
            gateway.drain(gateway.instance(0)).await;
            assert_eq!(sink.received().last().map(|received| &received.body[..]), Some(body.as_bytes()));
            let row = row(&gateway, webhook, &text(&answer(&response)["delivery_id"])).await;
            assert_eq!((&row["request"]["method"], &row["status"]), (&json!(method.as_str()), &json!("dispatched")));
        }
    }
    let unknown = format!("/api/v1/webhooks/wh_{}", "q".repeat(32));
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "post"] {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        for url in [URL, &key_url, "/api/inbound/default/nothing", "/api/inbound/nobody/nothing", &unknown] {
            let response = send(&method, url, "{}").await;
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {url}");
            assert_eq!(response.headers()["allow"], "POST, PUT, PATCH", "{method} {url}");
        }
    }
    assert_eq!((rows(&gateway, &by_slug).await.len(), rows(&gateway, &by_key).await.len()), (3, 3));
}
