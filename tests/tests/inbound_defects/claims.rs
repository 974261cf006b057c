//! Defects 25 and 26: checks for duplicates that are not one with their claim, and keys that are not there.

use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::gateway::{SECRET, TestGateway, answer, text};
use hookport_tests::{SenderRequest, Sink};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{URL, kept, rows};

/// A gateway of two instances, a sink that is subscribed, and a webhook that takes keys from a header for a minute.
async fn stage() -> (TestGateway, Sink, String) {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    let sink = Sink::start().await;
    let source = json!({"type": "header", "value": "Idempotency-Key"});
    let more = json!({"idempotency_source": source, "idempotency_window_seconds": 60});
    let webhook = gateway.webhook("github", more).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    (gateway, sink, webhook)
}

fn request(n: u32) -> SenderRequest {
    SenderRequest::json(format!(r#"{{"n":{n}}}"#)).with("idempotency-key", "k1").signed(SECRET)
}

/// Whoever claims first and is held up before it keeps anything is overtaken by the other, and is the duplicate then:
/// there is no moment at which both may go on.
#[tokio::test]
async fn defect_25_a_check_and_its_claim_are_one_step() {
    let (gateway, sink, webhook) = stage().await;
    gateway.cloud.faults().set(Fault::new(FaultKind::Pause { effect: true }).on("PutItem").by("a"));
    let overtaking = async {
        gateway.cloud.faults().paused().await;
        let response = gateway.send(gateway.instance(1), URL, &request(2)).await;
        gateway.cloud.faults().release();
        response
    };
    let (first, second) = (request(1), overtaking);
    let (held, overtaking) = tokio::join!(gateway.send(gateway.instance(0), URL, &first), second);
    assert_eq!((held.status(), overtaking.status()), (StatusCode::OK, StatusCode::OK));
    let (held, overtaking) = (answer(&held), answer(&overtaking));
    assert_eq!(held["delivery_id"], overtaking["delivery_id"], "one id for both");
    assert_eq!((&held["duplicate"], &overtaking["duplicate"]), (&json!(true), &json!(null)));
    gateway.cloud.faults().clear();
    gateway.settle(gateway.instance(0)).await;
    let [delivered] = &sink.received()[..] else { panic!("one delivery") };
    assert_eq!(&delivered.body[..], br#"{"n":2}"#, "what was kept is what is delivered");
    let statuses: Vec<Value> = rows(&gateway, &webhook).await.iter().map(|row| row["status"].clone()).collect();
    assert!(statuses.len() == 2 && statuses.contains(&json!("duplicate")), "{statuses:?}");
}

/// A duplicate in the last instant of the window moves its end by nothing, and is nobody's original.
#[tokio::test]
async fn defect_25_duplicates_never_extend_the_window() {
    let (gateway, sink, _) = stage().await;
    let first = kept(&gateway, URL, &request(1)).await;
    for _ in 0..59 {
        gateway.advance(SignedDuration::from_secs(1));
        let again = kept(&gateway, URL, &request(2)).await;
        assert_eq!(again, json!({"delivery_id": first["delivery_id"], "duplicate": true}));
    }
    gateway.advance(SignedDuration::from_millis(999));
    assert_eq!(kept(&gateway, URL, &request(2)).await["duplicate"], json!(true));
    gateway.advance(SignedDuration::from_millis(1));
    let fresh = kept(&gateway, URL, &request(3)).await;
    assert_eq!(fresh["duplicate"], json!(null));
    assert_eq!(kept(&gateway, URL, &request(4)).await["delivery_id"], fresh["delivery_id"]);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 2);
}

/// A request that nobody finished keeps its key and loses nothing by it: it is finished, and then it is the original.
#[tokio::test]
async fn defect_25_a_request_that_nobody_finished_is_finished_and_not_forgotten() {
    let (gateway, sink, webhook) = stage().await;
    let first = kept(&gateway, URL, &request(1)).await;
    gateway.cloud.sqs().lose_everything();
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(rows(&gateway, &webhook).await[0]["status"], json!("pending"));
    gateway.advance(SignedDuration::from_secs(59));
    let again = kept(&gateway, URL, &request(1)).await;
    assert_eq!(again, json!({"delivery_id": first["delivery_id"], "duplicate": true}));
    gateway.settle(gateway.instance(1)).await;
    assert_eq!(sink.received().len(), 1, "the sender was told the truth");
    let row = rows(&gateway, &webhook).await.pop().expect("the first");
    assert_eq!((&row["id"], &row["status"]), (&first["delivery_id"], &json!("dispatched")));
}

/// A key that an expression does not find is no error: the request is kept, has a row and is delivered, each time.
#[tokio::test]
async fn defect_26_a_key_that_is_not_in_the_body_is_no_error() {
    for path in ["$.alert.id", "$['a b'][0].id", "$[3]", "$.alert.ids[-1]"] {
        let gateway = TestGateway::new().await;
        let sink = Sink::start().await;
        let source = json!({"idempotency_source": {"type": "jsonpath", "value": path}});
        let webhook = gateway.webhook("github", source).await;
        gateway.subscribe(&sink, &["github.*"], json!({})).await;
        let bodies = ["{}", "[]", "null", "7", r#""alert""#, r#"{"alert":7}"#, r#"{"alert":{"ids":[]}}"#, ""];
        for body in bodies {
            let answer = kept(&gateway, URL, &SenderRequest::json(body).signed(SECRET)).await;
            gateway.drain(gateway.instance(0)).await;
            assert_eq!(sink.received().last().map(|received| &received.body[..]), Some(body.as_bytes()), "{path}");
            let row = gateway
                .get(&format!("/api/v1/inbound-webhooks/{webhook}/deliveries/{}", text(&answer["delivery_id"])))
                .await;
            let told = json!([row["data"]["status"], row["data"]["idempotency_key"], row["data"]["error"]]);
            assert_eq!(told, json!(["dispatched", null, null]), "{path}: {body}");
        }
        assert_eq!(rows(&gateway, &webhook).await.len(), bodies.len(), "{path}");
    }
}
