use std::path::Path;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Instance, TEMPLATE, body, clock, cloud, send, template};
use crate::cloud::{Cloud, CloudError};
use crate::template::{Template, local_queue_url};

async fn open(path: &Path) -> Result<Cloud, CloudError> {
    Cloud::open(Some(path), &template(), clock()).await
}

async fn ring(cloud: &Cloud) -> Value {
    let answer = send(cloud, "secretsmanager.GetSecretValue", json!({ "SecretId": "Ring" })).await;
    body(&answer)["SecretString"].clone()
}

#[tokio::test]
async fn a_data_directory_keeps_items_messages_and_secrets() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("data").join("hookport");
    let cloud = open(&path).await.expect("a new directory opens");
    let instance = Instance::new(&cloud, "one");
    instance.put("kept").await.expect("put");
    instance.send("kept too").await;
    let key_ring = ring(&cloud).await;
    drop((cloud, instance));

    let cloud = open(&path).await.expect("it opens again");
    assert_eq!(Instance::new(&cloud, "two").name().await.as_deref(), Some("kept"));
    let request = json!({ "QueueUrl": local_queue_url("Work") });
    let received = send(&cloud, "AmazonSQS.ReceiveMessage", request).await;
    assert_eq!(body(&received)["Messages"][0]["Body"], "kept too");
    assert_eq!(ring(&cloud).await, key_ring);
}

#[tokio::test]
async fn a_data_directory_belongs_to_one_cloud_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = open(folder.path()).await.expect("it is free");
    let refused = open(folder.path()).await.err().expect("it is taken");
    assert!(matches!(&refused, CloudError::InUse(path) if path == folder.path()), "{refused:?}");
    assert!(refused.to_string().ends_with("is in use by another process"));

    drop(first);
    assert!(open(folder.path()).await.is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_data_directory_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("data");
    let _cloud = open(&path).await.expect("a new directory opens");
    let mode = path.metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

/// Opens a directory, then opens it again under a template in which `from` reads `to`.
async fn reopened(from: &str, to: &str) -> Result<(), CloudError> {
    let changed = TEMPLATE.replace(from, to);
    assert_ne!(changed, TEMPLATE);
    let changed = Template::parse(&changed).expect("the template is valid");
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(folder.path()).await.expect("a new directory opens"));
    Cloud::open(Some(folder.path()), &changed, clock()).await.map(drop)
}

#[tokio::test]
async fn a_table_with_other_keys_is_refused() {
    let refused = reopened("AttributeName: sk,", "AttributeName: sort,").await.expect_err("refused");
    assert_eq!(
        refused.to_string(),
        "table Things is stored with pk S, sk S; index due: ds S, da N, KEYS_ONLY, but the template defines \
         pk S, sort S; index due: ds S, da N, KEYS_ONLY; use another data directory"
    );
}

#[tokio::test]
async fn a_table_with_other_indexes_is_refused() {
    for (from, to) in [
        ("ProjectionType: KEYS_ONLY", "ProjectionType: ALL"),
        ("IndexName: due", "IndexName: owed"),
        ("AttributeName: da, AttributeType: N", "AttributeName: da, AttributeType: S"),
    ] {
        let refused = reopened(from, to).await.expect_err("refused");
        assert!(matches!(refused, CloudError::TableDiffers { .. }), "{to}: {refused:?}");
    }
}

#[tokio::test]
async fn a_queue_with_other_settings_is_refused() {
    let refused = reopened("VisibilityTimeout: 60", "VisibilityTimeout: 61").await.expect_err("refused");
    assert!(matches!(&refused, CloudError::Refused { name, .. } if name == "Work"), "{refused:?}");
}

#[tokio::test]
async fn a_table_that_the_template_adds_is_created() {
    let added = "Resources:
  More:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
";
    reopened("Resources:\n", added).await.expect("it opens");
}

#[tokio::test]
async fn an_expired_item_goes_when_expiry_is_swept() {
    let clock = clock();
    let cloud = Cloud::open(None, &template(), clock.clone()).await.expect("memory opens");
    let instance = Instance::new(&cloud, "one");
    instance.put("short-lived").await.expect("put");
    assert_eq!(cloud.dynamodb().sweep_ttl().expect("swept"), 0);

    clock.advance(SignedDuration::from_secs(61));
    assert_eq!(instance.name().await.as_deref(), Some("short-lived"), "expiry is late, as in the cloud");
    assert_eq!(cloud.dynamodb().sweep_ttl().expect("swept"), 1);
    assert_eq!(instance.name().await, None);
}

#[tokio::test]
async fn two_clouds_in_memory_share_nothing() {
    let (one, other) = (cloud().await, cloud().await);
    Instance::new(&one, "one").put("here").await.expect("put");
    assert_eq!(Instance::new(&other, "other").name().await, None);
    assert_ne!(ring(&one).await, ring(&other).await);
}
