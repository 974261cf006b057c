//! The shared numbers of rate limits: how many tokens of a window are taken.

use serde::Deserialize;

use super::{Store, keys};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::{TableError, Wanted};
use crate::domain::rate_limit::Window;

pub use keys::RateScope;

/// How long a window's number outlives it, in seconds.
const AFTERLIFE_S: i64 = 3_600;

#[derive(Deserialize)]
struct Number {
    n: u32,
}

/// What came of taking tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// They were added; so many are taken now.
    Added(u32),
    /// Nothing was added, because so many are taken already.
    Beyond(u32),
}

impl Store {
    /// Adds `added` to what is taken of a window, unless more than `at_most` are taken. One write.
    ///
    /// A call whose answer is lost and that is made again adds twice: the window lets fewer through then, never more.
    ///
    /// # Errors
    /// When the table cannot be reached. A limit that cannot be asked lets nobody through.
    pub async fn take_tokens(
        &self,
        scope: &RateScope,
        window: Window,
        added: u32,
        at_most: Option<u32>,
    ) -> Result<Tokens, TableError> {
        let key = keys::rate(scope, window.start);
        let changes = Changes::new().add("n", added.into()).set("ttl", window.end + AFTERLIFE_S);
        let tests: Vec<Test> = at_most.map(|most| Test::ItemAbsentOrAtMost("n", Value::of(most))).into_iter().collect();
        let missing = || TableError::Corrupt("the table was asked for an item and gave none".into());
        match self.idempotency.update(&key, &changes, &tests, Wanted::New).await {
            Ok(stored) => Ok(Tokens::Added(stored.ok_or_else(missing)?.read::<Number>()?.n)),
            Err(TableError::ConditionFailed { old }) => {
                Ok(Tokens::Beyond(old.ok_or_else(missing)?.read::<Number>()?.n))
            }
            Err(other) => Err(other),
        }
    }
}
