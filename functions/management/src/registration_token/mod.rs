//! Registration tokens. The text of one is shown once; what is kept is its hash.

mod create;
mod delete;
mod list;
mod read;

use hookport::domain::event_facts::OwnerName;
use hookport::domain::event_type::EventPattern;
use hookport::domain::host_pattern::HostPattern;
use hookport::domain::id::RegistrationTokenId;
use hookport::domain::registration::{Bounds, IssuedToken, MAX_HOSTS, RegistrationKind, RegistrationTokenState};
use hookport::domain::subscription::MAX_PATTERNS;
use hookport::domain::text::Name;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::routes::routes;

/// What registration tokens start with, so that people and scanners recognise them.
pub(crate) const REGISTRATION_PREFIX: &str = "hpr_";

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list::list, create::create)).routes(routes!(read::read, delete::delete))
}

/// What may be registered, within its limits.
pub(crate) fn bounds(events: Vec<EventPattern>, hosts: Vec<HostPattern>) -> Result<Bounds> {
    if events.len() > MAX_PATTERNS {
        return Err(Error::field("events", format!("must have at most {MAX_PATTERNS} entries")));
    }
    if hosts.len() > MAX_HOSTS {
        return Err(Error::field("hosts", format!("must have at most {MAX_HOSTS} entries")));
    }
    Ok(Bounds { events, hosts })
}

/// A registration token, without its text.
#[derive(Serialize, ToSchema)]
pub(crate) struct RegistrationTokenView {
    /// Its id.
    #[schema(value_type = String, example = "rgt_01m5w3rm008000000400000003")]
    id: RegistrationTokenId,
    /// Whom it was made for.
    name: Name,
    /// How often it can be used.
    #[schema(inline)]
    kind: RegistrationKind,
    /// Whether it can be used.
    #[schema(inline)]
    state: RegistrationTokenState,
    /// On whose behalf subscriptions are made with it.
    owner: Option<OwnerName>,
    /// What may be asked for with it: these patterns and what lies within them.
    #[schema(value_type = Vec<String>, example = json!(["invoice.*"]))]
    events: Vec<EventPattern>,
    /// The hosts that URLs may have; empty: any.
    hosts: Vec<HostPattern>,
    /// Whether what is registered with it need not be let in by an admin.
    approved: bool,
    /// The most uses; null: any number.
    max_uses: Option<u32>,
    /// How many subscriptions were made with it.
    uses: u32,
    /// When the last one was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From when on it is refused; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl RegistrationTokenView {
    /// The token as it is at `now`.
    fn at(issued: IssuedToken, now: Timestamp) -> Self {
        let state = issued.state(now);
        let token = issued.token;
        Self {
            id: token.id,
            name: token.name,
            kind: token.kind,
            state,
            owner: token.owner,
            events: token.bounds.events,
            hosts: token.bounds.hosts,
            approved: token.approved,
            max_uses: token.max_uses,
            uses: issued.uses,
            last_used_at: issued.last_used_at,
            created_at: token.created_at,
            expires_at: token.expires_at,
        }
    }
}
