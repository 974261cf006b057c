//! One attempt: sign, send, record.

use hookport::dialect::Unsendable;
use hookport::dialect::proof::Question;
use hookport::domain::attempt::{Answer, Attempt, Outcome};
use hookport::domain::delivery::{Delivery, DeliveryKind, DeliveryState, OwnerToken, Wait};
use hookport::domain::own_event::{OwnEvent, is_own};
use hookport::domain::subscription::{Cause, State, Subscription};
use hookport::domain::time::later;
use hookport::domain::verdict::{self, Policy, Verdict, judge};
use hookport::egress::OutgoingResponse;
use hookport::lanes;
use hookport::message::{Message, OutboundMessage};
use hookport::own_events::tell;
use hookport::signature::challenge::ChallengeFailure;
use hookport::store::Recorded;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::event::Event;
use crate::gates::{GateOf, Pass, Seen};
use crate::request::{Parcel, Speech, kept, kept_of_challenge};
use crate::subscriptions::Ready;
use crate::target_auth::SendFailure;
use crate::tasks::SOON;
use crate::{Dispatcher, Trouble};

/// How an attempt ended, and what that means.
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    pub(crate) verdict: Verdict,
    pub(crate) seen: Seen,
}

/// An attempt that failed, for a reason that lies here and that another attempt may not meet.
pub(crate) const TRY_AGAIN: Verdict = Verdict::Failed { retry: true, not_before: None, slow_down: false };
/// How long a target that asks for less, and does not say for how long, is left alone.
const BREATH: SignedDuration = SignedDuration::from_secs(3);
/// An attempt that failed and that no other can follow.
pub(crate) const GIVE_UP: Verdict = Verdict::Failed { retry: false, not_before: None, slow_down: false };

impl Dispatcher {
    /// Makes the attempt that `owner` holds, records how it ended, and gives the delivery as it is then. `event` is what
    /// a delivery of an event carries; challenges and tests carry what is in the delivery and its subscription.
    pub(crate) async fn attempt(
        &self,
        delivery: Delivery,
        owner: OwnerToken,
        event: Option<&Event>,
        ready: &Ready,
        pass: Pass,
    ) -> Result<Delivery, Trouble> {
        let subscription = &ready.subscription;
        let DeliveryState::Attempting { n, lease_until, .. } = delivery.state else { return Ok(delivery) };
        let gate = gate_of(&delivery, subscription, lease_until);
        let started_at = self.app.clock.now();
        if started_at >= lease_until {
            // We were held up for so long that others count us as dead and may be sending already.
            self.gates.done(&self.app, &gate, pass, Seen::Unknown).await;
            warn!(delivery.id = %delivery.id, attempt = n, "delivery.lease_lost_before_sending");
            return Ok(delivery);
        }
        let parcel = match delivery.kind {
            DeliveryKind::Event | DeliveryKind::Resend => event.map(|event| Parcel::of_event(event, subscription)),
            DeliveryKind::Challenge => Parcel::of_challenge(&delivery, subscription),
            DeliveryKind::Test => Some(Parcel::of_test(&delivery, subscription)),
        };
        let origin = self.app.config.public_host();
        let end = match (&ready.keys, &ready.dialect, parcel) {
            (Some(keys), Some(dialect), Some(parcel)) => {
                let with_key = ready.auth.as_ref().and_then(|auth| auth.url(&subscription.settings.url));
                let url = with_key.as_ref().unwrap_or(&subscription.settings.url);
                let speech = Speech { subscription, dialect, also: &ready.also, keys, origin, url };
                match parcel.request(&delivery, n, &speech, started_at) {
                    Ok(_) if is_unasked(&delivery, subscription) => unasked(),
                    Ok(request) if !subscription.settings.target.is_https() => {
                        self.sent_to_service(request, &delivery, event, ready).await
                    }
                    Ok(request) => {
                        let sent = self.send_authorised(request, ready).await;
                        if delivery.kind == DeliveryKind::Challenge {
                            challenged(sent, speech.question())
                        } else {
                            self.judged(sent, subscription)
                        }
                    }
                    Err(why @ Unsendable::TooLarge) => here("dialect_unusable", &why.to_string(), GIVE_UP),
                    Err(why) => here("dialect_unusable", &why.to_string(), TRY_AGAIN),
                }
            }
            (None, _, _) => here("secret_unusable", "the subscription's secret does not open", TRY_AGAIN),
            (_, None, _) => here("dialect_unknown", "the subscription's dialect does not exist any more", TRY_AGAIN),
            (_, _, None) => here("nothing_to_send", "what was to be sent is no longer there", GIVE_UP),
        };
        self.gates.done(&self.app, &gate, pass, end.seen).await;
        if let Verdict::Failed { not_before, slow_down: true, .. } = end.verdict {
            let asked = not_before.unwrap_or(BREATH);
            let until = later(self.app.clock.now(), asked);
            self.gates.slow_down(subscription.id, until);
        }
        let is_gone = end.verdict == Verdict::Gone && delivery.kind != DeliveryKind::Test;
        if is_gone && subscription.status.state == State::Active {
            // Before it is recorded: whoever dies here, or does not succeed, gets another 410 next time.
            if let Err(error) = self.switch_off(subscription, Cause::EndpointGone).await {
                warn!(tenant = %subscription.tenant, subscription.id = %subscription.id, %error, "subscription.not_switched_off");
            }
        }
        let attempt = Attempt { n, started_at, duration_ms: 0, url: Some(subscription.place()), outcome: end.outcome };
        self.record(delivery, owner, attempt, &end.verdict, ready).await
    }

