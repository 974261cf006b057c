//! How subscriptions are made, changed and deleted, with whatever belongs to that.

use jiff::Timestamp;

use super::{Changed, MOST_WRITES, Stored, SubscriptionCreateError, patterns, raised};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::TableError;
use crate::aws::transaction::Write;
use crate::domain::audit::AuditRecord;
use crate::domain::subscription::{State, Subscription};
use crate::domain::text::TenantSlug;
use crate::store::configs::put;
use crate::store::inbound_webhooks::retire;
use crate::store::registrations::RegisterError;
use crate::store::{Store, audit, keys};

impl From<RegisterError> for SubscriptionCreateError {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::QuotaReached => Self::QuotaReached,
            RegisterError::Exists | RegisterError::TooManyWaiting | RegisterError::Spent => Self::Exists,
            RegisterError::Table(error) => Self::Table(error),
        }
    }
}

/// For how many subscriptions there is room, the new one among them; `None`: for any number.
#[derive(Clone, Copy, Default)]
pub(in crate::store) struct Room {
    /// Of its owner's.
    pub(in crate::store) of_owner: Option<u32>,
    /// That wait for an admin.
    pub(in crate::store) of_waiting: Option<u32>,
}

/// Raises the tenant's counter, and takes one that waited for an admin from the number of those.
fn raise_version_without(tenant: &TenantSlug, waited: bool) -> Write {
    let changes = if waited { raised().subtract("aw", 1) } else { raised() };
    Write::Update(keys::tenant(tenant), changes, vec![Test::ItemPresent])
}

fn waits(subscription: &Subscription) -> bool {
    subscription.status.state == State::AwaitingApproval
}

impl Store {
    /// Stores a new subscription; its owner may have at most `most` afterwards.
    ///
    /// # Errors
    /// When its id is taken, its owner has enough, or the table cannot be reached.
    pub async fn create_subscription(
        &self,
        subscription: &Subscription,
        most: Option<u32>,
    ) -> Result<(), SubscriptionCreateError> {
        let room = Room { of_owner: most, of_waiting: None };
        self.create_subscription_with(subscription, room, Vec::new()).await.map_err(SubscriptionCreateError::from)
    }

    /// Stores a new subscription and whatever belongs to it, together or not at all.
    pub(in crate::store) async fn create_subscription_with(
        &self,
        subscription: &Subscription,
        room: Room,
        also: Vec<Write>,
    ) -> Result<(), RegisterError> {
        let (tenant, id) = (&subscription.tenant, subscription.id);
        let stored = Stored { v: subscription.clone(), ver: subscription.version };
        let (mut counted, mut tests) = (raised(), vec![Test::ItemPresent]);
        if waits(subscription) {
            counted = counted.add("aw", 1);
            let left = |most: u32| Test::AttributeAbsentOrAtMost("aw", Value::of(most.saturating_sub(1)));
            tests.extend(room.of_waiting.map(left));
        }
        let mut writes = vec![
            Write::put(keys::subscription(tenant, id), &stored, vec![Test::ItemAbsent])?,
            Write::Update(keys::tenant(tenant), counted, tests),
        ];
        // Whoever loses a token learns that from the row that is not there any more.
        let otherwise = if also.is_empty() { RegisterError::Exists } else { RegisterError::Spent };
        for pattern in patterns(subscription) {
            writes.push(put(keys::subscribed_to(tenant, &pattern, id), &id, vec![])?);
        }
        if let Some(owner) = &subscription.owner {
            let left = |most: u32| Test::AttributeAbsentOrAtMost("n", Value::of(most.saturating_sub(1)));
            writes.push(put(keys::owned_by(tenant, owner, id), &id, vec![])?);
            let counted = Changes::new().add("n", 1);
            writes.push(Write::Update(
                keys::owner(tenant, owner),
                counted,
                room.of_owner.map(left).into_iter().collect(),
            ));
        }
        writes.extend(also);
        let old = match self.configs.write_together(writes).await {
            Ok(()) => return Ok(()),
            Err(TableError::ConditionFailed { old }) => old,
            Err(other) => return Err(other.into()),
        };
        let Some(old) = old else { return Err(otherwise) };
        let key = old.key();
        if key == keys::subscription(tenant, id) {
            // An earlier try of this very call may have written it.
            let is_ours = old.read::<Stored>().is_ok_and(|found| found.v == *subscription);
            if is_ours { Ok(()) } else { Err(RegisterError::Exists) }
        } else if key == keys::tenant(tenant) {
            Err(RegisterError::TooManyWaiting)
        } else if key.pk == keys::owners(tenant) {
            Err(RegisterError::QuotaReached)
        } else {
            Err(otherwise)
        }
    }

