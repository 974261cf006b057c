//! Queues and where they give up messages to.

use serde_json::{Map, Value, json};

use super::Request;
use super::error::TemplateError;
use super::node::{Kinds, Node};

const ACCOUNT: &str = "000000000000";

/// An SQS queue. Its local name is its logical id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// How long a received message stays hidden, in seconds.
    pub visibility_timeout_s: u32,
    /// How long a message is kept, in seconds.
    pub retention_s: u32,
    /// How long a message waits that does not say so itself, in seconds.
    pub delay_s: u32,
    /// Where messages go that are received too often.
    pub redrive: Option<Redrive>,
}

/// When and where a queue gives up a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redrive {
    /// The logical id of the queue that takes it.
    pub dead_letter: String,
    /// How often it may be received before.
    pub max_receive_count: u32,
}

/// The URL of a queue of the local process.
#[must_use]
pub fn local_queue_url(logical_id: &str) -> String {
    format!("http://sqs.local/{ACCOUNT}/{logical_id}")
}

/// The ARN of a queue of the local process.
#[must_use]
pub fn local_queue_arn(logical_id: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{logical_id}")
}

impl Queue {
    pub(super) const KIND: &'static str = "AWS::SQS::Queue";

    pub(super) fn read(logical_id: &str, properties: &Node<'_>, kinds: &Kinds<'_>) -> Result<Self, TemplateError> {
        properties.only(
            &["VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "RedrivePolicy"],
            &["SqsManagedSseEnabled", "Tags"],
        )?;
        let redrive = match properties.get("RedrivePolicy")? {
            Some(policy) => Some(Redrive::read(&policy, kinds)?),
            None => None,
        };
        // What is not said takes the default of SQS.
        let seconds = |name, range, default| match properties.get(name)? {
            Some(node) => node.number(range),
            None => Ok(default),
        };
        Ok(Self {
            logical_id: logical_id.to_owned(),
            visibility_timeout_s: seconds("VisibilityTimeout", 0..=43_200, 30)?,
            retention_s: seconds("MessageRetentionPeriod", 60..=1_209_600, 345_600)?,
            delay_s: seconds("DelaySeconds", 0..=900, 0)?,
            redrive,
        })
    }

    /// The SQS request that creates this queue. The queue that takes its dead letters must exist before.
    #[must_use]
    pub fn create_request(&self) -> Request {
        let mut attributes = Map::new();
        let mut set = |name: &str, value: String| {
            attributes.insert(name.to_owned(), Value::String(value));
        };
        set("VisibilityTimeout", self.visibility_timeout_s.to_string());
        set("MessageRetentionPeriod", self.retention_s.to_string());
        set("DelaySeconds", self.delay_s.to_string());
        if let Some(redrive) = &self.redrive {
            let policy = json!({
                "deadLetterTargetArn": local_queue_arn(&redrive.dead_letter),
                "maxReceiveCount": redrive.max_receive_count,
            });
            set("RedrivePolicy", policy.to_string());
        }
        let body = json!({ "QueueName": self.logical_id, "Attributes": attributes });
        ("CreateQueue", body)
    }
}

impl Redrive {
    fn read(policy: &Node<'_>, kinds: &Kinds<'_>) -> Result<Self, TemplateError> {
        policy.only(&["deadLetterTargetArn", "maxReceiveCount"], &[])?;
        Ok(Self {
            dead_letter: policy.require("deadLetterTargetArn")?.arn_of(Queue::KIND, kinds)?,
            max_receive_count: policy.require("maxReceiveCount")?.number(1..=1_000)?,
        })
    }
}
