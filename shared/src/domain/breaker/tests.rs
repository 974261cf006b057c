use super::*;
use crate::domain::target_url::UrlPolicy;

fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a time")
}

/// A breaker that has just opened for the first time.
fn opened_at(now: Timestamp) -> Breaker {
    (0..FAILURES_TO_OPEN).fold(Breaker::clear(now), |breaker, _| breaker.after_failure(now))
}

/// Claims the probe as soon as the window is over, lets it fail at once, and gives the time of that.
fn fail_the_probe(breaker: Breaker) -> (Breaker, Timestamp) {
    let now = breaker.open_until.expect("it is open");
    assert_eq!(breaker.admits(now), Admits::Probe);
    (breaker.probing(now + SignedDuration::from_secs(90)).after_failure(now), now)
}

fn host_port(url: &str) -> String {
    let policy = UrlPolicy { allow_http: true, ..UrlPolicy::default() };
    HostPort::of(&TargetUrl::parse(url, &policy).expect("a URL")).to_string()
}

/// B6: the fifth failure in a row opens it, the fourth does not.
#[test]
fn b6_five_failures_in_a_row_open_it() {
    let now = start();
    let mut breaker = Breaker::clear(now);
    for failures in 1..=4 {
        breaker = breaker.after_failure(now);
        assert_eq!((breaker.failures, breaker.admits(now)), (failures, Admits::Go));
    }
    let until = now + SignedDuration::from_mins(1);
    breaker = breaker.after_failure(now);
    assert_eq!(breaker.admits(now), Admits::Wait(until));
    assert_eq!(breaker.admits(until - SignedDuration::from_millis(1)), Admits::Wait(until));
    assert_eq!(breaker.admits(until), Admits::Probe);
}

/// B6: 1, 5, 15 and 30 minutes, and 30 from then on.
#[test]
fn b6_each_failed_probe_opens_it_for_longer() {
    let mut at = start();
    let mut breaker = opened_at(at);
    let mut minutes = Vec::new();
    for _ in 0..6 {
        let until = breaker.open_until.expect("it is open");
        minutes.push(until.duration_since(at).as_mins());
        (breaker, at) = fail_the_probe(breaker);
    }
    assert_eq!(minutes, [1, 5, 15, 30, 30, 30]);
}

/// B6: one probe at a time; one that is never heard of again is followed by another.
#[test]
fn b6_one_probe_is_let_through() {
    let breaker = opened_at(start());
    let now = breaker.open_until.expect("it is open");
    let until = now + SignedDuration::from_secs(90);
    let probing = breaker.probing(until);
    assert_eq!(probing.admits(now), Admits::Wait(until));
    assert_eq!(probing.admits(until), Admits::Probe);
    assert_eq!(probing.without_probe().admits(now), Admits::Probe);
}

/// B6: a success closes it, and the next five failures open it for a minute again.
#[test]
fn b6_a_success_closes_it_and_resets_the_ladder() {
    let (breaker, now) = fail_the_probe(opened_at(start()));
    assert_eq!(breaker.opened, 2);
    let closed = breaker.after_success(now);
    assert!(closed.is_clear());
    assert_eq!(closed.admits(now), Admits::Go);
    assert_eq!(closed.after_failure(now).admits(now), Admits::Go);
    let again = (0..FAILURES_TO_OPEN).fold(closed, |breaker, _| breaker.after_failure(now));
    assert_eq!(again.admits(now), Admits::Wait(now + SignedDuration::from_mins(1)));
}

#[test]
fn a_success_between_failures_starts_the_count_anew() {
    let now = start();
    let four = (0..4).fold(Breaker::clear(now), |breaker, _| breaker.after_failure(now));
    let breaker = (0..4).fold(four.after_success(now), |breaker, _| breaker.after_failure(now));
    assert_eq!((breaker.failures, breaker.admits(now)), (4, Admits::Go));
}

#[test]
fn a_failure_in_the_open_window_changes_nothing() {
    let breaker = opened_at(start());
    let late = start() + SignedDuration::from_secs(59);
    assert_eq!(breaker.after_failure(late), breaker);
}

#[test]
fn a_success_changes_nothing_where_nothing_was_known() {
    let clear = Breaker::clear(start());
    assert_eq!(clear.after_success(start() + SignedDuration::from_secs(1)), clear);
}

#[test]
fn failures_before_a_success_that_was_not_written_down_do_not_count() {
    let now = start();
    let second = SignedDuration::from_secs(1);
    let four = (0..4).fold(Breaker::clear(now), |breaker, _| breaker.after_failure(now));
    assert!(four.seen_alive(now + second).is_clear());
    assert_eq!(four.seen_alive(now), four, "a success from before the row began");
    let open = four.after_failure(now + second + second);
    assert_eq!(open.seen_alive(now + second), open, "a success from before it opened");
    assert!(open.seen_alive(now + second * 3).is_clear());
}

/// A failure that counts: no answer, or a status of 500 and more. Any other answer shows that the host is alive.
#[test]
fn b6_answers_below_500_are_signs_of_life() {
    for status in [200, 301, 400, 404, 410, 429, 499] {
        assert_eq!(Seen::of_answer(status), Seen::Alive, "{status}");
    }
    for status in [500, 503, 599] {
        assert_eq!(Seen::of_answer(status), Seen::Trouble, "{status}");
    }
    assert_eq!(Seen::of_silence(false), Seen::Trouble);
    assert_eq!(Seen::of_silence(true), Seen::Unknown);
}

/// Defect 9: one host is one breaker however it is written; another port is another one.
#[test]
fn defect_9_the_host_is_compared_without_case_and_with_its_port() {
    assert_eq!(host_port("https://Hooks.EXAMPLE.com/a"), "hooks.example.com:443");
    assert_eq!(host_port("https://hooks.example.com:443/b?c"), "hooks.example.com:443");
    assert_eq!(host_port("https://hooks.example.com:8443/"), "hooks.example.com:8443");
    assert_eq!(host_port("http://hooks.example.com/"), "hooks.example.com:80");
    assert_eq!(host_port("https://[2606:4700::1111]/"), "[2606:4700::1111]:443");
}
