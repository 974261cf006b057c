//! Workers that meet over one piece of work, and answers that come too late.

use std::sync::Arc;
use std::time::Duration;

use hookport::aws::lambda::Received;
use hookport::domain::id::{DeliveryId, SubscriptionId};
use hookport::message::{InboundMessage, Message, OutboundMessage, UpkeepMessage};
use hookport_tests::Sink;
use hookport_tests::gateway::text;
use hookport_tests::sink::Reply;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::json;

use super::world::{EVENT_TYPE, SUBSCRIPTIONS, World, tenant};

/// One of the instances works a message.
async fn work(world: &World, instance: usize, message: &Message) -> Vec<String> {
    let functions = world.gateway.instance(instance);
    let received = Received { message_id: "m".to_owned(), body: message.encode(), receive_count: 1 };
    Arc::clone(&functions.dispatcher).handle(vec![received], functions.dispatcher_deadline()).await
}

/// Both instances work a message at the same time, and one of them once more while the target has not answered yet.
async fn all_at_once(world: &World, message: &Message, attempt: usize) {
    world.sink.hang(true);
    let late = async {
        world.sink.got(attempt).await;
        let failed = work(world, 1, message).await;
        world.sink.hang(false);
        failed
    };
    let (first, second, third) = tokio::join!(work(world, 0, message), work(world, 1, message), late);
    assert!(first.is_empty() && second.is_empty() && third.is_empty(), "whoever is late has nothing to do");
    assert_eq!(world.sink.received().len(), attempt, "one request for each attempt");
}

/// B4, B14, defect 1: five requests, although every message is worked three times.
#[tokio::test]
async fn b4_two_workers_never_send_one_attempt_twice() {
    let world = World::new().await;
    let schedule = json!({"retry_schedule": "five-tries"});
    world.gateway.subscribe(&world.sink, &[EVENT_TYPE], schedule).await;
    world.sink.answers([500; 5]);
    let event = world.publish().await;
    all_at_once(&world, &Message::Inbound(InboundMessage::again(tenant(), event.into())), 1).await;

    let id: DeliveryId = text(&world.deliveries().await[0]["id"]).parse().expect("the id of a delivery");
    let again = Message::Outbound(OutboundMessage::new(tenant(), id));
    for (attempt, minutes) in (2..).zip([1, 5, 15, 30]) {
        assert!(work(&world, 0, &again).await.is_empty(), "too early");
        assert_eq!(world.sink.received().len(), attempt - 1);
        world.gateway.advance(SignedDuration::from_mins(minutes));
        all_at_once(&world, &again, attempt).await;
    }
    world.gateway.settle(world.gateway.instance(1)).await;
    let received = world.sink.received();
    let attempts: Vec<_> = received.iter().map(|request| request.header("hookport-attempt")).collect();
    assert_eq!(attempts, ["1", "2", "3", "4", "5"]);
    let delivery = &world.deliveries().await[0];
    assert_eq!(delivery["state"], "exhausted");
    assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(5), "each attempt is recorded once");
    world.nothing_is_left(false, "five tries").await;
}

/// Waits until the sink has got so many challenges.
async fn challenged(sink: &Sink, times: usize) {
    let seen = async {
        while sink.challenges().len() < times {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), seen).await.expect("the challenge arrives");
}

/// A6: one challenge, although a subscription is looked after three times at once.
#[tokio::test]
async fn a6_two_workers_send_one_challenge() {
    let world = World::new().await;
    let made = world.gateway.ask_for_subscription(&world.sink, &[EVENT_TYPE], json!({})).await;
    let id: SubscriptionId = text(&made["data"]["id"]).parse().expect("the id of a subscription");
    let message = Message::Upkeep(UpkeepMessage::new(tenant(), id));
    world.sink.hang(true);
    let late = async {
        challenged(&world.sink, 1).await;
        let failed = work(&world, 1, &message).await;
        world.sink.hang(false);
        failed
    };
    let (first, second, third) = tokio::join!(work(&world, 0, &message), work(&world, 1, &message), late);
    assert!(first.is_empty() && second.is_empty() && third.is_empty(), "whoever is late has nothing to do");
    world.gateway.settle(world.gateway.instance(1)).await;
    assert_eq!(world.sink.challenges().len(), 1);
    assert_eq!(world.subscriptions().await[0]["state"], "active");
    world.nothing_is_left(false, "one challenge").await;
}

