//! How a delivery is stored: one row with its attempts, in names of one or two letters.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::due::due_shard;
use crate::aws::expression::{Test, Value};
use crate::aws::table::TableError;
use crate::domain::attempt::{Answer, Attempt, Outcome};
use crate::domain::delivery::{Delivery, DeliveryKind, DeliveryState, Progress};
use crate::domain::event_type::EventType;
use crate::domain::id::{DeliveryId, EventId, ReplayId, SubscriptionId};
use crate::domain::ordering::LaneKey;
use crate::domain::text::TenantSlug;
use crate::domain::wait_reason::WaitReason;

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Pending,
    Held,
    Attempting,
    InProgress,
    Delivered,
    Exhausted,
    Cancelled,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    e: EventId,
    b: SubscriptionId,
    t: EventType,
    /// What it carries, where that is not an event.
    #[serde(default, skip_serializing_if = "is_event")]
    k: DeliveryKind,
    /// The delivery that it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<DeliveryId>,
    /// The replay that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    v: Option<ReplayId>,
    /// The lane that it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    f: Option<String>,
    s: Status,
    /// The number of the newest attempt begun.
    n: u32,
    /// The owner of the attempt being made, and until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    o: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    l: Option<i64>,
    /// When the next attempt may be made, when silence is over, or when the delivery ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<i64>,
    /// Why it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<WaitReason>,
    /// What the target told later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    g: Option<ProgressRow>,
    /// The finished attempts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    h: Vec<AttemptRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ds: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    da: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<u32>,
    ttl: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_event(kind: &DeliveryKind) -> bool {
    *kind == DeliveryKind::Event
}

#[derive(Serialize, Deserialize)]
struct ProgressRow {
    p: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    m: Option<String>,
    a: i64,
}

#[derive(Serialize, Deserialize)]
struct AttemptRow {
    n: u32,
    a: i64,
    m: u32,
    /// Where it went, unless that is where the one before went; empty: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<String>,
    #[serde(flatten)]
    o: OutcomeRow,
}

#[derive(Default, Serialize, Deserialize)]
struct OutcomeRow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<u16>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    q: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    c: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    f: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    p: bool,
}

impl AttemptRow {
    fn new(attempt: &Attempt, before: Option<&Attempt>) -> Self {
        let o = match attempt.outcome.clone() {
            Outcome::Answered(Answer { status, headers, body, is_cut, fault }) => {
                OutcomeRow { r: Some(status), q: headers, b: body, c: is_cut, f: fault, ..OutcomeRow::default() }
            }
            Outcome::Failed { code, message, permanent } => {
                OutcomeRow { x: Some(code), y: Some(message), p: permanent, ..OutcomeRow::default() }
            }
            Outcome::Unknown => OutcomeRow::default(),
        };
        let is_same = before.and_then(|before| before.url.as_ref()) == attempt.url.as_ref();
        let u = (!is_same).then(|| attempt.url.clone().unwrap_or_default());
        Self { n: attempt.n, a: attempt.started_at.as_millisecond(), m: attempt.duration_ms, u, o }
    }

    fn into_attempt(self, before: Option<&Attempt>) -> Result<Attempt, TableError> {
        let outcome = match self.o {
            OutcomeRow { r: Some(status), q: headers, b: body, c: is_cut, f: fault, .. } => {
                Outcome::Answered(Answer { status, headers, body, is_cut, fault })
            }
            OutcomeRow { x: Some(code), y, p: permanent, .. } => {
                Outcome::Failed { code, message: y.unwrap_or_default(), permanent }
            }
            OutcomeRow { .. } => Outcome::Unknown,
        };
        let url = match self.u {
            None => before.and_then(|before| before.url.clone()),
            Some(url) => Some(url).filter(|url| !url.is_empty()),
        };
        Ok(Attempt { n: self.n, started_at: time(Some(self.a))?, duration_ms: self.m, url, outcome })
    }
}

fn time(millis: Option<i64>) -> Result<Timestamp, TableError> {
    let millis = millis.ok_or_else(|| TableError::Corrupt("a time is missing".into()))?;
    Timestamp::from_millisecond(millis).map_err(|e| TableError::Corrupt(e.into()))
}

/// The attributes that a state has.
struct Parts {
    s: Status,
    n: Option<u32>,
    o: Option<String>,
    l: Option<i64>,
    x: Option<i64>,
    w: Option<WaitReason>,
}

