//! `GET /api/v1/subscriptions/{id}/attempts`: lists what was sent to a subscription's target, and what it answered.

use std::collections::{BTreeMap, HashMap};

use axum::Json;
use axum::extract::State;
use futures_util::future::try_join_all;
use hookport::domain::attempt::{Answer, Attempt, Outcome};
use hookport::domain::cursor::Page;
use hookport::domain::delivery::{Delivery, DeliveryKind};
use hookport::domain::event_type::EventType;
use hookport::domain::id::{DeliveryId, EventId, SubscriptionId};
use hookport::domain::payload_mode::Content;
use hookport::domain::permission::Permission;
use hookport::domain::subscription::{OPERATOR_PINNED, Subscription};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::find;
use super::wire::{Payload, Shown, Speech};
use crate::api::Api;
use crate::caller::{Caller, DeliveryRead, Needs};
use crate::delivery::{OutcomeView, headers_view};
use crate::error::{ErrorBody, Result};
use crate::extract::{Ids, Params};
use crate::page::{Many, PageQuery};

/// The most of a body that is shown, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// One HTTP try to a subscription's target.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubscriptionAttempt {
    /// The delivery that it was made for.
    #[schema(value_type = String)]
    delivery_id: DeliveryId,
    /// What the delivery carries.
    kind: DeliveryKind,
    /// What was delivered.
    #[schema(value_type = String)]
    event_id: EventId,
    /// The type of the event.
    event_type: EventType,
    /// Its number within the delivery, from 1.
    n: u32,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// How long it took, as an ISO 8601 duration.
    #[schema(example = "PT0.125S")]
    elapsed: String,
    /// How it ended.
    outcome: OutcomeView,
    /// What was sent.
    request: AttemptRequest,
    /// What was answered; null when no answer came.
    response: Option<AttemptResponse>,
    /// The stable code of the reason why no answer came.
    error_code: Option<String>,
    /// That reason for people, or why an answer counts as a failure although its status is a success.
    error_message: Option<String>,
}

/// What was sent. Headers and body are those that the present settings of the subscription make.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttemptRequest {
    /// The HTTP method.
    #[schema(example = "POST")]
    method: String,
    /// Where it went; null where that was not decided.
    url: Option<String>,
    /// The headers by name. Signatures, and what looks like a credential, are `(hidden)`.
    headers: BTreeMap<String, String>,
    /// The beginning of the body. Null when it is no longer kept, for tests and challenges, and for callers who may not
    /// read events.
    body: Option<String>,
    /// Whether the body is longer than the 16 KiB that are shown.
    body_is_cut: bool,
}

/// What was answered.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttemptResponse {
    /// The HTTP status.
    status: u16,
    /// The headers that say something of the target, by name.
    headers: BTreeMap<String, String>,
    /// The beginning of the body.
    body: Option<String>,
    /// Whether the body went on.
    is_cut: bool,
}

