//! Waiting for what targets answer: within bounds, and what is not done then goes on without the caller.

use std::cell::Cell;
use std::time::Duration;

use hookport_local::cloud::{Fault, FaultKind};
use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, text};
use hookport_tests::inbound::list;
use hookport_tests::sink::Reply;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{Answer, EVENTS, TOKENS, deliveries, gateway, invoice, path, post, refused};

/// Longer than the longest time between two looks, shorter than any wait.
const A_LOOK: SignedDuration = SignedDuration::from_millis(600);

/// Asks for something with `?wait=`, and works the queues until the sink has got what follows from it.
async fn waited(gateway: &TestGateway, sink: &Sink, token: &str, path: &str, body: Value) -> Answer {
    let work = async {
        while sink.received().is_empty() {
            gateway.drain(gateway.instance(0)).await;
            tokio::task::yield_now().await;
        }
        gateway.advance(A_LOOK);
    };
    let both = async { tokio::join!(gateway.api(Method::POST, path, token, Some(body)), work).0 };
    timeout(Duration::from_secs(20), both).await.expect("the target is sent something")
}

async fn waited_as_operator(gateway: &TestGateway, sink: &Sink, path: &str, body: Value) -> Answer {
    waited(gateway, sink, gateway.admin_token(), path, body).await
}

/// A target that is subscribed to `invoice.paid`.
async fn subscribed(gateway: &TestGateway, more: Value) -> (Sink, Value) {
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["invoice.paid"], more).await;
    (sink, made)
}

