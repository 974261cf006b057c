//! What stands in the lanes of subscriptions whose deliveries keep an order.

use hookport::domain::delivery::{Delivery, DeliveryState};
use hookport::domain::id::{DeliveryId, SubscriptionId};
use hookport::domain::ordering::LaneKey;
use hookport::store::InLane;

use super::values::{at, event_id, kept, owner, subscription_id, subscription_sharing_the_handle_of, tenant};
use super::world::World;

pub async fn a_lane_comes_in_the_order_of_its_events(world: &World) {
    for second in [3, 1, 2] {
        note(world, &of_second(second), lane("x")).await;
    }
    note(world, &of_second(0), lane("y")).await;
    let twin = subscription_sharing_the_handle_of(id());
    note(world, &kept(event_id(at(0), 1), twin), lane("x")).await;
    for second in [1, 2, 3] {
        let first = first(world, id(), lane("x")).await.expect("something stands there");
        assert_eq!(first, line(&of_second(second), lane("x")));
        world.store.forget_in_lane(&tenant(), id(), &first).await.expect("the table answers");
    }
    assert_eq!(first(world, id(), lane("x")).await, None, "what stands in another lane is no part of it");
    assert!(first(world, id(), lane("y")).await.is_some());
    assert!(first(world, twin, lane("x")).await.is_some());
}

pub async fn what_is_noted_again_stands_in_its_lane_once(world: &World) {
    let delivery = of_second(1);
    note(world, &delivery, lane("x")).await;
    note(world, &delivery, lane("x")).await;
    let line = line(&delivery, lane("x"));
    world.store.forget_in_lane(&tenant(), id(), &line).await.expect("the table answers");
    let again = first(world, id(), lane("x")).await.expect("it was noted anew since that note was read");
    for _ in 0..2 {
        world.store.forget_in_lane(&tenant(), id(), &again).await.expect("the table answers");
    }
    assert_eq!(first(world, id(), lane("x")).await, None);
}

pub async fn lanes_are_found_however_much_stands_in_them(world: &World) {
    let mut expected = vec![lane("x"), lane("y"), lane("z")];
    expected.sort();
    for (n, of) in expected.iter().enumerate() {
        for second in 0..4 {
            note(world, &of_second(10 * i64::try_from(n).expect("a small number") + second), *of).await;
        }
    }
    for limit in [1, 3, 5, 100] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let some = world.store.lanes(&tenant(), id(), after, limit).await.expect("the table answers");
            let Some(last) = some.last().copied() else { break };
            after = Some(last);
            found.extend(some);
        }
        assert_eq!(found, expected, "{limit} at a time");
    }
    assert_eq!(world.store.lanes(&tenant(), subscription_id(2), None, 10).await.expect("the table answers"), []);
}

pub async fn a_delivery_keeps_its_lane_and_has_no_due_time(world: &World) {
    let held = of_second(1).in_lane(lane("x"));
    assert!(world.store.put_delivery(&held).await.expect("the table answers"));
    assert_eq!(read(world, held.id).await, held);
    let state = DeliveryState::Pending { next_attempt_at: at(60), reason: None };
    let waiting = held.clone().in_state(state, at(1));
    assert!(world.store.move_delivery(&held, &waiting).await.expect("the table answers"));
    let stored = read(world, held.id).await;
    assert_eq!((stored.lane, stored.due_at), (Some(lane("x")), None));
    let state = DeliveryState::Attempting { n: 1, owner: owner(2), lease_until: at(90) };
    let begun = waiting.clone().in_state(state, at(60));
    assert!(world.store.move_delivery(&waiting, &begun).await.expect("the table answers"));
    assert_eq!(read(world, held.id).await, begun);
}

/// The subscription that most checks are about.
fn id() -> SubscriptionId {
    subscription_id(1)
}

fn lane(common: &str) -> LaneKey {
    LaneKey::of(common)
}

/// The delivery to it of the event of that second.
fn of_second(second: i64) -> Delivery {
    kept(event_id(at(second), 1), id())
}

fn line(delivery: &Delivery, lane: LaneKey) -> InLane {
    InLane { lane, id: delivery.id, event_id: delivery.event_id, event_type: delivery.event_type.clone(), noted: 1 }
}

async fn note(world: &World, delivery: &Delivery, lane: LaneKey) {
    world.store.note_in_lane(delivery, lane).await.expect("the table answers");
}

async fn first(world: &World, subscription: SubscriptionId, lane: LaneKey) -> Option<InLane> {
    world.store.first_in_lane(&tenant(), subscription, lane).await.expect("the table answers")
}

async fn read(world: &World, id: DeliveryId) -> Delivery {
    world.store.delivery(&tenant(), id).await.expect("the table answers").expect("it is there")
}
