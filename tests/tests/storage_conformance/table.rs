//! What the store builds on and cannot show by itself: the conditions, orders and limits of a table.

use hookport::aws::expression::{Changes, Test, Value};
use hookport::aws::table::{Key, Query, Table, TableError, Wanted};
use hookport::aws::transaction::Write;
use serde::{Deserialize, Serialize};

use super::world::{World, refusal};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Thing {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    z: Option<String>,
}

pub async fn a_put_replaces_the_whole_item(world: &World) {
    put(&world.configs, "a", &Thing { n: Some(1), z: Some("old".to_owned()) }).await;
    put(&world.configs, "a", &numbered(2)).await;
    assert_eq!(get(&world.configs, "a").await, Some(numbered(2)));
}

pub async fn a_failed_put_gives_the_item_in_the_way(world: &World) {
    put(&world.configs, "a", &numbered(1)).await;
    let outcome = world.configs.put(&key("a"), &numbered(2), &[Test::ItemAbsent]).await;
    assert_eq!(in_the_way(outcome), Some(numbered(1)));
    let outcome = world.configs.put(&key("b"), &numbered(2), &[Test::ItemPresent]).await;
    assert_eq!(in_the_way(outcome), None);
    assert_eq!(get(&world.configs, "a").await, Some(numbered(1)));
    assert_eq!(get(&world.configs, "b").await, None);
}

pub async fn an_update_whose_test_fails_makes_no_item(world: &World) {
    let changes = Changes::new().set("z", "new").add("n", 1);
    let outcome = world.configs.update(&key("a"), &changes, &[Test::ItemPresent], Wanted::New).await;
    assert_eq!(in_the_way(outcome), None);
    assert_eq!(get(&world.configs, "a").await, None);
}

pub async fn an_update_gives_the_item_as_it_is_then(world: &World) {
    let steps = [
        (Changes::new().add("n", 5).set("z", "some"), Thing { n: Some(5), z: Some("some".to_owned()) }),
        (Changes::new().add("n", 2).remove("z"), numbered(7)),
        (Changes::new().set("z", "else").remove("n"), Thing { n: None, z: Some("else".to_owned()) }),
        // What is not there can be removed.
        (Changes::new().remove("n").remove("z").add("c", 1), Thing::default()),
    ];
    for (changes, expected) in steps {
        let updated = world.configs.update(&key("a"), &changes, &[], Wanted::New).await.expect("it is updated");
        let updated = updated.expect("the item was wanted").read::<Thing>();
        assert_eq!(updated.expect("it can be read"), expected);
        assert_eq!(get(&world.configs, "a").await, Some(expected));
    }
}

pub async fn numbers_compare_as_numbers(world: &World) {
    for (stored, most, holds) in [(9, 10, true), (10, 9, false), (10, 10, true), (-1, 0, true), (100, 20, false)] {
        put(&world.configs, "a", &numbered(stored)).await;
        let outcome = update_if(&world.configs, "a", Test::AtMost("n", Value::of(most))).await;
        assert_eq!(outcome.is_ok(), holds, "{stored} at most {most}: {outcome:?}");
        let outcome = update_if(&world.configs, "a", Test::ItemAbsentOrAtMost("n", Value::of(most))).await;
        assert_eq!(outcome.is_ok(), holds, "absent or {stored} at most {most}: {outcome:?}");
    }
}

pub async fn no_test_of_a_missing_attribute_holds(world: &World) {
    put(&world.configs, "a", &numbered(1)).await;
    for test in [Test::Is("z", Value::of("some")), Test::AtMost("q", Value::of(5))] {
        let outcome = update_if(&world.configs, "a", test).await;
        assert_eq!(in_the_way(outcome), Some(numbered(1)));
    }
    update_if(&world.configs, "b", Test::ItemAbsentOrAtMost("n", Value::of(0))).await.expect("no item is there");
}

pub async fn deleting_what_is_not_there_is_fine(world: &World) {
    put(&world.configs, "a", &numbered(1)).await;
    for _ in 0..2 {
        world.configs.delete(&key("a"), &[]).await.expect("it is not there afterwards");
        assert_eq!(get(&world.configs, "a").await, None);
    }
}

pub async fn a_delete_whose_test_fails_deletes_nothing(world: &World) {
    put(&world.configs, "a", &numbered(1)).await;
    let outcome = world.configs.delete(&key("a"), &[Test::Is("n", Value::of(2))]).await;
    assert!(matches!(outcome, Err(TableError::ConditionFailed { .. })), "{outcome:?}");
    assert_eq!(get(&world.configs, "a").await, Some(numbered(1)));
    world.configs.delete(&key("a"), &[Test::Is("n", Value::of(1))]).await.expect("the test holds");
    assert_eq!(get(&world.configs, "a").await, None);
}