#[tokio::test]
async fn a_publisher_who_waits_is_told_what_every_target_answered() {
    let gateway = gateway().await;
    let (sink, made) = subscribed(&gateway, json!({})).await;
    let (other, other_made) = subscribed(&gateway, json!({})).await;
    sink.replies([Reply::status(201).saying(r#"{"contact":7}"#)]);
    other.replies([Reply::status(422).saying(r#"{"message":"no such contact"}"#)]);
    let (status, answer) = waited_as_operator(&gateway, &sink, &format!("{EVENTS}?wait=5"), invoice()).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let data = &answer["data"];
    assert!(text(&data["id"]).starts_with("evt_"));
    assert_eq!((&data["complete"], &data["duplicate"]), (&json!(true), &json!(false)));
    let of = |made: &Value| {
        let all = data["deliveries"].as_array().expect("deliveries");
        assert_eq!(all.len(), 2, "{answer}");
        let one = all.iter().find(|delivery| delivery["subscription_id"] == made["data"]["id"]);
        one.expect("a delivery of each").clone()
    };
    let delivered = of(&made);
    let attempt = &delivered["attempts"][0];
    assert_eq!((&delivered["state"], &attempt["status"]), (&json!("delivered"), &json!(201)));
    assert_eq!(attempt["response_body"], r#"{"contact":7}"#);
    // A failure that is tried again is an answer as well: nobody waits for the schedule.
    let failed = of(&other_made);
    assert_eq!((&failed["state"], &failed["attempts"][0]["status"]), (&json!("pending"), &json!(422)));
    assert_eq!(failed["last_response"], json!({"status": 422, "message": "no such contact"}));
}

#[tokio::test]
async fn an_event_by_its_type_can_be_waited_for_too() {
    let gateway = gateway().await;
    let (sink, made) = subscribed(&gateway, json!({})).await;
    let (status, answer) =
        waited_as_operator(&gateway, &sink, &format!("{EVENTS}/invoice.paid?wait=1"), json!({"n": 1})).await;
    assert_eq!((status, &answer["data"]["complete"]), (StatusCode::OK, &json!(true)), "{answer}");
    assert_eq!(answer["data"]["deliveries"][0]["subscription_id"], made["data"]["id"]);
}

/// A repetition is told how the first one went, and nothing is sent again.
#[tokio::test]
async fn a_duplicate_is_answered_with_what_became_of_the_first() {
    let gateway = gateway().await;
    let (sink, _) = subscribed(&gateway, json!({})).await;
    let mut event = invoice();
    event["idempotency_key"] = json!("k1");
    let path = format!("{EVENTS}?wait=5");
    let (_, first) = waited_as_operator(&gateway, &sink, &path, event.clone()).await;
    let (status, again) = post(&gateway, &path, event).await;
    assert_eq!((status, &again["data"]["duplicate"]), (StatusCode::OK, &json!(true)), "{again}");
    assert_eq!(again["data"]["deliveries"], first["data"]["deliveries"]);
    assert_eq!((&again["data"]["id"], sink.received().len()), (&first["data"]["id"], 1));
}

/// Nobody wants it: there is nothing to wait for.
#[tokio::test]
async fn an_event_that_nobody_wants_is_complete_when_it_went_nowhere() {
    let gateway = gateway().await;
    let path = format!("{EVENTS}?wait=5");
    let is_answered = Cell::new(false);
    let asked = async {
        let answer = post(&gateway, &path, invoice()).await;
        is_answered.set(true);
        answer
    };
    let work = async {
        while list(&gateway, &format!("{EVENTS}?type=invoice.paid")).await.is_empty() {
            tokio::task::yield_now().await;
        }
        // What is kept is in the queue a moment later.
        while !is_answered.get() {
            gateway.drain(gateway.instance(0)).await;
            gateway.advance(SignedDuration::from_millis(50));
            tokio::task::yield_now().await;
        }
    };
    let both = async { tokio::join!(asked, work).0 };
    let (status, answer) = timeout(Duration::from_secs(20), both).await.expect("the wait ends");
    assert_eq!((status, &answer["data"]["deliveries"]), (StatusCode::OK, &json!([])), "{answer}");
    assert_eq!(answer["data"]["complete"], true);
}

/// B15: who waited in vain has lost nothing: the event is kept, and is delivered when the target comes back.
#[tokio::test]
async fn b15_what_takes_too_long_goes_on_without_the_caller() {
    let gateway = gateway().await;
    let (sink, made) = subscribed(&gateway, json!({})).await;
    sink.hang(true);
    let path = format!("{EVENTS}?wait=5");
    let asked = async {
        let answer = post(&gateway, &path, invoice()).await;
        sink.hang(false);
        answer
    };
    let work = async {
        while sink.received().is_empty() {
            gateway.drain(gateway.instance(0)).await;
            tokio::task::yield_now().await;
        }
    };
    let clock = async {
        sink.got(1).await;
        gateway.advance(SignedDuration::from_secs(5));
    };
    let all = async { tokio::join!(asked, work, clock).0 };
    let (status, answer) = timeout(Duration::from_secs(20), all).await.expect("the wait ends");
    assert_eq!((status, &answer["data"]["complete"]), (StatusCode::ACCEPTED, &json!(false)), "{answer}");
    let under_way = &answer["data"]["deliveries"][0];
    assert_eq!((&under_way["subscription_id"], &under_way["state"]), (&made["data"]["id"], &json!("attempting")));
    let found = deliveries(&gateway, &made).await;
    assert_eq!((found.len(), &found[0]["state"]), (1, &json!("delivered")));
    assert_eq!((&found[0]["event_id"], sink.received().len()), (&answer["data"]["id"], 1));
}

#[tokio::test]
async fn a_wait_has_bounds_and_is_for_one_event() {
    let gateway = gateway().await;
    let (sink, made) = subscribed(&gateway, json!({})).await;
    let (by_type, test) = (format!("{EVENTS}/invoice.paid"), format!("{}/test", path(&made)));
    for wait in ["0", "11", "-1", "1.5", "soon", ""] {
        for place in [EVENTS, by_type.as_str(), test.as_str()] {
            let body = if place == test { json!({}) } else { invoice() };
            let message = refused(&post(&gateway, &format!("{place}?wait={wait}"), body).await, 400, "invalid_request");
            assert!(message.contains("wait"), "{place}?wait={wait}: {message}");
        }
    }
    let several = json!({"events": [invoice()]});
    refused(&post(&gateway, &format!("{EVENTS}?wait=1"), several.clone()).await, 400, "invalid_request");
    gateway.drain(gateway.instance(0)).await;
    assert!(sink.received().is_empty(), "what is refused is not published");

    for (path, body) in [(EVENTS, invoice()), (EVENTS, several), (test.as_str(), json!({}))] {
        let (status, answer) = post(&gateway, path, body).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        let data = &answer["data"];
        assert!(data.get("complete").is_none() && data.get("deliveries").is_none(), "nobody asked: {answer}");
        assert!(data.get("delivery").is_none(), "nobody asked: {answer}");
    }
}

/// B8: a test has one attempt, so that its caller learns how it ended.
#[tokio::test]
async fn b8_a_test_can_be_waited_for() {
    let gateway = gateway().await;
    let (sink, made) = subscribed(&gateway, json!({})).await;
    let test = format!("{}/test?wait=5", path(&made));
    for (status, state) in [(200, "delivered"), (422, "exhausted")] {
        sink.forget();
        sink.replies([Reply::status(status).saying(r#"{"message":"so be it"}"#)]);
        let (answered, answer) = waited_as_operator(&gateway, &sink, &test, json!({})).await;
        assert_eq!(answered, StatusCode::OK, "{answer}");
        let data = &answer["data"];
        assert_eq!((&data["status"], &data["delivery"]["state"]), (&json!(state), &json!(state)));
        assert_eq!((&data["delivery"]["id"], &data["delivery"]["kind"]), (&data["delivery_id"], &json!("test")));
        assert_eq!(data["delivery"]["last_response"], json!({"status": status, "message": "so be it"}));
    }
}

/// What somebody else's target says is not for the token of an owner.
#[tokio::test]
async fn a_token_of_an_owner_sees_the_answers_of_its_own_targets() {
    let gateway = gateway().await;
    let (sink, made) = subscribed(&gateway, json!({"owner": "ann"})).await;
    let (common, _) = subscribed(&gateway, json!({})).await;
    common.replies([Reply::status(422).saying("not for ann")]);
    let body = json!({"name": "t", "owner": "ann", "permissions": ["event:publish"]});
    let ann = text(&gateway.create(TOKENS, body).await["token"]);
    let (status, answer) = waited(&gateway, &sink, &ann, &format!("{EVENTS}?wait=5"), invoice()).await;
    assert_eq!((status, &answer["data"]["complete"]), (StatusCode::OK, &json!(true)), "{answer}");
    let shown = answer["data"]["deliveries"].as_array().expect("deliveries");
    assert_eq!(shown.len(), 1, "{answer}");
    assert_eq!(shown[0]["subscription_id"], made["data"]["id"]);
    assert!(!answer.to_string().contains("not for ann"));
    assert_eq!(common.received().len(), 1, "it was sent all the same");
}

/// Also when the time is over, and many others want the event that were there before.
#[tokio::test]
async fn a_token_of_an_owner_sees_its_own_answers_although_others_take_longer() {
    let gateway = gateway().await;
    let url = "https://example.com/hook";
    let held =
        |n: u32| json!({"name": n.to_string(), "url": url, "events": ["invoice.paid"], "trigger_challenge": false});
    let set = json!({"set": "many", "subscriptions": (0..100).map(held).collect::<Vec<_>>()});
    let (status, declared) = post(&gateway, "/api/v1/subscriptions/declare", set).await;
    assert_eq!(status, StatusCode::OK, "{declared}");
    gateway.advance(SignedDuration::from_secs(1));
    let (sink, made) = subscribed(&gateway, json!({"owner": "ann"})).await;
    let (slow, _) = subscribed(&gateway, json!({})).await;
    slow.hang(true);
    let body = json!({"name": "t", "owner": "ann", "permissions": ["event:publish"]});
    let ann = text(&gateway.create(TOKENS, body).await["token"]);
    let path = format!("{EVENTS}?wait=5");
    let asked = async {
        let answer = gateway.api(Method::POST, &path, &ann, Some(invoice())).await;
        slow.hang(false);
        answer
    };
    let work = async {
        while slow.received().is_empty() {
            gateway.drain(gateway.instance(0)).await;
            tokio::task::yield_now().await;
        }
    };
    let clock = async {
        slow.got(1).await;
        sink.got(1).await;
        gateway.advance(SignedDuration::from_secs(5));
    };
    let all = async { tokio::join!(asked, work, clock).0 };
    let (status, answer) = timeout(Duration::from_secs(20), all).await.expect("the wait ends");
    assert_eq!((status, &answer["data"]["complete"]), (StatusCode::ACCEPTED, &json!(false)), "{answer}");
    let shown = answer["data"]["deliveries"].as_array().expect("deliveries");
    assert_eq!((shown.len(), &shown[0]["subscription_id"]), (1, &made["data"]["id"]), "{answer}");
}

/// Who is told that something went wrong may ask again, and nothing was sent before.
#[tokio::test]
async fn a_test_that_was_made_is_never_answered_with_an_error() {
    let gateway = gateway().await;
    let (_sink, made) = subscribed(&gateway, json!({})).await;
    let test = format!("{}/test?wait=1", path(&made));
    let (mut errors, mut accepted) = (0, 0);
    for nth in 1.. {
        let before = list(&gateway, "/api/v1/deliveries?kind=test&limit=100").await.len();
        gateway.cloud.faults().set(Fault::new(FaultKind::Before).on("GetItem").nth(nth));
        let is_answered = Cell::new(false);
        let asked = async {
            let answer = post(&gateway, &test, json!({})).await;
            is_answered.set(true);
            answer
        };
        let clock = async {
            while !is_answered.get() {
                gateway.advance(A_LOOK);
                tokio::task::yield_now().await;
            }
        };
        let (status, answer) = tokio::join!(asked, clock).0;
        let is_hit = gateway.cloud.faults().hit() == 1;
        gateway.cloud.faults().clear();
        let more = list(&gateway, "/api/v1/deliveries?kind=test&limit=100").await.len() - before;
        assert_eq!(more == 1, status == StatusCode::ACCEPTED, "call {nth}: {answer}");
        if !is_hit {
            break;
        }
        if more == 1 { accepted += 1 } else { errors += 1 }
    }
    assert!(errors > 0 && accepted > 0, "calls failed before it was made and after: {errors}, {accepted}");
}
