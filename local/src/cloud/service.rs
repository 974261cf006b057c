//! The services a request can be for, and what is particular to each on the wire.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

use crate::answer::Answer;

/// What SQS bills as one request.
const QUEUE_CHUNK_BYTES: usize = 64 * 1024;

/// A service that something here stands in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    DynamoDb,
    Sqs,
    SecretsManager,
}

impl Service {
    /// Reads the service and the operation from the header `x-amz-target`.
    pub(super) fn route(target: &str) -> Option<(Self, &str)> {
        let (service, operation) = target.split_once('.')?;
        let service = match service {
            "DynamoDB_20120810" => Self::DynamoDb,
            "AmazonSQS" => Self::Sqs,
            "secretsmanager" => Self::SecretsManager,
            _ => return None,
        };
        Some((service, operation))
    }

    /// Refuses a call as the service does when it is asked too much.
    pub(super) fn throttled(self) -> Answer {
        let (kind, message) = match self {
            Self::DynamoDb => (
                "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                "The level of configured provisioned throughput for the table was exceeded. \
                 Consider increasing your provisioning level with the UpdateTable API.",
            ),
            Self::Sqs => ("com.amazonaws.sqs#RequestThrottled", "Request is throttled."),
            Self::SecretsManager => ("ThrottlingException", "Rate exceeded"),
        };
        let answer = Answer::refused(StatusCode::BAD_REQUEST, kind, message);
        match self {
            Self::Sqs => answer.with_query_error("RequestThrottled"),
            Self::DynamoDb | Self::SecretsManager => answer,
        }
    }

    /// How many requests SQS bills for one call, a batch too: one for each chunk of what went over the wire.
    ///
    /// Its JSON is a little larger than the payload that SQS measures, so this is never too low.
    pub(super) fn queue_requests(self, sent: usize, received: usize) -> u64 {
        match self {
            Self::Sqs => sent.max(received).div_ceil(QUEUE_CHUNK_BYTES).max(1) as u64,
            Self::DynamoDb | Self::SecretsManager => 0,
        }
    }

    /// Makes an HTTP response of an answer.
    ///
    /// It has no `x-amz-crc32`: the SDK for Rust never looks at it.
    pub(super) fn dress(self, answer: Answer, id: u64) -> Response<Bytes> {
        let content_type = match self {
            Self::DynamoDb | Self::Sqs => "application/x-amz-json-1.0",
            Self::SecretsManager => "application/x-amz-json-1.1",
        };
        response(answer, content_type, id)
    }
}

/// Refuses a request whose target is none of the services.
pub(super) fn unknown_target(id: u64) -> Response<Bytes> {
    let answer = Answer::refused(
        StatusCode::BAD_REQUEST,
        "com.amazon.coral.service#UnknownOperationException",
        "The header x-amz-target names no service that is stood in for here.",
    );
    response(answer, "application/x-amz-json-1.0", id)
}

fn response(answer: Answer, content_type: &'static str, id: u64) -> Response<Bytes> {
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert("x-amzn-requestid", HeaderValue::from(id));
    if let Some(code) = answer.query_error {
        let code = HeaderValue::try_from(code).expect("error codes are letters, dots and a semicolon");
        headers.insert("x-amzn-query-error", code);
    }
    response
}
