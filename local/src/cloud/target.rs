//! Which table, queue or secret a request is about.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The members that name what a request is about; each service uses some of them.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Names {
    table_name: Option<String>,
    request_items: BTreeMap<String, IgnoredAny>,
    transact_items: Vec<BTreeMap<String, InTable>>,
    queue_url: Option<String>,
    queue_name: Option<String>,
    secret_id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InTable {
    table_name: String,
}

/// Reads it from a request's body; empty when the body does not say it.
pub(super) fn target(body: &[u8]) -> String {
    let names: Names = serde_json::from_slice(body).unwrap_or_default();
    let in_transaction = names.transact_items.into_iter().flatten();
    let tables: BTreeSet<String> = names
        .table_name
        .into_iter()
        .chain(names.request_items.into_keys())
        .chain(in_transaction.map(|(_, write)| write.table_name))
        .collect();
    if !tables.is_empty() {
        return Vec::from_iter(tables).join("+");
    }
    let queue = names.queue_url.as_deref().and_then(last_segment);
    queue.map(str::to_owned).or(names.queue_name).or(names.secret_id).or(names.name).unwrap_or_default()
}

fn last_segment(url: &str) -> Option<&str> {
    url.rsplit('/').next()
}
