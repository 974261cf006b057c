//! A12, defect 8: what is in no line of the log, whatever a subscription goes through.

use std::process::Command;

use hookport_tests::Sink;
use hookport_tests::gateway::text;
use hookport_tests::sink::Reply;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::json;

use crate::{
    BETWEEN_TRIES, SUBSCRIPTIONS, active, call, delivered, done, failing, gateway_of, held, path_of, settings,
    three_tries, trigger, value_of,
};

/// The part of A12 that [`a12_defect_8_no_secret_and_no_challenge_is_in_a_log`] runs as a process of its own: the log
/// goes to standard output, and all that must not be in it to standard error.
#[tokio::test]
#[ignore = "its output is the log that a12_defect_8_no_secret_and_no_challenge_is_in_a_log reads"]
async fn a_gateway_that_challenges_and_logs_all_it_does() {
    hookport::log::init_json("debug");
    let gateway = gateway_of(&["a"]).await;
    let (sink, other) = (Sink::start().await, Sink::start().await);
    let key = "sesame-open-to-the-gateway";
    let mut secrets = vec![key.to_owned(), "a secret of my own, 1".to_owned(), "a secret of my own, 2".to_owned()];

    sink.answers_challenges([Reply::status(500), Reply::status(200).saying(r#"{"challenge":"the-wrong-value"}"#)]);
    secrets.push("the-wrong-value".to_owned());
    let made = gateway.ask_for_subscription(&sink, &["github.push"], json!({"headers": {"x-api-key": key}})).await;
    let path = path_of(&made);
    three_tries(&gateway).await;
    sink.answers([500]);
    delivered(&gateway, 1).await;
    let mut shown_once = vec![made];
    for overlap_hours in [0, 24] {
        let rotate = format!("{path}/rotate-secret");
        shown_once.push(done(&gateway, Method::POST, &rotate, json!({"overlap_hours": overlap_hours})).await);
        gateway.drain(gateway.instance(0)).await;
        delivered(&gateway, 2).await;
    }
    let (status, _) = call(&gateway, Method::POST, &format!("{path}/test"), json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let own = active(&gateway, &sink, json!({"secret": "a secret of my own, 1"})).await;
    let rotate = format!("{}/rotate-secret", path_of(&own));
    done(&gateway, Method::POST, &rotate, json!({"secret": "a secret of my own, 2"})).await;

    other.answers_challenges(failing(3));
    let waits = held(&gateway, &other).await;
    done(&gateway, Method::PATCH, &path_of(&waits), trigger()).await;
    three_tries(&gateway).await;
    shown_once.push(waits);
    // A refusal quotes what was sent, and is logged with its code.
    let too_short = settings(&sink, json!({"secret": "fifteen-chars.."}));
    let (status, _) = call(&gateway, Method::POST, SUBSCRIPTIONS, too_short).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    secrets.push("fifteen-chars..".to_owned());
    gateway.advance(BETWEEN_TRIES + SignedDuration::from_mins(10));
    gateway.settle(gateway.instance(0)).await;

    secrets.extend(shown_once.iter().map(|answer| text(&answer["secret"]).replace("whsec_", "")));
    for target in [&sink, &other] {
        secrets.extend(target.challenges().iter().map(value_of));
        let requests = target.challenges().into_iter().chain(target.received());
        secrets.extend(requests.map(|request| request.header("webhook-signature").replace("v1,", "")));
    }
    for secret in secrets {
        for part in secret.split("= ") {
            eprintln!("secret: {part}");
        }
    }
}

/// A12, defect 8: neither a secret nor what a target has to echo, nor what it echoed, nor a signature, is in a line of
/// the log, however much is logged.
#[test]
fn a12_defect_8_no_secret_and_no_challenge_is_in_a_log() {
    let program = std::env::current_exe().expect("a running program has a path");
    let name = "logs::a_gateway_that_challenges_and_logs_all_it_does";
    let arguments = ["--exact", name, "--ignored", "--nocapture", "--test-threads=1"];
    let output = Command::new(program).args(arguments).output().expect("this program can be run");
    let (log, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    for line in ["challenge.ended", "delivery.attempted", "event.dispatched", "request.answered"] {
        assert!(log.contains(line), "the log can be searched: {line}");
    }
    let secrets: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("secret: ")).collect();
    assert!(secrets.len() > 25, "{} secrets", secrets.len());
    for line in log.lines() {
        let found = secrets.iter().find(|secret| line.contains(**secret));
        assert!(found.is_none(), "{found:?} is in {line}");
    }
}
