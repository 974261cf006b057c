use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// Lets one request through `counter`, with `table` as the shared number. Tells whether it passed, and counts writes.
fn ask(counter: &mut Counter, table: &mut u32, writes: &mut u32, limit: RateLimit, now: Timestamp) -> bool {
    let mut decision = counter.decide(limit, now);
    while let Decision::Take { added, at_most } = decision {
        *writes += 1;
        decision = if at_most.is_some_and(|most| *table > most) {
            counter.learn_beyond(*table)
        } else {
            *table += added;
            counter.learn(added, *table)
        };
    }
    decision == Decision::Pass
}

#[test]
fn one_instance_lets_exactly_the_limit_through() {
    for requests in [1, 3, 10, 100, 600, 10_000] {
        let limit = RateLimit { requests, window_s: 60 };
        let (mut table, mut writes) = (0, 0);
        let mut counter = Counter::new(limit, at(0));
        let passed = (0..requests * 2).filter(|_| ask(&mut counter, &mut table, &mut writes, limit, at(1))).count();
        assert_eq!(passed, requests as usize, "{requests}");
    }
}

#[test]
fn two_instances_that_take_turns_let_exactly_the_limit_through() {
    for requests in [1, 2, 3, 9, 40, 100, 600] {
        let limit = RateLimit { requests, window_s: 60 };
        let (mut table, mut writes) = (0, 0);
        let mut counters = [Counter::new(limit, at(0)); 2];
        let mut passed = 0;
        for n in 0..requests as usize * 2 {
            passed += u32::from(ask(&mut counters[n % 2], &mut table, &mut writes, limit, at(1)));
        }
        assert_eq!(passed, requests);
    }
}

#[test]
fn a_new_window_and_a_new_limit_start_anew() {
    let limit = RateLimit { requests: 1, window_s: 10 };
    let mut counter = Counter::new(limit, at(5));
    let (mut table, mut writes) = (0, 0);
    assert!(ask(&mut counter, &mut table, &mut writes, limit, at(5)));
    assert!(!ask(&mut counter, &mut table, &mut writes, limit, at(9)));
    table = 0;
    assert!(ask(&mut counter, &mut table, &mut writes, limit, at(10)), "the window ended");
    let wider = RateLimit { requests: 5, window_s: 10 };
    assert!(ask(&mut counter, &mut table, &mut writes, wider, at(10)), "the limit was raised");
}

#[test]
fn refusing_costs_no_writes() {
    let limit = RateLimit { requests: 3, window_s: 60 };
    let (mut table, mut writes) = (0, 0);
    let mut counter = Counter::new(limit, at(0));
    for _ in 0..1_000 {
        ask(&mut counter, &mut table, &mut writes, limit, at(1));
    }
    assert!(writes <= 4, "{writes} writes");
}

/// Far from the limit: less than 0.05 writes a request, for every default and for busy as for quiet webhooks.
#[test]
fn far_from_the_limit_a_request_costs_hardly_a_write() {
    for limit in [RateLimit::OF_KEYS, RateLimit::OF_SLUGS, RateLimit { requests: 10_000, window_s: 60 }] {
        for share in [20, 10, 4, 3, 2] {
            let (mut table, mut writes) = (0, 0);
            let mut counter = Counter::new(limit, at(0));
            let count = limit.requests / share;
            for _ in 0..count {
                assert!(ask(&mut counter, &mut table, &mut writes, limit, at(1)));
            }
            assert!(f64::from(writes) / f64::from(count) < 0.05, "{limit:?}: {writes} writes for {count}");
        }
    }
}

#[test]
fn a_window_tells_how_long_it_lasts() {
    let limit = RateLimit { requests: 1, window_s: 60 };
    let now = Timestamp::from_millisecond(61_500).expect("a time");
    assert_eq!(limit.window(now), Window { start: 60, end: 120 });
    assert_eq!(limit.window(now).remaining_s(now), 59);
    assert_eq!(limit.window(now).remaining_s(at(120)), 1, "a sender is never told to come back at once");
}

proptest! {
    /// Whatever the order in which instances ask, no more pass than the limit and one allowance for each other
    /// instance; and no fewer than the limit once all have asked until they were refused.
    #[test]
    fn several_instances_never_overstep(
        requests in 1u32..500,
        instances in 1usize..5,
        turns in proptest::collection::vec(0usize..5, 0..2_000),
    ) {
        let limit = RateLimit { requests, window_s: 60 };
        let mut counters = vec![Counter::new(limit, at(0)); instances];
        let (mut table, mut writes) = (0, 0);
        let mut passed = 0;
        for turn in turns {
            let counter = &mut counters[turn % instances];
            passed += u32::from(ask(counter, &mut table, &mut writes, limit, at(1)));
        }
        let most = requests + limit.allowance() * instances as u32;
        prop_assert!(passed <= most, "{passed} of {requests}");
        // Everyone asks until refused: then no token is left anywhere.
        for counter in &mut counters {
            while ask(counter, &mut table, &mut writes, limit, at(1)) {
                passed += 1;
            }
        }
        prop_assert!((requests..=most).contains(&passed), "{passed} of {requests}");
    }
}
