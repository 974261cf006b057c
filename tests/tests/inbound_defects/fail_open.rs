//! Defect 15: the nine ways in which a receiver let a request through because a protection could not be judged. Here
//! each of them refuses, and what would lead there is refused when it is saved.

use hookport::domain::rate_limit::RateLimit;
use hookport_tests::SenderRequest;
use hookport_tests::gateway::{SECRET, TestGateway, answer, text};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::{URL, WEBHOOKS, call, kept, keyed, rejections, sent, store_instead, stored_webhook};

const TRIGGER: &str = "/api/v1/triggers/github.push/webhook";

fn empty() -> SenderRequest {
    SenderRequest::json("{}")
}

/// A webhook of each form with this allow-list: the id and the URL of the one with a slug, then of the one with a key.
async fn listed(gateway: &TestGateway, networks: &[&str]) -> [(String, String); 2] {
    let config = json!({"type": "ip_allowlist", "ip_cidrs": networks});
    let by_slug = gateway.webhook("github", json!({"auth_type": "ip_allowlist", "auth_config": config})).await;
    let by_key = keyed(gateway, json!({"auth_config": config})).await;
    [(by_slug, URL.to_owned()), by_key]
}

/// Both forms refuse the request for where it comes from, and say so to their owner alone.
async fn refuse(gateway: &TestGateway, webhooks: &[(String, String); 2], request: &SenderRequest, reason: &str) {
    for ((id, url), expected) in webhooks.iter().zip([401, 403]) {
        assert_eq!(sent(gateway, url, request).await, expected, "{url} {request:?}");
        let log = rejections(gateway, id).await;
        let told = json!([log[0]["reason"], log[0]["ip_allowed"]]);
        assert_eq!(told, json!([reason, false]), "{url} {request:?}");
        gateway.advance(jiff::SignedDuration::from_secs(1));
    }
}

