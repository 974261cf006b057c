use aws_sdk_sqs::types::QueueAttributeName;

use super::world::{World, refusal};

pub async fn a_deleted_message_never_comes_back(world: &World) {
    let queue = world.queue(&[(QueueAttributeName::VisibilityTimeout, "1")]).await;
    world.send(&queue, "done").await;
    let received = world.receive(&queue).await;
    world.delete(&queue, &received).await;
    world.pass_in(&queue, 2).await;
    world.nothing(&queue).await;
}

pub async fn deleting_twice_is_no_error(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "done").await;
    let received = world.receive(&queue).await;
    world.delete(&queue, &received).await;
    world.delete(&queue, &received).await;
}

pub async fn deleting_by_an_older_handle_is_no_error(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "twice").await;
    let first = world.receive(&queue).await;
    world.hide(&queue, &first, 0).await;
    world.receive(&queue).await;
    world.delete(&queue, &first).await;
}

pub async fn a_malformed_handle_is_refused(world: &World) {
    let queue = world.queue(&[]).await;
    let delete = world.client.delete_message().queue_url(&queue);
    let refused = refusal(delete.receipt_handle("not a handle").send().await);
    assert_eq!(refused, "ReceiptHandleIsInvalid");
}

pub async fn a_purge_deletes_every_message(world: &World) {
    let queue = world.queue(&[]).await;
    for text in ["a", "b"] {
        world.send(&queue, text).await;
    }
    let held = world.receive(&queue).await;
    let purge = world.client.purge_queue().queue_url(&queue);
    purge.send().await.expect("the queue is purged");

    let change = world.client.change_message_visibility().queue_url(&queue);
    let change = change.set_receipt_handle(held.receipt_handle).visibility_timeout(0);
    refusal(change.send().await);
    world.nothing(&queue).await;
}

pub async fn a_queue_is_purged_once_a_minute(world: &World) {
    let queue = world.queue(&[]).await;
    let purge = world.client.purge_queue().queue_url(&queue);
    purge.clone().send().await.expect("the queue is purged");
    let refused = refusal(purge.send().await);
    assert_eq!(refused, "AWS.SimpleQueueService.PurgeQueueInProgress");
}
