//! A sweep costs what is due, and not what is stored.

use hookport_local::cloud::Usage;
use hookport_tests::TestGateway;
use jiff::SignedDuration;

use super::rows::{Rows, fill};
use super::tenant;

/// How many rows are due.
const DUE: u32 = 100;
/// How many others a small and a large table hold: as many as a debug build puts in some seconds.
const FEW: u32 = 50;
const MANY: u32 = 5_000;

/// What a sweep uses that finds `DUE` rows among `stored` others, and what the next one uses that finds none.
async fn usage_of_a_sweep(stored: u32) -> (Usage, Usage) {
    let gateway = TestGateway::new().await;
    let store = &gateway.instance(0).management_app.store;
    fill(store, &tenant(), Rows { stored, due: DUE }, gateway.clock.now()).await;
    gateway.advance(SignedDuration::from_mins(2));

    gateway.cloud.meter().count();
    let sweeper = gateway.fresh("sweeper");
    let before = gateway.cloud.meter().snapshot();
    assert_eq!(gateway.tick(&sweeper).await.redriven, DUE as usize, "every row that is due, and no other");
    let busy = gateway.cloud.meter().snapshot();
    assert_eq!(gateway.tick(&sweeper).await.redriven, 0);
    let idle = gateway.cloud.meter().snapshot().since(&busy);
    let busy = busy.since(&before);
    println!("{DUE} due among {stored}:\n{busy}\nnothing due among {stored}:\n{idle}");
    (busy, idle)
}

#[tokio::test]
async fn a_sweep_costs_what_is_due_and_not_what_is_stored() {
    let (busy_of_few, idle_of_few) = usage_of_a_sweep(FEW).await;
    let (busy_of_many, idle_of_many) = usage_of_a_sweep(MANY).await;
    for (few, many) in [(&busy_of_few, &busy_of_many), (&idle_of_few, &idle_of_many)] {
        assert_eq!(many.calls(), few.calls());
        assert_eq!(many.read_units(), few.read_units());
        assert_eq!(many.write_units(), few.write_units());
        assert_eq!(many.queue_requests(), few.queue_requests());
    }
    assert_eq!(idle_of_many.write_units(), 0.0, "a sweep that finds nothing writes nothing");
}
