use std::time::Duration;

use serde_json::json;

use super::{Instance, cloud, code, key, send, thing};
use crate::cloud::{Cloud, Fault, FaultKind};

/// A cloud, the instance that is struck and one that only looks.
async fn struck(fault: Fault) -> (Cloud, Instance, Instance) {
    let cloud = cloud().await;
    cloud.faults().set(fault.by("struck"));
    let (struck, looking) = (Instance::new(&cloud, "struck"), Instance::new(&cloud, "looking"));
    (cloud, struck, looking)
}

#[tokio::test]
async fn a_call_that_breaks_before_has_no_effect() {
    let (cloud, instance, looking) = struck(Fault::new(FaultKind::Before)).await;
    assert_eq!(code(instance.put("lost").await), "unreachable");
    assert_eq!(looking.name().await, None);
    assert_eq!(cloud.faults().hit(), 1);
    instance.put("the next one passes").await.expect("put");
}

#[tokio::test]
async fn a_call_that_breaks_after_has_its_effect() {
    let (_, instance, looking) = struck(Fault::new(FaultKind::After)).await;
    assert_eq!(code(instance.put("done").await), "unreachable");
    assert_eq!(looking.name().await.as_deref(), Some("done"));
}

#[tokio::test]
async fn a_call_that_times_out_may_have_its_effect_or_not() {
    for effect in [false, true] {
        let (_, instance, looking) = struck(Fault::new(FaultKind::TimeOut { effect })).await;
        assert_eq!(code(instance.put("unknown").await), "timeout");
        assert_eq!(looking.name().await.is_some(), effect);
    }
}

#[tokio::test]
async fn a_throttled_call_has_no_effect() {
    let (cloud, instance, looking) = struck(Fault::new(FaultKind::Throttle)).await;
    cloud.meter().count();
    assert_eq!(code(instance.put("refused").await), "ProvisionedThroughputExceededException");
    assert_eq!(cloud.meter().snapshot().calls(), 0, "what is throttled is not billed");
    assert_eq!(looking.name().await, None);
}

#[tokio::test]
async fn each_service_words_its_throttling() {
    let cloud = cloud().await;
    cloud.faults().set(Fault::new(FaultKind::Throttle).sticky());
    for (target, kind, query_error) in [
        ("AmazonSQS.SendMessage", "com.amazonaws.sqs#RequestThrottled", Some("RequestThrottled;Sender")),
        ("secretsmanager.GetSecretValue", "ThrottlingException", None),
    ] {
        let answer = send(&cloud, target, json!({})).await;
        assert_eq!(answer.status(), 400);
        assert_eq!(super::body(&answer)["__type"], kind);
        let header = answer.headers().get("x-amzn-query-error");
        assert_eq!(header.map(|value| value.to_str().expect("text")), query_error);
    }
}

#[tokio::test]
async fn a_call_paused_before_its_effect_waits_for_its_release() {
    let (cloud, instance, looking) = struck(Fault::new(FaultKind::Pause { effect: false })).await;
    let call = tokio::spawn(async move { instance.put("late").await });
    cloud.faults().paused().await;
    assert_eq!(looking.name().await, None);
    assert!(!call.is_finished());

    cloud.faults().release();
    call.await.expect("no panic").expect("put");
    assert_eq!(looking.name().await.as_deref(), Some("late"));
}

#[tokio::test]
async fn a_call_paused_after_its_effect_has_it_already() {
    let (cloud, instance, looking) = struck(Fault::new(FaultKind::Pause { effect: true })).await;
    let call = tokio::spawn(async move { instance.put("done").await });
    cloud.faults().paused().await;
    assert_eq!(looking.name().await.as_deref(), Some("done"));
    assert!(!call.is_finished());

    cloud.faults().release();
    call.await.expect("no panic").expect("put");
}

#[tokio::test]
async fn others_overtake_a_paused_call() {
    let (cloud, instance, looking) = struck(Fault::new(FaultKind::Pause { effect: false })).await;
    let call = tokio::spawn(async move { instance.put("slow").await });
    cloud.faults().paused().await;
    looking.put("fast").await.expect("put");
    cloud.faults().release();
    call.await.expect("no panic").expect("put");
    assert_eq!(looking.name().await.as_deref(), Some("slow"));
}

