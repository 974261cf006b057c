//! The logs of refused requests: what their readers see, what is never in them, and that nobody can fill them.

#[path = "rejections/flood.rs"]
mod flood;
#[path = "rejections/secrets.rs"]
mod secrets;

use bytes::Bytes;
use hookport::domain::api_token::SecretHash;
use hookport::domain::rejection::RejectionLog;
use hookport::store::keys;
use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::SenderRequest;
use hookport_tests::gateway::{SECRET, TestGateway, merge, text};
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value, json};

const URL: &str = "/api/inbound/default/github";
const WEBHOOKS: &str = "/api/v1/inbound-webhooks";
const UNKNOWN: &str = "/api/v1/unknown-requests";
const OPERATORS: &str = "/api/v1/operator/unknown-requests";

fn unsigned() -> SenderRequest {
    SenderRequest::json("{}").with("user-agent", "sender/1.0").from("192.0.2.7")
}

/// Sends a request a second after the last one and gives the status of the answer.
async fn send(gateway: &TestGateway, path: &str, request: &SenderRequest) -> u16 {
    gateway.advance(SignedDuration::from_secs(1));
    gateway.send(gateway.instance(0), path, request).await.status().as_u16()
}

async fn list(gateway: &TestGateway, path: &str) -> Vec<Value> {
    gateway.get(path).await["data"].as_array().expect("a list").clone()
}

/// Asks the tables themselves.
async fn dynamodb(gateway: &TestGateway, operation: &str, body: Value) -> Value {
    let request = Request::post("/").header("x-amz-target", format!("DynamoDB_20120810.{operation}"));
    let request = request.body(Bytes::from(body.to_string())).expect("a request");
    let answer = gateway.cloud.handle("test", request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
    serde_json::from_slice(answer.body()).expect("JSON")
}

/// The items of a log as they are stored.
async fn stored(gateway: &TestGateway, log: &RejectionLog) -> Vec<Value> {
    let body = json!({
        "TableName": "DeliveriesTable",
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": keys::rejections(log)}},
    });
    dynamodb(gateway, "Query", body).await["Items"].as_array().expect("a list").clone()
}

fn of_webhook(id: &str) -> String {
    format!("{WEBHOOKS}/{id}/rejections")
}

/// The answer to a request as it is logged, but for its id.
fn logged(gateway: &TestGateway, more: Value) -> Value {
    let mut row = json!({
        "at": gateway.clock.now().to_string(),
        "rate_limited": false,
        "ip_allowed": null,
        "form": "slug",
        "named": null,
        "method": "POST",
        "source_ip": "192.0.2.7",
        "user_agent": "sender/1.0",
        "content_type": "application/json",
        "body_bytes": 2,
        "duration_ms": 0,
        "diagnosis": null,
    });
    row.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    row
}

/// The newest entry of a log without its ids, and the id.
async fn newest(gateway: &TestGateway, path: &str) -> (Value, String) {
    let mut row = list(gateway, path).await.first().expect("an entry").clone();
    let members = row.as_object_mut().expect("an object");
    let id = members.remove("id").expect("an id");
    let webhook = members.remove("webhook_id").expect("the webhook, or null");
    let of_log = path.strip_prefix(WEBHOOKS).and_then(|rest| rest.split('/').nth(1));
    assert_eq!(webhook.as_str(), of_log, "the log's own webhook");
    (row, text(&id))
}

/// C9: each refusal of a known webhook, with what was checked by then.
#[tokio::test]
async fn c9_every_refusal_of_a_webhook_is_in_its_log_with_what_was_checked() {
    let gateway = TestGateway::new().await;
    let source = json!({"type": "header", "value": "Idempotency-Key"});
    let webhook = gateway.webhook("github", json!({"max_body_bytes": 50, "idempotency_source": source})).await;
    let off = gateway.webhook("off", json!({"is_active": false})).await;
    let with_tag = |tag: &str| unsigned().with("x-hub-signature-256", tag);
    let too_large = SenderRequest { body: vec![b' '; 51].into(), ..unsigned() }.signed(SECRET);
    let long_key = unsigned().with("idempotency-key", &"k".repeat(513)).signed(SECRET);
    let cases = [
        (URL, unsigned(), "signature_missing", "rejected_signature", 401, json!(false)),
        (URL, unsigned().signed("another secret"), "signature_mismatch", "rejected_signature", 401, json!(false)),
        (URL, with_tag("sha256=zz"), "signature_malformed", "rejected_signature", 401, json!(false)),
        (URL, with_tag("sha1=00"), "signature_algorithm", "rejected_signature", 401, json!(false)),
        (URL, too_large, "too_large", "rejected_no_auth", 413, json!(true)),
        (URL, long_key, "idempotency_key_too_long", "verified", 400, json!(true)),
        ("/api/inbound/default/off", unsigned().signed(SECRET), "disabled", "rejected_no_auth", 401, json!(null)),
    ];
    for (path, request, reason, auth_status, status, proof_held) in cases {
        assert_eq!(send(&gateway, path, &request).await, status, "{reason}");
        let log = of_webhook(if path == URL { &webhook } else { &off });
        let (row, id) = newest(&gateway, &log).await;
        let expected = json!({
            "reason": reason,
            "auth_status": auth_status,
            "response_status": status,
            "proof_held": proof_held,
            "body_bytes": request.body.len(),
        });
        assert_eq!(row, logged(&gateway, expected), "{reason}");
        let mut read = gateway.get(&format!("{log}/{id}")).await["data"].clone();
        assert_eq!(read.as_object_mut().and_then(|read| read.remove("id")), Some(json!(id)));
        assert!(read.as_object_mut().and_then(|read| read.remove("webhook_id")).is_some_and(|id| id.is_string()));
        assert_eq!(read, row, "read by its id it is the same");
    }
    assert_eq!((list(&gateway, &of_webhook(&webhook)).await.len(), list(&gateway, UNKNOWN).await), (6, vec![]));
}

/// C9: the address and the proof are told apart, and what was not reached is null.
#[tokio::test]
async fn c9_the_log_tells_the_address_from_the_proof() {
    let gateway = TestGateway::new().await;
    let proofs = json!([
        {"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24"]},
        {"type": "bearer", "token": "a token of sixteen or more"},
    ]);
    let auth = json!({"auth_type": "all", "auth_config": {"type": "all", "of": proofs}});
    let log = of_webhook(&gateway.webhook("github", auth).await);
    let nowhere = SenderRequest { from: None, ..unsigned() };
    let wrong = unsigned().with("authorization", "Bearer another-token-of-sixteen");
    let cases = [
        (unsigned().from("198.51.100.1"), "ip_not_allowed", "rejected_ip", json!(null), json!(false)),
        (nowhere, "ip_unknown", "rejected_ip", json!(null), json!(false)),
        (unsigned(), "credential_missing", "rejected_bearer", json!(false), json!(true)),
        (wrong, "credential_mismatch", "rejected_bearer", json!(false), json!(true)),
    ];
    for (request, reason, auth_status, proof_held, ip_allowed) in cases {
        assert_eq!(send(&gateway, URL, &request).await, 401, "{reason}");
        let (row, _) = newest(&gateway, &log).await;
        let expected = json!({
            "reason": reason,
            "auth_status": auth_status,
            "response_status": 401,
            "proof_held": proof_held,
            "ip_allowed": ip_allowed,
            "source_ip": request.from.map(|ip| ip.to_string()),
        });
        assert_eq!(row, logged(&gateway, expected), "{reason}");
    }
}

