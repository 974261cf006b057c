//! The audit log: a partition for each month, in the order of time.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::configs::Holding;
use super::{Store, keys};
use crate::aws::table::{Query, TableError};
use crate::aws::transaction::Write;
use crate::domain::audit::{AUDIT_DAYS, AuditAction, AuditRecord, month, month_start};
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::id::AuditRecordId;
use crate::domain::text::TenantSlug;
use crate::domain::time::later;

/// How many records are read at a time.
const MANY: usize = 100;
/// How many reads are made for a page. More than there are months.
const STEPS: usize = 20;
/// By how much the clocks of two instances may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// A record, and when the table forgets it.
#[derive(Serialize)]
struct Row<'a> {
    v: &'a AuditRecord,
    ttl: i64,
}

fn row(record: &AuditRecord) -> Row<'_> {
    Row { v: record, ttl: record.expires_at().as_second() }
}

/// Which records are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only those of this action.
    pub action: Option<AuditAction>,
    /// Only those about this.
    pub subject: Option<String>,
    /// Only those of this time or later.
    pub from: Option<Timestamp>,
    /// Only those before this time.
    pub to: Option<Timestamp>,
}

impl AuditQuery {
    fn wants(&self, record: &AuditRecord) -> bool {
        self.action.is_none_or(|action| record.action == action)
            && self.subject.as_ref().is_none_or(|subject| record.subject == *subject)
    }
}

/// The write of a record, to stand beside those of what it tells of.
pub(super) fn write(record: &AuditRecord) -> Result<Write, TableError> {
    Write::put(keys::audit_record(&record.tenant, record.id), &row(record), vec![])
}

impl Store {
    /// Writes a record that stands for itself. One write; writing it again changes nothing.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_audit_record(&self, record: &AuditRecord) -> Result<(), TableError> {
        self.configs.put(&keys::audit_record(&record.tenant, record.id), &row(record), &[]).await
    }

    /// Lists records of a tenant, newest first. A page can have fewer than were asked for and still have a next one.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn list_audit_records(
        &self,
        tenant: &TenantSlug,
        wanted: &AuditQuery,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<AuditRecord>, TableError> {
        let oldest = now.saturating_sub(SignedDuration::from_hours(24 * AUDIT_DAYS)).unwrap_or(Timestamp::MIN);
        let floor = wanted.from.map_or(oldest, |from| from.max(oldest));
        let newest = later(now, SKEW);
        let begin = AuditRecordId::new(wanted.to.map_or(newest, |to| to.min(newest)), 0);
        let after = page.after.as_ref().and_then(|cursor| AuditRecordId::from_suffix(cursor.sort_key()).ok());
        let mut beyond = after.map_or(begin, |after| after.min(begin));
        // What is not before the end of the month that it begins in is in an earlier one.
        let mut at = beyond.created_at();
        let mut items: Vec<AuditRecord> = Vec::new();
        for _ in 0..STEPS {
            let pk = keys::audit(tenant, &month(at));
            let query = Query { pk, beyond: Some(beyond.suffix()), limit: MANY, newest_first: true };
            let found = self.configs.query(&query).await?;
            let is_rest = found.len() < MANY;
            for stored in found {
                let record = stored.read::<Holding<AuditRecord>>()?.v;
                if record.at() < floor {
                    return Ok(Page { items, next: None });
                }
                if wanted.wants(&record) && items.len() == page.limit {
                    return Ok(Page { items, next: Some(Cursor::after(&beyond.suffix())) });
                }
                beyond = record.id;
                if wanted.wants(&record) {
                    items.push(record);
                }
            }
            if is_rest {
                let start = month_start(at);
                if start <= floor {
                    return Ok(Page { items, next: None });
                }
                beyond = AuditRecordId::new(start, 0);
                at = start.saturating_sub(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MIN);
            }
        }
        Ok(Page { items, next: Some(Cursor::after(&beyond.suffix())) })
    }
}
