use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, SendMessageBatchRequestEntry,
};

use super::world::{World, body, handle, refusal};

pub async fn a_batch_sends_ten_messages(world: &World) {
    let queue = world.queue(&[]).await;
    let sent = send(world, &queue, (0..10).map(|n| entry(&format!("id-{n}"), &format!("body {n}")))).await;
    assert_eq!(sent.successful().len(), 10);
    assert!(sent.failed().is_empty());

    let received = world.receive_all(&queue, 10).await;
    for (n, entry) in sent.successful().iter().enumerate() {
        assert_eq!(entry.id(), format!("id-{n}"));
        let message = received.iter().find(|message| message.message_id() == Some(entry.message_id()));
        assert_eq!(body(message.expect("each message comes")), format!("body {n}"));
    }
}

pub async fn one_bad_message_fails_alone(world: &World) {
    let queue = world.queue(&[]).await;
    let entries = [entry("good", "good"), entry("bad", "\u{1}"), entry("fine", "fine")];
    let sent = send(world, &queue, entries).await;
    let successful: Vec<_> = sent.successful().iter().map(|entry| entry.id()).collect();
    assert_eq!(successful, ["good", "fine"]);
    assert_eq!(sent.failed().len(), 1);
    let failed = &sent.failed()[0];
    assert_eq!((failed.id(), failed.code()), ("bad", "InvalidMessageContents"));
    assert!(failed.sender_fault());
    world.receive_all(&queue, 2).await;
    world.nothing(&queue).await;
}

pub async fn each_message_of_a_batch_has_its_own_delay(world: &World) {
    let queue = world.queue(&[]).await;
    let late = SendMessageBatchRequestEntry::builder().id("late").message_body("late");
    let late = late.delay_seconds(1).build().expect("an entry");
    send(world, &queue, [late, entry("now", "now")]).await;
    assert_eq!(body(&world.receive(&queue).await), "now");
    world.pass(1);
    assert_eq!(body(&world.receive(&queue).await), "late");
}

pub async fn an_empty_batch_is_refused(world: &World) {
    let queue = world.queue(&[]).await;
    let refused = refused(world, &queue, Vec::new()).await;
    assert_eq!(refused, "AWS.SimpleQueueService.EmptyBatchRequest");
}

pub async fn eleven_entries_are_refused(world: &World) {
    let queue = world.queue(&[]).await;
    let entries = (0..11).map(|n| entry(&n.to_string(), "x")).collect();
    let refused = refused(world, &queue, entries).await;
    assert_eq!(refused, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest");
    world.nothing(&queue).await;
}

pub async fn repeated_ids_are_refused(world: &World) {
    let queue = world.queue(&[]).await;
    let refused = refused(world, &queue, vec![entry("a", "one"), entry("a", "two")]).await;
    assert_eq!(refused, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct");
    world.nothing(&queue).await;
}

pub async fn an_illegal_id_is_refused(world: &World) {
    let queue = world.queue(&[]).await;
    for id in ["a b", "a.b", &"a".repeat(81)] {
        let refused = refused(world, &queue, vec![entry(id, "x")]).await;
        assert_eq!(refused, "AWS.SimpleQueueService.InvalidBatchEntryId");
    }
}

pub async fn a_batch_of_one_mebibyte_is_taken(world: &World) {
    let queue = world.queue(&[]).await;
    let half = "x".repeat(524_288);
    let sent = send(world, &queue, [entry("a", &half), entry("b", &half)]).await;
    assert_eq!(sent.successful().len(), 2);
}

pub async fn a_batch_over_one_mebibyte_is_refused(world: &World) {
    let queue = world.queue(&[]).await;
    let half = "x".repeat(524_288);
    let entries = vec![entry("a", &half), entry("b", &half), entry("c", "x")];
    let refused = refused(world, &queue, entries).await;
    assert_eq!(refused, "AWS.SimpleQueueService.BatchRequestTooLong");
    world.nothing(&queue).await;
}

pub async fn a_batch_deletes_what_it_can(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "done").await;
    let received = world.receive(&queue).await;
    let delete = world.client.delete_message_batch().queue_url(&queue);
    let delete = delete.entries(deletion("good", handle(&received)));
    let delete = delete.entries(deletion("bad", "not a handle"));
    let deleted = delete.send().await.expect("an answer");

    assert_eq!(deleted.successful().len(), 1);
    assert_eq!(deleted.successful()[0].id(), "good");
    assert_eq!(deleted.failed().len(), 1);
    let failed = &deleted.failed()[0];
    assert_eq!((failed.id(), failed.code()), ("bad", "ReceiptHandleIsInvalid"));
}

pub async fn a_batch_deletes_what_is_gone_without_an_error(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "done").await;
    let received = world.receive(&queue).await;
    world.delete(&queue, &received).await;
    let delete = world.client.delete_message_batch().queue_url(&queue);
    let deleted = delete.entries(deletion("gone", handle(&received))).send().await;
    assert!(deleted.expect("an answer").failed().is_empty());
}

pub async fn a_batch_changes_the_visibility_it_can(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "again").await;
    let held = world.receive(&queue).await;
    let change = |id: &str, handle: &str| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id).receipt_handle(handle);
        entry.visibility_timeout(0).build().expect("an entry")
    };
    let batch = world.client.change_message_visibility_batch().queue_url(&queue);
    let batch = batch.entries(change("good", handle(&held))).entries(change("bad", "not a handle"));
    let changed = batch.send().await.expect("an answer");

    assert_eq!(changed.successful().len(), 1);
    assert_eq!(changed.successful()[0].id(), "good");
    assert_eq!(changed.failed().len(), 1);
    assert_eq!(changed.failed()[0].id(), "bad");
    assert_eq!(body(&world.receive(&queue).await), "again");
}

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    let entry = SendMessageBatchRequestEntry::builder().id(id).message_body(body);
    entry.build().expect("an entry")
}

fn deletion(id: &str, handle: &str) -> DeleteMessageBatchRequestEntry {
    let entry = DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle);
    entry.build().expect("an entry")
}

async fn send(
    world: &World,
    queue: &str,
    entries: impl IntoIterator<Item = SendMessageBatchRequestEntry>,
) -> SendMessageBatchOutput {
    let batch = world.client.send_message_batch().queue_url(queue);
    let batch = batch.set_entries(Some(entries.into_iter().collect()));
    batch.send().await.expect("an answer")
}

/// Says with which code the whole batch is refused.
async fn refused(world: &World, queue: &str, entries: Vec<SendMessageBatchRequestEntry>) -> String {
    let batch = world.client.send_message_batch().queue_url(queue);
    refusal(batch.set_entries(Some(entries)).send().await)
}
