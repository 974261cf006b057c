//! Signatures: signing what is sent out, and reading what receivers sign with the same secrets.
//!
//! How senders prove themselves to inbound webhooks is [`proof`](crate::proof)'s part.

pub mod callback;
pub mod challenge;
mod claim;
pub mod explain;
pub mod standard;
