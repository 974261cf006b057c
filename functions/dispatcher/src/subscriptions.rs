//! The subscriptions of a tenant as the dispatcher uses them: remembered, and checked by one small read.

use std::sync::Arc;

use hookport::app::App;
use hookport::cache::{CONFIG_LIFE, Cache};
use hookport::domain::delivery::DeliveryKind;
use hookport::domain::event_facts::OwnerName;
use hookport::domain::event_type::EventType;
use hookport::domain::id::SubscriptionId;
use hookport::domain::owner::OwnerRecord;
use hookport::domain::retry::challenge_wait_after;
use hookport::domain::subscription::Subscription;
use hookport::domain::text::TenantSlug;
use hookport::signature::standard::{SigningKey, SigningKeys};
use hookport::vault::{Owner, Sealed, VaultError};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;
use tracing::error;

use crate::{Trouble, pinned};

/// A subscription with its secrets opened and ready.
pub(crate) struct Ready {
    pub(crate) subscription: Subscription,
    /// `None` when a secret does not open. Its attempts then fail and are made again; others are not held up.
    pub(crate) keys: Option<SigningKeys>,
}

impl Ready {
    /// The wait after failed attempt `n` of a delivery, or `None` when it was the last one.
    pub(crate) fn wait_after(&self, kind: DeliveryKind, n: u32, jitter: f64) -> Option<SignedDuration> {
        match kind {
            DeliveryKind::Event | DeliveryKind::Resend => {
                self.subscription.settings.retry_schedule.wait_after(n, jitter)
            }
            DeliveryKind::Challenge => challenge_wait_after(n),
            DeliveryKind::Test => None,
        }
    }
}

/// Subscriptions, oldest first.
type List = Arc<Vec<Arc<Ready>>>;

/// What was read of a tenant.
#[derive(Clone, Copy)]
struct Standing {
    /// What changes of subscriptions raise.
    version: u64,
    /// Whether the tenant's events are sent out at all.
    is_enabled: bool,
    /// Everything made before this time is known.
    checked_at: Timestamp,
}

/// Something that was read when the tenant's counter stood at `version`.
#[derive(Clone)]
struct Read<T> {
    version: u64,
    value: T,
}

/// The subscriptions that want a type of event.
pub(crate) struct Wanting {
    /// Whether the tenant's events are sent out at all.
    pub(crate) is_enabled: bool,
    pub(crate) list: List,
}

/// One subscription.
pub(crate) struct Found {
    /// Whether the tenant's events are sent out at all.
    pub(crate) is_enabled: bool,
    pub(crate) ready: Option<Arc<Ready>>,
}

/// How many tenants, lists, subscriptions and owners are remembered, each.
const REMEMBERED: usize = 2_000;
/// Everything is checked by version, so it may live long.
const LIFE: SignedDuration = SignedDuration::from_hours(1);
/// How often a list is read that changes while it is read.
const LOOKS: usize = 5;
/// How many tenants can be checked at once.
const LANES: usize = 16;

/// Remembers subscriptions.
pub(crate) struct Subscriptions {
    standings: Cache<TenantSlug, Standing>,
    lists: Cache<(TenantSlug, EventType), Read<List>>,
    ones: Cache<(TenantSlug, SubscriptionId), Read<Option<Arc<Ready>>>>,
    owners: Cache<(TenantSlug, OwnerName), Read<Arc<OwnerRecord>>>,
    /// Held while something is read, so that the messages of a batch read it once for all of them.
    lanes: [Mutex<()>; LANES],
}

impl Subscriptions {
    pub(crate) fn new() -> Self {
        Self {
            // However late a message is, what it goes by is as old as any remembered configuration at most.
            standings: Cache::new(REMEMBERED, CONFIG_LIFE),
            lists: Cache::new(REMEMBERED, LIFE),
            ones: Cache::new(REMEMBERED, LIFE),
            owners: Cache::new(REMEMBERED, LIFE),
            lanes: std::array::from_fn(|_| Mutex::new(())),
        }
    }

    /// The subscriptions one of whose patterns takes `event_type` in, with at least all that were made by `as_of`.
    pub(crate) async fn wanting(
        &self,
        app: &App,
        tenant: &TenantSlug,
        event_type: &EventType,
        as_of: Timestamp,
    ) -> Result<Wanting, Trouble> {
        let key = (tenant.clone(), event_type.clone());
        if let Some(standing) = self.fresh(app, tenant, as_of)
            && let Some(read) = self.lists.get(&key, app.clock.now())
            && read.version == standing.version
        {
            return Ok(Wanting { is_enabled: standing.is_enabled, list: read.value });
        }
        let _one_at_a_time = self.lane(tenant).lock().await;
        let mut standing = self.standing(app, tenant, as_of).await?;
        let now = app.clock.now();
        if let Some(read) = self.lists.get(&key, now).filter(|read| read.version == standing.version) {
            return Ok(Wanting { is_enabled: standing.is_enabled, list: read.value });
        }
        for _ in 0..LOOKS {
            let mut list = Vec::new();
            for subscription in app.store.subscribed(tenant, event_type).await? {
                list.push(Arc::new(ready(app, subscription, now).await?));
            }
            list.extend(pinned::wanting(app, tenant, event_type).map(Arc::new));
            let list = Arc::new(list);
            // A change between two of the queries could show a subscription under neither of its patterns.
            let after = self.read_standing(app, tenant).await?;
            if after.version == standing.version {
                self.lists.put(key, Read { version: standing.version, value: Arc::clone(&list) }, now);
                return Ok(Wanting { is_enabled: standing.is_enabled, list });
            }
            standing = after;
        }
        Err(Trouble::Contended)
    }