/// A trigger with a webhook. Gives the path of its URL.
async fn trigger(gateway: &TestGateway) -> String {
    gateway.create("/api/v1/triggers", json!({"ref": "github.push"})).await;
    let (status, answer) = call(gateway, Method::POST, &format!("{TRIGGER}/enable"), json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    text(&answer["data"]["webhook_url"]).replace("https://hooks.example.com", "")
}

/// Each change of the trigger's protection, and each new webhook, is refused.
async fn refuse_to_save(gateway: &TestGateway, changes: &[Value], webhooks: &[Value]) {
    for change in changes {
        let (status, answer) = call(gateway, Method::PATCH, TRIGGER, change.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{change}: {answer}");
    }
    for webhook in webhooks {
        let mut body = webhook.clone();
        body["name"] = json!("x");
        let (status, answer) = call(gateway, Method::POST, WEBHOOKS, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{webhook}: {answer}");
    }
}

/// An allow-list, and nobody knows where the request comes from.
#[tokio::test]
async fn defect_15_1_a_source_that_is_unknown_is_not_in_any_list() {
    let gateway = TestGateway::with_settings(&["a"], &[("TRUSTED_PROXIES", "10.0.0.0/8")]).await;
    let webhooks = listed(&gateway, &["0.0.0.0/0", "::/0"]).await;
    refuse(&gateway, &webhooks, &empty(), "ip_unknown").await;
    refuse(&gateway, &webhooks, &empty().with("x-forwarded-for", "192.0.2.9"), "ip_unknown").await;
    refuse(&gateway, &webhooks, &empty().from("10.1.2.3"), "ip_unknown").await;
    assert_eq!(sent(&gateway, URL, &empty().from("192.0.2.9")).await, 200, "every address is in the list");
}

/// An allow-list that is switched on, and that is not there or empty.
#[tokio::test]
async fn defect_15_2_a_list_that_is_missing_lets_nobody_in() {
    let gateway = TestGateway::new().await;
    trigger(&gateway).await;
    let changes = [
        json!({"ip_allowlist": {}}),
        json!({"ip_allowlist": {"enabled": true}}),
        json!({"ip_allowlist": {"enabled": true, "cidrs": null}}),
        json!({"ip_allowlist": {"cidrs": []}}),
    ];
    let made = [
        json!({"auth_type": "ip_allowlist"}),
        json!({"auth_config": {"type": "ip_allowlist", "ip_cidrs": null}}),
        json!({"auth_config": {"type": "ip_allowlist", "ip_cidrs": []}}),
        json!({"auth_config": {"type": "all", "of": [{"type": "ip_allowlist"}, {"type": "hmac_sha256"}]}}),
    ];
    refuse_to_save(&gateway, &changes, &made).await;

    let webhooks = listed(&gateway, &["192.0.2.0/24"]).await;
    for (id, _) in &webhooks {
        store_instead(&gateway, id, |webhook| webhook.auth.allowed_ips = Some(Vec::new())).await;
    }
    refuse(&gateway, &webhooks, &empty().from("192.0.2.9"), "ip_not_allowed").await;
    refuse(&gateway, &webhooks, &empty(), "ip_unknown").await;
}

/// An allow-list, and a forwarded list in the place of an address.
#[tokio::test]
async fn defect_15_3_a_source_that_cannot_be_read_is_not_in_any_list() {
    let gateway = TestGateway::with_settings(&["a"], &[("TRUSTED_PROXIES", "10.0.0.0/8")]).await;
    let webhooks = listed(&gateway, &["0.0.0.0/0", "::/0"]).await;
    let junk =
        ["192.0.2.9, unknown", "192.0.2.9;10.0.0.1", "_hidden", "192.0.2.9,", ",", "[2001:db8::7", "192.0.2.256"];
    let unreadable = junk.map(|list| HeaderValue::try_from(list).expect("a header's value"));
    let bytes = HeaderValue::from_bytes(&[0xff, 0xfe]).expect("a header's value");
    for value in unreadable.into_iter().chain([bytes]) {
        let mut request = empty().from("10.1.2.3");
        request.headers.insert("x-forwarded-for", value);
        refuse(&gateway, &webhooks, &request, "ip_unknown").await;
    }
}

/// An allow-list of one family, and an address of the other.
#[tokio::test]
async fn defect_15_4_an_address_of_the_other_family_is_judged_and_refused() {
    let cases: [(&[&str], &str, &str); 4] = [
        (&["192.0.2.0/24", "0.0.0.0/1"], "192.0.2.9", "2001:db8::7"),
        (&["2001:db8::/32", "::/1"], "2001:db8::7", "192.0.2.9"),
        (&["2001:db8::/32", "192.0.2.0/24"], "192.0.2.9", "198.51.100.7"),
        (&["192.0.2.0/24", "2001:db8::/32"], "2001:db8::7", "2001:db9::7"),
    ];
    for (networks, inside, outside) in cases {
        let gateway = TestGateway::new().await;
        let webhooks = listed(&gateway, networks).await;
        refuse(&gateway, &webhooks, &empty().from(outside), "ip_not_allowed").await;
        for (_, url) in &webhooks {
            assert_eq!(sent(&gateway, url, &empty().from(inside)).await, 200, "{inside} in {networks:?}");
        }
    }
}

/// A signature that is asked for, and no secret or no hash to judge it by.
#[tokio::test]
async fn defect_15_5_a_signature_without_a_secret_or_a_hash_is_never_taken_for_granted() {
    let gateway = TestGateway::new().await;
    let url = trigger(&gateway).await;
    let changes = [
        json!({"hmac": {"algorithm": "none"}}),
        json!({"hmac": {"algorithm": ""}}),
        json!({"hmac": {"algorithm": "md5"}}),
        json!({"hmac": {"secret": ""}}),
    ];
    let made = [
        json!({"auth_config": {"type": "hmac_none"}}),
        json!({"auth_config": {"type": "hmac_sha256", "secret": ""}}),
        json!({"auth_config": {"secret": SECRET}}),
    ];
    refuse_to_save(&gateway, &changes, &made).await;
    for absent in [json!({"hmac": {}}), json!({"hmac": {"secret": null, "algorithm": null}})] {
        let (status, answer) = call(&gateway, Method::PATCH, TRIGGER, absent.clone()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["data"]["hmac"]["algorithm"], json!("sha256"), "{absent}");
        gateway.advance(crate::FORGOTTEN);
        assert_eq!(sent(&gateway, &url, &empty()).await, 401, "{absent}: a secret was made");
        assert_eq!(sent(&gateway, &url, &empty().signed("")).await, 401, "{absent}");
    }

    // A secret that does not open: it was sealed for another webhook.
    let other = gateway.webhook("other", json!({})).await;
    let github = gateway.webhook("github", json!({})).await;
    let sealed_for_other = stored_webhook(&gateway, &other).await.auth;
    store_instead(&gateway, &github, |webhook| webhook.auth = sealed_for_other).await;
    for request in [empty().signed(SECRET), empty().signed(""), empty()] {
        gateway.advance(jiff::SignedDuration::from_secs(1));
        assert_eq!(sent(&gateway, URL, &request).await, 401);
        assert_eq!(rejections(&gateway, &github).await[0]["reason"], json!("secret_unusable"));
    }
    assert_eq!(sent(&gateway, "/api/inbound/default/other", &empty().signed(SECRET)).await, 200);
}

/// A limit that is switched on, and whose numbers are missing or no numbers of requests.
#[tokio::test]
async fn defect_15_6_a_limit_without_its_numbers_is_a_limit() {
    let gateway = TestGateway::new().await;
    let url = trigger(&gateway).await;
    let limits = [
        json!({"requests": 0, "window_seconds": 60}),
        json!({"requests": -1, "window_seconds": 60}),
        json!({"requests": 5, "window_seconds": 0}),
        json!({"requests": 5, "window_seconds": -60}),
        json!({"requests": "5", "window_seconds": 60}),
    ];
    let made =
        [json!({"requests": 5}), json!({"window_seconds": 60}), json!({"requests": null, "window_seconds": null})];
    let changes = limits.clone().map(|limit| json!({"rate_limit": limit}));
    let made: Vec<Value> = limits.into_iter().chain(made).map(|limit| json!({"rate_limit": limit})).collect();
    refuse_to_save(&gateway, &changes, &made).await;
    for none in [json!({"rate_limit": null}), json!({"rate_limit": {"requests": null, "window_seconds": null}})] {
        let (status, answer) = call(&gateway, Method::PATCH, TRIGGER, none).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["data"]["rate_limit"], json!({"requests": 100, "window_seconds": 60}));
    }
    let limit = |response: &http::Response<bytes::Bytes>| response.headers()["ratelimit-limit"].clone();
    let response = gateway.send(gateway.instance(0), &url, &empty()).await;
    assert_eq!(limit(&response), "100", "a webhook that says nothing has one");
    let webhook = gateway.webhook("github", json!({})).await;
    let response = gateway.send(gateway.instance(0), URL, &empty().signed(SECRET)).await;
    assert_eq!(limit(&response), "600");

    store_instead(&gateway, &webhook, |webhook| webhook.rate_limit = RateLimit { requests: 0, window_s: 0 }).await;
    for _ in 0..3 {
        let response = gateway.send(gateway.instance(0), URL, &empty().signed(SECRET)).await;
        assert_eq!((response.status().as_u16(), answer(&response)), (429, json!({"error": "rate_limited"})));
    }
}

/// No size that anybody set.
#[tokio::test]
async fn defect_15_7_a_webhook_that_sets_no_size_has_one() {
    const MIB: usize = 1024 * 1024;
    let gateway = TestGateway::new().await;
    let url = trigger(&gateway).await;
    let (status, answer) = call(&gateway, Method::PATCH, TRIGGER, json!({"max_body_bytes": null})).await;
    assert_eq!((status, &answer["data"]["max_body_bytes"]), (StatusCode::OK, &json!(MIB)), "{answer}");
    gateway.webhook("github", json!({})).await;
    let (_, by_key) = keyed(&gateway, json!({"auth_type": "none"})).await;
    let config = json!({"type": "hmac_sha256", "secret": SECRET});
    let body = json!({"name": "x", "slug": "null", "max_body_bytes": null, "auth_config": config});
    gateway.create(WEBHOOKS, body).await;
    for url in [URL, "/api/inbound/default/null", &by_key, &url] {
        for (bytes, expected) in [(MIB, 200), (MIB + 1, 413)] {
            let request = SenderRequest::json(vec![b' '; bytes]).signed(SECRET);
            assert_eq!(sent(&gateway, url, &request).await, expected, "{url} {bytes}");
        }
    }
}

/// Enabling what is enabled, in every spelling, takes no protection away.
#[tokio::test]
async fn defect_15_8_enabling_again_resets_no_protection() {
    let gateway = TestGateway::new().await;
    let url = trigger(&gateway).await;
    let protections = json!({
        "hmac": {"secret": SECRET},
        "ip_allowlist": {"cidrs": ["192.0.2.0/24"]},
        "rate_limit": {"requests": 7, "window_seconds": 600},
        "max_body_bytes": 10,
    });
    let (status, answer) = call(&gateway, Method::PATCH, TRIGGER, protections).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let before = gateway.get(TRIGGER).await;
    let webhook = text(&before["data"]["webhook_id"]);
    let auth = stored_webhook(&gateway, &webhook).await.auth;
    for prefix in ["triggers", "event-types"] {
        for spelling in ["webhook", "webhooks"] {
            let path = format!("/api/v1/{prefix}/github.push/{spelling}/enable");
            let (status, answer) = call(&gateway, Method::POST, &path, json!({})).await;
            assert_eq!(status, StatusCode::OK, "{path}: {answer}");
            assert_eq!(gateway.get(TRIGGER).await, before, "{path}");
        }
    }
    assert_eq!(stored_webhook(&gateway, &webhook).await.auth, auth, "down to the sealed secret");
    gateway.advance(crate::FORGOTTEN);
    let good = empty().signed(SECRET).from("192.0.2.9");
    for (request, expected) in [
        (good.clone(), 200),
        (good.clone().from("203.0.113.7"), 403),
        (empty().from("192.0.2.9"), 401),
        (SenderRequest::json(r#"{"n": 1234}"#).signed(SECRET).from("192.0.2.9"), 413),
    ] {
        assert_eq!(sent(&gateway, &url, &request).await, expected);
    }
    let response = gateway.send(gateway.instance(0), &url, &good).await;
    assert_eq!(response.headers()["ratelimit-limit"], "7");
}

/// A limit for each caller, and callers who choose who they are.
#[tokio::test]
async fn defect_15_9_no_header_makes_another_caller_of_a_sender() {
    let claims = ["x-forwarded-for", "x-real-ip", "forwarded", "true-client-ip"];
    for (proxies, peer) in [("", "203.0.113.7"), ("10.0.0.0/8", "203.0.113.7"), ("203.0.113.0/24", "10.1.2.3")] {
        let settings = [("RATE_PER_SOURCE", "2"), ("TRUSTED_PROXIES", proxies)];
        let gateway = TestGateway::with_settings(&["a"], &settings).await;
        gateway.webhook("github", json!({})).await;
        for (n, expected) in [200, 200, 429, 429, 429, 429].into_iter().enumerate() {
            let claim = format!("192.0.2.{n}");
            let request = empty().signed(SECRET).from(peer).with(claims[n % claims.len()], &claim);
            assert_eq!(sent(&gateway, URL, &request).await, expected, "{proxies:?}: {n}");
        }
    }
    // Behind a proxy it is the proxy's word that counts, and nothing that stands before it.
    let settings = [("RATE_PER_SOURCE", "2"), ("TRUSTED_PROXIES", "10.0.0.0/8")];
    let gateway = TestGateway::with_settings(&["a"], &settings).await;
    gateway.webhook("github", json!({})).await;
    let by = |made_up: usize, sender: &str| {
        let list = format!("192.0.2.{made_up}, {sender}");
        empty().signed(SECRET).from("10.1.2.3").with("x-forwarded-for", &list)
    };
    for (n, expected) in [200, 200, 429, 429].into_iter().enumerate() {
        assert_eq!(sent(&gateway, URL, &by(n, "203.0.113.7")).await, expected, "{n}");
    }
    kept(&gateway, URL, &by(0, "203.0.113.8")).await;
}
