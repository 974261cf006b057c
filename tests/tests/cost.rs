//! What one webhook costs, by the meter. These figures stand in docs/data-model.md; they may fall and must not grow.

use hookport_local::cloud::Usage;
use hookport_local::poller;
use hookport_tests::gateway::{SECRET, TestGateway};
use hookport_tests::{SenderRequest, Sink};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::json;

const URL: &str = "/api/inbound/default/github";

/// JSON of a size, a fifth of it random: it compresses less than what GitHub or Shopify send.
fn json_of(bytes: usize, seed: u64) -> SenderRequest {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut body = format!(r#"{{"id":"{:016x}","type":"order.created","items":["#, random());
    while body.len() < bytes - 174 {
        let (sku, qty) = (random(), random() % 100);
        body.push_str(&format!(r#"{{"sku":"{sku:016x}","qty":{qty},"price":{}.90,"paid":true}},"#, random() % 1000));
    }
    body.push_str(r#"{"sku":"last"}],"note":""#);
    while body.len() < bytes - 2 {
        body.push(char::from(b'a' + (random() % 26) as u8));
    }
    body.push_str(r#""}"#);
    assert_eq!(body.len(), bytes);
    SenderRequest::json(body).with("user-agent", "sender/1.0").with("idempotency-key", &format!("key-{seed}"))
}

fn kilobyte(seed: u64) -> SenderRequest {
    json_of(1024, seed)
}

/// A gateway with warm caches that counts.
struct Counted {
    gateway: TestGateway,
    sink: Sink,
    start: Usage,
}

impl Counted {
    async fn warm(keyed: bool, targets: usize) -> Self {
        let gateway = TestGateway::new().await;
        let sink = Sink::start().await;
        let source = json!({"type": "header", "value": "Idempotency-Key"});
        let source = if keyed { source } else { json!(null) };
        gateway.webhook("github", json!({"idempotency_source": source})).await;
        for _ in 0..targets {
            gateway.subscribe(&sink, &["github.push"], json!({})).await;
        }
        let instance = gateway.instance(0);
        gateway.send(instance, URL, &kilobyte(999).signed(SECRET)).await;
        gateway.drain(instance).await;
        gateway.cloud.meter().count();
        let start = gateway.cloud.meter().snapshot();
        Self { gateway, sink, start }
    }

    async fn send(&self, request: SenderRequest, expected: StatusCode) {
        let response = self.gateway.send(self.gateway.instance(0), URL, &request).await;
        assert_eq!(response.status(), expected);
    }

    /// Works one batch, a moment after it was accepted.
    async fn work(&self) {
        self.gateway.advance(SignedDuration::from_millis(5));
        poller::work_once_from_first(&self.gateway.cloud, self.gateway.instance(0)).await;
    }

    fn used(&self) -> Usage {
        self.gateway.cloud.meter().snapshot().since(&self.start)
    }
}

/// The usage of `count` webhooks, when they were accepted and when they were delivered in batches of ten.
async fn usage_of(count: u64, keyed: bool) -> (Usage, Usage) {
    let counted = Counted::warm(keyed, 1).await;
    for seed in 0..count {
        counted.send(kilobyte(seed + 1).signed(SECRET), StatusCode::OK).await;
    }
    let accepted = counted.used();
    for _ in 0..count.div_ceil(10) {
        counted.work().await;
    }
    assert_eq!(counted.sink.received().len() as u64, count + 1, "every one was delivered");
    (accepted, counted.used())
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

/// Who wants an event is looked up by the patterns that take its type in, and remembered by the tenant's counter.
#[tokio::test]
async fn a_dispatcher_that_knows_nothing_reads_three_patterns_and_who_has_them_and_one_that_knows_reads_neither() {
    let counted = Counted::warm(true, 3).await;
    let cold = counted.gateway.fresh("cold");
    for expected in [&["BatchGetItem", "Query", "Query", "Query"][..], &[]] {
        counted.send(kilobyte(counted.sink.received().len() as u64).signed(SECRET), StatusCode::OK).await;
        counted.gateway.advance(SignedDuration::from_millis(5));
        counted.gateway.cloud.meter().record();
        poller::work_once_from_first(&counted.gateway.cloud, &cold).await;
        let calls = counted.gateway.cloud.meter().take_journal().into_iter().map(|call| call.operation);
        let mut found: Vec<String> = calls.filter(|name| ["Query", "BatchGetItem"].contains(&name.as_str())).collect();
        found.sort();
        assert_eq!(found, expected);
    }
    assert_eq!(counted.sink.received().len(), 9);
}

/// What else happens to webhooks, one at a time: write units, read units and queue requests of each.
#[tokio::test]
async fn the_other_ways_of_a_webhook_cost_what_is_written_down() {
    // A duplicate: the claim that fails, the row that fails, the note; no message.
    let duplicate = Counted::warm(true, 1).await;
    duplicate.send(kilobyte(999).signed(SECRET), StatusCode::OK).await;
    assert_cost("duplicate", &duplicate.used(), (3.0, 0.0, 0));

    // Its line in the log of refusals; none once the hour's lines are spent.
    let refused = Counted::warm(true, 1).await;
    refused.send(kilobyte(1).signed("another secret"), StatusCode::UNAUTHORIZED).await;
    assert_cost("refused", &refused.used(), (1.0, 0.0, 0));

    // Each target takes the row of its delivery and its record.
    let three = Counted::warm(true, 3).await;
    three.send(kilobyte(1).signed(SECRET), StatusCode::OK).await;
    three.work().await;
    assert_eq!(three.sink.received().len(), 6);
    assert_cost("three targets", &three.used(), (11.0, 1.0, 3));

    // Twenty kilobytes are a part of their own, written once; the message carries them.
    let large = Counted::warm(true, 1).await;
    large.send(json_of(20 * 1024, 1).signed(SECRET), StatusCode::OK).await;
    large.work().await;
    assert_eq!(large.sink.received().len(), 2);
    assert_cost("20 KiB", &large.used(), (12.0, 1.0, 3));

    // A second attempt: its due entry comes and goes, it is claimed and recorded, and its payload and its subscription
    // are read. The first failure in a row is noted for its host, and the latest attempts are looked at in their four
    // partitions; the success is noted as well. The failure opens an issue: its line in the list, the task that looks at it
    // later with its due entry, the issue itself.
    let again = Counted::warm(true, 1).await;
    again.sink.answers([500]);
    again.send(kilobyte(1).signed(SECRET), StatusCode::OK).await;
    again.work().await;
    again.gateway.advance(SignedDuration::from_secs(7));
    poller::work_once(&again.gateway.cloud, again.gateway.instance(0)).await;
    assert_eq!(again.sink.received().len(), 3);
    assert_cost("second attempt", &again.used(), (20.0, 10.0, 7));
}

/// Costs may fall and must not grow: then this line and docs/data-model.md change together.
fn assert_cost(what: &str, used: &Usage, (writes, reads, queue): (f64, f64, u64)) {
    println!("{what}:\n{used}");
    assert_eq!((used.write_units(), used.read_units(), used.queue_requests()), (writes, reads, queue), "{what}");
}