    /// One subscription as it was at `as_of` or later.
    pub(crate) async fn one(
        &self,
        app: &App,
        tenant: &TenantSlug,
        id: SubscriptionId,
        as_of: Timestamp,
    ) -> Result<Found, Trouble> {
        let key = (tenant.clone(), id);
        let _one_at_a_time = self.lane(tenant).lock().await;
        let standing = self.standing(app, tenant, as_of).await?;
        let now = app.clock.now();
        let ready = match self.ones.get(&key, now) {
            Some(read) if read.version == standing.version => read.value,
            _ => {
                let found = match app.store.subscription(tenant, id).await? {
                    Some(subscription) => Some(Arc::new(ready(app, subscription, now).await?)),
                    None if id == SubscriptionId::PINNED => pinned::ready(app, tenant).map(Arc::new),
                    None => None,
                };
                self.ones.put(key, Read { version: standing.version, value: found.clone() }, now);
                found
            }
        };
        Ok(Found { is_enabled: standing.is_enabled, ready })
    }

    /// What is known of an owner. Changes of it raise the tenant's counter as well.
    pub(crate) async fn owner(
        &self,
        app: &App,
        tenant: &TenantSlug,
        name: &OwnerName,
        as_of: Timestamp,
    ) -> Result<Arc<OwnerRecord>, Trouble> {
        let key = (tenant.clone(), name.clone());
        let _one_at_a_time = self.lane(tenant).lock().await;
        let standing = self.standing(app, tenant, as_of).await?;
        let now = app.clock.now();
        if let Some(read) = self.owners.get(&key, now).filter(|read| read.version == standing.version) {
            return Ok(read.value);
        }
        let record = Arc::new(app.store.owner(tenant, name).await?.record);
        self.owners.put(key, Read { version: standing.version, value: Arc::clone(&record) }, now);
        Ok(record)
    }

    /// What is known of the tenant, read if what is remembered may miss something made by `as_of`: one small read for
    /// all messages that came before it.
    async fn standing(&self, app: &App, tenant: &TenantSlug, as_of: Timestamp) -> Result<Standing, Trouble> {
        match self.fresh(app, tenant, as_of) {
            Some(standing) => Ok(standing),
            None => self.read_standing(app, tenant).await,
        }
    }

    async fn read_standing(&self, app: &App, tenant: &TenantSlug) -> Result<Standing, Trouble> {
        let now = app.clock.now();
        let stored = app.store.tenant(tenant).await?;
        let standing = Standing {
            version: stored.as_ref().map_or(0, |tenant| tenant.subscriptions_version),
            is_enabled: stored.is_some_and(|tenant| tenant.outbound_enabled),
            checked_at: now,
        };
        self.standings.put(tenant.clone(), standing, now);
        Ok(standing)
    }

    fn fresh(&self, app: &App, tenant: &TenantSlug, as_of: Timestamp) -> Option<Standing> {
        self.standings.get(tenant, app.clock.now()).filter(|standing| standing.checked_at > as_of)
    }

    fn lane(&self, tenant: &TenantSlug) -> &Mutex<()> {
        &self.lanes[tenant.as_str().bytes().fold(0, |sum, b| sum + usize::from(b)) % LANES]
    }
}

/// Opens the secrets of a subscription.
pub(crate) async fn ready(app: &App, subscription: Subscription, now: Timestamp) -> Result<Ready, Trouble> {
    let owner = Owner::new(&subscription.tenant, subscription.id);
    let previous = match &subscription.previous_secret {
        Some(previous) if now < previous.until => {
            key(app, &previous.secret, &owner, now).await?.ok().map(|key| (key, previous.until))
        }
        _ => None,
    };
    let current = key(app, &subscription.secret, &owner, now).await?;
    let current =
        current.inspect_err(|why| error!(subscription.id = %subscription.id, why, "subscription.secret_unusable"));
    let keys = current.ok().map(|current| SigningKeys::new(current, previous));
    Ok(Ready { subscription, keys })
}

async fn key(app: &App, sealed: &Sealed, owner: &Owner, now: Timestamp) -> Result<Result<SigningKey, String>, Trouble> {
    match app.vault.open(sealed, owner, now).await {
        Ok(secret) => Ok(SigningKey::new(&secret).map_err(|refusal| refusal.to_string())),
        Err(VaultError::Keyring(broken)) => Ok(Err(broken.to_string())),
        Err(trouble @ VaultError::Fetch(_)) => Err(trouble.into()),
    }
}
