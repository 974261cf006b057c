use serde_json::{Value, json};

use super::*;

fn schedule(value: Value) -> Result<RetrySchedule, serde_json::Error> {
    serde_json::from_value(value)
}

fn retry_on(value: Value) -> Result<RetryOn, serde_json::Error> {
    serde_json::from_value(value)
}

/// B4: the ladder is exact, and the fifth failure is the last.
#[test]
fn b4_five_tries_waits_1_5_15_and_30_minutes_and_then_ends() {
    let waits: Vec<_> = (1..=5).map(|n| RetrySchedule::FiveTries.wait_after(n, 0.9)).collect();
    let minutes = |m| Some(SignedDuration::from_mins(m));
    assert_eq!(waits, [minutes(1), minutes(5), minutes(15), minutes(30), None]);
}

#[test]
fn the_standard_schedule_spreads_each_wait_by_a_fifth() {
    let wait = |jitter| RetrySchedule::Standard.wait_after(2, jitter).map(|d| d.as_secs());
    assert_eq!((wait(0.0), wait(0.5), wait(1.0)), (Some(240), Some(300), Some(360)));
    assert_eq!(RetrySchedule::Standard.wait_after(9, 0.5), Some(SignedDuration::from_hours(24)));
    assert_eq!(RetrySchedule::Standard.wait_after(10, 0.5), None);
}

#[test]
fn none_makes_one_attempt() {
    assert_eq!(RetrySchedule::None.wait_after(1, 0.5), None);
}

/// Defect 23: a schedule of a subscription's own is followed, and its last step is reached.
#[test]
fn defect_23_every_wait_of_a_schedule_is_reached() {
    let own = schedule(json!([10, 43_200])).unwrap();
    let waits: Vec<_> = (0..=3).map(|n| own.wait_after(n, 0.5)).collect();
    assert_eq!(waits, [None, Some(SignedDuration::from_secs(10)), Some(SignedDuration::from_hours(12)), None]);
    assert_eq!(own.wait_after(1, 0.0), Some(SignedDuration::from_secs(8)));
    assert_eq!(RetrySchedule::Alga.wait_after(4, 0.0), Some(SignedDuration::from_hours(2)));
}

#[test]
fn a_schedule_is_read_as_it_is_written() {
    for value in ["standard", "five-tries", "alga", "none"].map(Value::from).into_iter().chain([json!([1, 604_800])]) {
        assert_eq!(serde_json::to_value(schedule(value.clone()).unwrap()).unwrap(), value);
    }
}

#[test]
fn a_schedule_outside_the_limits_is_refused() {
    let refused = [
        json!("Standard"),
        json!("challenge"),
        json!([]),
        json!([0]),
        json!([604_801]),
        json!([-1]),
        json!([1.5]),
        json!(["1"]),
        json!(vec![1; 16]),
        json!(5),
        json!(null),
        json!({}),
    ];
    for value in refused {
        assert!(schedule(value.clone()).is_err(), "{value}");
    }
    assert!(schedule(json!(vec![1; 15])).is_ok());
    assert!(schedule(json!([])).unwrap_err().to_string().contains("1 to 15 waits"));
    assert!(schedule(json!("never")).unwrap_err().to_string().contains("five-tries"));
}

#[test]
fn a_challenge_is_sent_three_times_30_seconds_apart() {
    let waits: Vec<_> = (1..=3).map(challenge_wait_after).collect();
    assert_eq!(waits, [Some(SignedDuration::from_secs(30)), Some(SignedDuration::from_secs(30)), None]);
    assert_eq!(challenge_wait_after(0), None);
}

#[test]
fn every_failure_is_tried_again_unless_something_else_is_said() {
    let on = RetryOn::default();
    for (class, status) in [
        (FailureClass::Redirect, Some(302)),
        (FailureClass::Client, Some(400)),
        (FailureClass::Server, Some(500)),
        (FailureClass::Network, None),
    ] {
        assert!(on.retries(class, status), "{class:?}");
    }
    assert_eq!(serde_json::to_value(on).unwrap(), json!(["3xx", "4xx", "5xx", "network"]));
}

#[test]
fn only_the_failures_that_are_named_are_tried_again() {
    let on = retry_on(json!(["5xx", "409"])).unwrap();
    assert!(on.retries(FailureClass::Server, Some(500)));
    assert!(on.retries(FailureClass::Client, Some(409)));
    assert!(!on.retries(FailureClass::Client, Some(404)));
    assert!(!on.retries(FailureClass::Network, None));
    assert!(!on.retries(FailureClass::Redirect, Some(301)));
}

#[test]
fn what_asks_for_patience_is_tried_again_whatever_is_named() {
    let on = retry_on(json!([])).unwrap();
    for status in [429, 502, 503, 504] {
        assert!(on.retries(FailureClass::of(status), Some(status)), "{status}");
    }
    assert!(!on.retries(FailureClass::Server, Some(500)));
}

#[test]
fn what_is_no_failure_cannot_be_named() {
    for text in ["2xx", "200", "299", "600", "1xx", "+50", " 409", "0409", "", "Network", "4XX"] {
        assert!(retry_on(json!([text])).is_err(), "{text}");
    }
    assert!(retry_on(json!(vec!["409"; 21])).is_err());
    assert!(retry_on(json!("5xx")).is_err());
    let named = json!(["300", "599", "network"]);
    assert_eq!(serde_json::to_value(retry_on(named.clone()).unwrap()).unwrap(), named);
}
