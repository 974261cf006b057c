//! A message that comes late was worked by what had been known of the subscriptions an hour before.

use hookport_tests::Sink;
use jiff::SignedDuration;
use serde_json::json;

use crate::{act, delete, gateway, happens, later, numbers, publish, subscribed};

/// A20: an event whose message was lost came after its subscription had been disabled or deleted, and went there all
/// the same.
#[tokio::test]
async fn a20_an_event_that_comes_late_goes_by_what_its_subscription_is_by_then() {
    for is_deleted in [false, true] {
        let gateway = gateway().await;
        let sink = Sink::start().await;
        let made = subscribed(&gateway, &sink, json!({})).await;
        publish(&gateway, 1).await;
        gateway.cloud.sqs().lose_everything();
        // Everything that was made by the first event is known from now on.
        happens(&gateway, 2).await;
        if is_deleted {
            delete(&gateway, &made).await;
        } else {
            act(&gateway, &made, "disable").await;
        }
        // Nothing tells the dispatcher of the change before the late event does.
        gateway.cloud.sqs().lose_everything();
        later(&gateway, SignedDuration::from_secs(125)).await;
        assert_eq!(numbers(&sink), [2], "deleted: {is_deleted}");
    }
}

/// A20: an event whose message was lost went to the URL from before a change, signed for it.
#[tokio::test]
async fn a20_an_event_that_comes_late_goes_to_the_url_that_is_by_then() {
    let gateway = gateway().await;
    let (sink, b) = (Sink::start().await, gateway.instance(1));
    let made = subscribed(&gateway, &sink, json!({})).await;
    publish(&gateway, 1).await;
    gateway.cloud.sqs().lose_everything();
    happens(&gateway, 2).await;
    // Another instance sees the new URL prove itself.
    crate::replace(&gateway, &made, &sink.url("/new"), "ticket.updated").await;
    gateway.drain(b).await;
    later(&gateway, SignedDuration::from_secs(125)).await;
    assert_eq!(numbers(&sink), [2, 1]);
    let paths: Vec<String> = sink.received().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/hook", "/new"]);
}
