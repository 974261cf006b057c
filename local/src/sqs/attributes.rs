//! The attributes a queue is created with, and how they read.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// The most bytes a message, or all messages of a batch, may have.
pub(super) const LARGEST_MESSAGE: i64 = 1_048_576;

/// What a queue was told to do. Times are whole seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) delay_seconds: i64,
    pub(super) maximum_message_size: i64,
    pub(super) message_retention_period: i64,
    pub(super) receive_message_wait_time_seconds: i64,
    pub(super) visibility_timeout: i64,
    pub(super) redrive_policy: Option<RedrivePolicy>,
}

/// Which queue takes what was received too often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RedrivePolicy {
    pub(super) dead_letter_target_arn: String,
    #[serde(deserialize_with = "number_or_text")]
    pub(super) max_receive_count: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            delay_seconds: 0,
            maximum_message_size: LARGEST_MESSAGE,
            message_retention_period: 4 * 24 * 60 * 60,
            receive_message_wait_time_seconds: 0,
            visibility_timeout: 30,
            redrive_policy: None,
        }
    }
}

impl Settings {
    /// Reads the attributes of a CreateQueue request.
    pub(super) fn from_attributes(attributes: &BTreeMap<String, String>) -> Result<Self, Refusal> {
        let mut settings = Self::default();
        for (name, value) in attributes {
            settings.set(name, value)?;
        }
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        if let Some((number, range)) = self.number(name) {
            *number = value
                .parse::<i64>()
                .ok()
                .filter(|value| range.contains(value))
                .ok_or_else(|| Refusal::InvalidAttributeValue(name.to_owned()))?;
            return Ok(());
        }
        match name {
            "RedrivePolicy" => self.redrive_policy = Some(RedrivePolicy::parse(value)?),
            "FifoQueue" => {
                return Err(Refusal::UnsupportedOperation("This stand-in has standard queues only."));
            }
            _ => return Err(Refusal::InvalidAttributeName(name.to_owned())),
        }
        Ok(())
    }

    fn number(&mut self, name: &str) -> Option<(&mut i64, RangeInclusive<i64>)> {
        Some(match name {
            "DelaySeconds" => (&mut self.delay_seconds, 0..=900),
            "MaximumMessageSize" => (&mut self.maximum_message_size, 1024..=LARGEST_MESSAGE),
            "MessageRetentionPeriod" => (&mut self.message_retention_period, 60..=1_209_600),
            "ReceiveMessageWaitTimeSeconds" => (&mut self.receive_message_wait_time_seconds, 0..=20),
            "VisibilityTimeout" => (&mut self.visibility_timeout, 0..=43_200),
            _ => return None,
        })
    }

    /// Writes one attribute as GetQueueAttributes tells it; `None` for what is not set or not a setting.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        let number = match name {
            "DelaySeconds" => self.delay_seconds,
            "MaximumMessageSize" => self.maximum_message_size,
            "MessageRetentionPeriod" => self.message_retention_period,
            "ReceiveMessageWaitTimeSeconds" => self.receive_message_wait_time_seconds,
            "VisibilityTimeout" => self.visibility_timeout,
            "RedrivePolicy" => return self.redrive_policy.as_ref().map(RedrivePolicy::written),
            _ => return None,
        };
        Some(number.to_string())
    }
}

impl RedrivePolicy {
    fn parse(value: &str) -> Result<Self, Refusal> {
        serde_json::from_str(value)
            .ok()
            .filter(|policy: &Self| (1..=1000).contains(&policy.max_receive_count))
            .ok_or_else(|| {
                Self::refusal(value, "It must name a deadLetterTargetArn and a maxReceiveCount of 1 to 1000.")
            })
    }

    /// Refuses the policy written as `value`.
    pub(super) fn refusal(value: &str, reason: &str) -> Refusal {
        Refusal::InvalidParameterValue(format!(
            "Value {value} for parameter RedrivePolicy is invalid. Reason: {reason}"
        ))
    }

    pub(super) fn written(&self) -> String {
        serde_json::to_string(self).expect("a string and a number make JSON")
    }
}

/// AWS takes `"maxReceiveCount": "5"` for 5, and CloudFormation sends it so.
fn number_or_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Count {
        Number(i64),
        Text(String),
    }
    match Count::deserialize(deserializer)? {
        Count::Number(number) => Ok(number),
        Count::Text(text) => text.parse::<i64>().map_err(serde::de::Error::custom),
    }
}
