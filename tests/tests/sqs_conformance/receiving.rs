use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Told, QueueAttributeName};

use super::world::{World, body, handle, refusal};

pub async fn an_empty_queue_gives_nothing(world: &World) {
    let queue = world.queue(&[]).await;
    world.nothing(&queue).await;
}

pub async fn a_message_is_hidden_while_in_flight(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "once").await;
    world.receive(&queue).await;
    world.nothing(&queue).await;
}

pub async fn a_message_comes_back_after_its_visibility_timeout(world: &World) {
    let queue = world.queue(&[(QueueAttributeName::VisibilityTimeout, "1")]).await;
    world.send(&queue, "again").await;
    let first = world.receive(&queue).await;
    world.nothing(&queue).await;
    world.pass(1);
    let second = world.receive(&queue).await;
    assert_eq!(second.message_id(), first.message_id());
}

pub async fn a_receive_may_set_its_own_visibility_timeout(world: &World) {
    let queue = world.queue(&[(QueueAttributeName::VisibilityTimeout, "600")]).await;
    world.send(&queue, "again").await;
    let receive = world.client.receive_message().queue_url(&queue).wait_time_seconds(5);
    let received = receive.visibility_timeout(1).send().await.expect("an answer");
    assert_eq!(received.messages().len(), 1);
    world.nothing(&queue).await;
    world.pass(1);
    assert_eq!(body(&world.receive(&queue).await), "again");
}

pub async fn each_receive_is_counted_and_has_its_own_handle(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "again").await;
    let mut handles = Vec::new();
    for count in 1..=3 {
        let received = receive_told(world, &queue, &[Told::ApproximateReceiveCount]).await;
        assert_eq!(told(&received, &Told::ApproximateReceiveCount), count.to_string());
        world.hide(&queue, &received, 0).await;
        handles.push(handle(&received).to_owned());
    }
    handles.sort();
    handles.dedup();
    assert_eq!(handles.len(), 3);
}

pub async fn times_are_told_when_asked_for(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "dated").await;
    let names = [Told::SentTimestamp, Told::ApproximateFirstReceiveTimestamp];
    let first = receive_told(world, &queue, &names).await;
    world.hide(&queue, &first, 0).await;
    world.pass(1);
    let second = receive_told(world, &queue, &names).await;

    for name in &names {
        assert_eq!(told(&first, name), told(&second, name));
    }
    let millis = |name: &Told| told(&first, name).parse::<i64>().expect("milliseconds");
    assert!(millis(&names[0]) > 1_700_000_000_000);
    assert!(millis(&names[0]) <= millis(&names[1]));
}

pub async fn nothing_is_told_that_was_not_asked_for(world: &World) {
    let queue = world.queue(&[]).await;
    world.send(&queue, "plain").await;
    let received = world.receive(&queue).await;
    assert!(received.attributes().is_none_or(|told| told.is_empty()));
}

pub async fn one_message_is_received_unless_more_are_asked_for(world: &World) {
    let queue = world.queue(&[]).await;
    for text in ["a", "b", "c"] {
        world.send(&queue, text).await;
    }
    let receive = world.client.receive_message().queue_url(&queue).wait_time_seconds(5);
    let received = receive.clone().send().await.expect("an answer");
    assert_eq!(received.messages().len(), 1);
    let received = receive.max_number_of_messages(2).send().await.expect("an answer");
    assert!((1..=2).contains(&received.messages().len()));
}

pub async fn more_than_ten_messages_cannot_be_asked_for(world: &World) {
    let queue = world.queue(&[]).await;
    for count in [0, 11] {
        let receive = world.client.receive_message().queue_url(&queue);
        let refused = refusal(receive.max_number_of_messages(count).send().await);
        assert_eq!(refused, "InvalidParameterValue");
    }
}

pub async fn a_message_hidden_at_its_receipt_for_over_twelve_hours_is_refused(world: &World) {
    let queue = world.queue(&[]).await;
    let receive = world.client.receive_message().queue_url(&queue);
    let refused = refusal(receive.visibility_timeout(43_201).send().await);
    assert_eq!(refused, "InvalidParameterValue");
}

async fn receive_told(world: &World, queue: &str, names: &[Told]) -> Message {
    let receive = world.client.receive_message().queue_url(queue).wait_time_seconds(5);
    let receive = receive.set_message_system_attribute_names(Some(names.to_vec()));
    let received = receive.send().await.expect("an answer");
    received.messages().first().expect("a message").clone()
}

fn told<'m>(message: &'m Message, name: &Told) -> &'m str {
    let attributes = message.attributes().expect("attributes");
    attributes.get(name).expect("the attribute that was asked for")
}
