//! CreateQueue.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::attributes::{RedrivePolicy, Settings};
use super::queue::{Queue, queue_url};
use super::refusal::Refusal;
use super::{State, parse, store};
use crate::answer::Answer;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateQueue {
    #[serde(default)]
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueueUrl {
    pub(super) queue_url: String,
}

pub(super) fn create_queue(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let request: CreateQueue = parse(body)?;
    let name = request.queue_name;
    check_name(&name)?;
    let settings = Settings::from_attributes(&request.attributes)?;
    let created = Answer::json(&QueueUrl { queue_url: queue_url(&name) });

    let mut queues = state.write_queues();
    if let Some(existing) = queues.get(&name) {
        // Only what the request names is compared.
        let differs = |name: &&String| existing.settings.value(name) != settings.value(name);
        return match request.attributes.keys().find(differs) {
            Some(name) => Err(Refusal::QueueNameExists(name.clone())),
            None => Ok(created),
        };
    }
    let created_at = state.now();
    let written = serde_json::to_string(&settings).expect("settings are numbers and strings");
    let policy = settings.redrive_policy.clone();
    let mut queue = Queue::assemble(0, &name, created_at, settings, &queues).ok_or_else(|| {
        let policy = policy.map(|policy| policy.written()).unwrap_or_default();
        RedrivePolicy::refusal(&policy, "Dead letter target does not exist.")
    })?;
    queue.id =
        state.store.with(|conn| store::insert_queue(conn, &name, created_at, &written)).map_err(Refusal::Store)?;
    queues.insert(name, Arc::new(queue));
    Ok(created)
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(Refusal::MissingParameter("QueueName"));
    }
    if name.ends_with(".fifo") {
        return Err(Refusal::UnsupportedOperation("This stand-in has standard queues only."));
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.len() > 80 || !name.bytes().all(legal) {
        return Err(Refusal::InvalidParameterValue(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length".to_owned(),
        ));
    }
    Ok(())
}
