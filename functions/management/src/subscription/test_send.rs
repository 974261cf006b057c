//! `POST /api/v1/subscriptions/{id}/test`: sends a test to a subscription's target.

use axum::Json;
use axum::extract::State;
use hookport::domain::delivery::DeliveryKind;
use hookport::domain::event_type::{EventPattern, EventType};
use hookport::domain::id::{DeliveryId, InboundDeliveryId, InboundWebhookId, SubscriptionId};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tracing::warn;
use utoipa::ToSchema;

use super::find_own;
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionTest};
use crate::delivery::{DeliveryView, Made, StateView, make};
use crate::error::{ErrorBody, Result};
use crate::extract::{Ids, OptionalBody, Params};
use crate::page::One;
use crate::wait::{self, WaitQuery};

/// The type of a test of a subscription that names no type exactly.
const TEST_TYPE: &str = "webhook.test";

/// A test to be sent.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestSubscription {
    /// The type of event that it says it is. By default the first that the subscription names exactly, else
    /// `webhook.test`.
    event_type: Option<EventType>,
}

/// A test that is on its way.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestSent {
    /// The delivery that tells how it ends.
    #[schema(value_type = String, example = "dlv_01m5w3rm008000000400000003")]
    delivery_id: DeliveryId,
    /// Where the delivery stands.
    status: StateView,
    /// What to do next, for people.
    message: String,
    /// With `wait`: the delivery, with what the target answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    delivery: Option<DeliveryView>,
}

/// Sends a test to a subscription's target.
///
/// It is signed like any delivery and says that it is a test. There is one attempt, which no limit counts and no health
/// shows.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/{id}/test",
    operation_id = "testSubscription",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionTest::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`."), WaitQuery),
    request_body = Option<TestSubscription>,
    responses(
        (status = 200, description = "With `wait`: the test has ended.", body = One<TestSent>),
        (status = 202, description = "The test is on its way.", body = One<TestSent>),
        (
            status = 400,
            description = "`invalid_id`: not an id of a subscription. `invalid_request`: a field breaks its rule.",
            body = ErrorBody
        ),
        (
            status = 403,
            description = "`forbidden`: the token lacks the permission that is named. `outbound_disabled`: the tenant \
                is switched off. `operator_pinned`: the subscription is the operator's.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`subscription_not_found`: the caller sees no subscription with this id.",
            body = ErrorBody
        ),
        (status = 409, description = "`subscription_state`: the subscription is not active.", body = ErrorBody),
    ),
)]
pub(crate) async fn test_send(
    State(api): State<Api>,
    caller: Caller<SubscriptionTest>,
    Ids(id): Ids<SubscriptionId>,
    Params(query): Params<WaitQuery>,
    OptionalBody(request): OptionalBody<TestSubscription>,
) -> Result<(StatusCode, Json<One<TestSent>>)> {
    let until = wait::until(&api, query.wait)?;
    let subscription = find_own(&api, &caller, id).await?;
    let event_type = request.event_type.unwrap_or_else(|| type_of(&subscription.settings.events));
    // Nothing is published: the id stands for the test alone.
    let event_id = InboundDeliveryId::new(api.app.clock.now(), InboundWebhookId::NONE, api.app.random.bits()).into();
    let made = Made { kind: DeliveryKind::Test, event_id, event_type, repeats: None, id: None };
    let delivery = make(&api.app, &subscription, made).await?;
    let message = format!("The test is on its way; the delivery {} tells how it ends.", delivery.id);
    let mut data = TestSent { delivery_id: delivery.id, status: delivery.state.into(), message, delivery: None };
    let Some(until) = until else { return Ok((StatusCode::ACCEPTED, Json(One { data }))) };
    let found = wait::for_delivery(&api, caller.tenant(), delivery.id, until).await.unwrap_or_else(|error| {
        // It is made, whatever became of looking after it.
        warn!(tenant = %caller.tenant(), delivery.id = %delivery.id, %error, "test.not_waited");
        None
    });
    let Some(found) = found else { return Ok((StatusCode::ACCEPTED, Json(One { data }))) };
    let is_final = found.state.is_final();
    data.status = found.state.into();
    if is_final {
        data.message = "The test has ended.".to_owned();
    }
    data.delivery = Some(found.into());
    Ok((if is_final { StatusCode::OK } else { StatusCode::ACCEPTED }, Json(One { data })))
}

/// The type of a test when none was asked for.
fn type_of(events: &[EventPattern]) -> EventType {
    let exact = events.iter().find_map(|pattern| match pattern {
        EventPattern::Exactly(event_type) => Some(event_type.clone()),
        EventPattern::All | EventPattern::Below(_) => None,
    });
    exact.unwrap_or_else(|| EventType::try_from(TEST_TYPE.to_owned()).expect("it is two words joined by a dot"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A19: a test says that it is of a type which the receiver knows, if there is one.
    #[test]
    fn a19_a_test_is_of_the_first_type_that_is_named_exactly() {
        let cases: [(&[&str], &str); 3] = [
            (&["invoice.*", "ticket.closed", "ticket.opened"], "ticket.closed"),
            (&["invoice.*", "*"], "webhook.test"),
            (&[], "webhook.test"),
        ];
        for (patterns, expected) in cases {
            let patterns: Vec<_> =
                patterns.iter().map(|text| EventPattern::try_from((*text).to_owned()).expect("a pattern")).collect();
            assert_eq!(type_of(&patterns).as_str(), expected);
        }
    }
}
