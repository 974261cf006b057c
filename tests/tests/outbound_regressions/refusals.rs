//! What a tenant could do to the operator's subscription and in the gateway's own name.

use hookport_tests::Sink;
use hookport_tests::gateway::text;
use hookport_tests::inbound::list;
use hookport_tests::sink::SinkRequest;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::json;

use crate::{
    DELIVERIES, EVENT_TYPES, EVENTS, SUBSCRIPTIONS, call, gateway, gateway_with, happens, later, refused, subscribed,
};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn type_of(request: &SinkRequest) -> String {
    request.header("hookport-event-type").to_owned()
}

/// B24: whoever could send events once more could send any to the operator's sink, signed with the operator's secret,
/// and put an end to its alerts.
#[tokio::test]
async fn b24_nothing_is_sent_again_to_the_operators_sink_and_nothing_of_it_is_cancelled() {
    let (alerts, sink) = (Sink::start().await, Sink::start().await);
    let url = alerts.url("/alerts");
    let settings = [("ALERT_SINK_ENABLED", "true"), ("ALERT_SINK_URL", url.as_str()), ("ALERT_SINK_SECRET", SECRET)];
    let gateway = gateway_with(&settings).await;
    alerts.answers([500]);
    subscribed(&gateway, &sink, json!({})).await;
    let event = happens(&gateway, 1).await;
    let all = list(&gateway, SUBSCRIPTIONS).await;
    let pinned = all.iter().find(|s| s["url"] == "(operator-pinned)").expect("the operator's subscription");
    let of_pinned = format!("{DELIVERIES}?subscription_id={}", text(&pinned["id"]));
    let alert = list(&gateway, &of_pinned).await.swap_remove(0);
    assert_eq!((&alert["state"], &alert["event_type"]), (&json!("pending"), &json!("subscription.activated")));

    let resend = format!("{EVENTS}/{event}/resend");
    let body = json!({"subscription_id": pinned["id"]});
    refused(&call(&gateway, Method::POST, &resend, Some(body)).await, 403, "operator_pinned");
    for verb in ["retry", "cancel"] {
        let path = format!("{DELIVERIES}/{}/{verb}", text(&alert["id"]));
        refused(&call(&gateway, Method::POST, &path, None).await, 403, "operator_pinned");
    }
    assert_eq!(list(&gateway, &of_pinned).await, [alert]);
    later(&gateway, SignedDuration::from_secs(66)).await;
    gateway.settle(gateway.instance(0)).await;
    let types: Vec<String> = alerts.received().iter().map(type_of).collect();
    assert_eq!(types, ["subscription.activated", "subscription.activated"], "it failed once and went on");
}

/// B2: a webhook that makes events of the gateway's own types told its subscribers, and the operator, whatever a
/// stranger sent.
#[tokio::test]
async fn b2_no_webhook_makes_events_of_the_gateways_own_types() {
    let gateway = gateway().await;
    for own in ["delivery.exhausted", "subscription.activated", "inbound_webhook.silent"] {
        let body = json!({"name": "forged", "event_type": own});
        let answer = call(&gateway, Method::POST, "/api/v1/inbound-webhooks", Some(body)).await;
        refused(&answer, 400, "invalid_request");
    }
    let body = json!({"name": "fine", "event_type": "delivery.arrived"});
    let (status, answer) = call(&gateway, Method::POST, "/api/v1/inbound-webhooks", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}

/// B2: nor does one that is enabled for an event type.
#[tokio::test]
async fn b2_no_event_type_of_the_gateways_own_gets_a_webhook() {
    let gateway = gateway().await;
    let (made, answer) = call(&gateway, Method::POST, EVENT_TYPES, Some(json!({"ref": "delivery.exhausted"}))).await;
    let enable = format!("{EVENT_TYPES}/delivery.exhausted/webhook/enable");
    let (enabled, _) = call(&gateway, Method::POST, &enable, None).await;
    assert!(enabled.is_client_error(), "{made} {answer}, {enabled}");
}
