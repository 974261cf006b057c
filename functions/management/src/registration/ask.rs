//! `POST /api/v1/tenants/{slug}/registrations`: a listener without a token asks for a subscription.

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use hookport::dialect::catalogue;
use hookport::domain::audit::{AuditAction, Principal};
use hookport::domain::payload_mode::PayloadMode;
use hookport::domain::registration::{RegistrationMode, RegistrationSettings};
use hookport::domain::subscription::Admission;
use hookport::domain::text::TenantSlug;
use hookport::store::{RateScope, RegisterError, Registering, Registrant};
use hookport::upkeep;
use http::StatusCode;
use tracing::info;

use super::request::{RegisterSubscription, not_allowed};
use super::{RegisteredSubscription, count, count_source, drafted};
use crate::api::Api;
use crate::audit::entry_of;
use crate::error::{Error, ErrorBody, OutboundRefusal, Result};
use crate::extract::{Body, Ids};
use crate::source::Source;

/// Asks for a subscription without a token, where the tenant lets everybody ask.
///
/// An admin has to let it in; until then it is sent nothing, and after seven days it is deleted. The secret is in the
/// answer, once.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{slug}/registrations",
    operation_id = "askForSubscription",
    tag = "registrations",
    params(("slug" = String, Path, description = "The tenant's slug.")),
    request_body = RegisterSubscription,
    responses(
        (status = 201, description = "The subscription and its secret.", body = RegisteredSubscription),
        (
            status = 400,
            description = "`invalid_request`: a field breaks its rule. `invalid_target`: the gateway sends nothing to \
                the URL.",
            body = ErrorBody
        ),
        (
            status = 403,
            description = "`registration_not_allowed`: such events, such a host or such a dialect cannot be asked for.",
            body = ErrorBody
        ),
        (status = 404, description = "`not_found`: nobody may ask here.", body = ErrorBody),
        (
            status = 429,
            description = "`rate_limit_exceeded`: too many tries. `too_many_waiting`: as many wait for an admin as \
                may. `Retry-After` says when to come back.",
            body = ErrorBody
        ),
        (
            status = 503,
            description = "`unavailable`: try again after the seconds in `Retry-After`.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn ask(
    State(api): State<Api>,
    source: Source,
    Ids(slug): Ids<String>,
    request: Request,
) -> Result<(StatusCode, Json<RegisteredSubscription>)> {
    let now = api.app.clock.now();
    count_source(&api, source, now).await?;
    let tenant = TenantSlug::try_from(slug).map_err(|_| Error::NotFound)?;
    count(&api, RateScope::Registration(tenant.clone()), now).await?;
    let settings = open_settings(&api, &tenant).await?;
    let Body(asked) = Body::<RegisterSubscription>::from_request(request, &api).await?;
    asked.fits(&settings.bounds, &api.app.config.egress.urls()).map_err(untold)?;
    strangers_may(&asked)?;
    let challenge = asked.challenge(&api.app.random)?;
    let (draft, plain) = drafted(&api, &tenant, asked.wanted(None)?).await.map_err(untold)?;
    let subscription = draft.registered(Admission::Held, challenge, now);
    let record = entry_of(&api, &tenant, Principal::LISTENER, AuditAction::RegistrationAsked).sent_from(source.0);
    let record = record
        .about(subscription.id)
        .with("name", &subscription.settings.name)
        .with("host", subscription.settings.url.host());
    let registering = Registering {
        subscription: &subscription,
        most: None,
        by: Registrant::Stranger { most_waiting: settings.max_waiting },
        record: &record,
    };
    match upkeep::register(&api.app, &registering).await {
        Ok(()) => {}
        Err(RegisterError::TooManyWaiting) => return Err(OutboundRefusal::TooManyWaiting.into()),
        Err(RegisterError::Exists | RegisterError::QuotaReached | RegisterError::Spent) => return Err(Error::NotFound),
        Err(RegisterError::Table(error)) => return Err(error.into()),
    }
    info!(%tenant, subscription.id = %subscription.id, "registration.asked");
    Ok((StatusCode::CREATED, Json(RegisteredSubscription::new(subscription, &plain))))
}

/// What may be asked for, where anything may. A tenant that is not there, one that lets nobody ask and one that is
/// switched off are looked up alike and answered alike.
async fn open_settings(api: &Api, tenant: &TenantSlug) -> Result<RegistrationSettings> {
    let settings = api.app.store.registration_settings(tenant).await?;
    let switches = api.tenant_switches(tenant).await?;
    let is_open = settings.mode == RegistrationMode::Ask && switches.outbound;
    if is_open { Ok(settings) } else { Err(Error::NotFound) }
}

/// Refuses what would tell a stranger which fields events have, or which dialects the tenant made for itself.
fn strangers_may(asked: &RegisterSubscription) -> Result<()> {
    if matches!(asked.payload, Some(PayloadMode::Fields(_))) {
        return Err(Error::field("payload", "fields can be chosen by an admin only"));
    }
    match &asked.dialect {
        Some(name) if catalogue::dialect(name.as_str()).is_none() => Err(not_allowed(name.to_string())),
        _ => Ok(()),
    }
}

/// A refusal as a stranger may know it: neither which events there are, nor which hosts the operators named.
fn untold(refusal: Error) -> Error {
    match refusal {
        Error::UnknownEventType(pattern) => not_allowed(pattern),
        Error::InvalidTarget(_) | Error::Outbound(OutboundRefusal::TargetNotAllowed(_)) => {
            OutboundRefusal::RegistrationTarget.into()
        }
        Error::InvalidRequest(rule) if rule.starts_with("url:") => OutboundRefusal::RegistrationTarget.into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use hookport::domain::target_url::TargetUrlError;

    use super::*;

    #[test]
    fn a_stranger_cannot_tell_one_event_or_one_host_from_another() {
        let told = |refusal: Error| {
            let refusal = untold(refusal);
            (refusal.code(), refusal.to_string())
        };
        let beyond = told(not_allowed("invoice.paid".to_owned()));
        assert_eq!(told(Error::UnknownEventType("invoice.paid".to_owned())), beyond);
        let private = told(Error::InvalidTarget(TargetUrlError::NoHost));
        assert_eq!(told(Error::field("url", "is on the list: the metadata service")), private);
        assert_eq!(told(Error::Outbound(OutboundRefusal::TargetNotAllowed("example.com".to_owned()))), private);
        assert_eq!(private.0, "invalid_target");
        assert_eq!(told(Error::field("name", "must have 1 to 255 characters")).0, "invalid_request");
    }
}
