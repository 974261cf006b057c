use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};

use super::world::{World, body, handle, refusal};

pub async fn a_visibility_of_zero_gives_a_message_back_at_once(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "again").await;
    let first = world.receive(&queue).await;
    world.hide(&queue, &first, 0).await;
    let second = world.receive(&queue).await;
    assert_eq!(second.message_id(), first.message_id());
}

pub async fn a_longer_visibility_keeps_a_message_hidden(world: &World) {
    let queue = world.queue(&[(QueueAttributeName::VisibilityTimeout, "1")]).await;
    world.send(&queue, "slow").await;
    let held = world.receive(&queue).await;
    world.hide(&queue, &held, 600).await;
    world.pass_in(&queue, 2).await;
    world.nothing(&queue).await;
}

pub async fn an_older_handle_no_longer_changes_visibility(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "twice").await;
    let first = world.receive(&queue).await;
    world.hide(&queue, &first, 0).await;
    world.receive(&queue).await;
    refusal_of_change(world, &queue, &first, 0).await;
    world.nothing(&queue).await;
}

pub async fn a_deleted_message_has_no_visibility_to_change(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "done").await;
    let received = world.receive(&queue).await;
    world.delete(&queue, &received).await;
    refusal_of_change(world, &queue, &received, 0).await;
}

pub async fn a_visible_message_has_no_visibility_to_change(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "free").await;
    let received = world.receive(&queue).await;
    world.hide(&queue, &received, 0).await;
    let refused = refusal_of_change(world, &queue, &received, 60).await;
    assert_eq!(refused, "AWS.SimpleQueueService.MessageNotInflight");
    assert_eq!(body(&world.receive(&queue).await), "free");
}

pub async fn a_visibility_over_twelve_hours_is_refused(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "held").await;
    let received = world.receive(&queue).await;
    let refused = refusal_of_change(world, &queue, &received, 43_201).await;
    assert_eq!(refused, "InvalidParameterValue");
}

pub async fn a_message_received_too_often_becomes_a_dead_letter(world: &World) {
    let dead = world.queue(&[]).await;
    let arn = world.attribute(&dead, QueueAttributeName::QueueArn).await;
    let policy = format!("{{\"deadLetterTargetArn\":\"{arn}\",\"maxReceiveCount\":2}}");
    let queue = world.queue(&[(QueueAttributeName::RedrivePolicy, policy.as_str())]).await;
    world.send(&queue, "poison").await;
    let mut received = world.receive(&queue).await;
    world.hide(&queue, &received, 0).await;
    received = world.receive(&queue).await;
    world.nothing(&dead).await;
    world.hide(&queue, &received, 0).await;
    world.nothing(&queue).await;

    let receive = world.client.receive_message().queue_url(&dead).wait_time_seconds(5);
    let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
    let letters = receive.send().await.expect("an answer").messages.unwrap_or_default();
    assert_eq!(letters.len(), 1);
    assert_eq!(body(&letters[0]), "poison");
    assert_eq!(letters[0].message_id(), received.message_id());
    world.delete(&dead, &letters[0]).await;
}

async fn refusal_of_change(world: &World, queue: &str, message: &Message, seconds: i32) -> String {
    let change = world.client.change_message_visibility().queue_url(queue);
    let change = change.receipt_handle(handle(message)).visibility_timeout(seconds);
    refusal(change.send().await)
}
