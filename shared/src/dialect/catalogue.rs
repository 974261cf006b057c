//! The built-in dialects: a row for each in shared/dialects, part of the program.

use std::sync::{Arc, LazyLock};

use super::Dialect;

macro_rules! rows {
    ($($name:literal),+ $(,)?) => {
        [$(include_str!(concat!("../../dialects/", $name, ".json"))),+]
    };
}

static BUILT_IN: LazyLock<Vec<Arc<Dialect>>> = LazyLock::new(|| {
    let rows = rows![
        "standard",
        "standard-v1a",
        "hub",
        "timestamped",
        "cloudevents",
        "cloudevents-structured",
        "rfc9421",
        "rfc9421-ed25519",
        "bare",
        "slack",
        "teams",
        "discord",
    ];
    let read = rows.map(|row| Arc::new(serde_json::from_str(row).expect("the rows are tested")));
    read.to_vec()
});

/// All built-in dialects.
#[must_use]
pub fn all() -> &'static [Arc<Dialect>] {
    &BUILT_IN
}

/// The built-in dialect with this name.
#[must_use]
pub fn dialect(name: &str) -> Option<Arc<Dialect>> {
    BUILT_IN.iter().find(|dialect| dialect.name.as_str() == name).cloned()
}

/// The dialect of those who ask for none.
///
/// # Panics
/// Never: it is the first of the built-in ones.
#[must_use]
pub fn standard() -> Arc<Dialect> {
    Arc::clone(BUILT_IN.first().expect("there is one"))
}
