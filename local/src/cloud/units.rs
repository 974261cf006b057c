//! Capacity units, as DynamoDB bills them.

use std::ops::{AddAssign, Sub};

use dynoxide::types::ConsumedCapacity;

/// Capacity units of one or more calls; tables and their indexes apart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    /// Write units of tables.
    pub table_writes: f64,
    /// Write units of indexes.
    pub index_writes: f64,
    /// Read units of tables.
    pub table_reads: f64,
    /// Read units of indexes.
    pub index_reads: f64,
}

impl Units {
    /// Write units in all.
    #[must_use]
    pub fn writes(&self) -> f64 {
        self.table_writes + self.index_writes
    }

    /// Read units in all.
    #[must_use]
    pub fn reads(&self) -> f64 {
        self.table_reads + self.index_reads
    }

    /// What the answer to a write tells. A repeated transaction tells that it was charged as a read.
    pub(super) fn written(consumed: &[ConsumedCapacity]) -> Self {
        let mut units = Self::default();
        for capacity in consumed {
            let (table, index) = parts(capacity);
            if capacity.read_capacity_units.is_some() {
                units.table_reads += table;
                units.index_reads += index;
            } else {
                units.table_writes += table;
                units.index_writes += index;
            }
        }
        units
    }

    /// What the answer to a read tells.
    pub(super) fn read(consumed: &[ConsumedCapacity]) -> Self {
        let mut units = Self::default();
        for capacity in consumed {
            let (table, index) = parts(capacity);
            units.table_reads += table;
            units.index_reads += index;
        }
        units
    }
}

/// Splits what was consumed into the table's part and that of its indexes.
fn parts(capacity: &ConsumedCapacity) -> (f64, f64) {
    let indexes = [&capacity.global_secondary_indexes, &capacity.local_secondary_indexes];
    let index: f64 =
        indexes.into_iter().flatten().flat_map(|by_name| by_name.values()).map(|detail| detail.capacity_units).sum();
    (capacity.capacity_units - index, index)
}

impl AddAssign for Units {
    fn add_assign(&mut self, more: Self) {
        self.table_writes += more.table_writes;
        self.index_writes += more.index_writes;
        self.table_reads += more.table_reads;
        self.index_reads += more.index_reads;
    }
}

impl Sub for Units {
    type Output = Self;

    fn sub(self, less: Self) -> Self {
        Self {
            table_writes: self.table_writes - less.table_writes,
            index_writes: self.index_writes - less.index_writes,
            table_reads: self.table_reads - less.table_reads,
            index_reads: self.index_reads - less.index_reads,
        }
    }
}