/// C9: an unknown slug is its tenant's to see; an unknown tenant and an unknown key, by its hash, the operators'.
#[tokio::test]
async fn c9_requests_that_lead_nowhere_are_logged_for_whom_they_concern() {
    let gateway = TestGateway::new().await;
    let key = format!("wh_{}", "q".repeat(32));
    let hash = SecretHash::of(&SecretString::from(key.as_str()));
    let long = "x".repeat(200);
    let cases = [
        ("/api/inbound/default/nothing".to_owned(), UNKNOWN, "slug", 401, "nothing".to_owned()),
        ("/api/inbound/nobody/github".to_owned(), OPERATORS, "slug", 401, "nobody/github".to_owned()),
        (format!("/api/inbound/{long}/{long}"), OPERATORS, "slug", 401, format!("{0}/{0}", &long[..64])),
        (format!("/api/v1/webhooks/{key}"), OPERATORS, "key", 404, hash.as_str().to_owned()),
    ];
    for (path, log, form, status, named) in cases {
        assert_eq!(send(&gateway, &path, &unsigned()).await, status, "{path}");
        let (row, _) = newest(&gateway, log).await;
        let expected = json!({
            "reason": "unknown",
            "auth_status": "rejected_no_auth",
            "response_status": status,
            "proof_held": null,
            "form": form,
            "named": named,
        });
        assert_eq!(row, logged(&gateway, expected), "{path}");
    }
}

