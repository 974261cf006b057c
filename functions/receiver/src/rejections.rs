//! Which refused requests are written down, and where; a flood is counted and no more.
//!
//! A refusal costs one write, to whichever log it belongs, until its budget for the hour is spent. What a budget is for
//! follows from what the sender typed, never from what exists: otherwise the moment at which a stranger's requests
//! become a write faster would tell which names are real. So one budget serves all of a tenant's slugs, known and
//! unknown, and a tenant that does not exist has one just like it. Senders who have proved themselves, and those who
//! hold a key, learn nothing from time; their refusals are paid for by the webhook, and no flood of strangers takes
//! them out of its log.
//!
//! Both kinds of budgets may write to one log, each to its own half of the log's slots, one slot after another. So no
//! instance replaces a row that it wrote to a webhook's or a tenant's log in the same hour.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use hookport::app::App;
use hookport::domain::id::{Handle, InboundWebhookId, RejectionId};
use hookport::domain::inbound_webhook::InboundWebhook;
use hookport::domain::refusal::Refusal;
use hookport::domain::rejection::{
    Checks, MAX_CONTENT_TYPE_BYTES, MAX_USER_AGENT_BYTES, Rejection, RejectionLog, SLOTS_AN_HOUR, UrlForm,
    follows_proof, hour_of, kept_name, kept_text,
};
use hookport::domain::text::TenantSlug;
use hookport::domain::time::PATIENCE;
use hookport::random::Random;
use http::HeaderName;
use http::header::{CONTENT_TYPE, USER_AGENT};
use jiff::Timestamp;
use serde_json::Value;
use tracing::{info, warn};

use crate::Arrived;
use crate::endpoint::{Form, Url};

/// The slots of half a log, and so the rows that one budget pays for in an hour.
const HALF: u8 = (SLOTS_AN_HOUR / 2) as u8;
/// How many names of tenants have a budget of their own in an hour; strangers can make them up.
const MOST_TENANTS: usize = 1_000;
/// How many webhooks have one; strangers cannot make them up.
const MOST_WEBHOOKS: usize = 10_000;

/// A request that was refused, and all that is known of it.
pub(crate) struct Refused<'a> {
    pub refusal: Refusal,
    pub url: &'a Url,
    /// The webhook that the URL leads to, if it leads to one.
    pub endpoint: Option<&'a InboundWebhook>,
    /// Whether the tenant that the URL names exists.
    pub tenant_is_known: bool,
    pub arrived: &'a Arrived,
    pub source_ip: Option<IpAddr>,
    pub response_status: u16,
    /// What the signature doctor says of it.
    pub(crate) diagnosis: Option<Value>,
}

/// Writes refused requests down, within the budgets of one instance.
pub(crate) struct Rejections {
    budgets: Mutex<Budgets>,
}

impl Rejections {
    /// Nothing is spent yet.
    pub(crate) fn new(app: &App) -> Self {
        Self { budgets: Mutex::new(Budgets::new(i64::MIN, app.random.clone())) }
    }

    /// Writes a refused request down, unless its budget is spent. A write that fails is a line in the log, no more.
    pub(crate) async fn note(&self, app: &App, refused: &Refused<'_>) {
        let log = refused.log();
        let Some(slot) = self.slot(refused, &log) else { return };
        let rejection = refused.rejection(app, &log, slot);
        match tokio::time::timeout(PATIENCE, app.store.put_rejection(&log, &rejection)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(rejection.id = %rejection.id, %error, "inbound.rejection_not_noted"),
            Err(_) => warn!(rejection.id = %rejection.id, error = "patience", "inbound.rejection_not_noted"),
        }
    }

    /// Where the row goes in its log; `None` when there is nothing left to pay for it.
    fn slot(&self, refused: &Refused<'_>, log: &RejectionLog) -> Option<u8> {
        let payer = refused.payer();
        // Nothing in here panics half-way through a change.
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = budgets.spend(payer, refused.arrived.at)?;
        Some(match (payer, log) {
            (Payer::Typed(_), RejectionLog::Operators) => budgets.next_unknown(),
            (Payer::Typed(_), RejectionLog::Webhook(..) | RejectionLog::Tenant(_)) => slot,
            (Payer::Webhook(_), _) => HALF + slot,
        })
    }
}

/// What pays for a row.
#[derive(Clone, Copy)]
enum Payer<'a> {
    /// The tenant that the sender typed, whether it exists or not; `None`: no tenant can have that name.
    Typed(Option<&'a TenantSlug>),
    /// The webhook; `None`: one for all keys that open none.
    Webhook(Option<InboundWebhookId>),
}

