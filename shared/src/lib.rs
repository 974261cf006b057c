//! The common crate of Hookport: the domain, storage, queues, the vault, signatures and egress.
//!
//! Rules live in [`domain`], which has no I/O; only [`aws`] names AWS crates; function crates hold what their trigger
//! needs and nothing more.

pub mod app;
pub mod aws;
pub mod bookmarks;
pub mod cache;
pub mod clock;
pub mod config;
pub mod counters;
pub mod dialect;
pub mod domain;
pub mod egress;
pub mod inbound;
pub mod issues;
pub mod lanes;
pub mod log;
pub mod message;
pub mod own_events;
pub mod proof;
pub mod publish;
pub mod random;
pub mod schedules;
pub mod scheme;
pub mod signature;
pub mod store;
pub mod upkeep;
pub mod vault;
