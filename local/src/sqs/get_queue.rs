//! GetQueueUrl and GetQueueAttributes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::create_queue::QueueUrl;
use super::queue::{queue_arn, queue_url};
use super::refusal::Refusal;
use super::{State, parse, store};
use crate::answer::Answer;

/// Every attribute this stand-in can tell.
const ALL: [&str; 12] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "DelaySeconds",
    "LastModifiedTimestamp",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "QueueArn",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "VisibilityTimeout",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueUrl<'a> {
    #[serde(borrow, default)]
    queue_name: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueAttributes<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct QueueAttributes<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'a str, String>,
}

pub(super) fn get_queue_url(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let request: GetQueueUrl<'_> = parse(body)?;
    if request.queue_name.is_empty() {
        return Err(Refusal::MissingParameter("QueueName"));
    }
    let queue = state.queue_named(&request.queue_name)?;
    Ok(Answer::json(&QueueUrl { queue_url: queue_url(&queue.name) }))
}

pub(super) fn get_queue_attributes(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let request: GetQueueAttributes<'_> = parse(body)?;
    let queue = state.queue_at(&request.queue_url)?;
    let asked: Vec<&str> = request.attribute_names.iter().map(String::as_str).collect();
    let names: &[&str] = if asked.contains(&"All") { &ALL } else { &asked };
    if let Some(unknown) = names.iter().find(|name| !ALL.contains(name)) {
        return Err(Refusal::InvalidAttributeName((*unknown).to_owned()));
    }

    let now = state.now();
    let counts = if names.iter().any(|name| name.starts_with("Approximate")) {
        let counted = state.store.with(|conn| store::counts(conn, queue.id, now, queue.cutoff(now)));
        Some(counted.map_err(Refusal::Store)?)
    } else {
        None
    };
    let mut attributes = BTreeMap::new();
    for name in names.iter().copied() {
        let value = match name {
            "ApproximateNumberOfMessages" => counts.as_ref().map(|counts| counts.visible.to_string()),
            "ApproximateNumberOfMessagesDelayed" => counts.as_ref().map(|counts| counts.delayed.to_string()),
            "ApproximateNumberOfMessagesNotVisible" => counts.as_ref().map(|counts| counts.in_flight.to_string()),
            // Settings never change here.
            "CreatedTimestamp" | "LastModifiedTimestamp" => Some((queue.created_at / 1000).to_string()),
            "QueueArn" => Some(queue_arn(&queue.name)),
            setting => queue.settings.value(setting),
        };
        if let Some(value) = value {
            attributes.insert(name, value);
        }
    }
    Ok(Answer::json(&QueueAttributes { attributes }))
}
