//! What the template says, and what it may not say.

mod read;
mod refused;

use super::{EMBEDDED, Template};

fn embedded() -> Template {
    Template::embedded().unwrap()
}

/// The embedded template with its first `from` replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(EMBEDDED.contains(from), "the template has no {from:?}");
    EMBEDDED.replacen(from, to, 1)
}