impl Refused<'_> {
    fn payer(&self) -> Payer<'_> {
        let webhook = self.endpoint.map(|webhook| webhook.id);
        match self.url {
            Url::Slug(_) if webhook.is_some() && follows_proof(self.refusal) => Payer::Webhook(webhook),
            Url::Slug(names) => Payer::Typed(names.as_ref().map(|(tenant, _)| tenant)),
            Url::Key(_) => Payer::Webhook(webhook),
        }
    }

    fn log(&self) -> RejectionLog {
        match (self.endpoint, self.url) {
            (Some(webhook), _) => RejectionLog::Webhook(webhook.tenant.clone(), webhook.id),
            (None, Url::Slug(Some((tenant, _)))) if self.tenant_is_known => RejectionLog::Tenant(tenant.clone()),
            (None, Url::Slug(_) | Url::Key(_)) => RejectionLog::Operators,
        }
    }

    fn rejection(&self, app: &App, log: &RejectionLog, slot: u8) -> Rejection {
        let arrived = self.arrived;
        let form = match self.url.form() {
            Form::Slug => UrlForm::Slug,
            Form::Key => UrlForm::Key,
        };
        let handle = self.endpoint.map_or(Handle::NONE, |webhook| webhook.id.handle());
        let duration_ms = app.clock.now().duration_since(arrived.at).as_millis().max(0);
        Rejection {
            id: RejectionId::new(arrived.at, handle, app.random.bits(), slot),
            refusal: self.refusal,
            form,
            named: self.named(log),
            method: arrived.request.method().to_string(),
            source_ip: self.source_ip,
            user_agent: self.header(&USER_AGENT, MAX_USER_AGENT_BYTES),
            content_type: self.header(&CONTENT_TYPE, MAX_CONTENT_TYPE_BYTES),
            body_bytes: u64::try_from(arrived.request.body().len()).unwrap_or(u64::MAX),
            response_status: self.response_status,
            duration_ms: u32::try_from(duration_ms).unwrap_or(u32::MAX),
            checks: Checks::of(self.refusal, form, self.endpoint.map(|webhook| &webhook.auth)),
            diagnosis: self.diagnosis.clone(),
        }
    }

    /// What the URL names, as far as the readers of the log do not know it from where they read.
    fn named(&self, log: &RejectionLog) -> Option<String> {
        match (log, self.url) {
            (RejectionLog::Webhook(..), _) => None,
            (RejectionLog::Tenant(_), _) => Some(kept_name(self.typed().1)),
            (RejectionLog::Operators, Url::Slug(_)) => {
                let (tenant, slug) = self.typed();
                Some(format!("{}/{}", kept_name(tenant), kept_name(slug)))
            }
            (RejectionLog::Operators, Url::Key(hash)) => Some(hash.as_str().to_owned()),
        }
    }

    /// Tenant and slug as the sender typed them.
    fn typed(&self) -> (&str, &str) {
        let names = self.arrived.request.uri().path().strip_prefix("/api/inbound/").unwrap_or_default();
        names.split_once('/').unwrap_or((names, ""))
    }

    /// What a header says, cut; nothing when the webhook looks for a credential there.
    fn header(&self, name: &HeaderName, most: usize) -> Option<String> {
        if self.endpoint.is_some_and(|webhook| webhook.auth.is_credential_header(name.as_str())) {
            return None;
        }
        let value = self.arrived.request.headers().get(name)?;
        let text: Cow<'_, str> = String::from_utf8_lossy(value.as_bytes());
        Some(kept_text(&text, most))
    }
}

/// What this instance may still write in one hour.
struct Budgets {
    hour: i64,
    typed: Shares<TenantSlug>,
    webhooks: Shares<InboundWebhookId>,
    /// Where the last row went that a typed name put into the operators' log, which all such names share.
    unknown: u8,
    /// How many refusals were not written down.
    unwritten: u64,
    random: Random,
}

/// The budgets of one kind.
struct Shares<K> {
    of: HashMap<K, Budget>,
    /// The most keys that have a budget of their own.
    most: usize,
    /// For what has no key, and for the keys beyond the most.
    rest: Budget,
}

/// One budget: a walk through half of a log's slots, from anywhere, once.
#[derive(Clone, Copy)]
struct Budget {
    start: u8,
    spent: u8,
}

impl Budgets {
    fn new(hour: i64, random: Random) -> Self {
        Self {
            hour,
            typed: Shares::new(MOST_TENANTS, &random),
            webhooks: Shares::new(MOST_WEBHOOKS, &random),
            unknown: anywhere(&random),
            unwritten: 0,
            random,
        }
    }

    /// Pays for one row and says which slot of the half it is; `None` when the budget of the hour is spent.
    fn spend(&mut self, payer: Payer<'_>, at: Timestamp) -> Option<u8> {
        let hour = hour_of(at);
        if hour > self.hour {
            if self.unwritten > 0 {
                info!(count = self.unwritten, "inbound.rejections_not_written");
            }
            *self = Self::new(hour, self.random.clone());
        }
        let budget = match payer {
            Payer::Typed(tenant) => self.typed.of(tenant, &self.random),
            Payer::Webhook(webhook) => self.webhooks.of(webhook.as_ref(), &self.random),
        };
        let slot = budget.take();
        self.unwritten += u64::from(slot.is_none());
        slot
    }

