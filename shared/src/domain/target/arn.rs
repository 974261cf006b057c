//! ARNs, which name the resources of the operator's cloud, and regions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::text::texts;

/// Why a text is no such ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    /// Not six parts.
    #[error("must be an ARN: arn:partition:service:region:account:resource")]
    Syntax,
    /// Another partition than those that are known here.
    #[error("must be in the partition aws, aws-cn or aws-us-gov")]
    Partition,
    /// An ARN of something else.
    #[error("must be the ARN of a resource of the service {0}")]
    Service(&'static str),
    /// No region, or one of another partition.
    #[error("must name a region of its partition, such as eu-central-1")]
    Region,
    /// Not twelve digits.
    #[error("must name an account by its 12 digits")]
    Account,
    /// Not a resource of this kind.
    #[error("must name {0}")]
    Resource(&'static str),
}

/// The longest ARN.
const MAX_LENGTH: usize = 400;

/// The partition that a region belongs to.
pub(super) fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// What the host names of a region's services end in.
pub(super) fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// Tells whether a text could be a region: two letters, one to three words, a number.
pub(super) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [country, words @ .., number] = parts.as_slice() else { return false };
    let is_word = |word: &&str| (1..=16).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase());
    country.len() == 2
        && is_word(country)
        && (1..=3).contains(&words.len())
        && words.iter().all(is_word)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// Tells whether a text is the number of an account.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Tells whether a text has 1 to `most` characters, each a letter, a digit or one of `others`.
pub(super) fn is_name(text: &str, most: usize, others: &[u8]) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || others.contains(&b))
}

fn check(text: &str, service: &'static str, resource: Resource) -> Result<(), ArnError> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", in_partition, of, region, account, named] = parts.as_slice() else { return Err(ArnError::Syntax) };
    if text.len() > MAX_LENGTH {
        return Err(ArnError::Syntax);
    }
    if !["aws", "aws-cn", "aws-us-gov"].contains(in_partition) {
        return Err(ArnError::Partition);
    }
    if *of != service {
        return Err(ArnError::Service(service));
    }
    if !is_region(region) || partition(region) != *in_partition {
        return Err(ArnError::Region);
    }
    if !is_account(account) {
        return Err(ArnError::Account);
    }
    if (resource.is_one)(named) { Ok(()) } else { Err(ArnError::Resource(resource.what)) }
}

/// What the last part of an ARN must be.
#[derive(Clone, Copy)]
struct Resource {
    is_one: fn(&str) -> bool,
    what: &'static str,
}

/// Splits the version or alias off.
fn unqualified(text: &str) -> (&str, Option<&str>) {
    match text.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (text, None),
    }
}

const TOPIC: Resource = Resource {
    is_one: |text| text.len() <= 256 && is_name(text.strip_suffix(".fifo").unwrap_or(text), 256, b"_-"),
    what: "a topic",
};

const BUS: Resource = Resource {
    is_one: |text| text.strip_prefix("event-bus/").is_some_and(|name| is_name(name, 256, b"._-/")),
    what: "an event bus: event-bus/name",
};

const STATE_MACHINE: Resource = Resource {
    is_one: |text| {
        text.strip_prefix("stateMachine:").is_some_and(|text| {
            let (name, qualifier) = unqualified(text);
            is_name(name, 80, b"_-") && qualifier.is_none_or(|qualifier| is_name(qualifier, 80, b"_-."))
        })
    },
    what: "a state machine: stateMachine:name",
};

const FUNCTION: Resource = Resource {
    is_one: |text| {
        text.strip_prefix("function:").is_some_and(|text| {
            let (name, qualifier) = unqualified(text);
            is_name(name, 64, b"_-") && qualifier.is_none_or(|qualifier| is_name(qualifier, 128, b"_-$"))
        })
    },
    what: "a function: function:name",
};

const STREAM: Resource = Resource {
    is_one: |text| text.strip_prefix("stream/").is_some_and(|name| is_name(name, 128, b"_.-")),
    what: "a stream: stream/name",
};

macro_rules! arns {
    ($($(#[$meta:meta])* $name:ident = $service:literal, $resource:ident;)+) => {$(
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String")]
        $(#[$meta])*
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = ArnError;

            fn try_from(text: String) -> Result<Self, ArnError> {
                check(&text, $service, $resource)?;
                Ok(Self(text))
            }
        }

        impl $name {
            /// The region.
            #[must_use]
            pub fn region(&self) -> &str {
                self.0.split(':').nth(3).unwrap_or_default()
            }
        }

        texts!($name);
    )+};
}

arns! {
    /// Names a topic of SNS.
    #[schema(
        value_type = String,
        max_length = 400,
        example = "arn:aws:sns:eu-central-1:123456789012:orders"
    )]
    TopicArn = "sns", TOPIC;
    /// Names a bus of EventBridge.
    #[schema(
        value_type = String,
        max_length = 400,
        example = "arn:aws:events:eu-central-1:123456789012:event-bus/orders"
    )]
    BusArn = "events", BUS;
    /// Names a state machine of Step Functions, one of its versions or aliases.
    #[schema(
        value_type = String,
        max_length = 400,
        example = "arn:aws:states:eu-central-1:123456789012:stateMachine:orders"
    )]
    StateMachineArn = "states", STATE_MACHINE;
    /// Names a function of Lambda, one of its versions or aliases.
    #[schema(
        value_type = String,
        max_length = 400,
        example = "arn:aws:lambda:eu-central-1:123456789012:function:orders"
    )]
    FunctionArn = "lambda", FUNCTION;
    /// Names a stream of Kinesis.
    #[schema(
        value_type = String,
        max_length = 400,
        example = "arn:aws:kinesis:eu-central-1:123456789012:stream/orders"
    )]
    StreamArn = "kinesis", STREAM;
}

impl TopicArn {
    /// Tells whether the topic keeps order and drops repetitions.
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.0.ends_with(".fifo")
    }
}

/// A region of the cloud.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, max_length = 32, example = "eu-central-1")]
pub struct Region(String);

impl TryFrom<String> for Region {
    type Error = ArnError;

    fn try_from(text: String) -> Result<Self, ArnError> {
        if is_region(&text) { Ok(Self(text)) } else { Err(ArnError::Region) }
    }
}

impl Region {
    /// The partition that it belongs to.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        partition(&self.0)
    }
}

texts!(Region);
