//! Attempts: one HTTP try each, and how it ended.

use jiff::Timestamp;

/// One HTTP try and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub n: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// Where it went; absent where that was not decided.
    pub url: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
}

/// What is kept of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers that say something of the target.
    pub headers: Vec<(String, String)>,
    /// The beginning of its body.
    pub body: Option<String>,
    /// Whether the body went on.
    pub is_cut: bool,
    /// Why it counts as a failure although its status is a success.
    pub fault: Option<String>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target answered.
    Answered(Answer),
    /// No answer came.
    Failed {
        /// The stable code of the cause, such as `connect` or `timeout`.
        code: String,
        /// The cause for people.
        message: String,
        /// Whether trying again cannot help.
        permanent: bool,
    },
    /// Its sender died, so nobody knows whether the target saw it.
    Unknown,
}

impl Outcome {
    /// Tells whether the target took it.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Answered(Answer { status: 200..=299, fault: None, .. }))
    }

    /// How it failed, for people. Of what the target took, what it answered.
    #[must_use]
    pub fn error(&self) -> String {
        match self {
            Self::Answered(Answer { fault: Some(fault), .. }) => fault.clone(),
            Self::Answered(answer) => format!("the target answered {}", answer.status),
            Self::Failed { message, .. } => message.clone(),
            Self::Unknown => "the gateway died while the attempt was made".to_owned(),
        }
    }
}
