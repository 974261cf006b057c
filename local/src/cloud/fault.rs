//! Makes calls fail, be late or never be answered, for tests.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// What happens to a call. `effect` says whether the service has done by then what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The connection breaks before the call reaches its service.
    Before,
    /// The connection breaks after the call had its effect.
    After,
    /// No answer comes in time.
    TimeOut {
        /// Whether the call has its effect.
        effect: bool,
    },
    /// The service says that it is asked too much; no effect.
    Throttle,
    /// The call is held until [`Faults::release`], then goes on.
    Pause {
        /// Whether it is held after its effect.
        effect: bool,
    },
    /// The instance dies: this call and all its later ones break.
    Crash {
        /// Whether this call still has its effect. Later ones never have.
        effect: bool,
    },
}

/// Which calls a fault counts. What is `None` matches every call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The instance that calls.
    pub instance: Option<String>,
    /// The operation, such as `PutItem`.
    pub operation: Option<String>,
}

/// A fault that strikes one of the calls in its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which of the calls in scope is struck; the first one is 1.
    pub nth: usize,
    /// What happens to it.
    pub kind: FaultKind,
    /// Which calls count.
    pub scope: Scope,
    /// Whether every later call in scope is struck too.
    pub sticky: bool,
}

impl Fault {
    /// Strikes the first call of all, once.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self { nth: 1, kind, scope: Scope::default(), sticky: false }
    }

    /// Strikes the `nth` call in scope instead; the first one is 1.
    #[must_use]
    pub fn nth(mut self, nth: usize) -> Self {
        self.nth = nth;
        self
    }

    /// Counts the calls of this instance only.
    #[must_use]
    pub fn by(mut self, instance: &str) -> Self {
        self.scope.instance = Some(instance.to_owned());
        self
    }

    /// Counts the calls of this operation only.
    #[must_use]
    pub fn on(mut self, operation: &str) -> Self {
        self.scope.operation = Some(operation.to_owned());
        self
    }

    /// Strikes every later call in scope too.
    #[must_use]
    pub fn sticky(mut self) -> Self {
        self.sticky = true;
        self
    }

    fn covers(&self, instance: &str, operation: &str) -> bool {
        let scope = &self.scope;
        matches(scope.instance.as_deref(), instance) && matches(scope.operation.as_deref(), operation)
    }
}

fn matches(wanted: Option<&str>, name: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == name)
}

/// The faults of one cloud.
#[derive(Default)]
pub struct Faults {
    /// Whether there is anything to look for, so that a call without faults takes no lock.
    armed: AtomicBool,
    state: Mutex<State>,
    gate: Gate,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    dead: BTreeSet<String>,
    hit: usize,
}

struct Rule {
    fault: Fault,
    seen: usize,
}

impl Rule {
    /// Counts a call, and says whether it is struck.
    fn strikes(&mut self, instance: &str, operation: &str) -> bool {
        if !self.fault.covers(instance, operation) {
            return false;
        }
        self.seen += 1;
        self.seen == self.fault.nth || (self.fault.sticky && self.seen > self.fault.nth)
    }
}

impl Faults {
    /// Adds a fault, which counts calls from now on. Of two that would strike one call, the older one does.
    pub fn set(&self, fault: Fault) {
        let mut state = self.lock();
        state.rules.push(Rule { fault, seen: 0 });
        self.armed.store(true, Ordering::Release);
    }

    /// Forgets every fault and what was hit, revives dead instances and lets held calls go on.
    pub fn clear(&self) {
        let mut state = self.lock();
        *state = State::default();
        self.armed.store(false, Ordering::Release);
        drop(state);
        self.release();
    }

    /// How many calls were struck since the last [`clear`](Self::clear). A dead instance's later calls do not count.
    #[must_use]
    pub fn hit(&self) -> usize {
        self.lock().hit
    }

    /// Whether a [`FaultKind::Crash`] killed this instance.
    #[must_use]
    pub fn is_dead(&self, instance: &str) -> bool {
        self.lock().dead.contains(instance)
    }

    /// Waits until a call is held.
    pub async fn paused(&self) {
        self.gate.held().await;
    }

    /// Lets every call that is held now go on.
    pub fn release(&self) {
        self.gate.open();
    }

    /// Counts a call, and says what happens to it.
    pub(super) fn strike(&self, instance: &str, operation: &str) -> Option<FaultKind> {
        if !self.armed.load(Ordering::Acquire) {
            return None;
        }
        let mut state = self.lock();
        if state.dead.contains(instance) {
            return Some(FaultKind::Before);
        }
        let mut struck = None;
        for rule in &mut state.rules {
            // Each rule counts each call, whichever of them strikes it.
            if rule.strikes(instance, operation) {
                struck = struck.or(Some(rule.fault.kind));
            }
        }
        if struck.is_some() {
            state.hit += 1;
        }
        if let Some(FaultKind::Crash { .. }) = struck {
            state.dead.insert(instance.to_owned());
        }
        struck
    }

    /// Holds a call until the next [`release`](Self::release).
    pub(super) async fn hold(&self) {
        self.gate.pass().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where paused calls wait.
#[derive(Default)]
struct Gate(watch::Sender<Waiting>);

#[derive(Default)]
struct Waiting {
    /// How many wait now.
    held: usize,
    /// How often the gate was opened.
    openings: u64,
}

impl Gate {
    async fn held(&self) {
        let mut waiting = self.0.subscribe();
        // It fails only when the sender is gone, which is borrowed here.
        let _ = waiting.wait_for(|waiting| waiting.held > 0).await;
    }

    fn open(&self) {
        self.0.send_modify(|waiting| {
            waiting.held = 0;
            waiting.openings += 1;
        });
    }

    async fn pass(&self) {
        let mut waiting = self.0.subscribe();
        let mut openings = 0;
        self.0.send_modify(|waiting| {
            waiting.held += 1;
            openings = waiting.openings;
        });
        let _place = Place { gate: self, openings };
        let _ = waiting.wait_for(|waiting| waiting.openings != openings).await;
    }
}

/// A call's place at the gate, given up also when its caller stops waiting.
struct Place<'a> {
    gate: &'a Gate,
    openings: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gate.0.send_modify(|waiting| {
            // Whoever opened the gate has counted this place out already.
            if waiting.openings == self.openings {
                waiting.held -= 1;
            }
        });
    }
}
