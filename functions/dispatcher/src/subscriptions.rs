//! The subscriptions of a tenant as the dispatcher uses them: remembered, and checked by one small read.

use std::sync::Arc;

use hookport::app::App;
use hookport::aws::table::TableError;
use hookport::cache::{CONFIG_LIFE, Cache};
use hookport::dialect::{Dialect, DialectName, Key, Keys, TenantKey, catalogue};
use hookport::domain::delivery::DeliveryKind;
use hookport::domain::event_facts::OwnerName;
use hookport::domain::event_type::EventType;
use hookport::domain::id::SubscriptionId;
use hookport::domain::owner::OwnerRecord;
use hookport::domain::retry::challenge_wait_after;
use hookport::domain::subscription::Subscription;
use hookport::domain::text::TenantSlug;
use hookport::vault::{Owner, Sealed, VaultError};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::sync::Mutex;
use tracing::error;

use crate::target_auth::{self, OpenAuth};
use crate::{Trouble, pinned};

/// A subscription with its secrets opened and ready.
pub(crate) struct Ready {
    pub(crate) subscription: Subscription,
    /// `None` when a secret does not open. Its attempts then fail and are made again; others are not held up.
    pub(crate) keys: Option<Keys>,
    /// How it looks on the wire; `None` when there is no dialect of that name, which is a failure like that.
    pub(crate) dialect: Option<Arc<Dialect>>,
    /// The dialects whose signatures stand beside its own.
    pub(crate) also: Vec<Arc<Dialect>>,
    /// What shows its target who is asking.
    pub(crate) auth: Option<OpenAuth>,
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

/// Opens the secrets of a subscription, and finds its dialects.
pub(crate) async fn ready(app: &App, subscription: Subscription, now: Timestamp) -> Result<Ready, Trouble> {
    let owner = Owner::new(&subscription.tenant, subscription.id);
    let previous = match &subscription.previous_secret {
        Some(previous) if now < previous.until => {
            opened(app, &previous.secret, &owner, now).await?.ok().map(|text| (Key::new(text), previous.until))
        }
        _ => None,
    };
    let current = opened(app, &subscription.secret, &owner, now).await?;
    let current =
        current.inspect_err(|why| error!(subscription.id = %subscription.id, why, "subscription.secret_unusable"));
    let mut keys = current.ok().map(|current| Keys::new(Key::new(current), previous));

    let tenant = &subscription.tenant;
    let mut dialect = dialect(app, tenant, &subscription.settings.dialect).await?;
    let mut also = Vec::new();
    for name in &subscription.settings.also_sign {
        match self::dialect(app, tenant, name).await? {
            Some(found) => also.push(found),
            // A receiver that waits for its signature would refuse what comes without.
            None => dialect = None,
        }
    }
    if dialect.iter().chain(&also).any(|dialect| dialect.is_asymmetric()) {
        let of_tenant = tenant_keys(app, tenant, now).await?;
        keys = keys.map(|keys| keys.with_tenant(of_tenant));
    }
    let auth = target_auth::open(app, &subscription, now).await?;
    Ok(Ready { subscription, keys, dialect, also, auth })
}

async fn opened(
    app: &App,
    sealed: &Sealed,
    owner: &Owner,
    now: Timestamp,
) -> Result<Result<SecretString, String>, Trouble> {
    match app.vault.open(sealed, owner, now).await {
        Ok(secret) => Ok(Ok(secret)),
        Err(VaultError::Keyring(broken)) => Ok(Err(broken.to_string())),
        Err(trouble @ VaultError::Fetch(_)) => Err(trouble.into()),
    }
}

/// The dialect of this name: a built-in one, or the tenant's own.
async fn dialect(app: &App, tenant: &TenantSlug, name: &DialectName) -> Result<Option<Arc<Dialect>>, Trouble> {
    if let Some(built_in) = catalogue::dialect(name.as_str()) {
        return Ok(Some(built_in));
    }
    match app.store.dialect(tenant, name).await {
        Ok(found) => Ok(found.map(Arc::new)),
        // A row that cannot be read will not be any better next time.
        Err(TableError::Corrupt(cause)) => {
            error!(%tenant, dialect = %name, cause, "dialect.unreadable");
            Ok(None)
        }
        Err(other) => Err(other.into()),
    }
}

/// The keys that sign for the tenant, the newest first.
async fn tenant_keys(app: &App, tenant: &TenantSlug, now: Timestamp) -> Result<Arc<[TenantKey]>, Trouble> {
    let mut keys = Vec::new();
    for stored in app.store.signing_keys(tenant).await?.into_iter().rev() {
        if stored.signs_until.is_some_and(|until| until <= now) {
            continue;
        }
        let owner = Owner::new(tenant, stored.id);
        if let Ok(seed) = opened(app, &stored.seed, &owner, now).await? {
            keys.extend(TenantKey::new(stored.id.to_string(), &seed, stored.signs_until));
        }
    }
    Ok(keys.into())
}