#[tokio::test]
async fn a_paused_call_that_its_caller_gives_up_is_no_longer_held() {
    let (cloud, instance, looking) = struck(Fault::new(FaultKind::Pause { effect: false })).await;
    let call = tokio::spawn(async move { instance.put("given up").await });
    cloud.faults().paused().await;
    call.abort();
    assert!(call.await.expect_err("aborted").is_cancelled());

    let held = tokio::time::timeout(Duration::ZERO, cloud.faults().paused()).await;
    assert!(held.is_err(), "nothing is held");
    cloud.faults().release();
    assert_eq!(looking.name().await, None);
}

#[tokio::test]
async fn a_sticky_pause_holds_each_call_anew() {
    let (cloud, instance, _) = struck(Fault::new(FaultKind::Pause { effect: false }).sticky()).await;
    for n in 1..=2 {
        let instance = instance.clone();
        let call = tokio::spawn(async move { instance.put("again").await });
        cloud.faults().paused().await;
        assert_eq!(cloud.faults().hit(), n);
        cloud.faults().release();
        call.await.expect("no panic").expect("put");
    }
}

#[tokio::test]
async fn a_crashed_instance_makes_no_call_any_more() {
    for effect in [false, true] {
        let (cloud, instance, looking) = struck(Fault::new(FaultKind::Crash { effect })).await;
        assert_eq!(code(instance.put("last words").await), "unreachable");
        assert_eq!(looking.name().await.is_some(), effect);
        assert!(cloud.faults().is_dead("struck"));

        assert_eq!(code(instance.put("from beyond").await), "unreachable");
        assert_ne!(looking.name().await.as_deref(), Some("from beyond"));
        assert_eq!(cloud.faults().hit(), 1);
        looking.put("alive").await.expect("others live on");

        cloud.faults().clear();
        instance.put("restarted").await.expect("put");
    }
}

#[tokio::test]
async fn a_call_paused_before_its_effect_dies_with_its_instance() {
    let (cloud, instance, looking) = struck(Fault::new(FaultKind::Pause { effect: false })).await;
    cloud.faults().set(Fault::new(FaultKind::Crash { effect: false }).by("struck").nth(2));
    let paused = instance.clone();
    let call = tokio::spawn(async move { paused.put("too late").await });
    cloud.faults().paused().await;
    assert_eq!(code(instance.put("the end").await), "unreachable");
    cloud.faults().release();
    assert_eq!(code(call.await.expect("no panic")), "unreachable");
    assert_eq!(looking.name().await, None);
}

#[tokio::test]
async fn only_the_nth_call_in_scope_is_struck() {
    let cloud = cloud().await;
    let (one, other) = (Instance::new(&cloud, "one"), Instance::new(&cloud, "other"));
    cloud.faults().set(Fault::new(FaultKind::Before).by("one").on("PutItem").nth(2));
    one.put("first").await.expect("the first passes");
    other.put("another instance").await.expect("it does not count");
    one.name().await;
    one.send("another operation").await;
    assert_eq!(cloud.faults().hit(), 0);

    assert_eq!(code(one.put("second").await), "unreachable");
    one.put("third").await.expect("the third passes");
    assert_eq!(cloud.faults().hit(), 1);
}

#[tokio::test]
async fn a_sticky_fault_strikes_every_later_call_until_it_is_cleared() {
    let cloud = cloud().await;
    let instance = Instance::new(&cloud, "one");
    cloud.faults().set(Fault::new(FaultKind::Before).nth(2).sticky());
    instance.put("first").await.expect("the first passes");
    for _ in 0..3 {
        assert_eq!(code(instance.things.put(&key(), &thing("later"), &[]).await), "unreachable");
    }
    assert_eq!(cloud.faults().hit(), 3);

    cloud.faults().clear();
    assert_eq!(cloud.faults().hit(), 0);
    instance.put("passes").await.expect("put");
}

#[tokio::test]
async fn clearing_lets_held_calls_go_on() {
    let (cloud, instance, _) = struck(Fault::new(FaultKind::Pause { effect: false })).await;
    let call = tokio::spawn(async move { instance.put("held").await });
    cloud.faults().paused().await;
    cloud.faults().clear();
    call.await.expect("no panic").expect("put");
}
