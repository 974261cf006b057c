//! Logs: one wide JSON line per unit of work, on standard output, where Lambda takes them from.
//!
//! Bodies, secrets, keys and tokens never reach a line: fields are ids, codes and numbers.

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging JSON lines from `level` up: a level, or `target=level` pairs, separated by commas. A second call
/// changes nothing.
///
/// Spans and fields cannot be asked for: what filters by them brings engines for regular expressions along, and is
/// larger than all that logs.
pub fn init_json(level: &str) {
    let filter = level.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true);
    let lines = lines.with_current_span(false).with_span_list(false).without_time().with_filter(filter);
    let _ = tracing_subscriber::registry().with(lines).try_init();
}
