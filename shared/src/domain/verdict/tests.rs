use http::{HeaderName, HeaderValue};
use serde_json::json;

use super::*;

const NOW: &str = "2026-11-22T10:00:00Z";

const RETRIED: Verdict = Verdict::Failed { retry: true, not_before: None, slow_down: false };
const FINAL: Verdict = Verdict::Failed { retry: false, not_before: None, slow_down: false };
const SLOWED: Verdict = Verdict::Failed { retry: true, not_before: None, slow_down: true };

fn headers(given: &[(&'static str, &str)]) -> HeaderMap {
    let header = |&(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header"))
    };
    given.iter().map(header).collect()
}

fn judged(answer: &Answer<'_>, retry_on: &RetryOn, rule: Option<&ResponseRule>) -> Verdict {
    judge(answer, &Policy { retry_on, rule }, NOW.parse().unwrap())
}

fn answered(status: u16, given: &[(&'static str, &str)]) -> Verdict {
    let answer = Answer::Response { status, headers: &headers(given), body: b"" };
    judged(&answer, &RetryOn::default(), None)
}

fn retry_on(value: serde_json::Value) -> RetryOn {
    serde_json::from_value(value).unwrap()
}

#[test]
fn the_standard_webhooks_status_table_row_by_row() {
    let rows = [
        (200, Verdict::Delivered),
        (201, Verdict::Delivered),
        (202, Verdict::Delivered),
        (204, Verdict::Delivered),
        (299, Verdict::Delivered),
        (301, RETRIED),
        (302, RETRIED),
        (304, RETRIED),
        (307, RETRIED),
        (308, RETRIED),
        (400, RETRIED),
        (401, RETRIED),
        (404, RETRIED),
        (409, RETRIED),
        (410, Verdict::Gone),
        (422, RETRIED),
        (429, SLOWED),
        (500, RETRIED),
        (501, RETRIED),
        (502, SLOWED),
        (503, SLOWED),
        (504, SLOWED),
        (599, RETRIED),
        (101, RETRIED),
        (600, RETRIED),
        (999, RETRIED),
    ];
    for (status, expected) in rows {
        assert_eq!(answered(status, &[]), expected, "{status}");
    }
}

/// B3: a status that is no success, a timeout and a refused connection are tried again.
#[test]
fn b3_failures_of_every_kind_are_tried_again() {
    for status in [500, 503, 400] {
        assert!(matches!(answered(status, &[]), Verdict::Failed { retry: true, .. }), "{status}");
    }
    assert_eq!(judged(&Answer::None { permanent: false }, &RetryOn::default(), None), RETRIED);
}

#[test]
fn what_can_never_succeed_is_not_tried_again() {
    assert_eq!(judged(&Answer::None { permanent: true }, &RetryOn::default(), None), FINAL);
}

#[test]
fn a_subscription_decides_which_failures_are_tried_again() {
    let on = retry_on(json!(["5xx"]));
    let headers = HeaderMap::new();
    let rows = [(302, FINAL), (400, FINAL), (404, FINAL), (500, RETRIED), (429, SLOWED), (101, RETRIED)];
    for (status, expected) in rows {
        assert_eq!(judged(&Answer::Response { status, headers: &headers, body: b"" }, &on, None), expected, "{status}");
    }
    assert_eq!(judged(&Answer::None { permanent: false }, &on, None), FINAL);
}

#[test]
fn a_callback_header_puts_the_delivery_in_progress() {
    for given in [("x-tmi-callback", "async"), ("hookport-callback", "ASYNC"), ("x-tmi-callback", " Async ")] {
        assert_eq!(answered(202, &[given]), Verdict::InProgress, "{given:?}");
    }
    assert_eq!(answered(200, &[("x-tmi-callback", "sync")]), Verdict::Delivered);
    assert_eq!(answered(500, &[("x-tmi-callback", "async")]), RETRIED);
}

#[test]
fn an_answer_that_breaks_the_rule_fails_like_a_5xx() {
    let rule: ResponseRule = serde_json::from_value(json!({"assertion": {"path": "$.ok", "equals": true}})).unwrap();
    let headers = headers(&[("hookport-callback", "async")]);
    let right = Answer::Response { status: 200, headers: &headers, body: br#"{"ok":true}"# };
    let wrong = Answer::Response { status: 200, headers: &headers, body: br#"{"ok":false}"# };
    assert_eq!(judged(&right, &RetryOn::default(), Some(&rule)), Verdict::InProgress);
    assert_eq!(judged(&wrong, &RetryOn::default(), Some(&rule)), RETRIED);
    assert_eq!(judged(&wrong, &retry_on(json!(["5xx"])), Some(&rule)), RETRIED);
    assert_eq!(judged(&wrong, &retry_on(json!(["3xx", "4xx", "network"])), Some(&rule)), FINAL);
    let gone = Answer::Response { status: 410, headers: &headers, body: b"" };
    assert_eq!(judged(&gone, &RetryOn::default(), Some(&rule)), Verdict::Gone);
}

fn waits(text: &str) -> Option<i64> {
    match answered(500, &[("retry-after", text)]) {
        Verdict::Failed { retry: true, not_before, slow_down } => {
            assert_eq!(slow_down, not_before.is_some(), "{text}");
            not_before.map(|wait| wait.as_secs())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn retry_after_is_read_as_seconds_or_a_date_and_kept_within_a_day() {
    let cases = [
        ("0", Some(0)),
        ("120", Some(120)),
        (" 120 ", Some(120)),
        ("86400", Some(86_400)),
        ("86401", Some(86_400)),
        ("99999999999999999999999999", Some(86_400)),
        ("Sun, 22 Nov 2026 10:02:00 GMT", Some(120)),
        ("Sun, 22 Nov 2026 09:00:00 GMT", Some(0)),
        ("Sunday, 22-Nov-26 10:02:00 GMT", Some(120)),
        ("Sun Nov 22 10:02:00 2026", Some(120)),
        ("Tue, 24 Nov 2026 10:00:00 GMT", Some(86_400)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(86_400)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
    ];
    for (text, expected) in cases {
        assert_eq!(waits(text), expected, "{text}");
    }
}

#[test]
fn a_retry_after_that_cannot_be_read_says_nothing() {
    for text in ["", " ", "-5", "+5", "1.5", "5s", "soon", "2026-11-22T10:02:00Z", "Sun, 32 Nov 2026 10:02:00 GMT"] {
        assert_eq!(waits(text), None, "{text}");
    }
}

#[test]
fn retry_after_counts_with_any_failed_status_and_with_no_other() {
    for status in [302, 404, 429, 500, 503] {
        let expected = Verdict::Failed { retry: true, not_before: Some(SignedDuration::from_secs(7)), slow_down: true };
        assert_eq!(answered(status, &[("retry-after", "7")]), expected, "{status}");
    }
    assert_eq!(answered(200, &[("retry-after", "7")]), Verdict::Delivered);
    assert_eq!(answered(410, &[("retry-after", "7")]), Verdict::Gone);
    assert_eq!(answered(429, &[("retry-after", "soon")]), SLOWED);
}
