use serde_json::json;

use super::{Instance, TableError, cloud, key, send, thing};
use crate::cloud::{Call, Fault, FaultKind, Units, Usage};
use crate::template::local_queue_url;

fn call(instance: &str, operation: &str, target: &str) -> Call {
    Call { instance: instance.to_owned(), operation: operation.to_owned(), target: target.to_owned() }
}

#[tokio::test]
async fn writes_and_reads_are_counted_by_who_made_them() {
    let cloud = cloud().await;
    cloud.meter().count();
    let (writer, reader) = (Instance::new(&cloud, "writer"), Instance::new(&cloud, "reader"));
    writer.put("small").await.expect("put");
    writer.put("other").await.expect("put");
    reader.name().await;

    let usage = cloud.meter().snapshot();
    let lines: Vec<_> = usage.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(*lines[0].0, call("reader", "GetItem", "Things"));
    assert_eq!(lines[0].1.units, Units { table_reads: 1.0, ..Units::default() });
    assert_eq!(*lines[1].0, call("writer", "PutItem", "Things"));
    assert_eq!(lines[1].1.calls, 2);
    // The second put leaves the index entry as it is, which costs nothing.
    assert_eq!(lines[1].1.units, Units { table_writes: 2.0, index_writes: 1.0, ..Units::default() });
    assert!(lines[1].1.sent_bytes > 100 && lines[1].1.received_bytes > 100);
    assert_eq!((usage.write_units(), usage.read_units()), (3.0, 1.0));
    assert_eq!((usage.calls(), usage.queue_requests()), (3, 0));
}

#[tokio::test]
async fn a_large_item_costs_a_unit_for_each_kilobyte() {
    let cloud = cloud().await;
    cloud.meter().count();
    let instance = Instance::new(&cloud, "one");
    instance.things.put(&key(), &thing(&"x".repeat(2048)), &[]).await.expect("put");
    let usage = cloud.meter().snapshot();
    let total = usage.total();
    assert_eq!((total.units.table_writes, total.units.index_writes), (3.0, 1.0));
}

#[tokio::test]
async fn an_index_is_read_at_its_own_cost() {
    let cloud = cloud().await;
    cloud.meter().count();
    let request = json!({
        "TableName": "Things", "IndexName": "due", "ReturnConsumedCapacity": "INDEXES",
        "KeyConditionExpression": "ds = :s", "ExpressionAttributeValues": { ":s": { "S": "shard" } },
    });
    assert_eq!(send(&cloud, "DynamoDB_20120810.Query", request).await.status(), 200);
    let units = cloud.meter().snapshot().total().units;
    assert_eq!(units, Units { index_reads: 0.5, ..Units::default() });
}

#[tokio::test]
async fn a_write_whose_condition_fails_is_charged() {
    let cloud = cloud().await;
    let instance = Instance::new(&cloud, "one");
    instance.put_if_absent("first").await.expect("put");
    cloud.meter().count();
    let refused = instance.put_if_absent(&"x".repeat(1024)).await;
    assert!(matches!(refused, Err(TableError::ConditionFailed { old: Some(_) })), "{refused:?}");

    let total = cloud.meter().snapshot().total();
    assert_eq!((total.calls, total.refused), (1, 1));
    assert_eq!(total.units, Units { table_writes: 2.0, ..Units::default() });
}

#[tokio::test]
async fn units_are_not_guessed_when_nobody_asked_for_them() {
    let cloud = cloud().await;
    cloud.meter().count();
    let request = json!({ "TableName": "Things", "Item": { "pk": { "S": "a" }, "sk": { "S": "b" } } });
    send(&cloud, "DynamoDB_20120810.PutItem", request).await;
    let total = cloud.meter().snapshot().total();
    assert_eq!((total.calls, total.units), (1, Units::default()));
}

