//! Floods of requests that are refused: what they add, and what can be told from how long they take.

use hookport::domain::rejection::{RejectionLog, SLOTS_AN_HOUR};
use hookport::domain::text::TenantSlug;
use hookport_tests::gateway::{SECRET, TENANT, TestGateway};
use hookport_tests::{Instance, SenderRequest};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::json;

use crate::{URL, dynamodb, stored};

/// The rows that one instance writes in an hour for one name.
const BUDGET: usize = SLOTS_AN_HOUR / 2;
const REQUESTS: usize = 100_000;
const UNKNOWN_SLUGS: usize = 200;
const UNKNOWN_TENANTS: usize = 50;
const UNKNOWN_KEYS: usize = 100;

/// Where the `n`th request of a flood goes.
fn target(n: usize) -> String {
    let round = n / 10;
    match n % 10 {
        0..4 => URL.to_owned(),
        4..7 => format!("/api/inbound/{TENANT}/unknown-{}", round % UNKNOWN_SLUGS),
        // A few names get the most, so that some budgets are spent and others are not.
        7 if round % 5 < 4 => format!("/api/inbound/nobody-{}/x", round % 5),
        7 => format!("/api/inbound/nobody-{}/x", round / 5 % UNKNOWN_TENANTS),
        _ => format!("/api/v1/webhooks/wh_{:032}", round % UNKNOWN_KEYS),
    }
}

async fn refuse(instance: &Instance, path: &str, request: &SenderRequest) {
    let status = instance.receiver.handle(request.to(path)).await.status();
    assert!(status == StatusCode::UNAUTHORIZED || status == StatusCode::NOT_FOUND, "{path}: {status}");
}

fn tenant() -> TenantSlug {
    TenantSlug::try_from(TENANT.to_owned()).expect("a slug")
}

/// The items of all tables.
async fn items(gateway: &TestGateway) -> usize {
    let mut items = 0;
    for table in ["ConfigsTable", "DeliveriesTable", "IdempotencyTable"] {
        let described = dynamodb(gateway, "DescribeTable", json!({"TableName": table})).await;
        items += described["Table"]["ItemCount"].as_u64().expect("a number") as usize;
    }
    items
}

/// The puts since the meter was last asked.
struct Puts<'a> {
    gateway: &'a TestGateway,
    before: u64,
}

impl<'a> Puts<'a> {
    fn of(gateway: &'a TestGateway) -> Self {
        gateway.cloud.meter().count();
        let mut puts = Self { gateway, before: 0 };
        puts.take();
        puts
    }

    fn take(&mut self) -> usize {
        let all = self.gateway.cloud.meter().snapshot().only(|call| call.operation == "PutItem").calls();
        (all - std::mem::replace(&mut self.before, all)) as usize
    }
}

/// D19, defect 30: refused requests do not fill the storage, however many there are.
#[tokio::test]
async fn d19_a_flood_of_refused_requests_adds_a_bounded_number_of_items() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let logs = [
        RejectionLog::Webhook(tenant(), webhook.parse().expect("an id")),
        RejectionLog::Tenant(tenant()),
        RejectionLog::Operators,
    ];
    let request = SenderRequest::json("{}").signed("another secret");
    let before = items(&gateway).await;
    let mut puts = Puts::of(&gateway);
    for n in 0..REQUESTS {
        refuse(gateway.instance(0), &target(n), &request).await;
    }
    // The tenant's slugs share a budget, each unknown tenant has one, and so have all keys together.
    assert!(puts.take() <= (1 + UNKNOWN_TENANTS + 1) * BUDGET);
    // One half of a log for the tenant's slugs, and both halves of the operators' log.
    let added = items(&gateway).await - before;
    assert!((BUDGET..=3 * BUDGET).contains(&added), "{added}");

    // More instances in the same hour write to the same slots.
    for name in ["b", "c", "d"] {
        let instance = gateway.fresh(name);
        for n in 0..REQUESTS / 50 {
            refuse(&instance, &target(n), &request).await;
        }
    }
    let added = items(&gateway).await - before;
    assert!(added <= logs.len() * SLOTS_AN_HOUR, "{added}");

    gateway.advance(SignedDuration::from_hours(73));
    gateway.cloud.dynamodb().sweep_ttl().expect("swept");
    for log in &logs {
        assert_eq!(stored(&gateway, log).await.len(), 0, "{log:?}");
    }
}

/// Defect 30: the moment at which a flood is no longer written down tells nobody which names exist.
#[tokio::test]
async fn a_flood_is_written_down_as_long_for_names_that_exist_as_for_others() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({"max_body_bytes": 10})).await;
    gateway.create("/api/v1/tenants", json!({"slug": "acme", "name": "Acme"})).await;
    let request = SenderRequest::json("{}").signed("another secret");
    let mut puts = Puts::of(&gateway);
    for (path, expected) in [
        (URL, BUDGET),
        ("/api/inbound/acme/nothing", BUDGET),
        ("/api/inbound/nobody/nothing", BUDGET),
        ("/api/inbound/default/nothing", 0),
        ("/api/inbound/acme/something", 0),
        ("/api/inbound/nobody/something", 0),
    ] {
        for _ in 0..2 * BUDGET {
            refuse(gateway.instance(0), path, &request).await;
        }
        assert_eq!(puts.take(), expected, "{path}");
    }
    // Who has proved itself is not kept out of the log by strangers.
    let large = SenderRequest::json(vec![b' '; 11]).signed(SECRET);
    let response = gateway.send(gateway.instance(0), URL, &large).await;
    assert_eq!((response.status(), puts.take()), (StatusCode::PAYLOAD_TOO_LARGE, 1));
}
