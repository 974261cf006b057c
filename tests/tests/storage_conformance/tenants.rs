//! Tenants and their directory.

use hookport::domain::api_token::ApiToken;
use hookport::domain::tenant::Tenant;
use hookport::domain::text::TenantSlug;

use super::values::{company, tenant, tenant_named, token};
use super::world::{World, assert_exists, walk};

pub async fn a_tenant_comes_with_its_first_token(world: &World) {
    let (company, token) = (company("acme"), token(tenant(), 1));
    world.store.create_tenant(&company, &token).await.expect("it is new");
    assert_eq!(read(world, &company.slug).await, Some(company));
    assert_eq!(by_hash(world, &token).await, Some(token));
}

pub async fn an_unknown_tenant_is_not_there(world: &World) {
    world.store.create_tenant(&company("acme"), &token(tenant(), 1)).await.expect("it is new");
    assert_eq!(read(world, &tenant_named("ac")).await, None);
    assert_eq!(read(world, &tenant_named("acme-2")).await, None);
}

pub async fn a_tenant_that_exists_is_left_as_it_is(world: &World) {
    let first = company("acme");
    world.store.create_tenant(&first, &token(tenant(), 1)).await.expect("it is new");
    let second = Tenant { inbound_enabled: false, ..first.clone() };
    let token = token(tenant(), 2);
    assert_exists(&world.store.create_tenant(&second, &token).await);
    assert_eq!(read(world, &first.slug).await, Some(first));
    assert_eq!(by_hash(world, &token).await, None);
}

pub async fn a_tenant_whose_token_is_taken_is_not_stored(world: &World) {
    let taken = token(tenant(), 1);
    world.store.create_tenant(&company("acme"), &taken).await.expect("it is new");
    let other = tenant_named("another");
    let same = ApiToken { hash: taken.hash.clone(), ..token(other.clone(), 1) };
    assert_exists(&world.store.create_tenant(&company("another"), &same).await);
    assert_eq!(read(world, &other).await, None);
    assert_eq!(directory(world, 100).await, [tenant()]);
}

pub async fn the_directory_names_each_tenant_once(world: &World) {
    let names = ["a", "acme", "acme-2", "b", "0"].map(tenant_named);
    for name in &names {
        world.store.create_tenant(&company(name.as_str()), &token(name.clone(), 1)).await.expect("it is new");
    }
    let mut expected = names.to_vec();
    expected.sort();
    for size in 1..=6 {
        let mut named = directory(world, size).await;
        named.sort();
        assert_eq!(named, expected, "pages of {size}");
    }
}

async fn read(world: &World, slug: &TenantSlug) -> Option<Tenant> {
    world.store.tenant(slug).await.expect("the table answers")
}

async fn by_hash(world: &World, token: &ApiToken) -> Option<ApiToken> {
    world.store.token_by_hash(&token.hash).await.expect("the table answers")
}

async fn directory(world: &World, size: usize) -> Vec<TenantSlug> {
    walk(size, |page| async move { world.store.list_tenants(&page).await }).await
}