    fn next_unknown(&mut self) -> u8 {
        self.unknown = (self.unknown + 1) % HALF;
        self.unknown
    }
}

impl<K: Clone + Eq + Hash> Shares<K> {
    fn new(most: usize, random: &Random) -> Self {
        Self { of: HashMap::new(), most, rest: Budget::new(random) }
    }

    fn of(&mut self, key: Option<&K>, random: &Random) -> &mut Budget {
        if let Some(key) = key
            && self.of.len() < self.most
            && !self.of.contains_key(key)
        {
            self.of.insert(key.clone(), Budget::new(random));
        }
        match key.and_then(|key| self.of.get_mut(key)) {
            Some(own) => own,
            None => &mut self.rest,
        }
    }
}

impl Budget {
    fn new(random: &Random) -> Self {
        Self { start: anywhere(random), spent: 0 }
    }

    fn take(&mut self) -> Option<u8> {
        if self.spent == HALF {
            return None;
        }
        let slot = (self.start + self.spent) % HALF;
        self.spent += 1;
        Some(slot)
    }
}

/// Some slot of a half, so that instances do not all begin with the same one.
fn anywhere(random: &Random) -> u8 {
    let [byte] = random.bytes::<1>();
    byte % HALF
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    fn budgets() -> Budgets {
        Budgets::new(i64::MIN, Random::seeded(1))
    }

    fn tenant(text: &str) -> TenantSlug {
        TenantSlug::try_from(text.to_owned()).expect("a slug")
    }

    fn webhook(n: u128) -> InboundWebhookId {
        InboundWebhookId::new(at(0), n)
    }

    /// All the slots that a payer gets in the hour of `at`.
    fn spent(budgets: &mut Budgets, payer: Payer<'_>, at: Timestamp) -> Vec<u8> {
        (0..1_000).filter_map(|_| budgets.spend(payer, at)).collect()
    }

    #[test]
    fn a_budget_gives_every_slot_of_its_half_once_an_hour() {
        let mut budgets = budgets();
        let acme = tenant("acme");
        for payer in [Payer::Typed(Some(&acme)), Payer::Typed(None), Payer::Webhook(Some(webhook(1)))] {
            for hour in [0, 3_600] {
                let mut budgets = Budgets::new(i64::MIN, Random::seeded(hour));
                let slots = spent(&mut budgets, payer, at(7_200));
                assert_eq!(slots.len(), usize::from(HALF));
                assert_eq!(slots.iter().copied().collect::<BTreeSet<_>>(), (0..HALF).collect());
            }
        }
        assert_eq!(spent(&mut budgets, Payer::Typed(Some(&acme)), at(3_599)).len(), usize::from(HALF));
        assert_eq!(spent(&mut budgets, Payer::Typed(Some(&acme)), at(3_600)).len(), usize::from(HALF));
        assert_eq!(budgets.spend(Payer::Typed(Some(&acme)), at(3_599)), None, "a late request of the hour before");
    }

    #[test]
    fn one_payer_takes_nothing_from_another() {
        let mut budgets = budgets();
        let (acme, globex) = (tenant("acme"), tenant("globex"));
        for payer in [
            Payer::Typed(Some(&acme)),
            Payer::Typed(Some(&globex)),
            Payer::Typed(None),
            Payer::Webhook(Some(webhook(1))),
            Payer::Webhook(Some(webhook(2))),
            Payer::Webhook(None),
        ] {
            assert_eq!(spent(&mut budgets, payer, at(0)).len(), usize::from(HALF));
        }
    }

    #[test]
    fn names_that_strangers_make_up_cannot_spend_without_end() {
        let mut budgets = budgets();
        let mut written = 0;
        for n in 0..3 * MOST_TENANTS {
            written += usize::from(budgets.spend(Payer::Typed(Some(&tenant(&format!("t{n}")))), at(0)).is_some());
        }
        assert_eq!(written, MOST_TENANTS + usize::from(HALF));
        assert_eq!(budgets.typed.of.len(), MOST_TENANTS);
        assert_eq!(budgets.unwritten, (2 * MOST_TENANTS - usize::from(HALF)) as u64);
        let early = tenant("t0");
        assert!(budgets.spend(Payer::Typed(Some(&early)), at(0)).is_some(), "who was there before keeps a budget");
    }

    #[test]
    fn unknown_names_take_turns_in_the_operators_log() {
        let mut budgets = budgets();
        let slots: BTreeSet<u8> = (0..HALF).map(|_| budgets.next_unknown()).collect();
        assert_eq!(slots, (0..HALF).collect());
    }
}
