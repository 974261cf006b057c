//! Inbound webhooks: their versions, and what their URLs lead to.

use hookport::domain::id::InboundWebhookId;
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::store::{KeyOwner, keys};
use serde::Deserialize;

use super::values::{at, by_key, by_slug, hash, moved, renamed, slug, tenant, tenant_named, webhook, webhook_id};
use super::world::{World, assert_exists, at_once, walk};

pub async fn a_webhook_is_found_by_its_id_and_by_its_slug(world: &World) {
    let webhook = created(world, 1, "billing").await;
    assert_eq!(by_id(world, webhook.id).await, Some(webhook.clone()));
    assert_eq!(at_slug(world, "billing").await, Some(webhook));
    assert_eq!(at_slug(world, "bill").await, None);
    assert_eq!(by_id(world, webhook_id(2)).await, None);
}

pub async fn a_taken_slug_stores_nothing_of_the_webhook(world: &World) {
    let first = created(world, 1, "billing").await;
    let second = webhook(2, by_slug("billing"));
    assert_exists(&world.store.create_inbound_webhook(&second).await);
    assert_eq!(by_id(world, second.id).await, None);
    assert_eq!(version(world, second.id, 1).await, None);
    assert_eq!(at_slug(world, "billing").await, Some(first));
}

pub async fn one_of_many_webhooks_at_once_gets_a_slug(world: &World) {
    let outcomes = at_once((1..=8).map(|n| {
        let store = world.store.clone();
        let webhook = webhook(n, by_slug("billing"));
        async move { store.create_inbound_webhook(&webhook).await.is_ok().then_some(webhook) }
    }))
    .await;
    let winners: Vec<_> = outcomes.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(at_slug(world, "billing").await.as_ref(), Some(&winners[0]));
    assert_eq!(list(world, 100).await, winners);
}

pub async fn a_slug_of_another_tenant_is_free(world: &World) {
    let mine = created(world, 1, "billing").await;
    let theirs = InboundWebhook { tenant: tenant_named("another"), ..webhook(2, by_slug("billing")) };
    world.store.create_inbound_webhook(&theirs).await.expect("it is free");
    assert_eq!(at_slug(world, "billing").await, Some(mine));
    let found = world.store.inbound_webhook_by_slug(&theirs.tenant, &slug("billing")).await;
    assert_eq!(found.expect("the table answers"), Some(theirs));
}

pub async fn a_webhook_is_found_by_the_hash_of_its_key(world: &World) {
    let webhook = webhook(1, by_key("wh_first"));
    world.store.create_inbound_webhook(&webhook).await.expect("it is new");
    let owner = KeyOwner { tenant: tenant(), id: webhook.id };
    assert_eq!(by_hash(world, "wh_first").await, Some(owner));
    assert_eq!(by_hash(world, "wh_second").await, None);
    assert_eq!(by_id(world, webhook.id).await, Some(webhook));
}

pub async fn a_changed_webhook_is_found_everywhere(world: &World) {
    let before = created(world, 1, "billing").await;
    let after = renamed(&before, "Accounts");
    world.store.update_inbound_webhook(&before, &after).await.expect("nobody was faster");
    assert_eq!(by_id(world, before.id).await, Some(after.clone()));
    assert_eq!(at_slug(world, "billing").await, Some(after.clone()));
    assert_eq!(list(world, 100).await, [after]);
}

pub async fn every_version_of_a_webhook_is_kept(world: &World) {
    let first = created(world, 1, "billing").await;
    let second = renamed(&first, "Accounts");
    world.store.update_inbound_webhook(&first, &second).await.expect("nobody was faster");
    let third = moved(&second, by_slug("accounts"));
    world.store.update_inbound_webhook(&second, &third).await.expect("nobody was faster");
    world.store.delete_inbound_webhook(&third, at(60)).await.expect("it is deleted");
    for kept in [first, second, third] {
        let recorded = version(world, kept.id, kept.version).await;
        assert_eq!(recorded, Some(kept.without_secrets()), "nothing in a version opens to a secret");
    }
}

