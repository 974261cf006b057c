//! The one-process gateway: embedded stand-ins for AWS, and the four functions running on them.
//!
//! Product code knows nothing of this crate: it has the SDK clients, and these have a transport that ends here.

pub mod answer;
pub mod cloud;
pub mod dev;
pub mod front;
pub mod functions;
pub mod poller;
pub mod secrets;
pub mod serve;
pub mod sqs;
pub mod template;

/// The OpenAPI document of the management API, as pretty JSON.
#[must_use]
pub fn openapi_json() -> String {
    management::openapi_json()
}
