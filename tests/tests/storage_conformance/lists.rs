//! Lists over shards: newest first, by pages, of one webhook or subscription or of several.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use hookport::domain::cursor::PageRequest;
use hookport::domain::delivery::Delivery;
use hookport::domain::id::{InboundWebhookId, SubscriptionId};
use hookport::domain::inbound_delivery::{InboundDelivery, Period};
use hookport::store::keys::ROW_SHARDS;

use super::values::{
    at, begun, event_id, inbound, subscription_id, subscription_sharing_the_handle_of, tenant, tenant_named,
    webhook_id, webhook_sharing_the_handle_of,
};
use super::world::{World, walk};

/// The page sizes that every list is read with: smaller than a shard's part of it, and larger.
const SIZES: std::ops::RangeInclusive<usize> = 1..=7;
/// Every row fits one page.
const WHOLE: PageRequest = PageRequest { limit: 100, after: None };

pub async fn a_webhooks_requests_are_listed_newest_first(world: &World) {
    let rows = fifteen_requests(world, webhook_id(1), 0).await;
    let shards: BTreeSet<_> = rows.iter().map(|row| row.id.shard(ROW_SHARDS)).collect();
    assert_eq!(shards.len(), usize::from(ROW_SHARDS), "the rows are in every shard");
    let page = world
        .store
        .find_inbound(&tenant(), &[webhook_id(1)], &WHOLE, Period::default(), |_| true)
        .await
        .expect("a page");
    assert_eq!((page.items, page.next), (rows, None));
}

pub async fn pages_of_requests_have_no_gaps_and_no_repeats(world: &World) {
    let rows = fifteen_requests(world, webhook_id(1), 0).await;
    for size in SIZES {
        assert_eq!(requests(world, webhook_id(1), size).await, rows, "pages of {size}");
    }
}

pub async fn a_request_that_comes_meanwhile_shifts_no_page(world: &World) {
    let rows = fifteen_requests(world, webhook_id(1), 0).await;
    let page = PageRequest { limit: 6, after: None };
    let first = world
        .store
        .find_inbound(&tenant(), &[webhook_id(1)], &page, Period::default(), |_| true)
        .await
        .expect("a page");
    assert_eq!(first.items, rows[..6]);
    world.keep(&inbound(webhook_id(1), at(100), 0)).await;
    let page = PageRequest { limit: 6, after: first.next };
    let second = world
        .store
        .find_inbound(&tenant(), &[webhook_id(1)], &page, Period::default(), |_| true)
        .await
        .expect("a page");
    assert_eq!(second.items, rows[6..12]);
}

pub async fn requests_of_a_webhook_with_the_same_handle_are_left_out(world: &World) {
    let mine = webhook_id(1);
    let other = webhook_sharing_the_handle_of(mine);
    // Whole pages of the other's lie before, between and after mine.
    fifteen_requests(world, other, 0).await;
    let rows = fifteen_requests(world, mine, 3).await;
    fifteen_requests(world, other, 6).await;
    for size in SIZES {
        assert_eq!(requests(world, mine, size).await, rows, "pages of {size}");
    }
}

pub async fn several_webhooks_are_listed_together(world: &World) {
    let webhooks = [webhook_id(1), webhook_id(2), webhook_sharing_the_handle_of(webhook_id(1))];
    let mut rows = Vec::new();
    for (second, webhook) in (0..).zip(webhooks) {
        rows.extend(fifteen_requests(world, webhook, second).await);
    }
    fifteen_requests(world, webhook_id(3), 0).await;
    rows.sort_by_key(|row| Reverse(row.id));
    for size in SIZES {
        let listed = walk(size, |page| async move {
            world.store.find_inbound(&tenant(), &webhooks, &page, Period::default(), |_| true).await
        });
        assert_eq!(listed.await, rows, "pages of {size}");
    }
}

pub async fn requests_that_are_not_wanted_leave_no_short_page(world: &World) {
    let rows = fifteen_requests(world, webhook_id(1), 0).await;
    let is_wanted = |row: &InboundDelivery| row.latency_ms.is_multiple_of(3);
    let wanted: Vec<_> = rows.into_iter().filter(is_wanted).collect();
    assert_eq!(wanted.len(), 5);
    for size in SIZES {
        let listed = walk(size, |page| async move {
            world.store.find_inbound(&tenant(), &[webhook_id(1)], &page, Period::default(), is_wanted).await
        });
        assert_eq!(listed.await, wanted, "pages of {size}");
    }
}

pub async fn a_subscriptions_deliveries_are_listed_newest_first(world: &World) {
    let rows = fifteen_deliveries(world, subscription_id(1), 0).await;
    let shards: BTreeSet<_> = rows.iter().map(|row| row.id.shard(ROW_SHARDS)).collect();
    assert!(shards.len() > 1, "the rows are in several shards");
    let page = world.store.list_deliveries(&tenant(), &[subscription_id(1)], &WHOLE, |_| true).await.expect("a page");
    assert_eq!((page.items, page.next), (rows, None));
}

