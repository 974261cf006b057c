//! What a replay is about to cost. An estimate, by the figures of docs/cost.md, on demand in us-east-1.

use serde::Serialize;
use utoipa::ToSchema;

/// The writes of an item: the item itself, its delivery, the claim of its attempt, the record of it.
pub const WRITE_REQUESTS_PER_ITEM: u64 = 4;
/// Write units of these, with the entries in the index of what is due: 1, 2, 3 and 2.
const WRITE_UNITS: f64 = 8.0;
/// Read units: the event once when it is planned and once when it is sent, the look for its delivery, its item.
const READ_UNITS: f64 = 4.0;
/// Queue requests in batches of ten: sent, received, deleted.
const QUEUE_REQUESTS: f64 = 0.3;
/// USD for one, as in "Prices" of docs/cost.md.
const USD_PER_WRITE_UNIT: f64 = 0.625e-6;
const USD_PER_READ_UNIT: f64 = 0.125e-6;
const USD_PER_QUEUE_REQUEST: f64 = 0.40e-6;
/// USD for the dispatcher's part of one delivery, requests and time, as in "A million" of docs/cost.md.
const USD_OF_DISPATCHER: f64 = 0.173e-6;

/// What sending costs: one attempt for each item. Data out and storage are apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Price {
    /// Writes to the tables.
    pub write_requests: u64,
    /// About so many US dollars, at list prices on demand.
    pub estimated_cost_usd: f64,
}

/// The price of so many items.
#[must_use]
pub fn price(items: u64) -> Price {
    let each = WRITE_UNITS * USD_PER_WRITE_UNIT
        + READ_UNITS * USD_PER_READ_UNIT
        + QUEUE_REQUESTS * USD_PER_QUEUE_REQUEST
        + USD_OF_DISPATCHER;
    let micros = (items as f64 * each * 1e6).round();
    Price { write_requests: items.saturating_mul(WRITE_REQUESTS_PER_ITEM), estimated_cost_usd: micros / 1e6 }
}