pub async fn a_change_of_an_older_version_is_refused(world: &World) {
    let before = created(world, 1, "billing").await;
    let faster = renamed(&before, "Faster");
    world.store.update_inbound_webhook(&before, &faster).await.expect("nobody was faster");
    let slower = moved(&before, by_slug("slower"));
    assert_exists(&world.store.update_inbound_webhook(&before, &slower).await);
    assert_eq!(by_id(world, before.id).await, Some(faster.clone()));
    assert_eq!(version(world, before.id, 2).await, Some(faster.without_secrets()));
    assert_eq!(at_slug(world, "billing").await, Some(faster));
    assert_eq!(at_slug(world, "slower").await, None);
}

pub async fn a_moved_slug_leaves_the_old_one_free(world: &World) {
    let before = created(world, 1, "billing").await;
    let after = moved(&before, by_slug("accounts"));
    world.store.update_inbound_webhook(&before, &after).await.expect("nobody was faster");
    assert_eq!(at_slug(world, "billing").await, None);
    assert_eq!(at_slug(world, "accounts").await, Some(after));
    let next = created(world, 2, "billing").await;
    assert_eq!(at_slug(world, "billing").await, Some(next));
}

pub async fn a_move_to_a_taken_slug_changes_nothing(world: &World) {
    let taken = created(world, 1, "accounts").await;
    let before = created(world, 2, "billing").await;
    let after = moved(&before, by_slug("accounts"));
    assert_exists(&world.store.update_inbound_webhook(&before, &after).await);
    assert_eq!(at_slug(world, "accounts").await, Some(taken));
    assert_eq!(at_slug(world, "billing").await, Some(before.clone()));
    assert_eq!(by_id(world, before.id).await, Some(before));
}

pub async fn a_deleted_webhook_is_found_nowhere_and_its_id_is_remembered(world: &World) {
    let gone = created(world, 1, "billing").await;
    let left = created(world, 2, "accounts").await;
    world.store.delete_inbound_webhook(&gone, at(60)).await.expect("it is deleted");
    assert_eq!(by_id(world, gone.id).await, None);
    assert_eq!(at_slug(world, "billing").await, None);
    assert_eq!(list(world, 100).await, std::slice::from_ref(&left));
    let mut ids = world.store.inbound_webhook_ids(&tenant()).await.expect("the table answers");
    ids.sort_unstable();
    assert_eq!(ids, [gone.id, left.id]);
    created(world, 3, "billing").await;
}

pub async fn a_deleted_webhooks_key_opens_nothing(world: &World) {
    let webhook = webhook(1, by_key("wh_first"));
    world.store.create_inbound_webhook(&webhook).await.expect("it is new");
    world.store.delete_inbound_webhook(&webhook, at(60)).await.expect("it is deleted");
    assert_eq!(by_hash(world, "wh_first").await, None);
}

pub async fn webhooks_are_listed_newest_first_by_pages(world: &World) {
    let mut all = Vec::new();
    for n in [3, 1, 5, 2, 4] {
        all.push(created(world, n, &format!("billing-{n}")).await);
    }
    all.sort_by_key(|webhook| std::cmp::Reverse(webhook.id));
    for size in 1..=6 {
        assert_eq!(list(world, size).await, all, "pages of {size}");
    }
}

async fn created(world: &World, n: u32, slug: &str) -> InboundWebhook {
    let webhook = webhook(n, by_slug(slug));
    world.store.create_inbound_webhook(&webhook).await.expect("it is new");
    webhook
}

async fn by_id(world: &World, id: InboundWebhookId) -> Option<InboundWebhook> {
    world.store.inbound_webhook(&tenant(), id).await.expect("the table answers")
}

async fn at_slug(world: &World, text: &str) -> Option<InboundWebhook> {
    world.store.inbound_webhook_by_slug(&tenant(), &slug(text)).await.expect("the table answers")
}

async fn by_hash(world: &World, key: &str) -> Option<KeyOwner> {
    world.store.inbound_webhook_by_key(&hash(key)).await.expect("the table answers")
}

async fn list(world: &World, size: usize) -> Vec<InboundWebhook> {
    walk(size, |page| async move { world.store.list_inbound_webhooks(&tenant(), &page).await }).await
}

/// One version of a webhook. The store has no reader for it yet.
async fn version(world: &World, id: InboundWebhookId, version: u64) -> Option<InboundWebhook> {
    #[derive(Deserialize)]
    struct Holding {
        v: InboundWebhook,
    }
    let key = keys::inbound_webhook_version(&tenant(), id, version);
    let found = world.configs.get::<Holding>(&key).await.expect("the table answers");
    found.map(|holding| holding.v)
}
