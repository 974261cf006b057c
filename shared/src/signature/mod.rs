//! Signatures: proving who sent a request, and proving to targets that we sent one.

pub mod standard;
