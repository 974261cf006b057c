//! Registration: tokens by tenant and by hash, what they were used for, and who may ask without one.
//!
//! A token is used by the transaction that makes the subscription, so that one use is one subscription whoever dies when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::configs::{get, put};
use super::subscriptions::Room;
use super::{CreateError, Store, audit, exists_or, keys};
use crate::aws::expression::{Changes, Test, Value};
use crate::aws::table::{Query, Stored, TableError};
use crate::aws::transaction::Write;
use crate::domain::api_token::SecretHash;
use crate::domain::audit::AuditRecord;
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::id::RegistrationTokenId;
use crate::domain::registration::{
    IssuedToken, REPEAT, RegistrationSettings, RegistrationToken, RegistrationUse, RequestDigest,
};
use crate::domain::subscription::Subscription;
use crate::domain::text::TenantSlug;
use crate::domain::time::later;

/// A token, and beside it how it was used.
#[derive(Serialize, Deserialize)]
struct TokenRow {
    v: RegistrationToken,
    #[serde(default)]
    n: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lu: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

impl TryFrom<TokenRow> for IssuedToken {
    type Error = TableError;

    fn try_from(row: TokenRow) -> Result<Self, TableError> {
        let last_used_at = row.lu.map(Timestamp::from_millisecond).transpose();
        let last_used_at = last_used_at.map_err(|e| TableError::Corrupt(e.into()))?;
        Ok(Self { token: row.v, uses: row.n, last_used_at })
    }
}

fn issued(stored: Stored) -> Result<IssuedToken, TableError> {
    stored.read::<TokenRow>()?.try_into()
}

/// All that a look-up by hash holds.
#[derive(Serialize, Deserialize)]
struct Whose {
    tenant: TenantSlug,
    id: RegistrationTokenId,
}

#[derive(Serialize)]
struct WhoseRow {
    v: Whose,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

/// A use, when it was, and when the table forgets it.
#[derive(Serialize)]
struct UseRow<'a> {
    v: &'a RegistrationUse,
    ua: i64,
    ttl: i64,
}

/// The number that stands beside a tenant's value.
#[derive(Deserialize)]
struct Waiting {
    #[serde(default)]
    aw: i64,
}

/// Who registers.
#[derive(Clone, Copy, Debug)]
pub enum Registrant<'a> {
    /// The holder of a token.
    Holder {
        /// The token.
        token: &'a RegistrationToken,
        /// What tells the request from others.
        digest: &'a RequestDigest,
        /// What is remembered of it.
        usage: &'a RegistrationUse,
    },
    /// Somebody without one.
    Stranger {
        /// How many subscriptions may wait for an admin afterwards.
        most_waiting: u32,
    },
}

/// A registration that is to be stored.
#[derive(Clone, Copy, Debug)]
pub struct Registering<'a> {
    /// The new subscription.
    pub subscription: &'a Subscription,
    /// The most subscriptions that its owner may have afterwards.
    pub most: Option<u32>,
    /// Who registers it.
    pub by: Registrant<'a>,
    /// The record of it.
    pub record: &'a AuditRecord,
}

/// Why a registration was not stored.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The subscription's id is taken, or its tenant does not exist.
    #[error("it exists already")]
    Exists,
    /// Its owner has as many as it may.
    #[error("the owner has as many subscriptions as it may")]
    QuotaReached,
    /// As many wait for an admin as may.
    #[error("as many subscriptions wait for an admin as may")]
    TooManyWaiting,
    /// The token was used up, used for the same, or revoked meanwhile.
    #[error("the token cannot be used for it any more")]
    Spent,
    /// The table could not be used.
    #[error("storing it failed")]
    Table(#[from] TableError),
}

/// What using a token writes.
fn uses(token: &RegistrationToken, digest: &RequestDigest, usage: &RegistrationUse) -> Result<[Write; 2], TableError> {
    let mut left = vec![Test::ItemPresent];
    left.extend(token.max_uses.map(|most| Test::AttributeAbsentOrAtMost("n", Value::of(most.saturating_sub(1)))));
    let counted = Changes::new().set("lu", usage.at.as_millisecond()).add("n", 1);
    let ends = later(usage.at, REPEAT);
    let row = UseRow { v: usage, ua: usage.at.as_millisecond(), ttl: ends.as_second() + 1 };
    let before = usage.at.saturating_sub(REPEAT).unwrap_or(Timestamp::MIN);
    let not_just_now = Test::ItemAbsentOrAtMost("ua", Value::of(before.as_millisecond()));
    Ok([
        Write::Update(keys::registration_token(&token.tenant, token.id), counted, left),
        Write::put(keys::registration_use(&token.tenant, token.id, digest), &row, vec![not_just_now])?,
    ])
}

