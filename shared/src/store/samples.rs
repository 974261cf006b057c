//! Samples: which request was captured, and until when a webhook captures one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CreateError, Store, exists_or, keys};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::TableError;
use crate::aws::transaction::Write;
use crate::domain::id::{InboundDeliveryId, InboundWebhookId};
use crate::domain::inbound_webhook::{Address, InboundWebhook};
use crate::domain::sample::Sample;
use crate::domain::text::TenantSlug;

/// What names the captured request. Small, because every proven request of an open window tries to write it.
#[derive(Serialize, Deserialize)]
struct Row {
    d: InboundDeliveryId,
    /// The end of the window, in milliseconds.
    u: i64,
    /// When the request arrived, in milliseconds.
    a: i64,
    ttl: i64,
}

impl Store {
    /// Changes until when `webhook` captures a request, without making a version of it.
    ///
    /// # Errors
    /// [`CreateError::Exists`] when the webhook is no longer as it was read, or trouble with the table.
    pub async fn set_capture(&self, webhook: &InboundWebhook, until: Option<Timestamp>) -> Result<(), CreateError> {
        let after = InboundWebhook { capture_until: until, ..webhook.clone() };
        let change = || Changes::new().set("v", &after);
        let unchanged = Test::Is("ver", Value::of(webhook.version));
        let current = keys::inbound_webhook(&webhook.tenant, webhook.id);
        let mut writes = vec![Write::Update(current, change(), vec![unchanged])];
        if let Address::Slug { slug } = &webhook.address {
            // The copy that the receiver reads belongs to the same version, as the two are always written together.
            writes.push(Write::Update(keys::webhook_by_slug(&webhook.tenant, slug), change(), vec![Test::ItemPresent]));
        }
        self.configs.write_together(writes).await.map_err(exists_or)
    }

    /// Names the sample of a window, unless the window or a later one has one. Tells whether this is it now.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_sample(
        &self,
        tenant: &TenantSlug,
        webhook: InboundWebhookId,
        sample: &Sample,
    ) -> Result<bool, TableError> {
        let row = Row {
            d: sample.delivery_id,
            u: sample.window_ends_at.as_millisecond(),
            a: sample.captured_at.as_millisecond(),
            ttl: sample.expires_at().as_second(),
        };
        let is_first = Test::ItemAbsentOrAtMost("u", Value::of(row.u - 1));
        match self.deliveries.put(&keys::sample(tenant, webhook), &row, &[is_first]).await {
            Ok(()) => Ok(true),
            // It may be an earlier try of this very call that stands in the way.
            Err(TableError::ConditionFailed { old: Some(old) }) => Ok(old.read::<Row>()?.d == row.d),
            Err(TableError::ConditionFailed { old: None }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Reads which request was captured last. It may be that of an earlier window.
    ///
    /// # Errors
    /// When the table cannot be reached or the item cannot be read.
    pub async fn sample(&self, tenant: &TenantSlug, webhook: InboundWebhookId) -> Result<Option<Sample>, TableError> {
        let Some(row) = self.deliveries.get::<Row>(&keys::sample(tenant, webhook)).await? else { return Ok(None) };
        let time = |millis| Timestamp::from_millisecond(millis).map_err(|e| TableError::Corrupt(e.into()));
        Ok(Some(Sample { delivery_id: row.d, window_ends_at: time(row.u)?, captured_at: time(row.a)? }))
    }

    /// Forgets which request was captured; the request itself stays where it is kept.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn drop_sample(&self, tenant: &TenantSlug, webhook: InboundWebhookId) -> Result<(), TableError> {
        self.deliveries.delete(&keys::sample(tenant, webhook), &[]).await
    }
}
