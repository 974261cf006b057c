//! What one webhook costs, by the meter. These figures stand in docs/data-model.md; they may fall and must not grow.

use hookport_local::cloud::Usage;
use hookport_local::poller;
use hookport_tests::gateway::{SECRET, TestGateway};
use hookport_tests::{SenderRequest, Sink};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::json;

const URL: &str = "/api/inbound/default/github";

/// One kilobyte of JSON that compresses no better than real webhooks do: half of it is random.
fn kilobyte(seed: u64) -> SenderRequest {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut body = format!(r#"{{"id":"{:016x}","type":"order.created","items":["#, random());
    while body.len() < 850 {
        let (sku, qty) = (random(), random() % 100);
        body.push_str(&format!(r#"{{"sku":"{sku:016x}","qty":{qty},"price":{}.90,"paid":true}},"#, random() % 1000));
    }
    body.push_str(r#"{"sku":"last"}],"note":""#);
    while body.len() < 1022 {
        body.push(char::from(b'a' + (random() % 26) as u8));
    }
    body.push_str(r#""}"#);
    assert_eq!(body.len(), 1024);
    SenderRequest::json(body).with("user-agent", "sender/1.0").with("idempotency-key", &format!("key-{seed}"))
}

/// A warm gateway with one subscription, and the usage of `count` webhooks sent and worked in batches of ten.
async fn usage_of(count: u64, keyed: bool) -> (Usage, Usage) {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let source = json!({"type": "header", "value": "Idempotency-Key"});
    let source = if keyed { source } else { json!(null) };
    gateway.webhook("github", json!({"idempotency_source": source})).await;
    gateway.subscribe(&sink, &["*"], json!({})).await;
    let instance = gateway.instance(0);
    gateway.send(instance, URL, &kilobyte(999).signed(SECRET)).await;
    gateway.drain(instance).await;
    gateway.cloud.meter().count();

    let start = gateway.cloud.meter().snapshot();
    for seed in 0..count {
        let response = gateway.send(instance, URL, &kilobyte(seed + 1).signed(SECRET)).await;
        assert_eq!(response.status(), StatusCode::OK);
    }
    let accepted = gateway.cloud.meter().snapshot().since(&start);
    gateway.advance(SignedDuration::from_millis(5));
    for _ in 0..count.div_ceil(10) {
        poller::work_once_from_first(&gateway.cloud, instance).await;
    }
    let all = gateway.cloud.meter().snapshot().since(&start);
    assert_eq!(sink.received().len() as u64, count + 1, "every one was delivered");
    (accepted, all)
}

/// The warm accept path: two writes and one send with a key, one write and one send without; no read at all.
#[tokio::test]
async fn accepting_a_webhook_takes_two_writes_one_send_and_no_read() {
    for (keyed, calls, write_units) in [(true, 3, 3.0), (false, 2, 2.0)] {
        let (accepted, _) = usage_of(1, keyed).await;
        println!("keyed {keyed}, accepted:\n{accepted}");
        assert_eq!(accepted.calls(), calls);
        assert_eq!(accepted.read_units(), 0.0);
        assert_eq!(accepted.write_units(), write_units, "claim, row, and the row's entry in the due index");
    }
}

/// The whole way of a webhook with one target, in batches of ten as a busy gateway works them.
#[tokio::test]
async fn a_webhook_costs_seven_write_units_from_its_arrival_to_its_delivery() {
    let (_, all) = usage_of(10, true).await;
    println!("ten keyed webhooks, delivered:\n{all}");
    assert_eq!(all.write_units() / 10.0, 7.0);
    assert_eq!(all.queue_requests() as f64 / 10.0, 1.2);
    assert!(all.read_units() / 10.0 <= 0.1, "one small read for a batch: {}", all.read_units());
    assert_eq!(all.calls(), 10 * 6 + 3, "six calls each; one read, one receive and one delete for the batch");
}

/// The same without an idempotency key saves the claim.
#[tokio::test]
async fn a_webhook_without_a_key_costs_six_write_units() {
    let (_, all) = usage_of(10, false).await;
    assert_eq!(all.write_units() / 10.0, 6.0);
}
