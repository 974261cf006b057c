use serde_json::json;

use super::{Bytes, Request, body, cloud, send};

#[tokio::test]
async fn each_service_is_found_by_its_prefix() {
    let cloud = cloud().await;
    let tables = send(&cloud, "DynamoDB_20120810.ListTables", json!({})).await;
    assert_eq!(body(&tables)["TableNames"], json!(["Things"]));
    assert_eq!(tables.headers()["content-type"], "application/x-amz-json-1.0");

    let queue = send(&cloud, "AmazonSQS.GetQueueUrl", json!({ "QueueName": "Work" })).await;
    assert!(body(&queue)["QueueUrl"].as_str().expect("a URL").ends_with("/Work"));

    let ring = send(&cloud, "secretsmanager.GetSecretValue", json!({ "SecretId": "Ring" })).await;
    let value = body(&ring)["SecretString"].as_str().expect("text").to_owned();
    let value: serde_json::Value = serde_json::from_str(&value).expect("JSON");
    assert_eq!(value["k1"].as_str().map(str::len), Some(64));
    assert_eq!(ring.headers()["content-type"], "application/x-amz-json-1.1");
}

#[tokio::test]
async fn a_request_for_another_service_is_refused() {
    let cloud = cloud().await;
    let refused = send(&cloud, "AWSStepFunctions.StartExecution", json!({})).await;
    assert_eq!(refused.status(), 400);
    assert_eq!(body(&refused)["__type"], "com.amazon.coral.service#UnknownOperationException");

    let without_target = Request::post("/").body(Bytes::new()).expect("a request");
    let refused = cloud.handle("test", without_target).await.expect("an answer");
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn operations_that_are_not_used_are_unknown() {
    let cloud = cloud().await;
    for target in ["DynamoDB_20120810.Scan", "AmazonSQS.AddPermission", "secretsmanager.DeleteSecret"] {
        let refused = send(&cloud, target, json!({})).await;
        assert_eq!(refused.status(), 400, "{target}");
        let kind = body(&refused)["__type"].as_str().expect("a type").to_owned();
        assert!(kind.contains("Unknown") || kind.contains("InvalidAction"), "{target}: {kind}");
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused() {
    let cloud = cloud().await;
    let request = json!({ "TableName": "Things", "Item": 1 });
    let refused = send(&cloud, "DynamoDB_20120810.PutItem", request).await;
    assert_eq!(refused.status(), 400);
    assert_eq!(body(&refused)["__type"], "com.amazon.coral.service#SerializationException");

    let request = json!({ "TableName": "Things" });
    let refused = send(&cloud, "DynamoDB_20120810.PutItem", request).await;
    assert_eq!(body(&refused)["__type"], "com.amazon.coral.validate#ValidationException");
    let message = body(&refused)["message"].as_str().expect("a message").to_owned();
    assert!(message.starts_with("1 validation error detected: Value null at 'item'"), "{message}");
}

#[tokio::test]
async fn answers_have_ids_of_their_own() {
    let cloud = cloud().await;
    let first = send(&cloud, "DynamoDB_20120810.ListTables", json!({})).await;
    let second = send(&cloud, "DynamoDB_20120810.ListTables", json!({})).await;
    assert_ne!(first.headers()["x-amzn-requestid"], second.headers()["x-amzn-requestid"]);
}

#[tokio::test]
async fn a_task_that_only_calls_dynamodb_lets_others_run() {
    let cloud = cloud().await;
    let other = tokio::spawn(async {});
    send(&cloud, "DynamoDB_20120810.ListTables", json!({})).await;
    assert!(other.is_finished());
}
