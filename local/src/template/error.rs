//! Why the template cannot be honoured, and where.

use thiserror::Error;

/// A template that cannot be read or honoured by the local process.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// The text is not YAML, or names a key twice.
    #[error("the template is not valid YAML")]
    Syntax(#[source] serde_norway::Error),
    /// One property of one resource cannot be honoured.
    #[error("{resource}: {property}: {refusal}")]
    Refused {
        /// The logical id of the resource, or `template` for what stands outside of any.
        resource: String,
        /// The path of the property, such as `RedrivePolicy.maxReceiveCount`.
        property: String,
        /// What is wrong with it.
        refusal: Refusal,
    },
    /// Somebody asked for a resource that the template does not have.
    #[error("the template defines no {kind} named {logical_id}")]
    Undefined {
        /// What was looked for: a table, a queue or a function.
        kind: &'static str,
        /// The name it was looked for under.
        logical_id: String,
    },
}

/// What is wrong with one property.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// A type of resource that nothing local stands in for.
    #[error("the resource type {0} is not known here")]
    UnknownResourceType(String),
    /// A stack of its own, whose resources this reader would not see.
    #[error("the nested stack {0} is not known here")]
    UnknownStack(String),
    /// A type of event that nothing local triggers.
    #[error("the event type {0} is not known here")]
    UnknownEventType(String),
    /// A property that would change behaviour in the cloud only.
    #[error("the property is not known here")]
    UnknownProperty,
    /// A property that must be there.
    #[error("the property is missing")]
    Missing,
    /// A value of the wrong kind or out of range.
    #[error("expected {0}")]
    Expected(String),
    /// A reference to what does not exist or is of the wrong type.
    #[error("{0} does not name a resource that fits here")]
    UnknownReference(String),
    /// An intrinsic function where it cannot be worked out locally.
    #[error("the function {0} is not supported here")]
    Intrinsic(String),
    /// Messages would show again while the function still works on them.
    #[error("{visibility_s} s are less than the {timeout_s} s that {function} may run")]
    VisibilityBelowTimeout {
        /// How long a received message stays hidden.
        visibility_s: u32,
        /// The function that consumes the queue.
        function: String,
        /// How long that function may run.
        timeout_s: u32,
    },
    /// A lease could run out under a function that is still alive.
    #[error("{lease_ms} ms do not outlast the timeout of {timeout_s} s")]
    LeaseNotAboveTimeout {
        /// How long a lease lasts.
        lease_ms: u64,
        /// How long the function may run.
        timeout_s: u32,
    },
}
