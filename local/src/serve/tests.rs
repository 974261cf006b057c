use hookport::aws::clients::{AwsClients, AwsCredentials, AwsSettings, Transport};
use hookport::aws::table::{Key, Table, TableError};
use hookport::clock::Clock;
use serde_json::{Value, json};

use super::{Served, on_loopback};
use crate::cloud::{Cloud, Fault, FaultKind};
use crate::template::Template;

async fn served() -> (Cloud, Served) {
    let template = Template::embedded().expect("the deployment's template is valid");
    let cloud = Cloud::open(None, &template, Clock::system()).await.expect("memory opens");
    let served = on_loopback(cloud.clone(), "lambda").await.expect("a port is free");
    (cloud, served)
}

fn configs(served: &Served) -> Table {
    let settings = AwsSettings {
        region: "us-east-1".to_owned(),
        endpoint_url: Some(served.url.clone()),
        credentials: AwsCredentials {
            access_key_id: "local".to_owned(),
            secret_access_key: "local".into(),
            session_token: None,
        },
        max_attempts: 1,
        initial_backoff: std::time::Duration::from_millis(1),
        report_capacity: false,
    };
    Table::new(&AwsClients::new(&settings, Transport::Network), "ConfigsTable")
}

fn key() -> Key {
    Key::new("a", "b")
}

#[tokio::test]
async fn clients_reach_the_cloud_over_http() {
    let (cloud, served) = served().await;
    cloud.meter().count();
    let configs = configs(&served);
    configs.put(&key(), &json!({ "name": "kept" }), &[]).await.expect("put");
    let kept: Option<Value> = configs.get(&key()).await.expect("got");
    assert_eq!(kept.expect("it is there")["name"], "kept");

    let usage = cloud.meter().snapshot();
    assert_eq!(usage.calls(), 2);
    assert!(usage.lines().all(|(call, _)| call.instance == "lambda"));
}

#[tokio::test]
async fn a_broken_call_breaks_its_connection() {
    let (cloud, served) = served().await;
    cloud.faults().set(Fault::new(FaultKind::Before));
    let configs = configs(&served);
    let outcome = configs.put(&key(), &json!({}), &[]).await;
    assert!(matches!(outcome, Err(TableError::Unavailable { .. })), "{outcome:?}");
    configs.put(&key(), &json!({}), &[]).await.expect("the next one has a connection of its own");
}

#[tokio::test]
async fn dropping_it_ends_the_service() {
    let (_cloud, served) = served().await;
    let configs = configs(&served);
    configs.put(&key(), &json!({}), &[]).await.expect("put");
    drop(served);
    let outcome = configs.put(&key(), &json!({}), &[]).await;
    assert!(matches!(outcome, Err(TableError::Unavailable { .. })), "{outcome:?}");
}