/// Lists what was sent to a subscription's target and what it answered, the newest deliveries first.
///
/// A page has the attempts of so many deliveries, and may so have more or fewer items than were asked for.
#[utoipa::path(
    get,
    path = "/api/v1/subscriptions/{id}/attempts",
    operation_id = "listAttempts",
    tag = "subscriptions",
    security(("bearer" = [DeliveryRead::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`."), PageQuery),
    responses(
        (status = 200, description = "The attempts.", body = Many<SubscriptionAttempt>),
        (
            status = 400,
            description = "`invalid_id`: not an id of a subscription. `invalid_request` or `invalid_cursor`: a \
                parameter is wrong.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`subscription_not_found`: the caller sees no subscription with this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn attempts(
    State(api): State<Api>,
    caller: Caller<DeliveryRead>,
    Ids(id): Ids<SubscriptionId>,
    Params(query): Params<PageQuery>,
) -> Result<Json<Many<SubscriptionAttempt>>> {
    let page = query.page()?;
    let subscription = find(&api, &caller, id).await?;
    let was_tried = |delivery: &Delivery| !delivery.attempts.is_empty();
    let mut found = api.app.store.list_deliveries(caller.tenant(), &[id], &page, was_tried).await?;
    // An owner's target gets these bodies anyway.
    let sees_bodies = caller.owner().is_some() || caller.may(Permission::EventRead);
    let bodies = if sees_bodies { bodies(&api, &subscription, &found.items).await? } else { HashMap::new() };
    let speech = Speech::of(&api, &subscription).await?;
    let deliveries = std::mem::take(&mut found.items);
    let shown = deliveries.into_iter().flat_map(|delivery| shown(&subscription, delivery, &bodies, &speech));
    Ok(Json(Many::new(&page, Page { items: shown.collect(), next: found.next })))
}

/// What the subscription is sent of the events of these deliveries, as far as they are still kept.
async fn bodies(api: &Api, subscription: &Subscription, deliveries: &[Delivery]) -> Result<HashMap<EventId, Payload>> {
    let now = api.app.clock.now();
    let reads = deliveries.iter().filter(|delivery| delivery.kind.is_of_event()).map(|delivery| async move {
        let id = delivery.event_id.into();
        let found = api.app.store.inbound_delivery_with_request(&delivery.tenant, id, now).await?;
        let Some(request) = found.and_then(|(_, request)| request) else { return Ok(None) };
        let (head, body) = request.unpack()?;
        let content = Content {
            id: delivery.event_id,
            event_type: &delivery.event_type,
            occurred_at: delivery.event_id.created_at(),
            facts: head.facts.as_ref(),
            body: &body,
            content_type: head.header("content-type"),
        };
        let (bytes, content_type) = subscription.settings.payload.render(&content);
        let payload = Payload { bytes, content_type, facts: head.facts, path: head.path };
        Result::Ok(Some((delivery.event_id, payload)))
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

/// The attempts of a delivery, newest first.
fn shown(
    subscription: &Subscription,
    mut delivery: Delivery,
    bodies: &HashMap<EventId, Payload>,
    speech: &Speech,
) -> Vec<SubscriptionAttempt> {
    let attempts = std::mem::take(&mut delivery.attempts);
    let sent = bodies.get(&delivery.event_id).filter(|_| delivery.kind.is_of_event());
    attempts
        .into_iter()
        .rev()
        .map(|attempt| SubscriptionAttempt::new(subscription, &delivery, attempt, sent, speech))
        .collect()
}

impl SubscriptionAttempt {
    fn new(
        subscription: &Subscription,
        delivery: &Delivery,
        attempt: Attempt,
        sent: Option<&Payload>,
        speech: &Speech,
    ) -> Self {
        let Shown { method, mut headers, body } = speech.shown(subscription, delivery, &attempt, sent);
        if sent.is_none() && delivery.kind.is_of_event() {
            // Of what is no longer kept nobody knows the type.
            headers.remove("content-type");
        }
        let (body, body_is_cut) = if sent.is_some() { beginning(&body) } else { (None, false) };
        let outcome = OutcomeView::from(&attempt.outcome);
        let (response, error_code, error_message) = match attempt.outcome {
            Outcome::Answered(Answer { status, headers, body, is_cut, fault }) => {
                (Some(AttemptResponse { status, headers: headers_view(headers), body, is_cut }), None, fault)
            }
            Outcome::Failed { code, message, permanent: _ } => (None, Some(code), Some(message)),
            Outcome::Unknown => (None, None, None),
        };
        let shown = Self {
            delivery_id: delivery.id,
            kind: delivery.kind,
            event_id: delivery.event_id,
            event_type: delivery.event_type.clone(),
            n: attempt.n,
            started_at: attempt.started_at,
            elapsed: SignedDuration::from_millis(attempt.duration_ms.into()).to_string(),
            outcome,
            request: AttemptRequest { method, url: attempt.url, headers, body, body_is_cut },
            response,
            error_code,
            error_message,
        };
        if subscription.id == SubscriptionId::PINNED { shown.hidden() } else { shown }
    }

    /// Without what says where the operator's subscription leads.
    fn hidden(mut self) -> Self {
        let texts = [&mut self.request.url, &mut self.error_message];
        texts.into_iter().flatten().for_each(|text| OPERATOR_PINNED.clone_into(text));
        if let Some(response) = &mut self.response {
            response.headers.clear();
            response.body = response.body.take().map(|_| OPERATOR_PINNED.to_owned());
        }
        self
    }
}

/// The beginning of a body as text, with a mark where it was cut, and whether it was.
fn beginning(body: &[u8]) -> (Option<String>, bool) {
    let is_cut = body.len() > MAX_BODY_BYTES;
    let mut start = &body[..body.len().min(MAX_BODY_BYTES)];
    // A character that the cut went through is left out.
    if is_cut
        && let Err(error) = std::str::from_utf8(start)
        && error.error_len().is_none()
    {
        start = &start[..error.valid_up_to()];
    }
    let mut text = String::from_utf8_lossy(start).into_owned();
    if is_cut {
        text.push('…');
    }
    (Some(text), is_cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_shown_whole_up_to_16_kib_and_cut_between_characters_beyond() {
        assert_eq!(beginning(b"{}"), (Some("{}".to_owned()), false));
        let fits = "x".repeat(MAX_BODY_BYTES);
        assert_eq!(beginning(fits.as_bytes()), (Some(fits), false));
        let odd = format!("x{}", "é".repeat(MAX_BODY_BYTES));
        let (text, is_cut) = beginning(odd.as_bytes());
        let text = text.expect("a text");
        assert!(is_cut && text.ends_with("é…"), "the character in the middle of the cut is gone");
        assert_eq!(text.len(), MAX_BODY_BYTES - 1 + "…".len());
    }

    #[test]
    fn how_long_an_attempt_took_is_an_iso_8601_duration() {
        for (millis, expected) in [(0, "PT0S"), (125, "PT0.125S"), (2_000, "PT2S")] {
            assert_eq!(SignedDuration::from_millis(millis).to_string(), expected);
        }
    }
}
