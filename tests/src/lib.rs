//! What the suites share: a gateway on stand-ins whose workers are driven by hand, sinks, senders' requests.

pub mod client;
pub mod gateway;
pub mod inbound;
pub mod issuer;
pub mod runtime_api;
pub mod schemes;
pub mod senders;
pub mod sink;

pub use gateway::{Instance, TestGateway};
pub use senders::SenderRequest;
pub use sink::Sink;
