//! `POST /api/v1/registration-tokens`: makes a registration token.

use axum::Json;
use axum::extract::State;
use hookport::domain::api_token::SecretHash;
use hookport::domain::audit::AuditAction;
use hookport::domain::event_facts::OwnerName;
use hookport::domain::event_type::EventPattern;
use hookport::domain::host_pattern::HostPattern;
use hookport::domain::id::RegistrationTokenId;
use hookport::domain::permission::Permission;
use hookport::domain::registration::{
    IssuedToken, MAX_SINGLE_DAYS, MAX_USES, RegistrationKind, RegistrationToken, SINGLE_DAYS,
};
use hookport::domain::text::Name;
use hookport::domain::time::later;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{REGISTRATION_PREFIX, RegistrationTokenView, bounds};
use crate::api::Api;
use crate::api_token::TOKEN_CHARS;
use crate::audit::entry;
use crate::caller::{Caller, Needs, RegistrationTokenCreate};
use crate::error::{Error, ErrorBody, Result};
use crate::extract::Body;
use crate::inbound_webhook::within;
use crate::source::Source;

/// A registration token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateRegistrationToken {
    /// Whom it is for.
    name: Name,
    /// `single`: one listener registers itself with it, once. `automation`: an automation registers many.
    #[schema(inline)]
    kind: Option<RegistrationKind>,
    /// On whose behalf subscriptions are made with it; absent or null: on nobody's.
    owner: Option<OwnerName>,
    /// What may be asked for: these patterns and what lies within them.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 50, example = json!(["invoice.*"]))]
    events: Vec<EventPattern>,
    /// The hosts that URLs may have; null, absent or empty: any.
    #[schema(max_items = 20)]
    hosts: Option<Vec<HostPattern>>,
    /// Whether what is registered with it need not be let in by an admin. Needs `subscription:approve`.
    #[schema(default = false)]
    approved: Option<bool>,
    /// The most uses of one for an automation; null or absent: any number. Another has one use.
    #[schema(minimum = 1, maximum = 10000)]
    max_uses: Option<u32>,
    /// From when on it is refused. When absent: after 7 days, for an automation never. For another than an automation 90
    /// days at most.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// A registration token that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedRegistrationToken {
    data: RegistrationTokenView,
    /// The token. It is shown here only.
    #[schema(example = "hpr_9Zs0kQ3vXw7bT2mJ5cY8dR1fG4hL6nP0qU3aE7iO")]
    token: String,
}

/// Makes a registration token, for a listener or an automation that makes its own subscriptions.
#[utoipa::path(
    post,
    path = "/api/v1/registration-tokens",
    operation_id = "createRegistrationToken",
    tag = "registration-tokens",
    security(("bearer" = [RegistrationTokenCreate::PERMISSION])),
    request_body = CreateRegistrationToken,
    responses(
        (status = 201, description = "What is kept of the token, and the token.", body = CreatedRegistrationToken),
        (status = 400, description = "`invalid_request`: a field breaks its rule.", body = ErrorBody),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named, or would give it away. \
                `outbound_disabled`: the tenant is switched off.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller<RegistrationTokenCreate>,
    source: Source,
    Body(request): Body<CreateRegistrationToken>,
) -> Result<(StatusCode, Json<CreatedRegistrationToken>)> {
    let approved = request.approved.unwrap_or(false);
    if approved && !caller.may(Permission::SubscriptionApprove) {
        return Err(Error::CannotGrant(Permission::SubscriptionApprove));
    }
    if request.events.is_empty() {
        return Err(Error::field("events", "must have at least 1 entry"));
    }
    let now = api.app.clock.now();
    let kind = request.kind.unwrap_or_default();
    let text = SecretString::from(format!("{REGISTRATION_PREFIX}{}", api.app.random.alphanumeric(TOKEN_CHARS)));
    let token = RegistrationToken {
        id: RegistrationTokenId::new(now, api.app.random.bits()),
        tenant: caller.tenant().clone(),
        name: request.name,
        kind,
        owner: request.owner,
        bounds: bounds(request.events, request.hosts.unwrap_or_default())?,
        approved,
        max_uses: max_uses(kind, request.max_uses)?,
        hash: SecretHash::of(&text),
        created_at: now,
        expires_at: end(kind, request.expires_at, now)?,
    };
    let record = entry(&api, &caller, source, AuditAction::RegistrationTokenCreated).about(token.id);
    let record = record.with("name", &token.name).with("approved", approved);
    let created = api.app.store.create_registration_token(&token, &record).await;
    created.map_err(|error| Error::of_creation(error, Error::Conflict))?;
    let issued = IssuedToken { token, uses: 0, last_used_at: None };
    let data = RegistrationTokenView::at(issued, now);
    let answer = CreatedRegistrationToken { data, token: text.expose_secret().to_owned() };
    Ok((StatusCode::CREATED, Json(answer)))
}

fn max_uses(kind: RegistrationKind, given: Option<u32>) -> Result<Option<u32>> {
    match kind {
        RegistrationKind::Single => Ok(Some(within("max_uses", given, 1..=1)?.unwrap_or(1))),
        RegistrationKind::Automation => within("max_uses", given, 1..=MAX_USES),
    }
}

/// When it ends, in whole milliseconds, as it is kept.
fn end(kind: RegistrationKind, given: Option<Timestamp>, now: Timestamp) -> Result<Option<Timestamp>> {
    let days = |days: i64| later(now, SignedDuration::from_hours(24 * days));
    let Some(given) = given else {
        return Ok((kind == RegistrationKind::Single).then(|| days(SINGLE_DAYS)));
    };
    let end = Timestamp::from_millisecond(given.as_millisecond()).ok().filter(|end| *end > now);
    let Some(end) = end else { return Err(Error::field("expires_at", "must be in the future")) };
    if kind == RegistrationKind::Single && end > days(MAX_SINGLE_DAYS) {
        return Err(Error::field("expires_at", format!("must be within {MAX_SINGLE_DAYS} days")));
    }
    Ok(Some(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn now() -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap()
    }

    #[test]
    fn a_token_for_one_use_ends_after_a_week_and_within_ninety_days() {
        let ends = |kind, given: Option<Timestamp>| end(kind, given, now()).map_err(|error| error.code());
        let (single, automation) = (RegistrationKind::Single, RegistrationKind::Automation);
        assert_eq!(ends(single, None), Ok(Some(now() + DAY * 7)));
        assert_eq!(ends(automation, None), Ok(None));
        assert_eq!(ends(single, Some(now() + DAY * 90)), Ok(Some(now() + DAY * 90)));
        assert_eq!(ends(single, Some(now() + DAY * 91)), Err("invalid_request"));
        assert_eq!(ends(automation, Some(now() + DAY * 900)), Ok(Some(now() + DAY * 900)));
        for kind in [single, automation] {
            assert_eq!(ends(kind, Some(now())), Err("invalid_request"));
        }
    }

    #[test]
    fn only_an_automation_has_more_than_one_use() {
        let uses = |kind, given| max_uses(kind, given).map_err(|error| error.code());
        assert_eq!(uses(RegistrationKind::Single, None), Ok(Some(1)));
        assert_eq!(uses(RegistrationKind::Single, Some(2)), Err("invalid_request"));
        assert_eq!(uses(RegistrationKind::Automation, None), Ok(None));
        assert_eq!(uses(RegistrationKind::Automation, Some(10_000)), Ok(Some(10_000)));
        for wrong in [0, 10_001] {
            assert_eq!(uses(RegistrationKind::Automation, Some(wrong)), Err("invalid_request"), "{wrong}");
        }
    }
}
