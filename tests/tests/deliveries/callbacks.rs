//! B17 and B24: targets that answer later, and what they are told of their deliveries.

use bytes::Bytes;
use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, text};
use hookport_tests::senders::hmac_sha256;
use hookport_tests::sink::Reply;
use http::{Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{Answer, delivery, gateway, happens, refused, work};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const UNKNOWN: &str = "dlv_01m5w3rm008000000400000003";

fn signature(content: &str) -> String {
    format!("sha256={}", hex::encode(hmac_sha256(SECRET, content.as_bytes())))
}

async fn call(gateway: &TestGateway, request: Request<Bytes>) -> Answer {
    let response = management::handle(&gateway.instance(0).management, request).await;
    let body = serde_json::from_slice(response.body()).expect("every answer is JSON");
    (response.status(), body)
}

/// Reports with this signature, if any.
async fn report_signed(gateway: &TestGateway, id: &str, body: &str, signature: Option<&str>) -> Answer {
    let mut request = Request::post(format!("/webhook-deliveries/{id}/status"));
    if let Some(signature) = signature {
        request = request.header("x-webhook-signature", signature);
    }
    call(gateway, request.body(Bytes::from(body.to_owned())).expect("a request")).await
}

/// Reports as the holder of the secret.
async fn report(gateway: &TestGateway, id: &str, body: &str) -> Answer {
    report_signed(gateway, id, body, Some(signature(body).as_str())).await
}

/// Reads a delivery with this header.
async fn read(gateway: &TestGateway, id: &str, header: Option<(&str, &str)>) -> Answer {
    let mut request = Request::get(format!("/webhook-deliveries/{id}"));
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    call(gateway, request.body(Bytes::new()).expect("a request")).await
}

/// A gateway with one delivery, made on behalf of Ann, whose target answered that it tells later.
async fn in_progress(header: &'static str) -> (TestGateway, Sink, Value, String) {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let more = json!({"secret": SECRET, "owner": "ann"});
    let made = gateway.subscribe(&sink, &["ticket.updated"], more).await;
    sink.replies([Reply::status(202).with(header, "async")]);
    happens(&gateway).await;
    let waiting = delivery(&gateway, &made).await;
    assert_eq!((&waiting["state"], &waiting["delivered_at"]), (&json!("in_progress"), &Value::Null));
    let id = text(&waiting["id"]);
    assert_eq!(sink.received()[0].header("hookport-delivery-id"), id);
    (gateway, sink, made, id)
}

/// B17: a quarter, three quarters, done; what comes after the end is refused.
#[tokio::test]
async fn b17_a_target_tells_how_far_it_is_until_it_is_done() {
    let (gateway, sink, made, id) = in_progress("hookport-callback").await;
    for (percent, message) in [(25, "reading"), (75, "writing")] {
        gateway.advance(SignedDuration::from_mins(10));
        work(&gateway).await;
        let body = json!({"status": "in_progress", "status_percent": percent, "status_message": message});
        let (status, answer) = report(&gateway, &id, &body.to_string()).await;
        let at = gateway.clock.now().to_string();
        let expected = json!({"id": id, "status": "in_progress", "status_percent": percent, "status_updated_at": at});
        assert_eq!((status, &answer), (StatusCode::OK, &expected));
        let progress = json!({"percent": percent, "message": message, "updated_at": at});
        assert_eq!(delivery(&gateway, &made).await["progress"], progress);
    }
    let (status, answer) = report(&gateway, &id, r#"{"status":"completed","status_percent":80}"#).await;
    assert_eq!((status, &answer["status_percent"]), (StatusCode::OK, &json!(100)), "done is all of it");
    let done = delivery(&gateway, &made).await;
    assert_eq!((&done["state"], &done["progress"]["percent"]), (&json!("delivered"), &json!(100)));
    assert_eq!(done["delivered_at"], gateway.clock.now().to_string());
    for body in [r#"{"status":"completed"}"#, r#"{"status":"failed"}"#, r#"{"status":"in_progress"}"#] {
        refused(&report(&gateway, &id, body).await, StatusCode::CONFLICT, "delivery_ended");
    }
    assert_eq!(delivery(&gateway, &made).await, done);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 1);
}

/// B17: a failure that is told is the end, without another attempt. Defect 6: it was not delivered at any time.
#[tokio::test]
async fn b17_defect_6_a_target_tells_that_it_failed() {
    let (gateway, sink, made, id) = in_progress("hookport-callback").await;
    let listener = Sink::start().await;
    gateway.subscribe(&listener, &["delivery.exhausted"], json!({})).await;
    gateway.advance(SignedDuration::from_secs(1));
    let body = r#"{"status":"failed","status_percent":40,"status_message":"no such ticket"}"#;
    let (status, answer) = report(&gateway, &id, body).await;
    assert_eq!((status, &answer["status"]), (StatusCode::OK, &json!("failed")), "{answer}");
    let ended = delivery(&gateway, &made).await;
    assert_eq!((&ended["state"], &ended["delivered_at"]), (&json!("exhausted"), &Value::Null));
    assert_eq!(ended["progress"]["message"], "no such ticket");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!((sink.received().len(), listener.received().len()), (1, 1));
    let (_, seen) = read(&gateway, &id, Some(("x-webhook-signature", signature(&id).as_str()))).await;
    assert_eq!((&seen["status"], &seen["last_error"]), (&json!("failed"), &json!("no such ticket")));
}

/// B17: a quarter of an hour without a word is a failure, counted from the last word.
#[tokio::test]
async fn b17_a_target_that_falls_silent_has_failed() {
    let (gateway, sink, made, id) = in_progress("x-tmi-callback").await;
    gateway.advance(SignedDuration::from_mins(14));
    report(&gateway, &id, r#"{"status":"in_progress","status_percent":10}"#).await;
    gateway.advance(SignedDuration::from_mins(14));
    work(&gateway).await;
    assert_eq!(delivery(&gateway, &made).await["state"], "in_progress");
    gateway.advance(SignedDuration::from_mins(1));
    work(&gateway).await;
    let ended = delivery(&gateway, &made).await;
    assert_eq!((&ended["state"], &ended["progress"]["percent"]), (&json!("exhausted"), &json!(10)));
    assert_eq!(ended["progress"]["message"], "the target has said nothing for 15 minutes");
    refused(&report(&gateway, &id, r#"{"status":"completed"}"#).await, StatusCode::CONFLICT, "delivery_ended");
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.received().len(), 1);
}

/// B17: what is not signed with the secret, and what is no report, changes nothing. Defect 5: nobody is believed for
/// leaving the signature out.
#[tokio::test]
async fn b17_defect_5_only_signed_reports_within_the_rules_are_taken() {
    let (gateway, _sink, made, id) = in_progress("hookport-callback").await;
    let before = delivery(&gateway, &made).await;
    let done = r#"{"status":"completed"}"#;
    let missing = report_signed(&gateway, &id, done, None).await;
    refused(&missing, StatusCode::UNAUTHORIZED, "signature_missing");
    for wrong in [signature(&format!("{done} ")), signature(&id), "sha256=".to_owned(), "nonsense".to_owned()] {
        let answer = report_signed(&gateway, &id, done, Some(wrong.as_str())).await;
        refused(&answer, StatusCode::UNAUTHORIZED, "signature_mismatch");
    }
    let long = json!({"status": "in_progress", "status_message": "x".repeat(1_025)}).to_string();
    let bad = [
        "{",
        "[]",
        "{}",
        r#"{"status":"done"}"#,
        r#"{"status":"in_progress","status_percent":-1}"#,
        r#"{"status":"in_progress","status_percent":101}"#,
        long.as_str(),
    ];
    for body in bad {
        refused(&report(&gateway, &id, body).await, StatusCode::BAD_REQUEST, "invalid_request");
    }
    refused(&report(&gateway, "nonsense", done).await, StatusCode::BAD_REQUEST, "invalid_id");
    refused(&report(&gateway, UNKNOWN, done).await, StatusCode::NOT_FOUND, "delivery_not_found");
    assert_eq!(delivery(&gateway, &made).await, before);

    let longest = json!({"status": "in_progress", "status_percent": 0, "status_message": "é".repeat(1_024)});
    assert_eq!(report(&gateway, &id, &longest.to_string()).await.0, StatusCode::OK);
    gateway.advance(SignedDuration::from_hours(91 * 24));
    refused(&report(&gateway, &id, done).await, StatusCode::NOT_FOUND, "delivery_not_found");
}

/// B17: deliveries that were answered at once are not told of later.
#[tokio::test]
async fn b17_a_delivery_that_was_answered_at_once_takes_no_reports() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"secret": SECRET})).await;
    happens(&gateway).await;
    let done = delivery(&gateway, &made).await;
    let (status, _) = report(&gateway, &text(&done["id"]), r#"{"status":"failed"}"#).await;
    assert!(matches!(status, StatusCode::NOT_FOUND | StatusCode::CONFLICT), "{status}");
    assert_eq!(delivery(&gateway, &made).await, done);
}

