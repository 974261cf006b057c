//! The management API, spoken to as its callers do: HTTP in, HTTP out, on a gateway with an embedded cloud.

// One answer is compared as a whole, and has that many members.
#![recursion_limit = "256"]

#[path = "management_api/access.rs"]
mod access;
#[path = "management_api/client.rs"]
mod client;
#[path = "management_api/contract.rs"]
mod contract;
#[path = "management_api/deliveries.rs"]
mod deliveries;
#[path = "management_api/document.rs"]
mod document;
#[path = "management_api/event_types.rs"]
mod event_types;
#[path = "management_api/events.rs"]
mod events;
#[path = "management_api/health.rs"]
mod health;
#[path = "management_api/inbound_deliveries.rs"]
mod inbound_deliveries;
#[path = "management_api/inbound_webhooks.rs"]
mod inbound_webhooks;
#[path = "management_api/lists.rs"]
mod lists;
#[path = "management_api/outage.rs"]
mod outage;
#[path = "management_api/packs.rs"]
mod packs;
#[path = "management_api/requests.rs"]
mod requests;
#[path = "management_api/stats.rs"]
mod stats;
#[path = "management_api/subscriptions.rs"]
mod subscriptions;
#[path = "management_api/tenants.rs"]
mod tenants;
#[path = "management_api/trigger_protection.rs"]
mod trigger_protection;
#[path = "management_api/triggers.rs"]
mod triggers;
#[path = "management_api/versions.rs"]
mod versions;
#[path = "management_api/webhook_auth.rs"]
mod webhook_auth;
#[path = "management_api/webhook_changes.rs"]
mod webhook_changes;
#[path = "management_api/webhook_keys.rs"]
mod webhook_keys;
