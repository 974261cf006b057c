//! Where a subscription's events go: an HTTPS endpoint, or a resource of a service in the operator's cloud.
//!
//! The text alone decides here whether it is one. Whether a tenant may send to it is for [`Allowance`], and the calls
//! themselves are made by the crate `targets`.

mod allowance;
mod arn;
mod bucket;
mod label;
mod queue_url;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::allowance::{Allowance, AllowanceError};
pub use self::arn::{ArnError, BusArn, FunctionArn, Region, StateMachineArn, StreamArn, TopicArn};
pub use self::bucket::{BucketError, BucketName, KeyPrefix};
pub use self::label::{DetailType, EventSource, LabelError};
pub use self::queue_url::{QueueUrl, QueueUrlError};
use super::target_url::TargetUrl;

/// The place of any object that a delivery becomes, below its prefix: it stands for all of them when a bucket is held
/// against the operator's patterns.
const ANY_OBJECT: &str = "0000/00/00/dlv_0";

/// Where a subscription's events go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// The subscription's URL.
    Https {},
    /// A queue of SQS.
    Queue {
        /// Its URL.
        queue_url: QueueUrl,
        /// Which messages are one group. A FIFO queue that says nothing has one group for the subscription.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_group: Option<MessageGroup>,
    },
    /// A topic of SNS.
    Topic {
        /// Its ARN.
        topic_arn: TopicArn,
        /// Which messages are one group. A FIFO topic that says nothing has one group for the subscription.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_group: Option<MessageGroup>,
    },
    /// A bus of EventBridge.
    EventBus {
        /// Its ARN.
        event_bus_arn: BusArn,
        /// What events say they come from; `hookport` when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<EventSource>,
        /// What events say they are; the event's type when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail_type: Option<DetailType>,
    },
    /// A state machine of Step Functions.
    Workflow {
        /// Its ARN, that of a version or an alias too.
        state_machine_arn: StateMachineArn,
    },
    /// A function of Lambda.
    Function {
        /// Its ARN, that of a version or an alias too.
        function_arn: FunctionArn,
        /// Whether its end is waited for.
        #[serde(default)]
        mode: FunctionMode,
    },
    /// A stream of Kinesis.
    Stream {
        /// Its ARN.
        stream_arn: StreamArn,
        /// Which records are kept in order.
        #[serde(default)]
        partition_key: PartitionKey,
    },
    /// A bucket of S3.
    Bucket {
        /// Its name.
        bucket: BucketName,
        /// Where it is.
        region: Region,
        /// What the keys of objects start with.
        #[serde(default, skip_serializing_if = "KeyPrefix::is_empty")]
        prefix: KeyPrefix,
    },
}

/// Which messages are one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageGroup {
    /// All of the subscription.
    Subscription,
    /// Those of one event type.
    EventType,
    /// Those about one entity; what is about none belongs to the subscription's.
    Entity,
}

/// Whether the end of a function is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FunctionMode {
    /// No: delivered is what Lambda has taken.
    #[default]
    Async,
    /// Yes: delivered is what the function has done without an error, and its answer is kept.
    Wait,
}

/// Which records of a stream are kept in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartitionKey {
    /// None: they are spread by the event's id.
    #[default]
    Event,
    /// Those about one entity; what is about none is spread.
    Entity,
}

impl Default for Target {
    fn default() -> Self {
        Self::Https {}
    }
}

/// A service's part of its host name, and the region.
struct Endpoint<'a> {
    service: &'static str,
    region: &'a str,
}

impl Target {
    /// Tells whether it is the subscription's URL.
    #[must_use]
    pub fn is_https(&self) -> bool {
        matches!(self, Self::Https {})
    }

    /// The word that stands for its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Https {} => "https",
            Self::Queue { .. } => "queue",
            Self::Topic { .. } => "topic",
            Self::EventBus { .. } => "event_bus",
            Self::Workflow { .. } => "workflow",
            Self::Function { .. } => "function",
            Self::Stream { .. } => "stream",
            Self::Bucket { .. } => "bucket",
        }
    }

    /// What is shown as the subscription's URL; `None` when it has a URL of its own.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        Some(match self {
            Self::Https {} => return None,
            Self::Queue { queue_url, .. } => queue_url.to_string(),
            Self::Topic { topic_arn, .. } => topic_arn.to_string(),
            Self::EventBus { event_bus_arn, .. } => event_bus_arn.to_string(),
            Self::Workflow { state_machine_arn } => state_machine_arn.to_string(),
            Self::Function { function_arn, .. } => function_arn.to_string(),
            Self::Stream { stream_arn, .. } => stream_arn.to_string(),
            Self::Bucket { bucket, prefix, .. } => format!("s3://{bucket}/{prefix}"),
        })
    }

    /// What the operator's patterns are held against: the ARN of the resource, of an object in a bucket; `None` when it
    /// is the subscription's URL.
    #[must_use]
    pub fn resource(&self) -> Option<String> {
        match self {
            Self::Queue { queue_url, .. } => Some(queue_url.arn()),
            Self::Bucket { bucket, region, prefix } => {
                Some(format!("arn:{}:s3:::{bucket}/{prefix}{ANY_OBJECT}", region.partition()))
            }
            // The others are named by their ARNs.
            _ => self.place(),
        }
    }

    /// Where the service is called; `None` when the subscription's URL says it. Circuit breakers go by it.
    ///
    /// # Panics
    /// Never: its parts were checked when the target was read.
    #[must_use]
    pub fn address(&self) -> Option<TargetUrl> {
        let Endpoint { service, region } = self.endpoint()?;
        let url = format!("https://{service}.{region}.{}/", arn::suffix(region));
        Some(TargetUrl::try_from(url).expect("labels of checked characters and a known suffix are a URL"))
    }

    fn endpoint(&self) -> Option<Endpoint<'_>> {
        let (service, region) = match self {
            Self::Https {} => return None,
            Self::Queue { queue_url, .. } => ("sqs", queue_url.region()),
            Self::Topic { topic_arn, .. } => ("sns", topic_arn.region()),
            Self::EventBus { event_bus_arn, .. } => ("events", event_bus_arn.region()),
            Self::Workflow { state_machine_arn } => ("states", state_machine_arn.region()),
            Self::Function { function_arn, .. } => ("lambda", function_arn.region()),
            Self::Stream { stream_arn, .. } => ("kinesis", stream_arn.region()),
            Self::Bucket { region, .. } => ("s3", region.as_str()),
        };
        Some(Endpoint { service, region })
    }
}
