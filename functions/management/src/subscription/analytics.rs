//! `GET /api/v1/subscriptions/{id}/analytics`: shows what became of a subscription's deliveries, hour by hour.

use axum::Json;
use axum::extract::State;
use hookport::domain::hourly::{HourOfDeliveries, by_hour, first_hour};
use hookport::domain::id::SubscriptionId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::find;
use crate::api::Api;
use crate::caller::{Caller, Needs, SubscriptionRead};
use crate::delivery::newest;
use crate::error::{Error, ErrorBody, Result};
use crate::extract::{Ids, Params};
use crate::page::One;

/// How many deliveries are read at most.
const MOST: usize = 2_000;
/// How long before the first hour a delivery may have been made: the default schedule lasts less.
const BEFORE: SignedDuration = SignedDuration::from_hours(96);
/// How many hours may be asked for.
const HOURS: std::ops::RangeInclusive<u16> = 1..=168;
const DEFAULT_HOURS: u16 = 24;

/// Which hours are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AnalyticsQuery {
    /// How many clock hours, the present one being the last.
    #[param(minimum = 1, maximum = 168, default = 24)]
    hours: Option<u16>,
}

/// What became of a subscription's deliveries, hour by hour. Tests and challenges are in no number.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubscriptionAnalytics {
    /// The subscription.
    #[schema(value_type = String)]
    subscription_id: SubscriptionId,
    /// When the first of the hours began.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Whether every delivery of these hours is counted: of more than 2,000, the newest are.
    complete: bool,
    /// The hours, oldest first.
    hours: Vec<HourOfDeliveries>,
}

/// Shows what became of a subscription's deliveries, hour by hour.
///
/// Deliveries that were made more than four days before the first hour are not looked at.
#[utoipa::path(
    get,
    path = "/api/v1/subscriptions/{id}/analytics",
    operation_id = "readSubscriptionAnalytics",
    tag = "subscriptions",
    security(("bearer" = [SubscriptionRead::PERMISSION])),
    params(("id" = String, Path, description = "The subscription's id: `sub_…`."), AnalyticsQuery),
    responses(
        (status = 200, description = "The hours.", body = One<SubscriptionAnalytics>),
        (
            status = 400,
            description = "`invalid_id`: not an id of a subscription. `invalid_request`: `hours` is not 1 to 168.",
            body = ErrorBody
        ),
        (
            status = 404,
            description = "`subscription_not_found`: the caller sees no subscription with this id.",
            body = ErrorBody
        ),
    ),
)]
pub(crate) async fn analytics(
    State(api): State<Api>,
    caller: Caller<SubscriptionRead>,
    Ids(id): Ids<SubscriptionId>,
    Params(query): Params<AnalyticsQuery>,
) -> Result<Json<One<SubscriptionAnalytics>>> {
    let hours = query.hours.unwrap_or(DEFAULT_HOURS);
    if !HOURS.contains(&hours) {
        return Err(Error::field("hours", "must be 1 to 168"));
    }
    let subscription = find(&api, &caller, id).await?;
    let now = api.app.clock.now();
    let since = first_hour(hours, now);
    let oldest = since.saturating_sub(BEFORE).unwrap_or(Timestamp::MIN);
    let (deliveries, complete) = newest(&api, &subscription, MOST, oldest, |_| false).await?;
    let data = SubscriptionAnalytics { subscription_id: id, since, complete, hours: by_hour(&deliveries, hours, now) };
    Ok(Json(One { data }))
}
