//! The cloud through the clients that the product uses, and through bare requests where those say too little.

mod faults;
mod keeping;
mod metering;
mod routing;

use bytes::Bytes;
use hookport::aws::clients::{AwsClients, AwsCredentials, AwsSettings};
use hookport::aws::expression::Test;
use hookport::aws::queue::{Outgoing, Queue};
use hookport::aws::table::{Key, Table, TableError};
use hookport::clock::Clock;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Cloud;
use crate::template::{Template, local_queue_url};

const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - { AttributeName: pk, AttributeType: S }
        - { AttributeName: sk, AttributeType: S }
        - { AttributeName: ds, AttributeType: S }
        - { AttributeName: da, AttributeType: N }
      KeySchema:
        - { AttributeName: pk, KeyType: HASH }
        - { AttributeName: sk, KeyType: RANGE }
      GlobalSecondaryIndexes:
        - IndexName: due
          KeySchema:
            - { AttributeName: ds, KeyType: HASH }
            - { AttributeName: da, KeyType: RANGE }
          Projection: { ProjectionType: KEYS_ONLY }
      TimeToLiveSpecification: { AttributeName: ttl, Enabled: true }
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
  Ring:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString:
        SecretStringTemplate: '{}'
        GenerateStringKey: k1
        PasswordLength: 64
        ExcludePunctuation: true
";

fn template() -> Template {
    Template::parse(TEMPLATE).expect("the template is valid")
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_second(1_750_000_000).expect("a time in 2025"))
}

async fn cloud() -> Cloud {
    Cloud::open(None, &template(), clock()).await.expect("memory opens")
}

/// An item with an entry in the index `due`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Thing {
    ds: String,
    da: i64,
    ttl: i64,
    name: String,
}

fn thing(name: &str) -> Thing {
    Thing { ds: "shard".to_owned(), da: 1, ttl: 1_750_000_060, name: name.to_owned() }
}

fn key() -> Key {
    Key::new("thing", "1")
}

/// What one instance of the product has: its clients, each call tried once.
#[derive(Clone)]
struct Instance {
    things: Table,
    work: Queue,
}

impl Instance {
    fn new(cloud: &Cloud, name: &str) -> Self {
        let settings = cloud.settings();
        let settings = AwsSettings {
            region: settings["AWS_REGION"].clone(),
            endpoint_url: None,
            credentials: AwsCredentials {
                access_key_id: settings["AWS_ACCESS_KEY_ID"].clone(),
                secret_access_key: settings["AWS_SECRET_ACCESS_KEY"].clone().into(),
                session_token: None,
            },
            max_attempts: 1,
            initial_backoff: std::time::Duration::from_millis(1),
            report_capacity: true,
        };
        let clients = AwsClients::new(&settings, cloud.transport(name));
        Self { things: Table::new(&clients, "Things"), work: Queue::new(&clients, &local_queue_url("Work")) }
    }

    async fn put(&self, name: &str) -> Result<(), TableError> {
        self.things.put(&key(), &thing(name), &[]).await
    }

    async fn put_if_absent(&self, name: &str) -> Result<(), TableError> {
        self.things.put(&key(), &thing(name), &[Test::ItemAbsent]).await
    }

    /// The name of the thing that is there.
    async fn name(&self) -> Option<String> {
        let thing: Option<Thing> = self.things.get(&key()).await.expect("the table answers");
        thing.map(|thing| thing.name)
    }

    async fn send(&self, body: &str) {
        let message = Outgoing { body: body.to_owned(), delay: SignedDuration::ZERO };
        self.work.send(message).await.expect("the queue takes it");
    }
}

/// The code by which the product names the failure.
fn code(outcome: Result<(), TableError>) -> String {
    match outcome {
        Err(TableError::Unavailable { code, .. }) => code,
        other => panic!("expected trouble, got {other:?}"),
    }
}

async fn send(cloud: &Cloud, target: &str, body: Value) -> Response<Bytes> {
    let request = Request::post("/").header("x-amz-target", target).body(Bytes::from(body.to_string()));
    cloud.handle("test", request.expect("a request")).await.expect("an answer")
}

fn body(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).expect("JSON")
}
