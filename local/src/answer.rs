//! What an embedded stand-in answers: a status and a JSON body.
//!
//! Dressing it as HTTP, with its headers, is the work of whoever routes the request.

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

/// An answer of an embedded stand-in, not yet dressed as HTTP.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The JSON body; empty where AWS sends none.
    pub body: Bytes,
    /// `code;fault` for the header `x-amzn-query-error`, from which the SQS client takes an error's code.
    pub query_error: Option<String>,
}

impl Answer {
    /// Answers 200 without a body.
    #[must_use]
    pub fn empty() -> Self {
        Self::written(Vec::new())
    }

    /// Answers 200 with JSON that is already written.
    #[must_use]
    pub fn written(json: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, body: json.into(), query_error: None }
    }

    /// Answers 200 with `value` as JSON.
    #[must_use]
    pub fn json(value: &impl Serialize) -> Self {
        Self::written(json(value))
    }

    /// Refuses with an error whose type is `kind`.
    #[must_use]
    pub fn refused(status: StatusCode, kind: &str, message: &str) -> Self {
        let error = ErrorBody { kind, message };
        Self { status, body: json(&error).into(), query_error: None }
    }

    /// Adds the error's code as the older query protocol of SQS names it.
    #[must_use]
    pub fn with_query_error(mut self, code: &str) -> Self {
        let fault = if self.status.is_server_error() { "Receiver" } else { "Sender" };
        self.query_error = Some(format!("{code};{fault}"));
        self
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    #[serde(rename = "__type")]
    kind: &'a str,
    message: &'a str,
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("answers are made of strings, numbers and maps with string keys")
}