#[tokio::test]
async fn queue_requests_are_counted_in_chunks_of_64_kib() {
    let cloud = cloud().await;
    cloud.meter().count();
    let instance = Instance::new(&cloud, "one");
    instance.send("small").await;
    assert_eq!(cloud.meter().snapshot().queue_requests(), 1);
    instance.send(&"x".repeat(100_000)).await;
    assert_eq!(cloud.meter().snapshot().queue_requests(), 3);

    // What is received counts too, and a poll that receives nothing is one request.
    let request = json!({ "QueueUrl": local_queue_url("Work"), "MaxNumberOfMessages": 10 });
    send(&cloud, "AmazonSQS.ReceiveMessage", request.clone()).await;
    send(&cloud, "AmazonSQS.ReceiveMessage", request).await;
    let usage = cloud.meter().snapshot();
    let received = usage.only(|call| call.operation == "ReceiveMessage");
    assert_eq!((received.calls(), received.queue_requests()), (2, 3));
    assert_eq!(received.lines().next().map(|(call, _)| call.target.as_str()), Some("Work"));
}

#[tokio::test]
async fn usage_since_a_moment_holds_only_what_came_after() {
    let cloud = cloud().await;
    cloud.meter().count();
    let instance = Instance::new(&cloud, "one");
    instance.put("before").await.expect("put");
    instance.send("before").await;
    let before = cloud.meter().snapshot();
    instance.put("after").await.expect("put");

    let since = cloud.meter().snapshot().since(&before);
    assert_eq!((since.calls(), since.write_units()), (1, 1.0));
    assert_eq!(since.lines().count(), 1);
    assert_eq!(before.since(&before), Usage::default());
}

#[tokio::test]
async fn nothing_is_counted_before_somebody_asks() {
    let cloud = cloud().await;
    Instance::new(&cloud, "one").put("unseen").await.expect("put");
    assert_eq!(cloud.meter().snapshot(), Usage::default());
}

#[tokio::test]
async fn usage_is_shown_as_a_table() {
    let cloud = cloud().await;
    cloud.meter().count();
    Instance::new(&cloud, "receiver").put("shown").await.expect("put");
    let shown = cloud.meter().snapshot().to_string();
    let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1][..9], ["receiver", "PutItem", "Things", "1", "0", "1", "1", "0", "0"]);
    assert_eq!(lines[2][..3], ["total", "1", "0"]);
}

#[tokio::test]
async fn the_journal_holds_every_call_in_order() {
    let cloud = cloud().await;
    let (one, two) = (Instance::new(&cloud, "one"), Instance::new(&cloud, "two"));
    one.put("unrecorded").await.expect("put");
    cloud.meter().record();
    one.put("recorded").await.expect("put");
    cloud.faults().set(Fault::new(FaultKind::Before).by("two"));
    two.put("never arrives").await.expect_err("it breaks");
    two.send("work").await;
    let keys = json!({ "Things": { "Keys": [{ "pk": { "S": "a" }, "sk": { "S": "b" } }] } });
    send(&cloud, "DynamoDB_20120810.BatchGetItem", json!({ "RequestItems": keys })).await;

    let expected = [
        call("one", "PutItem", "Things"),
        call("two", "PutItem", "Things"),
        call("two", "SendMessage", "Work"),
        call("test", "BatchGetItem", "Things"),
    ];
    assert_eq!(cloud.meter().take_journal(), expected);
    one.put("unrecorded").await.expect("put");
    assert!(cloud.meter().take_journal().is_empty());
}

#[tokio::test]
async fn a_transaction_is_about_every_table_in_it() {
    let cloud = cloud().await;
    cloud.meter().count();
    let key = json!({ "pk": { "S": "a" }, "sk": { "S": "b" } });
    let request = json!({
        "TransactItems": [
            { "Put": { "TableName": "Things", "Item": key } },
            { "Delete": { "TableName": "Absent", "Key": key } },
        ],
    });
    send(&cloud, "DynamoDB_20120810.TransactWriteItems", request).await;
    let usage = cloud.meter().snapshot();
    assert_eq!(usage.lines().next().map(|(call, _)| call.target.as_str()), Some("Absent+Things"));
}
