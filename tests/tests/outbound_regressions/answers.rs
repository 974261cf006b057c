//! Calls whose answers were lost on the way back, and were taken for those of somebody else.

use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::Sink;
use http::{Method, StatusCode};
use serde_json::json;

use crate::{EVENTS, act, call, deliveries, gateway_with, happens, subscribed};

/// B9: a delivery that was asked for was put, the answer was lost, and the row of the very same call was taken for
/// another's: a second one was made.
#[tokio::test]
async fn b9_an_event_is_sent_once_more_once_although_the_tables_answer_is_lost() {
    let gateway = gateway_with(&[("AWS_MAX_ATTEMPTS", "3")]).await;
    let sink = Sink::start().await;
    let made = subscribed(&gateway, &sink, json!({})).await;
    let event = happens(&gateway, 1).await;
    gateway.cloud.faults().set(Fault::new(FaultKind::After).by("a").on("PutItem"));
    let body = json!({"subscription_id": made["data"]["id"]});
    let (status, answer) = call(&gateway, Method::POST, &format!("{EVENTS}/{event}/resend"), Some(body)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    assert_eq!(gateway.cloud.faults().hit(), 1);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(deliveries(&gateway, &made, "resend").await.len(), 1);
    assert_eq!(sink.received().len(), 2);
}

/// B8: the same for a test.
#[tokio::test]
async fn b8_a_test_is_sent_once_although_the_tables_answer_is_lost() {
    let gateway = gateway_with(&[("AWS_MAX_ATTEMPTS", "3")]).await;
    let sink = Sink::start().await;
    let made = subscribed(&gateway, &sink, json!({})).await;
    gateway.cloud.faults().set(Fault::new(FaultKind::After).by("a").on("PutItem"));
    act(&gateway, &made, "test").await;
    assert_eq!(gateway.cloud.faults().hit(), 1);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(deliveries(&gateway, &made, "test").await.len(), 1);
    assert_eq!(sink.received().len(), 1);
}
