//! What grows with the work and what does not: by the meter, never by the time of day.
//!
//! Tables are filled through the store itself. `benches/sweep` does the same with as many rows as one likes.

#[path = "scale/crowd.rs"]
mod crowd;
#[path = "scale/fan_out.rs"]
mod fan_out;
#[path = "scale/hanging.rs"]
mod hanging;
#[path = "scale/replay.rs"]
mod replay;
#[path = "scale/rows.rs"]
mod rows;
#[path = "scale/sweep.rs"]
mod sweep;

use hookport::domain::event_type::EventPattern;
use hookport::domain::id::SubscriptionId;
use hookport::domain::subscription::{Settings, Status, Subscription, pinned};
use hookport::domain::target_url::TargetUrl;
use hookport::domain::text::TenantSlug;
use hookport_tests::TestGateway;
use hookport_tests::gateway::{TENANT, text};
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::json;

/// The one tenant.
fn tenant() -> TenantSlug {
    TenantSlug::try_from(TENANT.to_owned()).expect("a slug")
}

/// The `n`th active subscription of a pattern, made at `now`. Its secret opens to nothing.
fn subscription(n: u32, url: &TargetUrl, pattern: &str, now: Timestamp) -> Subscription {
    let like = pinned(tenant(), url.clone());
    let events = vec![EventPattern::try_from(pattern.to_owned()).expect("a pattern")];
    Subscription {
        id: SubscriptionId::new(now, u128::from(n)),
        settings: Settings { events, ..like.settings.clone() },
        status: Status { since: now, ..like.status },
        version: 1,
        created_at: now,
        updated_at: now,
        ..like
    }
}

/// Publishes an event and gives its id.
async fn publish(gateway: &TestGateway, event_type: &str) -> String {
    let body = json!({"type": event_type, "data": {"total": 7}});
    let (status, answer) = gateway.api(Method::POST, "/api/v1/events", gateway.admin_token(), Some(body)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    text(&answer["data"]["id"])
}
