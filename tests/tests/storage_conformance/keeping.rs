//! Requests that are kept: the row, and the request in it or in parts beside it.

use bytes::Bytes;
use hookport::domain::id::InboundDeliveryId;
use hookport::domain::inbound_delivery::{DispatchStatus, InboundDelivery, RequestHead};
use hookport::random::Random;
use hookport::store::{Kept, KeptRequest, Store, Writer, keys};
use serde::de::IgnoredAny;

use super::values::{at, inbound, inbound_id, tenant, webhook_id};
use super::world::{World, at_once, expiry};

/// Enough for several parts.
const LARGE: usize = 1024 * 1024;

pub async fn a_request_is_kept_once_under_its_id(world: &World) {
    let first = row();
    let second = InboundDelivery { latency_ms: first.latency_ms + 1, ..first.clone() };
    assert_eq!(keep(&world.store, &first, &request(b"first"), 1).await, Kept::New);
    assert_eq!(keep(&world.store, &second, &request(b"second"), 2).await, Kept::Exists);
    assert_eq!(world.inbound(first.id).await, first);
    assert_eq!(body(world, first.id).await, b"first"[..]);
}

pub async fn the_same_writer_again_has_kept_it(world: &World) {
    let row = row();
    assert_eq!(keep(&world.store, &row, &request(b"first"), 1).await, Kept::New);
    assert_eq!(keep(&world.store, &row, &request(b"first"), 1).await, Kept::New);
    assert_eq!(keep(&world.store, &row, &request(b"first"), 2).await, Kept::Exists);
}

pub async fn a_kept_row_reads_back_as_it_was(world: &World) {
    let webhook = webhook_id(1);
    let pending = InboundDelivery {
        idempotency_key: Some("Zoë's \"key\"".to_owned()),
        webhook_version: 12,
        ..inbound(webhook, at(0), 1)
    };
    let failed = InboundDelivery {
        status: DispatchStatus::Failed,
        response_status: 400,
        latency_ms: u32::MAX,
        error: Some("invalid_json".to_owned()),
        due_at: None,
        ..inbound(webhook, at(0), 2)
    };
    let duplicate = InboundDelivery {
        status: DispatchStatus::Duplicate,
        duplicate_of: Some(pending.id),
        idempotency_key: pending.idempotency_key.clone(),
        due_at: None,
        ..inbound(webhook, at(0), 3)
    };
    for row in [pending, failed, duplicate] {
        world.keep(&row).await;
        assert_eq!(world.inbound(row.id).await, row);
        let (read, request) = read(world, row.id).await;
        assert_eq!((read, request), (row, None));
    }
}

pub async fn what_was_never_kept_is_not_there(world: &World) {
    let id = inbound_id(webhook_id(1), at(0), 1);
    assert_eq!(world.store.inbound_delivery(&tenant(), id).await.expect("an answer"), None);
    assert_eq!(
        world.store.inbound_delivery_with_request(&tenant(), id, id.created_at()).await.expect("an answer"),
        None
    );
}

pub async fn a_small_request_is_kept_in_its_row(world: &World) {
    let row = row();
    let small = request(b"{\"face\": \"\xf0\x9f\x99\x82\", \"no text\": \"\xff\x00\"}");
    assert!(small.is_inline());
    keep(&world.store, &row, &small, 1).await;
    assert_eq!(read(world, row.id).await, (row, Some(small)));
    assert!(!part_exists(world, 1, 0).await);
}

pub async fn a_request_of_two_mebibytes_comes_back_byte_for_byte(world: &World) {
    let row = row();
    let noise = noise(1, 2 * 1024 * 1024);
    let large = request(&noise);
    assert!(!large.is_inline());
    keep(&world.store, &row, &large, 1).await;
    let (read, request) = read(world, row.id).await;
    assert_eq!(read, row);
    let (read_head, read_body) = request.expect("the request is there").unpack().expect("it is whole");
    assert_eq!(read_head, head());
    // Not by `assert_eq`, which would print them.
    assert!(read_body == noise, "the body has changed");
    assert!(part_exists(world, 1, 5).await);
}

pub async fn a_later_writers_parts_do_not_mix_with_the_first_ones(world: &World) {
    let row = row();
    let (first, second) = (noise(1, LARGE), noise(2, LARGE));
    assert_eq!(keep(&world.store, &row, &request(&first), 1).await, Kept::New);
    assert_eq!(keep(&world.store, &row, &request(&second), 2).await, Kept::Exists);
    assert!(part_exists(world, 2, 0).await, "the second writer wrote its parts first");
    assert!(body(world, row.id).await == first, "the body has changed");
}

pub async fn two_writers_at_once_keep_one_whole_request(world: &World) {
    let row = row();
    let outcomes = at_once((1..=2).map(|n| {
        let (store, row) = (world.store.clone(), row.clone());
        async move {
            let noise = noise(n, LARGE);
            (keep(&store, &row, &request(&noise), n.into()).await, noise)
        }
    }))
    .await;
    let winners: Vec<_> = outcomes.into_iter().filter(|(kept, _)| *kept == Kept::New).collect();
    assert_eq!(winners.len(), 1);
    assert!(body(world, row.id).await == winners[0].1, "the body is not the winner's");
}

pub async fn a_row_outlives_the_parts_of_its_request(world: &World) {
    let row = row();
    keep(&world.store, &row, &request(&noise(1, LARGE)), 1).await;
    let part = keys::body_part(&tenant(), &part_name(1), 1);
    world.deliveries.delete(&part, &[]).await.expect("the part is deleted");
    assert_eq!(read(world, row.id).await, (row, None));
}

fn row() -> InboundDelivery {
    inbound(webhook_id(1), at(0), 1)
}

fn head() -> RequestHead {
    RequestHead {
        verified: false,
        facts: None,
        method: "POST".to_owned(),
        path: "/api/inbound/acme/billing".to_owned(),
        source_ip: Some("192.0.2.1".to_owned()),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
    }
}

fn request(body: &[u8]) -> KeptRequest {
    KeptRequest::pack(&head(), body).expect("it is small enough")
}

/// Whole kibibytes that no compression makes fewer, the same for the same seed.
fn noise(seed: u64, length: usize) -> Bytes {
    let random = Random::seeded(seed);
    std::iter::repeat_with(|| random.bytes::<1024>()).take(length / 1024).flatten().collect()
}

async fn keep(store: &Store, row: &InboundDelivery, request: &KeptRequest, writer: u128) -> Kept {
    let kept = store.keep_inbound(row, Some(request), Writer::new(writer), expiry(row)).await;
    kept.expect("the table answers")
}

async fn read(world: &World, id: InboundDeliveryId) -> (InboundDelivery, Option<KeptRequest>) {
    let found = world.store.inbound_delivery_with_request(&tenant(), id, id.created_at()).await;
    found.expect("the table answers").expect("the row is there")
}

async fn body(world: &World, id: InboundDeliveryId) -> Bytes {
    let (_, request) = read(world, id).await;
    let (_, body) = request.expect("the request is there").unpack().expect("it is whole");
    body
}

/// The name that a writer gives its parts.
fn part_name(writer: u128) -> String {
    format!("{writer:032x}")
}

async fn part_exists(world: &World, writer: u128, part: u16) -> bool {
    let key = keys::body_part(&tenant(), &part_name(writer), part);
    world.deliveries.get::<IgnoredAny>(&key).await.expect("the table answers").is_some()
}