/// B24: a delivery is read by who holds the secret, by its owner and by admins, and by nobody else.
#[tokio::test]
async fn b24_a_delivery_is_read_by_its_target_its_owner_and_admins() {
    let (gateway, _sink, _, id) = in_progress("hookport-callback").await;
    let token = async |permissions: &[&str], owner: Value| {
        let body = json!({"name": "t", "permissions": permissions, "owner": owner});
        format!("Bearer {}", text(&gateway.create("/api/v1/api-tokens", body).await["token"]))
    };
    let signed = signature(&id);
    let admin = format!("Bearer {}", gateway.admin_token());
    let ann = token(&["delivery:read"], json!("ann")).await;
    let bob = token(&["delivery:read"], json!("bob")).await;
    let other = token(&["subscription:read"], json!("ann")).await;
    let bearer = "authorization";
    for header in [("x-webhook-signature", signed.as_str()), (bearer, admin.as_str()), (bearer, ann.as_str())] {
        let (status, seen) = read(&gateway, &id, Some(header)).await;
        assert_eq!((status, &seen["id"]), (StatusCode::OK, &json!(id)), "{seen}");
        assert_eq!((&seen["event_type"], &seen["status"]), (&json!("ticket.updated"), &json!("in_progress")));
        assert_eq!((&seen["attempts"], &seen["delivered_at"]), (&json!(1), &Value::Null));
    }
    refused(&read(&gateway, &id, Some((bearer, other.as_str()))).await, StatusCode::FORBIDDEN, "forbidden");
    refused(&read(&gateway, &id, Some((bearer, bob.as_str()))).await, StatusCode::NOT_FOUND, "delivery_not_found");
    refused(&read(&gateway, &id, None).await, StatusCode::UNAUTHORIZED, "unauthorized");
    let wrong = signature("another id");
    let answer = read(&gateway, &id, Some(("x-webhook-signature", wrong.as_str()))).await;
    refused(&answer, StatusCode::UNAUTHORIZED, "signature_mismatch");
    let unknown = read(&gateway, UNKNOWN, Some((bearer, admin.as_str()))).await;
    refused(&unknown, StatusCode::NOT_FOUND, "delivery_not_found");
    refused(&read(&gateway, "nonsense", Some((bearer, admin.as_str()))).await, StatusCode::BAD_REQUEST, "invalid_id");
}
