//! API tokens.

use hookport::domain::api_token::{ApiToken, SecretHash};
use hookport::domain::id::ApiTokenId;

use super::values::{tenant, tenant_named, token};
use super::world::{World, assert_exists, walk};

pub async fn a_token_is_found_by_its_hash(world: &World) {
    for token in [token(tenant(), 1), token(tenant(), 2), token(tenant_named("another"), 1)] {
        world.store.create_token(&token).await.expect("it is new");
        assert_eq!(by_hash(world, &token.hash).await, Some(token));
    }
    assert_eq!(by_hash(world, &token(tenant(), 9).hash).await, None);
}

pub async fn a_token_with_a_taken_hash_is_not_stored(world: &World) {
    let first = token(tenant(), 1);
    world.store.create_token(&first).await.expect("it is new");
    let second = ApiToken { hash: first.hash.clone(), ..token(tenant(), 2) };
    assert_exists(&world.store.create_token(&second).await);
    assert_eq!(list(world, 100).await, std::slice::from_ref(&first));
    assert_eq!(by_hash(world, &first.hash).await, Some(first));
}

pub async fn a_deleted_token_is_found_no_more(world: &World) {
    let (gone, left) = (token(tenant(), 1), token(tenant(), 2));
    for token in [&gone, &left] {
        world.store.create_token(token).await.expect("it is new");
    }
    assert!(delete(world, gone.id).await);
    assert_eq!(by_hash(world, &gone.hash).await, None);
    assert_eq!(list(world, 100).await, [left]);
    world.store.create_token(&gone).await.expect("its id and its hash are free");
}

pub async fn deleting_a_token_that_does_not_exist_says_so(world: &World) {
    let token = token(tenant(), 1);
    assert!(!delete(world, token.id).await);
    world.store.create_token(&token).await.expect("it is new");
    assert!(delete(world, token.id).await);
    assert!(!delete(world, token.id).await);
}

pub async fn tokens_are_listed_newest_first_by_pages(world: &World) {
    for n in [2, 4, 1, 5, 3] {
        world.store.create_token(&token(tenant(), n)).await.expect("it is new");
    }
    world.store.create_token(&token(tenant_named("another"), 6)).await.expect("it is new");
    let all: Vec<_> = (1..=5).rev().map(|n| token(tenant(), n)).collect();
    for size in 1..=6 {
        assert_eq!(list(world, size).await, all, "pages of {size}");
    }
}

async fn by_hash(world: &World, hash: &SecretHash) -> Option<ApiToken> {
    world.store.token_by_hash(hash).await.expect("the table answers")
}

async fn delete(world: &World, id: ApiTokenId) -> bool {
    world.store.delete_token(&tenant(), id).await.expect("the table answers")
}

async fn list(world: &World, size: usize) -> Vec<ApiToken> {
    walk(size, |page| async move { world.store.list_tokens(&tenant(), &page).await }).await
}