async fn as_operator(world: &World, method: Method, path: &str, expected: StatusCode) {
    let (status, answer) = world.gateway.api(method, path, world.gateway.admin_token(), None).await;
    assert_eq!(status, expected, "{path}: {answer}");
}

/// A10, A20: the subscription is deleted while its challenge is under way.
#[tokio::test]
async fn a10_a_late_challenge_answer_never_resurrects_anything() {
    let world = World::new().await;
    let gateway = &world.gateway;
    let made = gateway.ask_for_subscription(&world.sink, &[EVENT_TYPE], json!({})).await;
    let path = format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]));
    world.sink.hang(true);
    let meanwhile = async {
        challenged(&world.sink, 1).await;
        as_operator(&world, Method::DELETE, &path, StatusCode::NO_CONTENT).await;
        world.sink.hang(false);
    };
    tokio::join!(gateway.drain(gateway.instance(0)), meanwhile);
    gateway.settle(gateway.instance(1)).await;

    as_operator(&world, Method::GET, &path, StatusCode::NOT_FOUND).await;
    assert!(world.subscriptions().await.is_empty());
    assert!(world.publish_and_settle().await.is_empty());
    assert_eq!(world.sink.challenges().len(), 1, "and it is not challenged again");
    world.nothing_is_left(false, "deleted").await;
}

/// A10: another challenge was started since; the right answer to the older one proves nothing.
#[tokio::test]
async fn a10_a_late_answer_to_an_older_challenge_is_ignored() {
    let world = World::new().await;
    let gateway = &world.gateway;
    let echo = Reply::status(200).saying(r#"{"challenge":"{challenge}"}"#);
    let refusals = [500; 3].map(Reply::status);
    world.sink.answers_challenges([echo].into_iter().chain(refusals));
    let made = gateway.ask_for_subscription(&world.sink, &[EVENT_TYPE], json!({})).await;
    let path = format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]));
    world.sink.hang(true);
    let meanwhile = async {
        challenged(&world.sink, 1).await;
        as_operator(&world, Method::POST, &format!("{path}/disable"), StatusCode::OK).await;
        as_operator(&world, Method::POST, &format!("{path}/enable"), StatusCode::OK).await;
        world.sink.hang(false);
    };
    tokio::join!(gateway.drain(gateway.instance(0)), meanwhile);
    let found = gateway.get(&path).await;
    assert_eq!(found["data"]["state"], "pending_verification", "the first one was answered as it should be");
    gateway.settle(gateway.instance(1)).await;

    let found = gateway.get(&path).await;
    assert_eq!(found["data"]["state"], "verification_failed", "{found}");
    assert_eq!(world.sink.challenges().len(), 4, "one of the first challenge and three of the second");
    assert!(world.publish_and_settle().await.is_empty());
}

/// A20: what is under way when its subscription is deleted ends without harm.
#[tokio::test]
async fn a20_a_delivery_in_flight_ends_without_harm_when_its_subscription_is_deleted() {
    for answer in [200, 410, 500] {
        let world = World::new().await;
        let gateway = &world.gateway;
        let made = gateway.subscribe(&world.sink, &[EVENT_TYPE], json!({})).await;
        let path = format!("{SUBSCRIPTIONS}/{}", text(&made["data"]["id"]));
        world.sink.answers([answer]);
        world.publish().await;
        world.sink.hang(true);
        let meanwhile = async {
            world.sink.got(1).await;
            as_operator(&world, Method::DELETE, &path, StatusCode::NO_CONTENT).await;
            world.sink.hang(false);
        };
        tokio::join!(gateway.drain(gateway.instance(0)), meanwhile);
        gateway.settle(gateway.instance(1)).await;
        assert!(world.publish_and_settle().await.is_empty(), "{answer}");
        assert_eq!(world.sink.received().len(), 1, "{answer}: nothing is sent after it was deleted");
        assert!(world.subscriptions().await.is_empty(), "{answer}");
        world.nothing_is_left(false, "deleted in flight").await;
    }
}