fn parts(state: DeliveryState) -> Parts {
    let at = |s, x: Timestamp| Parts { s, n: None, o: None, l: None, x: Some(x.as_millisecond()), w: None };
    match state {
        DeliveryState::Pending { next_attempt_at, reason } => {
            Parts { w: reason, ..at(Status::Pending, next_attempt_at) }
        }
        DeliveryState::Held => Parts { s: Status::Held, n: None, o: None, l: None, x: None, w: None },
        DeliveryState::Attempting { n, owner, lease_until } => Parts {
            s: Status::Attempting,
            n: Some(n),
            o: Some(owner.to_string()),
            l: Some(lease_until.as_millisecond()),
            x: None,
            w: None,
        },
        DeliveryState::InProgress { silent_at } => at(Status::InProgress, silent_at),
        DeliveryState::Delivered { at: end } => at(Status::Delivered, end),
        DeliveryState::Exhausted { at: end } => at(Status::Exhausted, end),
        DeliveryState::Cancelled { at: end } => at(Status::Cancelled, end),
    }
}

impl Row {
    pub(super) fn new(delivery: &Delivery) -> Self {
        let Parts { s, n, o, l, x, w } = parts(delivery.state);
        let attempts = &delivery.attempts;
        let before = std::iter::once(None).chain(attempts.iter().map(Some));
        let progress = delivery.progress.as_ref();
        Self {
            e: delivery.event_id,
            b: delivery.subscription_id,
            t: delivery.event_type.clone(),
            k: delivery.kind,
            p: delivery.repeats,
            v: delivery.replay,
            f: delivery.lane.map(|lane| lane.to_string()),
            s,
            n: n.unwrap_or_else(|| attempts.last().map_or(0, |a| a.n)),
            o,
            l,
            x,
            w,
            g: progress.map(|p| ProgressRow { p: p.percent, m: p.message.clone(), a: p.at.as_millisecond() }),
            h: attempts.iter().zip(before).map(|(attempt, before)| AttemptRow::new(attempt, before)).collect(),
            ds: delivery.due_at.map(|_| due_shard(delivery.id.to_bytes())),
            da: delivery.due_at.map(Timestamp::as_millisecond),
            c: None,
            ttl: delivery.expires_at().as_second(),
        }
    }

    /// What holds as long as nobody moves the row: attempts, and what targets tell, change the status or its time.
    pub(super) fn unmoved(&self) -> Vec<Test> {
        let time = match self.x {
            Some(x) => Test::Is("x", Value::of(x)),
            None => Test::AttributeAbsent("x"),
        };
        vec![Test::Is("s", Value::of(self.s)), Test::Is("n", Value::of(self.n)), time]
    }

    pub(super) fn into_delivery(self, tenant: &TenantSlug, id: DeliveryId) -> Result<Delivery, TableError> {
        let state = match self.s {
            Status::Pending => DeliveryState::Pending { next_attempt_at: time(self.x)?, reason: self.w },
            Status::Held => DeliveryState::Held,
            Status::Attempting => DeliveryState::Attempting {
                n: self.n,
                owner: self
                    .o
                    .as_deref()
                    .unwrap_or_default()
                    .parse()
                    .map_err(|_| TableError::Corrupt("the owner of an attempt is missing".into()))?,
                lease_until: time(self.l)?,
            },
            Status::InProgress => DeliveryState::InProgress { silent_at: time(self.x)? },
            Status::Delivered => DeliveryState::Delivered { at: time(self.x)? },
            Status::Exhausted => DeliveryState::Exhausted { at: time(self.x)? },
            Status::Cancelled => DeliveryState::Cancelled { at: time(self.x)? },
        };
        let progress = match self.g {
            Some(row) => Some(Progress { percent: row.p, message: row.m, at: time(Some(row.a))? }),
            None => None,
        };
        let lane = self.f.as_deref().map(str::parse::<LaneKey>).transpose();
        let lane = lane.map_err(|e| TableError::Corrupt(e.into()))?;
        let mut attempts: Vec<Attempt> = Vec::with_capacity(self.h.len());
        for row in self.h {
            let attempt = row.into_attempt(attempts.last())?;
            attempts.push(attempt);
        }
        Ok(Delivery {
            id,
            tenant: tenant.clone(),
            kind: self.k,
            event_id: self.e,
            event_type: self.t,
            subscription_id: self.b,
            repeats: self.p,
            replay: self.v,
            lane,
            state,
            progress,
            attempts,
            due_at: self.da.map(|da| time(Some(da))).transpose()?,
            redrives: self.c.unwrap_or_default(),
        })
    }
}
