//! What a check runs in: the store on tables of its own, and the tables themselves.

use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use hookport::aws::clients::{AwsClients, AwsCredentials, AwsSettings, Transport};
use hookport::aws::table::{Table, TableError};
use hookport::clock::Clock;
use hookport::domain::cursor::{Cursor, Page, PageRequest};
use hookport::domain::delivery::Delivery;
use hookport::domain::id::{DeliveryId, InboundDeliveryId};
use hookport::domain::inbound_delivery::{InboundDelivery, row_expires_at};
use hookport::domain::subscription::Subscription;
use hookport::domain::text::TenantSlug;
use hookport::random::Random;
use hookport::store::{Changed, CreateError, Created, DUE_SHARDS, DueThing, Kept, Recorded, Store, TableNames, Writer};
use hookport_local::cloud::Cloud;
use hookport_local::template::Template;
use hookport_tests::client::HttpClient;
use http::{Request, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinSet;

use super::values::{
    at, begun, company, ended, event_id, owner, refused, subscription_id, tenant, tenant_named, token,
};

const REGION: &str = "us-east-1";
const ACCESS_KEY: &str = "test";

pub struct World {
    pub store: Store,
    /// The table of configuration, for what the store has no word for.
    pub configs: Table,
    /// The table of what flows.
    pub deliveries: Table,
}

impl World {
    pub async fn embedded() -> Self {
        let cloud = Cloud::open(None, &template(), Clock::manual(at(0))).await.expect("memory opens");
        Self::on(&clients(None, cloud.transport("suite")), "")
    }

    /// New tables in the emulator, which outlives this run and serves other checks at the same time.
    pub async fn emulator() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "a test takes the emulator's address from whoever runs it")]
        let url = std::env::var("HOOKPORT_EMULATOR_URL").ok()?;
        let prefix = format!("conformance-{}-", Random::from_os().alphanumeric(16));
        create_tables(&url, &prefix).await;
        Some(Self::on(&clients(Some(url), Transport::Network), &prefix))
    }

    fn on(clients: &AwsClients, prefix: &str) -> Self {
        let names = TableNames {
            configs: format!("{prefix}ConfigsTable"),
            deliveries: format!("{prefix}DeliveriesTable"),
            idempotency: format!("{prefix}IdempotencyTable"),
        };
        Self {
            store: Store::new(clients, &names),
            configs: Table::new(clients, &names.configs),
            deliveries: Table::new(clients, &names.deliveries),
        }
    }

    /// Keeps the row of a request without the request.
    pub async fn keep(&self, delivery: &InboundDelivery) {
        let kept = self.store.keep_inbound(delivery, None, Writer::new(1), expiry(delivery)).await;
        assert_eq!(kept.expect("the table answers"), Kept::New);
    }

    /// Reads the row of a request that is there.
    pub async fn inbound(&self, id: InboundDeliveryId) -> InboundDelivery {
        let found = self.store.inbound_delivery(&tenant(), id).await;
        found.expect("the table answers").expect("the row is there")
    }

    /// Creates a delivery whose first attempt the first owner makes.
    pub async fn create(&self, delivery: &Delivery) {
        let created = self.store.create_delivery(delivery, owner(1)).await;
        assert_eq!(created.expect("the table answers"), Created::New);
    }

    /// Creates a delivery that waits for its second attempt until `at(60)` and is due at `at(120)`.
    pub async fn waiting(&self) -> Delivery {
        let first = begun(event_id(at(0), 1), subscription_id(1));
        self.create(&first).await;
        let waiting = ended(&first, refused(), at(0));
        let recorded = self.store.record_attempt(owner(1), &waiting).await;
        assert_eq!(recorded.expect("the table answers"), Recorded::Yes);
        waiting
    }

    /// Reads a delivery that is there.
    pub async fn delivery(&self, id: DeliveryId) -> Delivery {
        let found = self.store.delivery(&tenant(), id).await;
        found.expect("the table answers").expect("the row is there")
    }

    /// What is due by `now` in the shard of the row with this id, the oldest first.
    pub async fn due(&self, id: [u8; 16], now: Timestamp) -> Vec<DueThing> {
        let mut things = Vec::new();
        for named in self.store.due(id[15] % DUE_SHARDS, now, 100).await.expect("the index answers") {
            things.extend(self.store.due_thing(&named, now).await.expect("the table answers"));
        }
        things
    }

    /// Makes a tenant; subscriptions need theirs.
    pub async fn found(&self, name: &str) {
        let made = self.store.create_tenant(&company(name), &token(tenant_named(name), 1)).await;
        made.expect("it is new");
    }

    /// How often the subscriptions of a tenant were changed.
    pub async fn version(&self, tenant: &TenantSlug) -> u64 {
        let found = self.store.tenant(tenant).await.expect("the table answers");
        found.expect("the tenant is there").subscriptions_version
    }

    /// Stores a new subscription.
    pub async fn subscribe(&self, subscription: &Subscription) {
        self.store.create_subscription(subscription, None).await.expect("it is new");
    }

    /// Replaces a subscription, or does not.
    pub async fn change(&self, before: &Subscription, after: &Subscription) -> Changed {
        self.store.change_subscription(before, after).await.expect("the table answers")
    }

    /// Deletes a subscription as it is known, or does not.
    pub async fn unsubscribe(&self, known: &Subscription) -> Changed {
        self.store.delete_subscription(known, at(600)).await.expect("the table answers")
    }
}