    fn judged(&self, sent: Result<OutgoingResponse, SendFailure>, subscription: &Subscription) -> End {
        let settings = &subscription.settings;
        let policy = Policy { retry_on: &settings.retry_on, rule: settings.response_rule.as_ref() };
        let now = self.app.clock.now();
        match sent {
            Ok(response) => {
                let status = response.status.as_u16();
                let answer = verdict::Answer::Response { status, headers: &response.headers, body: &response.body };
                let verdict = judge(&answer, &policy, now);
                let fault = match verdict {
                    Verdict::Failed { .. } if response.status.is_success() => {
                        policy.rule.and_then(|rule| rule.broken_by(status, &response.body))
                    }
                    _ => None,
                };
                let outcome = kept(&response, settings.kept_response_bytes.into(), fault);
                End { outcome, verdict, seen: Seen::of_answer(status) }
            }
            Err(error) => {
                let verdict = judge(&verdict::Answer::None { permanent: error.is_permanent() }, &policy, now);
                End { outcome: error.outcome(), verdict, seen: error.seen() }
            }
        }
    }

    /// Records how an attempt ended, and hints at the next one.
    pub(crate) async fn record(
        &self,
        delivery: Delivery,
        owner: OwnerToken,
        attempt: Attempt,
        verdict: &Verdict,
        ready: &Ready,
    ) -> Result<Delivery, Trouble> {
        let now = self.app.clock.now();
        let duration_ms = u32::try_from(now.duration_since(attempt.started_at).as_millis()).unwrap_or(u32::MAX);
        let attempt = Attempt { duration_ms, ..attempt };
        let (n, summary) = (attempt.n, Summary::of(&attempt.outcome));
        let is_success = attempt.outcome.is_success();
        let wait = ready.wait_after(delivery.kind, n, self.app.random.fraction());
        let after = delivery.after_attempt(attempt, verdict, wait, now);
        self.before_the_record(&after).await?;
        let recorded = self.app.store.record_attempt(owner, &after).await?;
        info!(
            tenant = %after.tenant,
            event.id = %after.event_id,
            event.r#type = %after.event_type,
            subscription.id = %after.subscription_id,
            delivery.id = %after.id,
            delivery.kind = kind_word(after.kind),
            attempt = n,
            outcome = summary.word,
            status = summary.status,
            error = summary.error,
            duration_ms,
            state = state_word(&after.state),
            recorded = recorded == Recorded::Yes,
            "delivery.attempted"
        );
        if recorded == Recorded::Yes {
            self.hint(&after, now).await;
            self.issues.note(&after, now);
            // What the target has only taken is counted when it ends.
            if *verdict != Verdict::InProgress {
                self.count_for_auto_disable(&ready.subscription, after.kind, is_success).await;
            }
        }
        Ok(after)
    }

