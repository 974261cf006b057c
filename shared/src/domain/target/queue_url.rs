//! URLs of queues.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::arn::{is_account, is_name, is_region, partition, suffix};
use crate::domain::text::texts;

/// Why a text is no URL of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a queue's URL: https://sqs.region.amazonaws.com/account/name")]
pub struct QueueUrlError;

/// What URLs of queues start with that the local process stands in for.
const LOCAL: &str = "http://sqs.local/";
/// The region that the local process says it is in.
const LOCAL_REGION: &str = "us-east-1";

/// The URL of a queue of SQS.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(
    value_type = String,
    max_length = 200,
    example = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"
)]
pub struct QueueUrl(String);

/// What a URL says.
struct Parts<'a> {
    region: &'a str,
    account: &'a str,
    name: &'a str,
}

fn read(text: &str) -> Option<Parts<'_>> {
    let (region, path) = match text.strip_prefix(LOCAL) {
        Some(path) => (LOCAL_REGION, path),
        None => {
            let (host, path) = text.strip_prefix("https://sqs.")?.split_once('/')?;
            let (region, domain) = host.split_once('.')?;
            (region, (domain == suffix(region)).then_some(path)?)
        }
    };
    let (account, name) = path.split_once('/')?;
    let bare = name.strip_suffix(".fifo").unwrap_or(name);
    let is_one = is_region(region) && is_account(account) && name.len() <= 80 && is_name(bare, 80, b"_-");
    is_one.then_some(Parts { region, account, name })
}

impl TryFrom<String> for QueueUrl {
    type Error = QueueUrlError;

    fn try_from(text: String) -> Result<Self, QueueUrlError> {
        if read(&text).is_some() { Ok(Self(text)) } else { Err(QueueUrlError) }
    }
}

impl QueueUrl {
    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        self.parts().region
    }

    /// Tells whether the queue keeps order and drops repetitions.
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.0.ends_with(".fifo")
    }

    /// The queue's ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        let Parts { region, account, name } = self.parts();
        format!("arn:{}:sqs:{region}:{account}:{name}", partition(region))
    }

    /// Tells whether another URL, through whatever host, is of a queue of the same account and name.
    #[must_use]
    pub fn is_named_as(&self, other: &str) -> bool {
        let Parts { account, name, .. } = self.parts();
        let mut from_the_end = other.rsplit('/');
        from_the_end.next() == Some(name) && from_the_end.next() == Some(account)
    }

    fn parts(&self) -> Parts<'_> {
        read(&self.0).expect("it was read when it was made")
    }
}

texts!(QueueUrl);
