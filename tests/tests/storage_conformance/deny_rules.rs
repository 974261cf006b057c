//! The operators' list of hosts that nothing is sent to.

use hookport::egress::DenyRule;
use hookport::store::DenyRules;

use super::values::parsed;
use super::world::{World, at_once};

pub async fn there_are_no_deny_rules_at_first(world: &World) {
    let none = read(world).await;
    assert_eq!((none.rules, none.version), (vec![], 0));
}

pub async fn deny_rules_read_back_in_their_order(world: &World) {
    let none = read(world).await;
    let rules = vec![rule("*.example.internal"), rule("10.0.0.?"), rule("fd00::*")];
    assert!(put(world, &none, rules.clone()).await);
    let some = read(world).await;
    assert_eq!((&some.rules, some.version), (&rules, 1));
    assert!(put(world, &some, vec![]).await);
    let emptied = read(world).await;
    assert_eq!((emptied.rules, emptied.version), (vec![], 2));
}

/// Who changes an older list is told so, and no rule is lost.
pub async fn a_change_of_an_older_list_of_deny_rules_is_refused(world: &World) {
    let none = read(world).await;
    assert!(put(world, &none, vec![rule("a.example")]).await);
    assert!(!put(world, &none, vec![rule("b.example")]).await);
    let first = read(world).await;
    assert!(put(world, &first, vec![rule("a.example"), rule("c.example")]).await);
    assert!(!put(world, &first, vec![]).await);
    let now = read(world).await;
    assert_eq!((now.rules, now.version), (vec![rule("a.example"), rule("c.example")], 2));
}

pub async fn one_of_many_changes_of_the_deny_rules_at_once_wins(world: &World) {
    for round in 1..=2 {
        let before = read(world).await;
        let outcomes = at_once((0..8).map(|n| {
            let (store, before, rules) = (world.store.clone(), before.clone(), vec![rule(&format!("h{n}.example"))]);
            async move {
                let is_done = store.put_deny_rules(&before, rules.clone()).await.expect("the table answers");
                is_done.then_some(rules)
            }
        }))
        .await;
        let won: Vec<_> = outcomes.into_iter().flatten().collect();
        let [rules] = &won[..] else { panic!("{} changes were made", won.len()) };
        let now = read(world).await;
        assert_eq!((&now.rules, now.version), (rules, round));
    }
}

fn rule(pattern: &str) -> DenyRule {
    DenyRule { pattern: parsed(pattern), description: format!("Zoë said so of {pattern}") }
}

async fn read(world: &World) -> DenyRules {
    world.store.deny_rules().await.expect("the table answers")
}

async fn put(world: &World, before: &DenyRules, rules: Vec<DenyRule>) -> bool {
    world.store.put_deny_rules(before, rules).await.expect("the table answers")
}