    /// What has to be in place before the end of an attempt is recorded, because nobody would come back for it. Whoever
    /// does it again, because the record was not written, changes nothing.
    async fn before_the_record(&self, after: &Delivery) -> Result<(), Trouble> {
        match (after.kind, after.state) {
            (DeliveryKind::Challenge, state) if state.is_final() => {
                // What was answered is recorded in any case: upkeep concludes what is left.
                if let Err(error) = self.conclude_challenge(after).await {
                    warn!(tenant = %after.tenant, subscription.id = %after.subscription_id, %error, "challenge.not_concluded");
                }
            }
            (_, DeliveryState::InProgress { .. }) => self.app.store.publish_delivery_id(after).await?,
            (_, DeliveryState::Exhausted { at }) => self.tell_exhausted(after, at).await?,
            _ => {}
        }
        Ok(())
    }

    /// Tells that a delivery ended without success. What goes wrong with the gateway's own events is not told: it would
    /// never end.
    pub(crate) async fn tell_exhausted(&self, delivery: &Delivery, at: Timestamp) -> Result<(), Trouble> {
        if !delivery.kind.is_of_event() || is_own(&delivery.event_type) {
            return Ok(());
        }
        let told = delivery.progress.as_ref().and_then(|progress| progress.message.clone());
        let last = told.or_else(|| delivery.attempts.last().map(|attempt| attempt.outcome.error()));
        let found = self.subscriptions.one(&self.app, &delivery.tenant, delivery.subscription_id, at).await?;
        let owner = found.ready.and_then(|ready| ready.subscription.owner.clone());
        let last = last.as_deref().unwrap_or("no attempt was made");
        tell(&self.app, &OwnEvent::exhausted(delivery, owner, last, at)).await?;
        Ok(())
    }

    /// Records the attempt of a sender that died as unknown and lets another follow; `None` while its lease runs or when
    /// someone else was faster.
    pub(crate) async fn record_lost_lease(
        &self,
        delivery: Delivery,
        wait: impl FnOnce(u32) -> Option<SignedDuration>,
    ) -> Result<Option<Delivery>, Trouble> {
        let now = self.app.clock.now();
        let DeliveryState::Attempting { n, owner, .. } = delivery.state else { return Ok(None) };
        let Some(after) = delivery.after_lost_lease(wait(n), now) else { return Ok(None) };
        self.before_the_record(&after).await?;
        if self.app.store.record_attempt(owner, &after).await? == Recorded::Lost {
            return Ok(None);
        }
        warn!(tenant = %after.tenant, delivery.id = %after.id, attempt = n, "delivery.sender_died");
        self.issues.note(&after, now);
        self.hint(&after, now).await;
        Ok(Some(after))
    }

    /// Puts an attempt back that was claimed and not made: nothing is spent.
    pub(crate) async fn put_back(
        &self,
        delivery: Delivery,
        owner: OwnerToken,
        state: DeliveryState,
    ) -> Result<(), Trouble> {
        let now = self.app.clock.now();
        let after = delivery.in_state(state, now);
        self.app.store.record_attempt(owner, &after).await?;
        self.hint(&after, now).await;
        Ok(())
    }

    /// Ends a delivery whose attempt was claimed, with a reason that lies here.
    pub(crate) async fn give_up(
        &self,
        delivery: Delivery,
        owner: OwnerToken,
        code: &str,
        message: &str,
    ) -> Result<(), Trouble> {
        let DeliveryState::Attempting { n, .. } = delivery.state else { return Ok(()) };
        let now = self.app.clock.now();
        let outcome = Outcome::Failed { code: code.to_owned(), message: message.to_owned(), permanent: true };
        let attempt = Attempt { n, started_at: now, duration_ms: 0, url: None, outcome };
        let after = delivery.after_attempt(attempt, &GIVE_UP, None, now);
        self.before_the_record(&after).await?;
        self.app.store.record_attempt(owner, &after).await?;
        info!(tenant = %after.tenant, delivery.id = %after.id, error = code, "delivery.given_up");
        Ok(())
    }

