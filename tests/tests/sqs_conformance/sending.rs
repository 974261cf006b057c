use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName};

use super::world::{World, body, refusal};

const MEBIBYTE: usize = 1_048_576;

pub async fn a_sent_message_is_received_as_it_was(world: &World) {
    let queue = world.queue(&[]).await;
    let text = "{\"name\": \"Zoë\",\n\t\"quote\": \"\\\"\", \"face\": \"🙂\"}";
    let send = world.client.send_message().queue_url(&queue).message_body(text);
    let sent = send.send().await.expect("the message is sent");

    let received = world.receive(&queue).await;
    assert_eq!(body(&received), text);
    assert_eq!(received.message_id(), sent.message_id());
}

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().expect("it has a type")
}

pub async fn the_attributes_of_a_message_are_told_when_asked_for(world: &World) {
    let queue = world.queue(&[(QueueAttributeName::VisibilityTimeout, "0")]).await;
    let send = world.client.send_message().queue_url(&queue).message_body("x");
    let send = send.message_attributes("webhook-id", text("evt_1")).message_attributes("hookport-attempt", text("1"));
    send.send().await.expect("the message is sent");

    assert!(world.receive(&queue).await.message_attributes().is_none());
    let receive = world.client.receive_message().queue_url(&queue).message_attribute_names("All");
    let received = receive.send().await.expect("an answer").messages.unwrap_or_default();
    let attributes = received.first().and_then(|message| message.message_attributes()).expect("attributes");
    let value = |name: &str| attributes.get(name).and_then(|attribute| attribute.string_value());
    assert_eq!((value("webhook-id"), value("hookport-attempt")), (Some("evt_1"), Some("1")));
}

pub async fn an_attribute_without_a_value_is_refused(world: &World) {
    let queue = world.queue(&[]).await;
    let send = world.client.send_message().queue_url(&queue).message_body("x").message_attributes("a", text(""));
    assert_eq!(refusal(send.send().await), "InvalidParameterValue");
}

pub async fn an_empty_body_is_refused(world: &World) {
    let queue = world.queue(&[]).await;
    let send = world.client.send_message().queue_url(&queue).message_body("");
    assert_eq!(refusal(send.send().await), "MissingParameter");
}

pub async fn a_control_character_is_refused(world: &World) {
    let queue = world.queue(&[]).await;
    let send = world.client.send_message().queue_url(&queue).message_body("bell \u{7}");
    assert_eq!(refusal(send.send().await), "InvalidMessageContents");
    world.nothing(&queue).await;
}

pub async fn a_body_of_one_mebibyte_is_taken(world: &World) {
    let queue = world.queue(&[]).await;
    let text = "x".repeat(MEBIBYTE);
    world.send(&queue, &text).await;
    assert_eq!(body(&world.receive(&queue).await).len(), MEBIBYTE);
}

pub async fn a_body_over_one_mebibyte_is_refused(world: &World) {
    let queue = world.queue(&[]).await;
    // Bytes are counted, not characters.
    let text = "é".repeat(MEBIBYTE / 2) + "x";
    let send = world.client.send_message().queue_url(&queue).message_body(text);
    assert_eq!(refusal(send.send().await), "InvalidParameterValue");
}

pub async fn a_queue_may_take_smaller_bodies_only(world: &World) {
    let queue = world.queue(&[(QueueAttributeName::MaximumMessageSize, "1024")]).await;
    let send = world.client.send_message().queue_url(&queue).message_body("x".repeat(1025));
    assert_eq!(refusal(send.send().await), "InvalidParameterValue");
    world.send(&queue, &"x".repeat(1024)).await;
    assert_eq!(body(&world.receive(&queue).await).len(), 1024);
}

pub async fn a_delayed_message_appears_after_its_delay(world: &World) {
    let queue = world.queue(&[]).await;
    let send = world.client.send_message().queue_url(&queue).message_body("later");
    send.delay_seconds(1).send().await.expect("the message is sent");
    world.nothing(&queue).await;
    world.pass(1);
    assert_eq!(body(&world.receive(&queue).await), "later");
}

pub async fn a_queue_delays_all_its_messages(world: &World) {
    let queue = world.queue(&[(QueueAttributeName::DelaySeconds, "1")]).await;
    world.send(&queue, "later").await;
    world.nothing(&queue).await;
    world.pass(1);
    assert_eq!(body(&world.receive(&queue).await), "later");
}

pub async fn a_message_may_waive_its_queues_delay(world: &World) {
    let queue = world.queue(&[(QueueAttributeName::DelaySeconds, "900")]).await;
    let send = world.client.send_message().queue_url(&queue).message_body("now");
    send.delay_seconds(0).send().await.expect("the message is sent");
    assert_eq!(body(&world.receive(&queue).await), "now");
}

pub async fn a_delay_over_fifteen_minutes_is_refused(world: &World) {
    let queue = world.queue(&[]).await;
    let send = world.client.send_message().queue_url(&queue).message_body("too late");
    assert_eq!(refusal(send.delay_seconds(901).send().await), "InvalidParameterValue");
}
