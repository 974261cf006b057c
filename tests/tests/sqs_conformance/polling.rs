use std::time::Duration;

use aws_sdk_sqs::types::{Message, QueueAttributeName};
use tokio::time::{Instant, timeout};

use super::world::{World, body, refusal};

/// Far below the length of the polls here, which therefore ended early.
const SOON: Duration = Duration::from_secs(8);

pub async fn a_long_poll_wakes_when_a_message_arrives(world: &World) {
    let queue = world.queue(&[]).await;
    let arrival = async {
        settle(world, &queue).await;
        world.send(&queue, "hello").await;
    };
    assert_eq!(body(&poll_during(world, &queue, arrival).await), "hello");
}

pub async fn a_long_poll_sees_a_delayed_message_become_visible(world: &World) {
    let queue = world.queue(&[]).await;
    let send = world.client.send_message().queue_url(&queue).message_body("later");
    send.delay_seconds(1).send().await.expect("the message is sent");
    let delay = async {
        settle(world, &queue).await;
        world.pass(1);
    };
    assert_eq!(body(&poll_during(world, &queue, delay).await), "later");
}

pub async fn a_long_poll_wakes_when_a_message_is_given_back(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "again").await;
    let held = world.receive(&queue).await;
    let release = async {
        settle(world, &queue).await;
        world.hide(&queue, &held, 0).await;
    };
    assert_eq!(body(&poll_during(world, &queue, release).await), "again");
}

pub async fn a_long_poll_of_an_empty_queue_ends(world: &World) {
    let queue = world.queue(&[]).await;
    let began = Instant::now();
    let receive = world.client.receive_message().queue_url(&queue);
    let received = receive.wait_time_seconds(1).send().await.expect("an answer");
    assert!(received.messages().is_empty());
    assert!(began.elapsed() >= Duration::from_millis(900));
}

pub async fn a_queue_may_make_every_receive_a_long_poll(world: &World) {
    let name = QueueAttributeName::ReceiveMessageWaitTimeSeconds;
    let queue = world.queue(&[(name, "1")]).await;
    let began = Instant::now();
    let receive = world.client.receive_message().queue_url(&queue);
    let received = receive.send().await.expect("an answer");
    assert!(received.messages().is_empty());
    assert!(began.elapsed() >= Duration::from_millis(900));
}

pub async fn a_poll_over_twenty_seconds_is_refused(world: &World) {
    let queue = world.queue(&[]).await;
    let receive = world.client.receive_message().queue_url(&queue);
    let refused = refusal(receive.wait_time_seconds(21).send().await);
    assert_eq!(refused, "InvalidParameterValue");
}

/// Polls while `event` happens, and expects a message long before the poll's end.
async fn poll_during(world: &World, queue: &str, event: impl Future<Output = ()>) -> Message {
    let poll = world.client.receive_message().queue_url(queue).wait_time_seconds(20).send();
    let both = async { tokio::join!(poll, event).0 };
    let polled = timeout(SOON, both).await.expect("the poll is woken");
    let messages = polled.expect("an answer").messages.unwrap_or_default();
    messages.into_iter().next().expect("a message")
}

/// Makes a few round trips, in which a poll that was begun has reached the queue.
async fn settle(world: &World, queue: &str) {
    for _ in 0..5 {
        world.attribute(queue, QueueAttributeName::QueueArn).await;
    }
}
