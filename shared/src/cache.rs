//! A bounded cache whose entries live for a short, fixed time.

use std::hash::Hash;

use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache as Bounded;

/// How long configuration may be remembered: a revoked key is dead everywhere after this.
pub const CONFIG_LIFE: SignedDuration = SignedDuration::from_secs(5);

/// A bounded cache; absence can be remembered by caching an `Option`.
pub struct Cache<K, V> {
    entries: Bounded<K, (Timestamp, V)>,
    life: SignedDuration,
}

impl<K: Eq + Hash + Clone, V: Clone> Cache<K, V> {
    /// A cache of at most `capacity` entries, each living for `life`.
    #[must_use]
    pub fn new(capacity: usize, life: SignedDuration) -> Self {
        Self { entries: Bounded::new(capacity), life }
    }

    /// What was put under `key`, unless its life is over at `now`.
    pub fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let (at, value) = self.entries.get(key)?;
        (now.duration_since(at) < self.life).then_some(value)
    }

    /// Remembers `value` from `now` on.
    pub fn put(&self, key: K, value: V, now: Timestamp) {
        self.entries.insert(key, (now, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_gone_when_its_life_is_over() {
        let cache = Cache::new(10, CONFIG_LIFE);
        let at = |s: i64| Timestamp::from_second(s).expect("a time");
        cache.put("key", 1, at(100));
        assert_eq!(cache.get(&"key", at(104)), Some(1));
        assert_eq!(cache.get(&"key", at(105)), None);
        assert_eq!(cache.get(&"other", at(100)), None);
    }

    #[test]
    fn it_never_grows_beyond_its_capacity() {
        let cache = Cache::new(10, CONFIG_LIFE);
        for key in 0..1_000 {
            cache.put(key, key, Timestamp::UNIX_EPOCH);
        }
        assert!((0..1_000).filter(|k| cache.get(k, Timestamp::UNIX_EPOCH).is_some()).count() <= 10);
    }
}
