//! A8: every wrong answer to a challenge counts one failure, and its reason is kept and shown.

use hookport_tests::Sink;
use hookport_tests::gateway::text;
use hookport_tests::inbound::list;
use hookport_tests::sink::Reply;
use serde_json::{Value, json};

use crate::{BETWEEN_TRIES, ECHO, delivered, echo, gateway_of, numbers, path_of, shown, state, three_tries, value_of};

/// A8: wrong values, statuses and bodies, each with its reason; nothing that the target said is kept.
#[tokio::test]
async fn a8_each_wrong_answer_counts_one_failure_and_keeps_its_reason() {
    let gateway = gateway_of(&["a"]).await;
    let elsewhere = Sink::start().await;
    let ok = || Reply::status(200);
    let long = format!("{ECHO}{}", " ".repeat(1_024));
    let cases = [
        (ok().saying(r#"{"challenge":"0000"}"#), "not the value that was sent"),
        (ok().saying(r#"{"challenge":11}"#), "not the value that was sent"),
        (ok().saying(r#"{"echo":"{challenge}"}"#), "no member `challenge`"),
        (Reply::status(201).saying(ECHO), "status 201"),
        (Reply::status(202).saying(ECHO), "status 202"),
        (Reply::status(204).saying(""), "status 204"),
        (Reply::status(404).saying(ECHO), "status 404"),
        (Reply::status(410).saying(ECHO), "status 410"),
        (Reply::status(500).saying(ECHO), "status 500"),
        (ok().saying("{challenge}"), "not JSON"),
        (ok().saying(""), "not JSON"),
        (ok().saying(r#"["{challenge}"]"#), "not an object"),
        (ok().saying(r#""{challenge}""#), "not an object"),
        (ok().saying(long), "larger than 1 KiB"),
        (Reply::status(302).with("location", elsewhere.url("/hook")).saying(ECHO), "status 302"),
        (Reply::status(307).with("location", elsewhere.url("/hook")).saying(ECHO), "status 307"),
    ];
    for (reply, reason) in cases {
        let sink = Sink::start().await;
        sink.answers_challenges(vec![reply.clone(); 3]);
        let made = gateway.ask_for_subscription(&sink, &["github.push"], json!({})).await;
        three_tries(&gateway).await;
        assert_eq!(sink.challenges().len(), 3, "{reply:?}");
        let failed = shown(&gateway, &path_of(&made)).await;
        assert_eq!(failed["state"], "verification_failed", "{reply:?}");
        let told = text(&failed["verification"]["failure"]);
        assert!(told.contains(reason), "{reply:?}: {told}");
        assert_eq!(failed["status_message"], json!(told));

        let of = format!("/api/v1/deliveries?subscription_id={}", text(&made["data"]["id"]));
        let [challenge] = &list(&gateway, &of).await[..] else { panic!("one delivery") };
        assert_eq!((&challenge["state"], &challenge["delivered_at"]), (&json!("exhausted"), &Value::Null));
        let attempts = challenge["attempts"].as_array().expect("a list");
        assert_eq!(attempts.len(), 3);
        for attempt in attempts {
            assert_eq!((&attempt["outcome"], &attempt["fault"]), (&json!("failed"), &json!(told)), "{reply:?}");
            assert_eq!(attempt["status"], json!(reply.status));
            assert_eq!(attempt["response_body"], Value::Null, "it may hold the challenge");
        }
        assert!(!challenge.to_string().contains(&value_of(&sink.challenges()[0])));
        assert!(sink.received().is_empty());
    }
    assert!(elsewhere.challenges().is_empty() && elsewhere.received().is_empty(), "no redirect is followed");
}

/// A8: a target that cannot be connected to fails like one that answers wrong.
#[tokio::test]
async fn a8_a_target_that_is_not_there_fails_each_try() {
    let gateway = gateway_of(&["a"]).await;
    let (sink, gone) = (Sink::start().await, Sink::start().await.url("/hook"));
    let made = gateway.ask_for_subscription(&sink, &["github.push"], json!({"url": gone})).await;
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(state(&gateway, &path_of(&made)).await, "pending_verification");
    three_tries(&gateway).await;
    let failed = shown(&gateway, &path_of(&made)).await;
    assert_eq!(failed["state"], "verification_failed");
    assert!(text(&failed["verification"]["failure"]).contains("could not be connected to"), "{failed}");
    let [challenge] = &list(&gateway, "/api/v1/deliveries").await[..] else { panic!("one delivery") };
    let codes: Vec<_> = challenge["attempts"].as_array().expect("a list").iter().map(|a| &a["error_code"]).collect();
    assert_eq!(codes, [&json!("connect_failed"); 3]);
}

/// A8: a target that answers right at the third try has proven itself, whatever it said before.
#[tokio::test]
async fn a8_the_third_try_proves_a_target_like_the_first() {
    let gateway = gateway_of(&["a"]).await;
    let sink = Sink::start().await;
    sink.answers_challenges([Reply::status(503), Reply::status(200).saying("ok"), echo()]);
    let made = gateway.ask_for_subscription(&sink, &["github.push"], json!({})).await;
    three_tries(&gateway).await;
    let now = shown(&gateway, &path_of(&made)).await;
    assert_eq!((&now["state"], &now["verification"]["failure"]), (&json!("active"), &Value::Null));
    delivered(&gateway, 1).await;
    assert_eq!(numbers(&sink), [1]);
    gateway.advance(BETWEEN_TRIES);
    gateway.settle(gateway.instance(0)).await;
    assert_eq!(sink.challenges().len(), 3);
}
