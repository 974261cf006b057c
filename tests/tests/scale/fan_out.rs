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

/// How many want the event: as many as a debug build sends to in some seconds.
const TARGETS: u32 = 500;
/// How many of them are on one page.
const PAGE: usize = 100;
/// More rounds than pages and deaths together.
const MOST_ROUNDS: usize = 12;

/// Active subscriptions of `invoice.paid`, made as if each target had proven itself.
async fn subscribe_many(app: &App, sink: &Sink) {
    let url = TargetUrl::parse(&sink.url("/hook"), &app.config.egress.urls()).expect("loopback is allowed in tests");
    let secret = generate_secret(&app.random);
    let now = app.clock.now();
    for n in 0..TARGETS {
        let one = subscription(n, &url, "invoice.paid", now);
        let owner = Owner::new(&tenant(), one.id);
        let secret = app.vault.seal(&secret, &owner, now).await.expect("the keyring is there");
        app.store.create_subscription(&Subscription { secret, ..one }, None).await.expect("it is new");
    }
}

async fn row(app: &App, id: InboundDeliveryId) -> InboundDelivery {
    app.store.inbound_delivery(&tenant(), id).await.expect("the table answers").expect("the row is there")
}

/// Each invocation has time for one page. Of three, one dies before it has noted how far it came and one after it.
#[tokio::test]
async fn an_event_for_five_hundred_fans_out_in_pages_and_goes_on_where_it_stopped() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let app = gateway.instance(0).management_app.clone();
    gateway.create("/api/v1/event-types", json!({"ref": "invoice.paid"})).await;
    subscribe_many(&app, &sink).await;
    let event: EventId = publish(&gateway, "invoice.paid").await.parse().expect("the id of an event");
    gateway.cloud.sqs().lose_everything();

    let body = Message::Inbound(InboundMessage::again(tenant(), event.into())).encode();
    let (mut rounds, mut without_gain) = (0, 0);
    while row(&app, event.into()).await.status == DispatchStatus::Pending {
        assert!(rounds < MOST_ROUNDS, "it comes to an end");
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
    assert!(rounds >= TARGETS as usize / PAGE, "one page for each invocation");
    assert_eq!(row(&app, event.into()).await.subscriptions.len(), TARGETS as usize);
    gateway.settle(&gateway.fresh("last")).await;

    let received = sink.received();
    let targets: HashSet<_> = received.iter().map(|request| request.header("hookport-subscription-id")).collect();
    assert_eq!((received.len(), targets.len()), (TARGETS as usize, TARGETS as usize), "each got it exactly once");
    assert!(received.iter().all(|request| request.header("hookport-attempt") == "1"));
    assert!(received.iter().all(|request| request.header("webhook-id") == event.to_string()));
}

/// The worker dies when it notes how far it came. Nothing before that is an update.
fn crash(effect: bool, worker: &str) -> Fault {
    Fault::new(FaultKind::Crash { effect }).on("UpdateItem").by(worker)
}