pub async fn pages_of_deliveries_have_no_gaps_and_no_repeats(world: &World) {
    let rows = fifteen_deliveries(world, subscription_id(1), 0).await;
    for size in SIZES {
        assert_eq!(deliveries(world, &[subscription_id(1)], size).await, rows, "pages of {size}");
    }
}

pub async fn deliveries_of_a_subscription_with_the_same_handle_are_left_out(world: &World) {
    let mine = subscription_id(1);
    let other = subscription_sharing_the_handle_of(mine);
    fifteen_deliveries(world, other, 0).await;
    let rows = fifteen_deliveries(world, mine, 3).await;
    fifteen_deliveries(world, other, 6).await;
    for size in SIZES {
        assert_eq!(deliveries(world, &[mine], size).await, rows, "pages of {size}");
    }
}

pub async fn several_subscriptions_are_listed_together(world: &World) {
    let subscriptions =
        [subscription_id(1), subscription_id(2), subscription_sharing_the_handle_of(subscription_id(1))];
    let mut rows = Vec::new();
    for (second, subscription) in (0..).zip(subscriptions) {
        rows.extend(fifteen_deliveries(world, subscription, second).await);
    }
    fifteen_deliveries(world, subscription_id(3), 0).await;
    rows.sort_by_key(|row| Reverse(row.id));
    for size in SIZES {
        assert_eq!(deliveries(world, &subscriptions, size).await, rows, "pages of {size}");
    }
}

pub async fn no_subscriptions_have_no_deliveries(world: &World) {
    fifteen_deliveries(world, subscription_id(1), 0).await;
    let page = world.store.list_deliveries(&tenant(), &[], &WHOLE, |_| true).await.expect("a page");
    assert_eq!((page.items, page.next), (vec![], None));
}

pub async fn deliveries_that_are_not_wanted_leave_no_short_page(world: &World) {
    let rows = fifteen_deliveries(world, subscription_id(1), 0).await;
    let is_wanted = |row: &Delivery| row.event_id.created_at() == at(3);
    let wanted: Vec<_> = rows.into_iter().filter(is_wanted).collect();
    assert_eq!(wanted.len(), 3);
    for size in SIZES {
        let listed = walk(size, |page| async move {
            world.store.list_deliveries(&tenant(), &[subscription_id(1)], &page, is_wanted).await
        });
        assert_eq!(listed.await, wanted, "pages of {size}");
    }
}

pub async fn rows_of_another_tenant_are_never_listed(world: &World) {
    let other = tenant_named("another");
    let request = InboundDelivery { tenant: other.clone(), ..inbound(webhook_id(1), at(0), 1) };
    world.keep(&request).await;
    let delivery = Delivery { tenant: other.clone(), ..begun(event_id(at(0), 1), subscription_id(1)) };
    world.create(&delivery).await;

    assert_eq!(requests(world, webhook_id(1), 100).await, []);
    assert_eq!(deliveries(world, &[subscription_id(1)], 100).await, []);
    let theirs =
        world.store.find_inbound(&other, &[webhook_id(1)], &WHOLE, Period::default(), |_| true).await.expect("a page");
    assert_eq!(theirs.items, [request]);
    let theirs = world.store.list_deliveries(&other, &[subscription_id(1)], &WHOLE, |_| true).await.expect("a page");
    assert_eq!(theirs.items, [delivery]);
}

async fn requests(world: &World, webhook: InboundWebhookId, size: usize) -> Vec<InboundDelivery> {
    walk(size, |page| async move {
        world.store.find_inbound(&tenant(), &[webhook], &page, Period::default(), |_| true).await
    })
    .await
}

async fn deliveries(world: &World, subscriptions: &[SubscriptionId], size: usize) -> Vec<Delivery> {
    walk(size, |page| async move { world.store.list_deliveries(&tenant(), subscriptions, &page, |_| true).await }).await
}

/// Keeps fifteen requests from `second` on, three in each instant, and gives them newest first.
async fn fifteen_requests(world: &World, webhook: InboundWebhookId, second: u32) -> Vec<InboundDelivery> {
    let row = |n: u32| InboundDelivery { latency_ms: n, ..inbound(webhook, at((second + n / 3).into()), n) };
    // They are not written in the order of their times.
    for n in 0..15 {
        world.keep(&row(n * 7 % 15)).await;
    }
    (0..15).rev().map(row).collect()
}

/// Creates the deliveries of fifteen events from `second` on, three in each instant, and gives them newest first.
async fn fifteen_deliveries(world: &World, subscription: SubscriptionId, second: u32) -> Vec<Delivery> {
    let row = |n: u32| begun(event_id(at((second + n / 3).into()), n), subscription);
    for n in 0..15 {
        world.create(&row(n * 7 % 15)).await;
    }
    let mut rows: Vec<_> = (0..15).map(row).collect();
    rows.sort_by_key(|row| Reverse(row.id));
    rows
}
