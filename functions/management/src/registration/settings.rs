//! `GET`, `PUT /api/v1/registration-settings`: what listeners may ask for who have no token.

use axum::Json;
use axum::extract::State;
use hookport::domain::audit::AuditAction;
use hookport::domain::event_type::EventPattern;
use hookport::domain::host_pattern::HostPattern;
use hookport::domain::registration::{DEFAULT_MAX_WAITING, MAX_WAITING, RegistrationMode, RegistrationSettings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::Api;
use crate::audit::entry;
use crate::caller::{Caller, Needs, SubscriptionApprove};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Body;
use crate::inbound_webhook::within;
use crate::page::One;
use crate::registration_token::bounds;
use crate::source::Source;

/// What listeners may ask for who have no token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutRegistrationSettings {
    /// `closed`: nobody may ask. `ask`: everybody may, and an admin has to let each one in.
    #[schema(inline)]
    mode: RegistrationMode,
    /// What may be asked for: these patterns and what lies within them. At least one when everybody may ask.
    #[schema(value_type = Option<Vec<String>>, max_items = 50, example = json!(["invoice.*"]))]
    events: Option<Vec<EventPattern>>,
    /// The hosts that URLs may have; null, absent or empty: any.
    #[schema(max_items = 20)]
    hosts: Option<Vec<HostPattern>>,
    /// How many subscriptions may wait for an admin before nobody can ask any more.
    #[schema(minimum = 1, maximum = 1000, default = 20)]
    max_waiting: Option<u32>,
}

/// What listeners may ask for who have no token, and how many wait.
#[derive(Serialize, ToSchema)]
pub(crate) struct RegistrationSettingsView {
    /// Who may ask.
    #[schema(inline)]
    mode: RegistrationMode,
    /// What may be asked for: these patterns and what lies within them.
    #[schema(value_type = Vec<String>, example = json!(["invoice.*"]))]
    events: Vec<EventPattern>,
    /// The hosts that URLs may have; empty: any.
    hosts: Vec<HostPattern>,
    /// How many subscriptions may wait for an admin before nobody can ask any more.
    max_waiting: u32,
    /// How many wait, those that were registered with a token among them.
    waiting: u32,
}

impl RegistrationSettingsView {
    fn new(settings: RegistrationSettings, waiting: u32) -> Self {
        Self {
            mode: settings.mode,
            events: settings.bounds.events,
            hosts: settings.bounds.hosts,
            max_waiting: settings.max_waiting,
            waiting,
        }
    }
}

/// Shows what listeners may ask for who have no token.
#[utoipa::path(
    get,
    path = "/api/v1/registration-settings",
    operation_id = "readRegistrationSettings",
    tag = "registrations",
    security(("bearer" = [SubscriptionApprove::PERMISSION])),
    responses((status = 200, description = "The settings.", body = One<RegistrationSettingsView>)),
)]
pub(crate) async fn read(
    State(api): State<Api>,
    caller: Caller<SubscriptionApprove>,
) -> Result<Json<One<RegistrationSettingsView>>> {
    let settings = api.app.store.registration_settings(caller.tenant()).await?;
    let waiting = api.app.store.waiting_registrations(caller.tenant()).await?;
    Ok(Json(One { data: RegistrationSettingsView::new(settings, waiting) }))
}

/// Sets what listeners may ask for who have no token.
///
/// It holds at once. What waits already goes on waiting.
#[utoipa::path(
    put,
    path = "/api/v1/registration-settings",
    operation_id = "putRegistrationSettings",
    tag = "registrations",
    security(("bearer" = [SubscriptionApprove::PERMISSION])),
    request_body = PutRegistrationSettings,
    responses(
        (status = 200, description = "The settings as they are now.", body = One<RegistrationSettingsView>),
        (status = 400, description = "`invalid_request`: a field breaks its rule.", body = ErrorBody),
    ),
)]
pub(crate) async fn put(
    State(api): State<Api>,
    caller: Caller<SubscriptionApprove>,
    source: Source,
    Body(request): Body<PutRegistrationSettings>,
) -> Result<Json<One<RegistrationSettingsView>>> {
    let after = settings(request)?;
    let (store, tenant) = (&api.app.store, caller.tenant());
    let before = store.registration_settings(tenant).await?;
    if before != after {
        let patterns: Vec<String> = after.bounds.events.iter().cloned().map(String::from).collect();
        let record = entry(&api, &caller, source, AuditAction::RegistrationSettingsChanged)
            .with("mode", mode(after.mode))
            .with("mode_before", mode(before.mode))
            .with("events", patterns.join(" "))
            .with("max_waiting", after.max_waiting);
        store.put_registration_settings(tenant, &after, &record).await?;
    }
    let waiting = store.waiting_registrations(tenant).await?;
    Ok(Json(One { data: RegistrationSettingsView::new(after, waiting) }))
}

fn mode(mode: RegistrationMode) -> &'static str {
    match mode {
        RegistrationMode::Closed => "closed",
        RegistrationMode::Ask => "ask",
    }
}

/// The settings, within their limits.
fn settings(given: PutRegistrationSettings) -> Result<RegistrationSettings> {
    let bounds = bounds(given.events.unwrap_or_default(), given.hosts.unwrap_or_default())?;
    if given.mode == RegistrationMode::Ask && bounds.events.is_empty() {
        return Err(Error::field("events", "must have at least 1 entry when everybody may ask"));
    }
    let max_waiting = within("max_waiting", given.max_waiting, 1..=MAX_WAITING)?.unwrap_or(DEFAULT_MAX_WAITING);
    Ok(RegistrationSettings { mode: given.mode, bounds, max_waiting })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn set(body: Value) -> std::result::Result<RegistrationSettings, &'static str> {
        settings(serde_json::from_value(body).expect("it can be read")).map_err(|error| error.code())
    }

    #[test]
    fn who_lets_everybody_ask_says_for_what() {
        assert_eq!(set(json!({"mode": "closed"})), Ok(RegistrationSettings::default()));
        assert_eq!(set(json!({"mode": "ask"})), Err("invalid_request"));
        let open = set(json!({"mode": "ask", "events": ["invoice.*"]})).expect("it can be set");
        assert_eq!((open.mode, open.max_waiting), (RegistrationMode::Ask, 20));
        for wrong in [0, 1_001] {
            assert_eq!(set(json!({"mode": "closed", "max_waiting": wrong})), Err("invalid_request"), "{wrong}");
        }
    }
}
