//! The promises of the outbound side under every fault: each AWS call of a scenario fails in each way, once, and
//! everything holds.
//!
//! The calls are not listed by hand: a first run records them, and the scenario is then replayed once for each call and
//! each kind of fault, with two instances on one store. Afterwards a fresh instance sweeps until all is quiet. What would
//! take minutes strikes each call in every third way, each call in other ones than the call before it; an ignored test
//! beside it strikes in every way.

#[path = "outbound_faults/challenges.rs"]
mod challenges;
#[path = "outbound_faults/deliveries.rs"]
mod deliveries;
#[path = "outbound_faults/ordering.rs"]
mod ordering;
#[path = "outbound_faults/play.rs"]
mod play;
#[path = "outbound_faults/races.rs"]
mod races;
#[path = "outbound_faults/registration.rs"]
mod registration;
#[path = "outbound_faults/replays.rs"]
mod replays;
#[path = "outbound_faults/rotation.rs"]
mod rotation;
#[path = "outbound_faults/world.rs"]
mod world;

use challenges::{Creation, Failure, Release};
use deliveries::{Callback, Pausing, Publishing};
use play::{every_call_in_every_way, every_call_in_some_way};
use registration::Registration;
use rotation::Rotation;

/// A1: from the request that makes it until it is active.
#[tokio::test]
async fn a1_a_new_subscription_becomes_active_whatever_call_fails() {
    every_call_in_every_way::<Creation>().await;
}

/// A7: at most three requests, and then a state that says so.
#[tokio::test]
async fn a7_a_target_that_fails_its_challenge_gets_no_event_whatever_call_fails() {
    every_call_in_some_way::<Failure>().await;
}

/// A4, A6: one challenge cycle, also when the request is made twice.
#[tokio::test]
async fn a6_a_held_subscription_is_challenged_once_whatever_call_fails() {
    every_call_in_every_way::<Release>().await;
}

/// B17: what the target told is what stands in the end.
#[tokio::test]
async fn b17_a_target_that_answers_later_is_believed_whatever_call_fails() {
    every_call_in_every_way::<Callback>().await;
}

/// B15: the publisher comes again with the same key, to another instance.
#[tokio::test]
async fn b15_a_published_event_is_delivered_once_whatever_call_fails() {
    every_call_in_every_way::<Publishing>().await;
}

/// What came while it was paused is kept, and goes out once when it is resumed.
#[tokio::test]
async fn what_is_held_is_delivered_once_whatever_call_fails() {
    every_call_in_some_way::<Pausing>().await;
}

/// A subscription stays active while its new secret proves itself.
#[tokio::test]
async fn a_rotated_secret_proves_itself_once_whatever_call_fails() {
    every_call_in_some_way::<Rotation>().await;
}

/// The token is used exactly when the subscription exists, and whoever lost the answer gets it again.
#[tokio::test]
async fn a_listener_registers_itself_once_whatever_call_fails() {
    every_call_in_some_way::<Registration>().await;
}

/// The same four in every way, for whoever has changed how they are written.
#[tokio::test]
#[ignore = "takes ten minutes"]
async fn what_takes_many_calls_holds_whatever_call_fails_in_whatever_way() {
    every_call_in_every_way::<Failure>().await;
    every_call_in_every_way::<Pausing>().await;
    every_call_in_every_way::<Rotation>().await;
    every_call_in_every_way::<Registration>().await;
}