    /// Sends the delayed message that brings the next attempt on time, if the queue takes it in time; the sweeper comes a
    /// little later.
    pub(crate) async fn hint(&self, delivery: &Delivery, now: Timestamp) {
        let Some(Wait::OnQueue(delay)) = delivery.wait(now) else { return };
        if delivery.lane.is_some() {
            // Its lane makes the attempt, whose task comes back by itself when that is soon.
            if delay > SOON {
                lanes::hint(&self.app, delivery, later(now, delay)).await;
            }
            return;
        }
        let body = Message::Outbound(OutboundMessage::new(delivery.tenant.clone(), delivery.id)).encode();
        if let Err(code) = self.app.outbound_queue.hint(body, delay).await {
            warn!(delivery.id = %delivery.id, code, "delivery.hint_lost");
        }
    }
}

/// What the gates have to know of an attempt. Challenges and tests pass them all: a person waits for them.
pub(crate) fn gate_of<'a>(
    delivery: &'a Delivery,
    subscription: &'a Subscription,
    lease_until: Timestamp,
) -> GateOf<'a> {
    GateOf {
        tenant: &delivery.tenant,
        subscription: subscription.id,
        url: &subscription.settings.url,
        rate: subscription.settings.rate_limit,
        max_in_flight: subscription.settings.max_in_flight,
        lease_until,
        unlimited: matches!(delivery.kind, DeliveryKind::Challenge | DeliveryKind::Test),
    }
}

/// How a challenge ended. What the target said is not kept: it may hold the challenge.
fn challenged(sent: Result<OutgoingResponse, SendFailure>, question: Option<Question<'_>>) -> End {
    match sent {
        Ok(response) => {
            let status = response.status.as_u16();
            let echoed = match question {
                Some(question) => question.judge(status, &response.headers, &response.body, response.truncated),
                None => Err(ChallengeFailure::Missing),
            };
            let verdict = if echoed.is_ok() { Verdict::Delivered } else { TRY_AGAIN };
            let fault = echoed.err().map(|failure| failure.to_string());
            End { outcome: kept_of_challenge(&response, fault), verdict, seen: Seen::of_answer(status) }
        }
        Err(error) => {
            let verdict = if error.is_permanent() { GIVE_UP } else { TRY_AGAIN };
            End { outcome: error.outcome(), verdict, seen: error.seen() }
        }
    }
}

/// An attempt that ended before anything was sent.
pub(crate) fn here(code: &str, message: &str, verdict: Verdict) -> End {
    let permanent = verdict == GIVE_UP;
    let outcome = Outcome::Failed { code: code.to_owned(), message: message.to_owned(), permanent };
    End { outcome, verdict, seen: Seen::Unknown }
}

/// Tells whether this is a challenge to a service, which nobody sends: that the operator lets the tenant send there is all
/// there is to prove, and each delivery asks that anew.
fn is_unasked(delivery: &Delivery, subscription: &Subscription) -> bool {
    delivery.kind == DeliveryKind::Challenge && !subscription.settings.target.is_https()
}

/// A challenge that is passed without being sent.
fn unasked() -> End {
    let answer = Answer { status: StatusCode::OK.as_u16(), ..Answer::default() };
    End { outcome: Outcome::Answered(answer), verdict: Verdict::Delivered, seen: Seen::Unknown }
}

/// What an attempt came to, as a log line tells it.
struct Summary {
    word: &'static str,
    status: Option<u16>,
    error: Option<String>,
}

impl Summary {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Answered(answer) => Self { word: "answered", status: Some(answer.status), error: None },
            Outcome::Failed { code, .. } => Self { word: "failed", status: None, error: Some(code.clone()) },
            Outcome::Unknown => Self { word: "unknown", status: None, error: None },
        }
    }
}

fn kind_word(kind: DeliveryKind) -> &'static str {
    match kind {
        DeliveryKind::Event => "event",
        DeliveryKind::Resend => "resend",
        DeliveryKind::Challenge => "challenge",
        DeliveryKind::Test => "test",
    }
}

fn state_word(state: &DeliveryState) -> &'static str {
    match state {
        DeliveryState::Pending { .. } => "pending",
        DeliveryState::Held => "held",
        DeliveryState::Attempting { .. } => "attempting",
        DeliveryState::InProgress { .. } => "in_progress",
        DeliveryState::Delivered { .. } => "delivered",
        DeliveryState::Exhausted { .. } => "exhausted",
        DeliveryState::Cancelled { .. } => "cancelled",
    }
}