/// C9: a log that cannot be written to changes no answer.
#[tokio::test]
async fn c9_a_failed_write_of_the_log_does_not_fail_the_request() {
    let gateway = TestGateway::new().await;
    let log = of_webhook(&gateway.webhook("github", json!({})).await);
    for kind in [FaultKind::Throttle, FaultKind::Before, FaultKind::TimeOut { effect: false }] {
        gateway.cloud.faults().set(Fault::new(kind).on("PutItem").sticky());
        assert_eq!(send(&gateway, URL, &unsigned()).await, 401, "{kind:?}");
        assert_eq!(send(&gateway, "/api/inbound/nobody/x", &unsigned()).await, 401, "{kind:?}");
        gateway.cloud.faults().clear();
        assert_eq!(list(&gateway, &log).await, Vec::<Value>::new());
    }
    assert_eq!(send(&gateway, URL, &unsigned()).await, 401);
    assert_eq!(list(&gateway, &log).await.len(), 1);
}

/// D12: a refusal for too many requests is logged, on either form of URL.
#[tokio::test]
async fn d12_a_request_beyond_the_rate_is_logged() {
    let gateway = TestGateway::new().await;
    let limit = json!({"rate_limit": {"requests": 2, "window_seconds": 60}});
    let slug = gateway.webhook("github", limit.clone()).await;
    let mut keyed = json!({"name": "Key", "auth_type": "none"});
    merge(&mut keyed, limit);
    let keyed = gateway.create(WEBHOOKS, keyed).await["data"].clone();
    let key_url = format!("/api/v1/webhooks/{}", text(&keyed["webhook_key"]));
    for (path, id, form, proof_held) in
        [(URL, slug, "slug", json!(true)), (key_url.as_str(), text(&keyed["id"]), "key", json!(null))]
    {
        let request = unsigned().signed(SECRET);
        let statuses = [send(&gateway, path, &request).await, send(&gateway, path, &request).await];
        assert_eq!((statuses, send(&gateway, path, &request).await), ([200, 200], 429), "{path}");
        let (row, _) = newest(&gateway, &of_webhook(&id)).await;
        let expected = json!({
            "reason": "rate_webhook",
            "auth_status": "rejected_no_auth",
            "response_status": 429,
            "proof_held": proof_held,
            "rate_limited": true,
            "form": form,
        });
        assert_eq!(row, logged(&gateway, expected), "{path}");
    }
}

/// D16: filters are joined by and; the time from is included, the time to is not.
#[tokio::test]
async fn d16_a_log_can_be_filtered() {
    let gateway = TestGateway::new().await;
    let log = of_webhook(&gateway.webhook("github", json!({"max_body_bytes": 50})).await);
    let large = SenderRequest { body: vec![b' '; 51].into(), ..unsigned() }.signed(SECRET);
    let mut times = Vec::new();
    for request in [unsigned(), unsigned().signed("another secret"), large, unsigned()] {
        send(&gateway, URL, &request).await;
        times.push(gateway.clock.now().to_string());
    }
    let cases = [
        ("reason=signature_missing".to_owned(), vec![3, 0]),
        ("auth_status=rejected_signature".to_owned(), vec![3, 1, 0]),
        ("auth_status=rejected_no_auth&reason=signature_missing".to_owned(), vec![]),
        (format!("date_from={}", times[2]), vec![3, 2]),
        (format!("date_to={}", times[2]), vec![1, 0]),
        (format!("date_from={}&date_to={}&reason=too_large", times[1], times[3]), vec![2]),
        ("auth_status=rejected_signature&limit=2".to_owned(), vec![3, 1]),
    ];
    for (query, expected) in cases {
        let found = list(&gateway, &format!("{log}?{query}")).await;
        let found: Vec<_> = found.iter().map(|row| text(&row["at"])).collect();
        let expected: Vec<_> = expected.into_iter().map(|n: usize| times[n].clone()).collect();
        assert_eq!(found, expected, "{query}");
    }
    assert_eq!(gateway.get(&format!("{log}?limit=1000")).await["meta"]["limit"], json!(100));
    for (query, name) in [("reason=because", "reason"), ("date_from=yesterday", "date_from"), ("page=2", "page")] {
        let (status, answer) = gateway.api(Method::GET, &format!("{log}?{query}"), gateway.admin_token(), None).await;
        assert_eq!((status, &answer["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")));
        assert!(text(&answer["error"]["message"]).contains(name), "{answer}");
    }
}

