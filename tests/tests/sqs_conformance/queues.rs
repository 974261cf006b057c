use aws_sdk_sqs::types::QueueAttributeName;

use super::world::{World, new_name, refusal};

pub async fn a_queue_is_found_by_its_name(world: &World) {
    let name = new_name();
    let queue = world.named_queue(&name, &[]).await;
    let found = world.client.get_queue_url().queue_name(&name).send().await;
    assert_eq!(found.expect("an answer").queue_url(), Some(queue.as_str()));
}

pub async fn a_queue_that_does_not_exist_is_told(world: &World) {
    let code = "AWS.SimpleQueueService.NonExistentQueue";
    let name = new_name();
    let find = world.client.get_queue_url().queue_name(&name);
    assert_eq!(refusal(find.send().await), code);

    let queue = world.queue(&[]).await;
    let (account, _) = queue.rsplit_once('/').expect("a path");
    let missing = format!("{account}/{name}");
    let send = world.client.send_message().queue_url(&missing).message_body("lost");
    assert_eq!(refusal(send.send().await), code);
    let receive = world.client.receive_message().queue_url(&missing);
    assert_eq!(refusal(receive.send().await), code);
}

pub async fn creating_a_queue_again_gives_the_same_queue(world: &World) {
    let name = new_name();
    let settings = [(QueueAttributeName::VisibilityTimeout, "60")];
    let first = world.named_queue(&name, &settings).await;
    assert_eq!(world.named_queue(&name, &settings).await, first);
    assert_eq!(world.named_queue(&name, &[]).await, first);
}

pub async fn creating_a_queue_again_with_other_settings_is_refused(world: &World) {
    let name = new_name();
    world.named_queue(&name, &[]).await;
    let create = world.client.create_queue().queue_name(&name);
    let create = create.attributes(QueueAttributeName::VisibilityTimeout, "60");
    assert_eq!(refusal(create.send().await), "QueueAlreadyExists");
}

pub async fn settings_are_told_as_they_were_given(world: &World) {
    let settings = [
        (QueueAttributeName::DelaySeconds, "5"),
        (QueueAttributeName::MaximumMessageSize, "2048"),
        (QueueAttributeName::MessageRetentionPeriod, "3600"),
        (QueueAttributeName::ReceiveMessageWaitTimeSeconds, "20"),
        (QueueAttributeName::VisibilityTimeout, "180"),
    ];
    let name = new_name();
    let queue = world.named_queue(&name, &settings).await;
    let get = world.client.get_queue_attributes().queue_url(&queue);
    let got = get.attribute_names(QueueAttributeName::All).send().await;
    let attributes = got.expect("an answer").attributes.expect("attributes");
    for (setting, value) in settings {
        assert_eq!(attributes.get(&setting).map(String::as_str), Some(value), "{setting}");
    }
    let arn = &attributes[&QueueAttributeName::QueueArn];
    assert!(arn.starts_with("arn:aws:sqs:us-east-1:") && arn.ends_with(&format!(":{name}")), "{arn}");
    assert!(attributes.contains_key(&QueueAttributeName::CreatedTimestamp));
}

pub async fn only_the_asked_attributes_are_told(world: &World) {
    let queue = world.queue(&[]).await;
    let get = world.client.get_queue_attributes().queue_url(&queue);
    let got = get.attribute_names(QueueAttributeName::VisibilityTimeout).send().await;
    let attributes = got.expect("an answer").attributes.expect("attributes");
    assert_eq!(attributes.len(), 1);
    assert_eq!(attributes[&QueueAttributeName::VisibilityTimeout], "30");
}

pub async fn an_unknown_attribute_is_refused(world: &World) {
    let queue = world.queue(&[]).await;
    let get = world.client.get_queue_attributes().queue_url(&queue);
    let get = get.attribute_names(QueueAttributeName::from("Colour"));
    assert_eq!(refusal(get.send().await), "InvalidAttributeName");
}

pub async fn a_setting_out_of_range_is_refused(world: &World) {
    let settings = [
        (QueueAttributeName::DelaySeconds, "901"),
        (QueueAttributeName::MaximumMessageSize, "1048577"),
        (QueueAttributeName::MessageRetentionPeriod, "59"),
        (QueueAttributeName::ReceiveMessageWaitTimeSeconds, "21"),
        (QueueAttributeName::VisibilityTimeout, "43201"),
    ];
    for (setting, value) in settings {
        let create = world.client.create_queue().queue_name(new_name());
        let refused = refusal(create.attributes(setting, value).send().await);
        assert_eq!(refused, "InvalidAttributeValue");
    }
}

pub async fn a_redrive_policy_needs_an_existing_queue(world: &World) {
    let queue = world.queue(&[]).await;
    let arn = world.attribute(&queue, QueueAttributeName::QueueArn).await;
    let policy = format!("{{\"deadLetterTargetArn\":\"{arn}-missing\",\"maxReceiveCount\":\"3\"}}");
    let create = world.client.create_queue().queue_name(new_name());
    let create = create.attributes(QueueAttributeName::RedrivePolicy, policy);
    // AWS has refused this under more than one code.
    refusal(create.send().await);
}

pub async fn a_queue_with_an_illegal_name_is_refused(world: &World) {
    let create = world.client.create_queue().queue_name("no spaces");
    assert_eq!(refusal(create.send().await), "InvalidParameterValue");
}

pub async fn messages_are_counted_by_what_can_be_done_with_them(world: &World) {
    let queue = world.queue(&[]).await;
    for text in ["a", "b", "c"] {
        world.send(&queue, text).await;
    }
    let send = world.client.send_message().queue_url(&queue).message_body("later");
    send.delay_seconds(900).send().await.expect("the message is sent");
    world.receive(&queue).await;

    let counts = [
        (QueueAttributeName::ApproximateNumberOfMessages, "2"),
        (QueueAttributeName::ApproximateNumberOfMessagesNotVisible, "1"),
        (QueueAttributeName::ApproximateNumberOfMessagesDelayed, "1"),
    ];
    for (name, count) in counts {
        assert_eq!(world.attribute(&queue, name).await, count);
    }
}
