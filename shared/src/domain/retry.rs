//! Retry schedules: how long to wait after each failed attempt.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When failed attempts of a delivery are made again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RetrySchedule {
    /// Ten attempts over three days: after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, each ±20 %.
    #[default]
    Standard,
    /// Five attempts: after 1, 5, 15 and 30 minutes, without jitter.
    FiveTries,
    /// Five attempts: after 1, 5, 30 and 120 minutes, without jitter.
    Alga,
    /// One attempt.
    None,
}

const STANDARD_S: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
const FIVE_TRIES_S: [i64; 4] = [60, 300, 900, 1_800];
const ALGA_S: [i64; 4] = [60, 300, 1_800, 7_200];
const JITTER: f64 = 0.2;

impl RetrySchedule {
    fn seconds(self) -> &'static [i64] {
        match self {
            Self::Standard => &STANDARD_S,
            Self::FiveTries => &FIVE_TRIES_S,
            Self::Alga => &ALGA_S,
            Self::None => &[],
        }
    }

    /// The wait after failed attempt `attempt` (the first is 1), or `None` when it was the last one.
    ///
    /// `jitter` in `0.0..1.0` picks the place within ±20 %, for schedules that have jitter.
    #[must_use]
    pub fn wait_after(self, attempt: u32, jitter: f64) -> Option<SignedDuration> {
        let index = usize::try_from(attempt.checked_sub(1)?).ok()?;
        let seconds = *self.seconds().get(index)?;
        let spread = if self == Self::Standard { 1.0 + JITTER * (2.0 * jitter.clamp(0.0, 1.0) - 1.0) } else { 1.0 };
        SignedDuration::try_from_secs_f64(seconds as f64 * spread).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_tries_waits_1_5_15_and_30_minutes_and_then_ends() {
        let waits: Vec<_> = (1..=5).map(|n| RetrySchedule::FiveTries.wait_after(n, 0.9)).collect();
        let minutes = |m| Some(SignedDuration::from_mins(m));
        assert_eq!(waits, [minutes(1), minutes(5), minutes(15), minutes(30), None]);
    }

    #[test]
    fn the_standard_schedule_spreads_each_wait_by_a_fifth() {
        let wait = |jitter| RetrySchedule::Standard.wait_after(2, jitter).map(|d| d.as_secs());
        assert_eq!((wait(0.0), wait(0.5), wait(1.0)), (Some(240), Some(300), Some(360)));
        assert_eq!(RetrySchedule::Standard.wait_after(9, 0.5), Some(SignedDuration::from_hours(24)));
        assert_eq!(RetrySchedule::Standard.wait_after(10, 0.5), None);
    }

    #[test]
    fn none_makes_one_attempt() {
        assert_eq!(RetrySchedule::None.wait_after(1, 0.5), None);
    }
}