/// D16: pages follow each other newest first over hours, though an hour's rows are stored in no order.
#[tokio::test]
async fn d16_pages_of_a_log_have_no_gaps_and_no_repeats() {
    let gateway = TestGateway::new().await;
    let log = of_webhook(&gateway.webhook("github", json!({})).await);
    let mut sent = Vec::new();
    for _ in 0..3 {
        for _ in 0..100 {
            send(&gateway, URL, &unsigned()).await;
            sent.insert(0, gateway.clock.now().to_string());
        }
        gateway.advance(SignedDuration::from_hours(1));
    }
    for limit in [37, 100] {
        let mut seen = Vec::new();
        let mut path = format!("{log}?limit={limit}");
        loop {
            let page = gateway.get(&path).await;
            seen.extend(page["data"].as_array().expect("a list").iter().map(|row| text(&row["at"])));
            let Some(cursor) = page["meta"]["next_cursor"].as_str() else { break };
            path = format!("{log}?limit={limit}&cursor={cursor}");
        }
        assert_eq!(seen, sent, "pages of {limit}");
    }
}

/// D16: a log is its webhook's and its tenant's alone.
#[tokio::test]
async fn d16_another_webhook_and_another_tenant_see_nothing() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let other = gateway.webhook("other", json!({})).await;
    let acme = text(&gateway.create("/api/v1/tenants", json!({"slug": "acme", "name": "Acme"})).await["token"]);
    send(&gateway, URL, &unsigned()).await;
    send(&gateway, "/api/inbound/acme/typo", &unsigned()).await;
    let (_, id) = newest(&gateway, &of_webhook(&webhook)).await;
    let own = gateway.admin_token();
    for (path, token, code) in [
        (format!("{}/{id}", of_webhook(&other)), own, "rejection_not_found"),
        (format!("{}/{id}", of_webhook(&webhook)), acme.as_str(), "rejection_not_found"),
        (of_webhook(&webhook), acme.as_str(), "inbound_webhook_not_found"),
        (of_webhook("inw_01m5w3rm008000000400000003"), own, "inbound_webhook_not_found"),
        (OPERATORS.to_owned(), acme.as_str(), "forbidden"),
    ] {
        let (_, answer) = gateway.api(Method::GET, &path, token, None).await;
        assert_eq!(answer["error"]["code"], json!(code), "{path}: {answer}");
    }
    assert_eq!(list(&gateway, &of_webhook(&other)).await, Vec::<Value>::new());
    assert_eq!((list(&gateway, UNKNOWN).await.len(), list(&gateway, OPERATORS).await.len()), (0, 0));
    let (_, unknown) = gateway.api(Method::GET, UNKNOWN, &acme, None).await;
    assert_eq!(unknown["data"][0]["named"], json!("typo"));
}

/// D19: what was refused is gone after three days.
#[tokio::test]
async fn refused_requests_outlive_their_webhook_and_are_forgotten_after_three_days() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    send(&gateway, URL, &unsigned()).await;
    let (status, _) = gateway.api(Method::DELETE, &format!("{WEBHOOKS}/{webhook}"), gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let log = of_webhook(&webhook);
    let (_, id) = newest(&gateway, &log).await;
    gateway.advance(SignedDuration::from_millis(72 * 3_600_000 - 1));
    assert_eq!(list(&gateway, &log).await.len(), 1);
    gateway.advance(SignedDuration::from_millis(1));
    // The table has not deleted it yet.
    assert_eq!(list(&gateway, &log).await, Vec::<Value>::new());
    let path = format!("{log}/{id}");
    assert_eq!(gateway.api(Method::GET, &path, gateway.admin_token(), None).await.0, StatusCode::NOT_FOUND);
}

/// D16: what all webhooks of a tenant refused is one list, newest first, in pages, and no other tenant's.
#[tokio::test]
async fn d16_the_refusals_of_all_webhooks_are_one_list_in_pages() {
    let gateway = TestGateway::new().await;
    let mut webhooks = Vec::new();
    for slug in ["one", "two", "three"] {
        webhooks.push(gateway.webhook(slug, json!({})).await);
    }
    let mut expected = Vec::new();
    for n in 0..7 {
        let slug = ["one", "two", "three"][n % 3];
        assert_eq!(send(&gateway, &format!("/api/inbound/default/{slug}"), &unsigned()).await, 401);
        expected.insert(0, webhooks[n % 3].clone());
        gateway.advance(SignedDuration::from_mins(25));
    }
    assert_eq!(send(&gateway, "/api/inbound/default/nothing", &unsigned()).await, 401, "in the other list");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = gateway.get(&format!("/api/v1/inbound-rejections?limit=3{cursor}")).await;
        let rows = answer["data"].as_array().expect("a list");
        assert!(rows.len() <= 3);
        seen.extend(rows.iter().map(|row| text(&row["webhook_id"])));
        match answer["meta"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, expected);
    let none = list(&gateway, "/api/v1/inbound-rejections?reason=rate_webhook").await;
    assert!(none.is_empty(), "{none:?}");
}
