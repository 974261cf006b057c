//! The rules of the gateway: values and `now` in, values out. No I/O, no `async`, no AWS type.

pub mod address;
pub mod api_token;
pub mod cursor;
pub mod delivery;
pub mod event_type;
pub mod id;
pub mod idempotency;
pub mod inbound_delivery;
pub mod inbound_webhook;
pub mod permission;
pub mod retry;
pub mod subscription;
pub mod target_url;
pub mod tenant;
pub mod text;
