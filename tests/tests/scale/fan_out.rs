//! One event for many: in pages, each of which is noted, so that whoever comes next goes on where the last one stopped.

use std::collections::HashSet;
use std::sync::Arc;

use hookport::app::App;
use hookport::aws::lambda::{Deadline, Received};
use hookport::domain::id::{EventId, InboundDeliveryId};
use hookport::domain::inbound_delivery::{DispatchStatus, InboundDelivery};
use hookport::domain::subscription::Subscription;
use hookport::domain::target_url::TargetUrl;
use hookport::message::{InboundMessage, Message};
use hookport::signature::standard::generate_secret;
use hookport::vault::Owner;
use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::{Sink, TestGateway};
use serde_json::json;

use super::{publish, subscription, tenant};

/// How many subscriptions are on one page.
const PAGE: usize = 100;

/// Active subscriptions of `invoice.paid`, made as if each target had proven itself.
async fn subscribe_many(app: &App, sink: &Sink, targets: u32) {
    let url = TargetUrl::parse(&sink.url("/hook"), &app.config.egress.urls()).expect("loopback is allowed in tests");
    let secret = generate_secret(&app.random);
    let now = app.clock.now();
    for n in 0..targets {
        let one = subscription(n, &url, "invoice.paid", now);
        let owner = Owner::new(&tenant(), one.id);
        let secret = app.vault.seal(&secret, &owner, now).await.expect("the keyring is there");
        app.store.create_subscription(&Subscription { secret, ..one }, None).await.expect("it is new");
    }
}

async fn row(app: &App, id: InboundDeliveryId) -> InboundDelivery {
    app.store.inbound_delivery(&tenant(), id).await.expect("the table answers").expect("the row is there")
}

#[tokio::test]
async fn an_event_for_five_hundred_fans_out_in_pages_and_goes_on_where_it_stopped() {
    fans_out(500).await;
}

#[tokio::test]
#[ignore = "takes a debug build five minutes, and differs from the one before it in nothing but the number"]
async fn an_event_for_five_thousand_fans_out_in_pages_and_goes_on_where_it_stopped() {
    fans_out(5_000).await;
}

/// Each invocation has time for one page. Of three, one dies before it has noted how far it came and one after it.
async fn fans_out(targets: u32) {
    let subscribed = targets as usize;
    // More than pages and deaths together.
    let most_rounds = 2 * subscribed / PAGE + 2;
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let app = gateway.instance(0).management_app.clone();
    gateway.create("/api/v1/event-types", json!({"ref": "invoice.paid"})).await;
    subscribe_many(&app, &sink, targets).await;
    let event: EventId = publish(&gateway, "invoice.paid").await.parse().expect("the id of an event");
    gateway.cloud.sqs().lose_everything();

    let body = Message::Inbound(InboundMessage::again(tenant(), event.into())).encode();
    let (mut rounds, mut without_gain) = (0, 0);
    while row(&app, event.into()).await.status == DispatchStatus::Pending {
        assert!(rounds < most_rounds, "it comes to an end");
        let name = format!("worker-{rounds}");
        let worker = gateway.fresh(&name);
        match rounds % 3 {
            1 => gateway.cloud.faults().set(crash(false, &name)),
            2 => gateway.cloud.faults().set(crash(true, &name)),
            _ => {}
        }
        let before = sink.received().len();
        let message = Received { message_id: "m".to_owned(), body: body.clone(), receive_count: 1 };
        let over = Deadline(gateway.clock.now());
        Arc::clone(&worker.dispatcher).handle(vec![message], over).await;
        gateway.cloud.faults().clear();
        gateway.cloud.sqs().lose_everything();

        let gained = sink.received().len() - before;
        assert!(gained <= PAGE, "round {rounds}: {gained} of one page");
        without_gain = if gained == 0 { without_gain + 1 } else { 0 };
        assert!(without_gain < 2, "round {rounds}: a page that was sent is not gone through again and again");
        rounds += 1;
    }
    assert!(rounds >= subscribed / PAGE, "one page for each invocation");
    assert_eq!(row(&app, event.into()).await.subscriptions.len(), subscribed);
    gateway.settle(&gateway.fresh("last")).await;

    let received = sink.received();
    let reached: HashSet<_> = received.iter().map(|request| request.header("hookport-subscription-id")).collect();
    assert_eq!((received.len(), reached.len()), (subscribed, subscribed), "each got it exactly once");
    assert!(received.iter().all(|request| request.header("hookport-attempt") == "1"));
    assert!(received.iter().all(|request| request.header("webhook-id") == event.to_string()));
}

/// The worker dies when it notes how far it came. Nothing before that is an update.
fn crash(effect: bool, worker: &str) -> Fault {
    Fault::new(FaultKind::Crash { effect }).on("UpdateItem").by(worker)
}