    /// Replaces `before` by `after`, unless someone was faster.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn change_subscription(
        &self,
        before: &Subscription,
        after: &Subscription,
    ) -> Result<Changed, TableError> {
        self.change_subscription_with(before, after, Vec::new()).await
    }

    /// The same, with the record of who did it.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn change_subscription_audited(
        &self,
        before: &Subscription,
        after: &Subscription,
        record: &AuditRecord,
    ) -> Result<Changed, TableError> {
        self.change_subscription_with(before, after, vec![audit::write(record)?]).await
    }

    async fn change_subscription_with(
        &self,
        before: &Subscription,
        after: &Subscription,
        also: Vec<Write>,
    ) -> Result<Changed, TableError> {
        let (tenant, id) = (&after.tenant, after.id);
        let stored = Stored { v: after.clone(), ver: after.version };
        let unchanged = Test::Is("ver", Value::of(before.version));
        let raised = raise_version_without(tenant, waits(before) && !waits(after));
        let mut writes = vec![Write::put(keys::subscription(tenant, id), &stored, vec![unchanged])?, raised];
        writes.extend(also);
        let (old, new) = (patterns(before), patterns(after));
        for pattern in new.difference(&old) {
            writes.push(put(keys::subscribed_to(tenant, pattern, id), &id, vec![])?);
        }
        // One that stays behind costs a read now and then and does no harm: the subscription itself says what it wants.
        let room = MOST_WRITES.saturating_sub(writes.len());
        let gone: Vec<_> = old.difference(&new).map(|pattern| keys::subscribed_to(tenant, pattern, id)).collect();
        let (together, later) = gone.split_at(gone.len().min(room));
        writes.extend(together.iter().map(|key| Write::Delete(key.clone(), vec![])));
        match self.configs.write_together(writes).await {
            Ok(()) => {
                for key in later {
                    self.configs.delete(key, &[]).await?;
                }
                Ok(Changed::Yes)
            }
            Err(TableError::ConditionFailed { old: Some(old) }) => {
                let is_ours = old.read::<Stored>().is_ok_and(|found| found.v == *after);
                Ok(if is_ours { Changed::Yes } else { Changed::Conflict })
            }
            Err(TableError::ConditionFailed { old: None }) => Ok(Changed::Conflict),
            Err(other) => Err(other),
        }
    }

    /// Deletes a subscription as it is known; its deliveries stay.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn delete_subscription(&self, known: &Subscription, now: Timestamp) -> Result<Changed, TableError> {
        self.delete_subscription_with(known, now, Vec::new()).await
    }

    /// The same, with the record of who did it.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn delete_subscription_audited(
        &self,
        known: &Subscription,
        now: Timestamp,
        record: &AuditRecord,
    ) -> Result<Changed, TableError> {
        self.delete_subscription_with(known, now, vec![audit::write(record)?]).await
    }

    async fn delete_subscription_with(
        &self,
        known: &Subscription,
        now: Timestamp,
        also: Vec<Write>,
    ) -> Result<Changed, TableError> {
        let (tenant, id) = (&known.tenant, known.id);
        let unchanged = Test::Is("ver", Value::of(known.version));
        let mut writes = vec![
            Write::Delete(keys::subscription(tenant, id), vec![unchanged]),
            raise_version_without(tenant, waits(known)),
            retire(keys::retired_subscription(tenant, id), id, now)?,
        ];
        writes.extend(also);
        for pattern in patterns(known) {
            writes.push(Write::Delete(keys::subscribed_to(tenant, &pattern, id), vec![]));
        }
        if let Some(owner) = &known.owner {
            writes.push(Write::Delete(keys::owned_by(tenant, owner, id), vec![]));
            writes.push(Write::Update(keys::owner(tenant, owner), Changes::new().subtract("n", 1), vec![]));
        }
        match self.configs.write_together(writes).await {
            Ok(()) => Ok(Changed::Yes),
            Err(TableError::ConditionFailed { .. }) => Ok(Changed::Conflict),
            Err(other) => Err(other),
        }
    }
}
