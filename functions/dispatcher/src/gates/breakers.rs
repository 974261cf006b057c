//! The breakers of hosts, as one instance uses them.
//!
//! The shared breaker of a host is read and written only while this instance suspects the host: from a failure it saw
//! itself until a success. So a host that works costs nothing; an instance that has seen no failure yet sends to a
//! host whose breaker is open what it has under way until its first failure; and failures count as in a row when no
//! instance that saw one of them saw a success in between.

use hookport::app::App;
use hookport::aws::table::TableError;
use hookport::cache::Cache;
use hookport::domain::breaker::{Admits, Breaker, HostPort, Seen};
use hookport::domain::delivery::OwnerToken;
use hookport::domain::text::TenantSlug;
use hookport::store::{BreakerWritten, StoredBreaker};
use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::GateOf;

/// How many hosts are remembered of each kind.
const REMEMBERED: usize = 20_000;
/// For how long, from the last news: as long as the shared breaker.
const LIFE: SignedDuration = SignedDuration::from_hours(24);
/// How often a change is tried that others keep overtaking.
const TRIES: usize = 5;
/// When to come back to a breaker that others keep changing.
const BUSY: SignedDuration = SignedDuration::from_secs(3);

/// A host as one tenant sees it.
type Place = (TenantSlug, HostPort);

/// What this instance knows of hosts.
pub(super) struct Breakers {
    /// Whether a host failed and has not answered since.
    suspects: Cache<Place, bool>,
    /// When a host answered last.
    alive: Cache<Place, Timestamp>,
}

/// An attempt that the breaker let through.
#[derive(Default)]
pub(super) struct Admitted {
    /// The breaker as it was then, if it was read.
    known: Option<StoredBreaker>,
    is_probe: bool,
}

/// What the breaker says.
pub(super) enum Answer {
    /// Make the attempt.
    Go(Admitted),
    /// Not before this time.
    Wait(Timestamp),
}

impl Breakers {
    pub(super) fn new() -> Self {
        Self { suspects: Cache::new(REMEMBERED, LIFE), alive: Cache::new(REMEMBERED, LIFE) }
    }

    /// Asks whether an attempt may be made. Trouble with the table lets it through.
    pub(super) async fn ask(&self, app: &App, gate: &GateOf<'_>, now: Timestamp) -> Answer {
        let place = place_of(gate);
        if !self.is_suspect(&place, now) {
            return Answer::Go(Admitted::default());
        }
        admit(app, &place, gate.lease_until, now).await.unwrap_or_else(|error| {
            warn_unavailable(&place, &error);
            Answer::Go(Admitted::default())
        })
    }

    /// Learns how an attempt ended.
    pub(super) async fn done(&self, app: &App, gate: &GateOf<'_>, admitted: Admitted, seen: Seen, now: Timestamp) {
        let place = place_of(gate);
        let learnt = match seen {
            Seen::Alive => self.learn_alive(app, &place, admitted, now).await,
            Seen::Trouble => self.learn_trouble(app, &place, admitted, now).await,
            Seen::Unknown => give_back(app, &place, admitted, now).await,
        };
        if let Err(error) = learnt {
            warn_unavailable(&place, &error);
        }
    }

    async fn learn_alive(
        &self,
        app: &App,
        place: &Place,
        admitted: Admitted,
        now: Timestamp,
    ) -> Result<(), TableError> {
        self.alive.put(place.clone(), now, now);
        if !self.is_suspect(place, now) {
            return Ok(());
        }
        // A breaker that was clear when the attempt began may not be so any more, and would not be looked at again.
        let known = admitted.known.filter(|known| !known.breaker.is_clear());
        change(app, place, known, now, |breaker| breaker.after_success(now)).await?;
        self.suspects.put(place.clone(), false, now);
        Ok(())
    }

    async fn learn_trouble(
        &self,
        app: &App,
        place: &Place,
        admitted: Admitted,
        now: Timestamp,
    ) -> Result<(), TableError> {
        self.suspects.put(place.clone(), true, now);
        let alive_at = self.alive.get(place, now);
        let failed = |breaker: Breaker| alive_at.map_or(breaker, |at| breaker.seen_alive(at)).after_failure(now);
        change(app, place, admitted.known, now, failed).await
    }

    fn is_suspect(&self, place: &Place, now: Timestamp) -> bool {
        self.suspects.get(place, now).unwrap_or(false)
    }
}

fn place_of(gate: &GateOf<'_>) -> Place {
    (gate.tenant.clone(), HostPort::of(gate.url))
}

fn warn_unavailable((tenant, host): &Place, error: &TableError) {
    warn!(%tenant, %host, %error, "breaker.unavailable");
}

fn writer(app: &App) -> OwnerToken {
    OwnerToken::new(app.random.bits())
}

/// Reads the breaker, and claims the probe if one is due.
async fn admit(app: &App, place: &Place, lease_until: Timestamp, now: Timestamp) -> Result<Answer, TableError> {
    let (tenant, host) = place;
    let mut known = app.store.breaker(tenant, host, now).await?;
    for _ in 0..TRIES {
        match known.breaker.admits(now) {
            Admits::Go => return Ok(Answer::Go(Admitted { known: Some(known), is_probe: false })),
            Admits::Wait(until) => return Ok(Answer::Wait(until)),
            Admits::Probe => {
                let probing = known.breaker.probing(lease_until);
                match app.store.change_breaker((tenant, host), &known, probing, writer(app), now).await? {
                    BreakerWritten::Yes(ours) => {
                        return Ok(Answer::Go(Admitted { known: Some(ours), is_probe: true }));
                    }
                    BreakerWritten::Overtaken(theirs) => known = theirs,
                }
            }
        }
    }
    Ok(Answer::Wait(now + BUSY))
}

/// Lets another probe follow at once when this one was not made. Whoever changed the breaker since knows better.
async fn give_back(app: &App, (tenant, host): &Place, admitted: Admitted, now: Timestamp) -> Result<(), TableError> {
    if let (Some(known), true) = (admitted.known, admitted.is_probe) {
        let after = known.breaker.without_probe();
        app.store.change_breaker((tenant, host), &known, after, writer(app), now).await?;
    }
    Ok(())
}

/// Changes the shared breaker, on from `known` or else from what is stored.
///
/// A change that is overtaken every time is left out: a failure is then one of more than enough to open the breaker.
async fn change(
    app: &App,
    (tenant, host): &Place,
    known: Option<StoredBreaker>,
    now: Timestamp,
    next: impl Fn(Breaker) -> Breaker,
) -> Result<(), TableError> {
    let mut before = match known {
        Some(known) => known,
        None => app.store.breaker(tenant, host, now).await?,
    };
    for _ in 0..TRIES {
        let after = next(before.breaker);
        if after == before.breaker {
            return Ok(());
        }
        match app.store.change_breaker((tenant, host), &before, after, writer(app), now).await? {
            BreakerWritten::Yes(_) => {
                if after.opened > before.breaker.opened {
                    let until = after.open_until.map(tracing::field::display);
                    warn!(%tenant, %host, failures = after.failures, opened = after.opened, until, "breaker.opened");
                } else if before.breaker.opened > 0 && after.is_clear() {
                    info!(%tenant, %host, "breaker.closed");
                }
                return Ok(());
            }
            BreakerWritten::Overtaken(theirs) => before = theirs,
        }
    }
    Ok(())
}