impl Store {
    /// Stores a new registration token with the record of it.
    ///
    /// # Errors
    /// [`CreateError::Exists`] when its id or hash is taken.
    pub async fn create_registration_token(
        &self,
        token: &RegistrationToken,
        record: &AuditRecord,
    ) -> Result<(), CreateError> {
        let ttl = token.listed_until().map(Timestamp::as_second);
        let row = TokenRow { v: token.clone(), n: 0, lu: None, ttl };
        let whose = WhoseRow { v: Whose { tenant: token.tenant.clone(), id: token.id }, ttl };
        let writes = vec![
            Write::put(keys::registration_token(&token.tenant, token.id), &row, vec![Test::ItemAbsent])?,
            Write::put(keys::registration_token_by_hash(&token.hash), &whose, vec![Test::ItemAbsent])?,
            audit::write(record)?,
        ];
        self.configs.write_together(writes).await.map_err(exists_or)
    }

    /// Reads a registration token.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn registration_token(
        &self,
        tenant: &TenantSlug,
        id: RegistrationTokenId,
    ) -> Result<Option<IssuedToken>, TableError> {
        let row: Option<TokenRow> = self.configs.get(&keys::registration_token(tenant, id)).await?;
        row.map(IssuedToken::try_from).transpose()
    }

    /// Finds a registration token by the hash of its text. Two reads.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn registration_token_by_hash(&self, hash: &SecretHash) -> Result<Option<IssuedToken>, TableError> {
        match get::<Whose>(&self.configs, &keys::registration_token_by_hash(hash)).await? {
            Some(whose) => self.registration_token(&whose.tenant, whose.id).await,
            None => Ok(None),
        }
    }

    /// Lists a tenant's registration tokens, newest first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn list_registration_tokens(
        &self,
        tenant: &TenantSlug,
        page: &PageRequest,
    ) -> Result<Page<IssuedToken>, TableError> {
        let beyond = page.after.as_ref().map(|cursor| cursor.sort_key().to_owned());
        let pk = keys::registration_tokens(tenant);
        let mut found = self.configs.query(&Query { pk, beyond, limit: page.limit + 1, newest_first: true }).await?;
        let more = found.len() > page.limit;
        found.truncate(page.limit);
        let next = if more { found.last().and_then(|s| s.key().sk).as_deref().map(Cursor::after) } else { None };
        Ok(Page { items: found.into_iter().map(issued).collect::<Result<_, _>>()?, next })
    }

    /// Deletes a registration token, with the record of it. Tells whether it existed.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn delete_registration_token(
        &self,
        token: &RegistrationToken,
        record: &AuditRecord,
    ) -> Result<bool, TableError> {
        let writes = vec![
            Write::Delete(keys::registration_token(&token.tenant, token.id), vec![Test::ItemPresent]),
            Write::Delete(keys::registration_token_by_hash(&token.hash), vec![]),
            audit::write(record)?,
        ];
        match self.configs.write_together(writes).await {
            Ok(()) => Ok(true),
            Err(TableError::ConditionFailed { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// What a registration token was used for by such a request, if that is remembered.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn registration_use(
        &self,
        token: &RegistrationToken,
        digest: &RequestDigest,
    ) -> Result<Option<RegistrationUse>, TableError> {
        get(&self.configs, &keys::registration_use(&token.tenant, token.id, digest)).await
    }

    /// Stores a subscription that registers itself, uses the token that it was registered with, and records it, all
    /// together or not at all.
    ///
    /// # Errors
    /// Says what stands in the way, or that the table cannot be reached.
    pub async fn register(&self, registering: &Registering<'_>) -> Result<(), RegisterError> {
        let mut also = vec![audit::write(registering.record)?];
        let mut room = Room { of_owner: registering.most, of_waiting: None };
        match registering.by {
            Registrant::Holder { token, digest, usage } => also.extend(uses(token, digest, usage)?),
            Registrant::Stranger { most_waiting } => room.of_waiting = Some(most_waiting),
        }
        self.create_subscription_with(registering.subscription, room, also).await
    }

    /// What a tenant lets listeners ask for who have no token. One that does not exist lets nobody ask.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn registration_settings(&self, tenant: &TenantSlug) -> Result<RegistrationSettings, TableError> {
        Ok(get(&self.configs, &keys::registration_settings(tenant)).await?.unwrap_or_default())
    }

    /// How many subscriptions of a tenant wait for an admin.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn waiting_registrations(&self, tenant: &TenantSlug) -> Result<u32, TableError> {
        let row: Option<Waiting> = self.configs.get(&keys::tenant(tenant)).await?;
        Ok(row.and_then(|row| u32::try_from(row.aw).ok()).unwrap_or_default())
    }

    /// Replaces what a tenant lets listeners ask for, with the record of it.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_registration_settings(
        &self,
        tenant: &TenantSlug,
        settings: &RegistrationSettings,
        record: &AuditRecord,
    ) -> Result<(), TableError> {
        let writes = vec![put(keys::registration_settings(tenant), settings, vec![])?, audit::write(record)?];
        self.configs.write_together(writes).await
    }
}
