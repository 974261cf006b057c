//! What calls cost, by who made them.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{AddAssign, Sub};

use super::units::Units;

/// Who called what on which table, queue or secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The instance that called, by the name its transport was made with.
    pub instance: String,
    /// The operation, such as `PutItem`.
    pub operation: String,
    /// The table, queue or secret; several tables are joined by `+`.
    pub target: String,
}

/// What calls cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Calls that reached their service.
    pub calls: u64,
    /// Those among them that the service refused.
    pub refused: u64,
    /// Capacity units, of calls that asked for them to be told.
    pub units: Units,
    /// Queue requests as SQS bills them.
    pub queue_requests: u64,
    /// Bytes of request bodies.
    pub sent_bytes: u64,
    /// Bytes of answer bodies.
    pub received_bytes: u64,
}

impl AddAssign for Cost {
    fn add_assign(&mut self, more: Self) {
        self.calls += more.calls;
        self.refused += more.refused;
        self.units += more.units;
        self.queue_requests += more.queue_requests;
        self.sent_bytes += more.sent_bytes;
        self.received_bytes += more.received_bytes;
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, less: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(less.calls),
            refused: self.refused.saturating_sub(less.refused),
            units: self.units - less.units,
            queue_requests: self.queue_requests.saturating_sub(less.queue_requests),
            sent_bytes: self.sent_bytes.saturating_sub(less.sent_bytes),
            received_bytes: self.received_bytes.saturating_sub(less.received_bytes),
        }
    }
}

/// What was counted up to some moment, or between two.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage(BTreeMap<Call, Cost>);

impl Usage {
    pub(super) fn add(&mut self, call: Call, cost: Cost) {
        *self.0.entry(call).or_default() += cost;
    }

    /// Each kind of call with its cost, in order.
    pub fn lines(&self) -> impl Iterator<Item = (&Call, &Cost)> {
        self.0.iter()
    }

    /// What was added since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |call: &Call| earlier.0.get(call).copied().unwrap_or_default();
        let added =
            self.0.iter().map(|(call, cost)| (call.clone(), *cost - before(call))).filter(|(_, cost)| cost.calls > 0);
        Self(added.collect())
    }

    /// Only the calls that `wanted` says yes to.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&Call) -> bool) -> Self {
        let kept = self.0.iter().filter(|(call, _)| wanted(call));
        Self(kept.map(|(call, cost)| (call.clone(), *cost)).collect())
    }

    /// Everything together.
    #[must_use]
    pub fn total(&self) -> Cost {
        let mut total = Cost::default();
        for cost in self.0.values() {
            total += *cost;
        }
        total
    }

    /// Calls in all.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.total().calls
    }

    /// Write units in all, those of indexes too.
    #[must_use]
    pub fn write_units(&self) -> f64 {
        self.total().units.writes()
    }

    /// Read units in all, those of indexes too.
    #[must_use]
    pub fn read_units(&self) -> f64 {
        self.total().units.reads()
    }

    /// Queue requests in all, as SQS bills them.
    #[must_use]
    pub fn queue_requests(&self) -> u64 {
        self.total().queue_requests
    }
}

const COLUMNS: usize = 12;
const TEXT_COLUMNS: usize = 3;
const HEADINGS: [&str; COLUMNS] = [
    "instance",
    "operation",
    "target",
    "calls",
    "refused",
    "writes",
    "index writes",
    "reads",
    "index reads",
    "queue requests",
    "sent bytes",
    "received bytes",
];

fn row(instance: &str, operation: &str, target: &str, cost: &Cost) -> [String; COLUMNS] {
    [
        instance.to_owned(),
        operation.to_owned(),
        target.to_owned(),
        cost.calls.to_string(),
        cost.refused.to_string(),
        cost.units.table_writes.to_string(),
        cost.units.index_writes.to_string(),
        cost.units.table_reads.to_string(),
        cost.units.index_reads.to_string(),
        cost.queue_requests.to_string(),
        cost.sent_bytes.to_string(),
        cost.received_bytes.to_string(),
    ]
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![HEADINGS.map(str::to_owned)];
        for (call, cost) in &self.0 {
            rows.push(row(&call.instance, &call.operation, &call.target, cost));
        }
        rows.push(row("total", "", "", &self.total()));
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max();
        let widths: [usize; COLUMNS] = std::array::from_fn(|column| width(column).unwrap_or_default());
        for row in &rows {
            for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
                match column {
                    0 => write!(f, "{cell:<width$}")?,
                    1..TEXT_COLUMNS => write!(f, "  {cell:<width$}")?,
                    _ => write!(f, "  {cell:>width$}")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