/// From when on the row of a request may be deleted.
pub fn expiry(delivery: &InboundDelivery) -> Timestamp {
    row_expires_at(delivery.received_at(), 86_400)
}

/// Does all of these at the same time, each on a task of its own, and gives what came of them in no order.
pub async fn at_once<T, F>(works: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    works.into_iter().collect::<JoinSet<T>>().join_all().await
}

/// Reads a list to its end in pages of `limit`, by the cursors as callers give them back.
pub async fn walk<T, F>(limit: usize, read: impl Fn(PageRequest) -> F) -> Vec<T>
where
    F: Future<Output = Result<Page<T>, TableError>>,
{
    let mut items = Vec::new();
    let mut after = None;
    loop {
        let page = read(PageRequest { limit, after }).await.expect("the list is read");
        let count = page.items.len();
        items.extend(page.items);
        assert!(items.len() <= 1_000, "the list does not end");
        let Some(next) = page.next else {
            assert!(count <= limit, "{count} items on a page of {limit}");
            return items;
        };
        assert_eq!(count, limit, "only the last page may be short");
        after = Some(Cursor::decode(&next.encode()).expect("the list's own cursor"));
    }
}

/// Asserts that something was not created because it exists.
#[track_caller]
pub fn assert_exists(outcome: &Result<(), CreateError>) {
    assert!(matches!(outcome, Err(CreateError::Exists)), "{outcome:?}");
}

/// Says with which code a table refused a request.
pub fn refusal<T: Debug>(outcome: Result<T, TableError>) -> String {
    match outcome {
        Err(TableError::Unavailable { code, .. }) => code,
        other => panic!("no refusal: {other:?}"),
    }
}

fn template() -> Template {
    Template::embedded().expect("the template can be honoured")
}

fn clients(endpoint_url: Option<String>, transport: Transport) -> AwsClients {
    let credentials =
        AwsCredentials { access_key_id: ACCESS_KEY.to_owned(), secret_access_key: "test".into(), session_token: None };
    let settings = AwsSettings {
        region: REGION.to_owned(),
        endpoint_url,
        credentials,
        // A retry would hide a wrong answer.
        max_attempts: 1,
        initial_backoff: Duration::from_millis(1),
        report_capacity: false,
    };
    AwsClients::new(&settings, transport)
}

/// Creates what the template defines, under names that begin with `prefix`.
async fn create_tables(url: &str, prefix: &str) {
    let client = HttpClient::default();
    // The emulator goes by who calls where, and checks no signature.
    let scope = format!("{ACCESS_KEY}/20260101/{REGION}/dynamodb/aws4_request");
    let authorization = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    for (operation, mut body) in template().create_table_requests() {
        let name = body["TableName"].as_str().expect("a table has a name");
        body["TableName"] = Value::String(format!("{prefix}{name}"));
        let request = Request::post(url)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("authorization", &authorization)
            .body(Bytes::from(body.to_string()))
            .expect("a request");
        let response = client.send(request).await.expect("the emulator answers");
        let answer = String::from_utf8_lossy(response.body());
        assert_eq!(response.status(), StatusCode::OK, "{operation}: {answer}");
    }
}