pub async fn a_transaction_happens_as_a_whole_or_not_at_all(world: &World) {
    put(&world.configs, "a", &numbered(1)).await;
    put(&world.configs, "b", &numbered(2)).await;
    let writes = |test| {
        vec![
            Write::put(key("new"), &numbered(3), vec![Test::ItemAbsent]).expect("a thing can be stored"),
            Write::Update(key("a"), Changes::new().add("n", 10), vec![test]),
            Write::Delete(key("b"), vec![Test::ItemPresent]),
        ]
    };
    let outcome = world.configs.write_together(writes(Test::Is("n", Value::of(5)))).await;
    assert_eq!(in_the_way(outcome), Some(numbered(1)));
    let left = [get(&world.configs, "a").await, get(&world.configs, "b").await, get(&world.configs, "new").await];
    assert_eq!(left, [Some(numbered(1)), Some(numbered(2)), None]);

    world.configs.write_together(writes(Test::Is("n", Value::of(1)))).await.expect("all tests hold");
    let left = [get(&world.configs, "a").await, get(&world.configs, "b").await, get(&world.configs, "new").await];
    assert_eq!(left, [Some(numbered(11)), None, Some(numbered(3))]);
}

pub async fn sort_keys_are_ordered_by_their_bytes(world: &World) {
    for sort_key in ["a", "Z", "10", "9", "é", "_", "aa"] {
        put(&world.configs, sort_key, &numbered(0)).await;
    }
    let ordered = ["10", "9", "Z", "_", "a", "aa", "é"];
    assert_eq!(sort_keys(world, None, false, usize::MAX).await, ordered);
    assert_eq!(sort_keys(world, Some("Z"), false, 2).await, ["_", "a"]);
    assert_eq!(sort_keys(world, Some("a"), true, usize::MAX).await, ["_", "Z", "9", "10"]);
}

pub async fn a_partition_larger_than_a_page_is_read_whole(world: &World) {
    // A page ends at one megabyte.
    let large = Thing { n: None, z: Some("x".repeat(300_000)) };
    for sort_key in ["1", "2", "3", "4", "5", "6", "7"] {
        put(&world.configs, sort_key, &large).await;
    }
    assert_eq!(sort_keys(world, None, false, usize::MAX).await, ["1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(sort_keys(world, None, true, 6).await, ["7", "6", "5", "4", "3", "2"]);
}

pub async fn an_item_over_four_hundred_kilobytes_is_refused(world: &World) {
    let sized = |bytes: usize| Thing { n: None, z: Some("x".repeat(bytes)) };
    let outcome = world.configs.put(&key("a"), &sized(400 * 1024), &[]).await;
    assert_eq!(refusal(outcome), "ValidationException");
    assert_eq!(get(&world.configs, "a").await, None);
    // Names and keys count as well.
    put(&world.configs, "a", &sized(400 * 1024 - 100)).await;
}

fn key(sort_key: &str) -> Key {
    Key::new("things", sort_key)
}

fn numbered(n: i64) -> Thing {
    Thing { n: Some(n), z: None }
}

async fn put(table: &Table, sort_key: &str, thing: &Thing) {
    table.put(&key(sort_key), thing, &[]).await.expect("it is put");
}

async fn get(table: &Table, sort_key: &str) -> Option<Thing> {
    table.get(&key(sort_key)).await.expect("the table answers")
}

/// Changes nothing that a [`Thing`] shows.
async fn update_if(table: &Table, sort_key: &str, test: Test) -> Result<(), TableError> {
    table.update(&key(sort_key), &Changes::new().add("c", 1), &[test], Wanted::Nothing).await.map(drop)
}

/// The item that kept a write from happening.
fn in_the_way<T: std::fmt::Debug>(outcome: Result<T, TableError>) -> Option<Thing> {
    match outcome {
        Err(TableError::ConditionFailed { old }) => old.map(|old| old.read().expect("it can be read")),
        other => panic!("the write did not fail by its test: {other:?}"),
    }
}

async fn sort_keys(world: &World, beyond: Option<&str>, newest_first: bool, limit: usize) -> Vec<String> {
    let query = Query { pk: "things".to_owned(), beyond: beyond.map(str::to_owned), limit, newest_first };
    let found = world.configs.query(&query).await.expect("the table answers");
    found.into_iter().map(|stored| stored.key().sk.unwrap_or_default()).collect()
}
