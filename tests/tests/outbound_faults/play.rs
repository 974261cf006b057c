//! Plays a scenario once for each of its calls and each kind of fault.

use std::time::Duration;

use hookport_local::cloud::{Call, Fault, FaultKind};
use hookport_tests::Instance;
use jiff::SignedDuration;

use super::world::World;

/// What can become of a write.
const OF_WRITES: [FaultKind; 9] = [
    FaultKind::Before,
    FaultKind::After,
    FaultKind::TimeOut { effect: false },
    FaultKind::TimeOut { effect: true },
    FaultKind::Throttle,
    FaultKind::Pause { effect: false },
    FaultKind::Pause { effect: true },
    FaultKind::Crash { effect: false },
    FaultKind::Crash { effect: true },
];
/// A read has no effect that could be half done; what was read can be old by the time it is used.
const OF_READS: [FaultKind; 3] =
    [FaultKind::Before, FaultKind::Pause { effect: true }, FaultKind::Crash { effect: false }];
/// A message is a hint: it is lost, comes although nobody knows that it was sent, or its sender dies.
const OF_QUEUES: [FaultKind; 3] =
    [FaultKind::Before, FaultKind::Pause { effect: true }, FaultKind::Crash { effect: true }];

/// How long a held call is waited for, before the replay counts as one in which nothing was held.
const PATIENCE: Duration = Duration::from_secs(30);

/// A scenario, set up and ready to be played.
pub trait Play: Sized {
    /// Its name, for what is printed.
    const NAME: &'static str;

    /// Sets it up, without any fault.
    async fn set() -> Self;

    /// What it is played in.
    fn world(&self) -> &World;

    /// The part whose calls are struck; instance `a` plays it.
    async fn play(&self);

    /// What people do at instance `b` while a call of `a` is held.
    async fn meanwhile(&self) {}

    /// People ask again for what was not answered, once all is well.
    async fn again(&self, restarted: &Instance);

    /// Holds the outcome against the promises.
    async fn check(&self, what: &str);
}

fn kinds(call: &Call) -> &'static [FaultKind] {
    match call.operation.as_str() {
        "GetItem" | "BatchGetItem" | "Query" | "GetSecretValue" => &OF_READS,
        "SendMessage" | "SendMessageBatch" | "ReceiveMessage" | "DeleteMessageBatch" => &OF_QUEUES,
        _ => &OF_WRITES,
    }
}

/// Plays with a fault. A call that is held is released only after the other instance has gone on past every lease.
async fn play_with<P: Play>(stage: &P, fault: Fault) {
    let world = stage.world();
    let gateway = &world.gateway;
    let is_held = matches!(fault.kind, FaultKind::Pause { .. });
    gateway.cloud.faults().set(fault);
    if !is_held {
        return stage.play().await;
    }
    let elsewhere = async {
        if tokio::time::timeout(PATIENCE, gateway.cloud.faults().paused()).await.is_err() {
            return;
        }
        world.was_held_long.set(true);
        stage.meanwhile().await;
        gateway.advance(SignedDuration::from_mins(10));
        gateway.settle(gateway.instance(1)).await;
        gateway.cloud.faults().release();
    };
    tokio::join!(stage.play(), elsewhere);
}

/// A restart: a new instance with empty caches, and everything that is asked for again or due is done.
async fn recover<P: Play>(stage: &P) {
    let gateway = &stage.world().gateway;
    gateway.cloud.faults().clear();
    let restarted = gateway.fresh("c");
    stage.again(&restarted).await;
    gateway.settle(&restarted).await;
}

async fn check<P: Play>(stage: &P, what: &str) {
    stage.world().refusals_ask_to_come_again(what);
    stage.check(what).await;
    stage.world().no_attempt_was_sent_twice(what);
}

/// The calls of the scenario without any fault.
async fn calls_of<P: Play>() -> Vec<Call> {
    let stage = P::set().await;
    stage.world().gateway.cloud.meter().record();
    stage.play().await;
    let calls = stage.world().gateway.cloud.meter().take_journal();
    assert!(stage.world().answers.borrow().iter().all(|(status, _)| status.is_success()), "all is well");
    recover(&stage).await;
    check(&stage, "no fault").await;
    calls
}

/// Strikes each call in each way.
pub async fn every_call_in_every_way<P: Play>() {
    every_call::<P>(1).await;
}

/// Strikes each call in every third way, each call in other ones than the call before it: for what takes minutes.
pub async fn every_call_in_some_way<P: Play>() {
    every_call::<P>(3).await;
}

async fn every_call<P: Play>(step: usize) {
    let calls = calls_of::<P>().await;
    assert!(calls.len() >= 10, "the list holds the whole way: {calls:#?}");
    let mut replays = 0;
    for (index, call) in calls.iter().enumerate() {
        for kind in kinds(call).iter().skip(index % step).step_by(step) {
            let what = format!("{}, call {} {call:?}, {kind:?}", P::NAME, index + 1);
            let stage = P::set().await;
            play_with(&stage, Fault::new(*kind).nth(index + 1)).await;
            assert!(stage.world().gateway.cloud.faults().hit() > 0, "{what}: the fault struck");
            recover(&stage).await;
            check(&stage, &what).await;
            replays += 1;
        }
    }
    println!("{}: {} calls, {replays} replays, all promises held", P::NAME, calls.len());
}
