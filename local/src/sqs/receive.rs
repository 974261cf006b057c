//! ReceiveMessage, with its long poll.

use std::borrow::Cow;
use std::pin::pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::message_attributes::Asked;
use super::queue::{LONGEST_POLL_SECONDS, Queue};
use super::receipt::Receipt;
use super::refusal::Refusal;
use super::store::{self, Candidate};
use super::{State, parse};
use crate::answer::Answer;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiveMessage<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

pub(super) async fn receive_message(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let request: ReceiveMessage<'_> = parse(body)?;
    let queue = state.queue_at(&request.queue_url)?;
    let terms = Terms::of(request, &queue)?;

    let opened = Instant::now();
    let ends_at = state.now() + terms.wait_seconds * 1000;
    loop {
        let mut arrival = pin!(queue.arrival());
        // Listening starts before the look: what is sent between the two is seen by one of them.
        arrival.as_mut().enable();

        if let Some(messages) = take(state, &queue, &terms)? {
            return Ok(Answer::written(messages));
        }
        // A poll ends by the clock that tests turn or by the time that really passed, whichever is first: a clock that
        // stands still must not keep a caller for ever.
        let now = state.now();
        let left = millis(terms.wait_seconds * 1000).saturating_sub(opened.elapsed());
        if now >= ends_at || left.is_zero() {
            return Ok(Answer::written(b"{}".to_vec()));
        }
        let next = state.store.with(|conn| store::next_visible_at(conn, queue.id, now)).map_err(Refusal::Store)?;
        let pause = next.map_or(left, |next| left.min(millis(next - now)));
        // Woken or not, the next thing to do is to look again.
        let _ = timeout(pause, arrival).await;
    }
}

/// What a request asks for, checked and with the queue's defaults filled in.
struct Terms {
    limit: i64,
    visibility_ms: i64,
    wait_seconds: i64,
    told: Told,
    asked: Asked,
}

/// Which system attributes the caller wants to be told.
#[derive(Default)]
struct Told {
    receive_count: bool,
    sent: bool,
    first_received: bool,
}

impl Terms {
    fn of(request: ReceiveMessage<'_>, queue: &Queue) -> Result<Self, Refusal> {
        let limit = request.max_number_of_messages.unwrap_or(1);
        if !(1..=10).contains(&limit) {
            let reason = "Must be between 1 and 10, if provided.";
            return Err(Refusal::parameter("MaxNumberOfMessages", limit, reason));
        }
        let visibility = request.visibility_timeout.unwrap_or(queue.settings.visibility_timeout);
        if !(0..=43_200).contains(&visibility) {
            let reason = "Must be >= 0 and <= 43200, if provided.";
            return Err(Refusal::parameter("VisibilityTimeout", visibility, reason));
        }
        let wait_seconds = request.wait_time_seconds.unwrap_or(queue.settings.receive_message_wait_time_seconds);
        if !(0..=LONGEST_POLL_SECONDS).contains(&wait_seconds) {
            let reason = "Must be >= 0 and <= 20, if provided.";
            return Err(Refusal::parameter("WaitTimeSeconds", wait_seconds, reason));
        }
        let mut told = Told::default();
        let names = request.attribute_names.iter();
        for name in names.chain(&request.message_system_attribute_names) {
            told.add(name)?;
        }
        let asked = Asked::new(request.message_attribute_names);
        Ok(Self { limit, visibility_ms: visibility * 1000, wait_seconds, told, asked })
    }
}

impl Told {
    fn add(&mut self, name: &str) -> Result<(), Refusal> {
        match name {
            "All" => {
                self.receive_count = true;
                self.sent = true;
                self.first_received = true;
            }
            "ApproximateReceiveCount" => self.receive_count = true,
            "SentTimestamp" => self.sent = true,
            "ApproximateFirstReceiveTimestamp" => self.first_received = true,
            // Known to SQS, never set here.
            "SenderId"
            | "SequenceNumber"
            | "MessageDeduplicationId"
            | "MessageGroupId"
            | "AWSTraceHeader"
            | "DeadLetterQueueSourceArn" => {}
            _ => return Err(Refusal::InvalidAttributeName(name.to_owned())),
        }
        Ok(())
    }
}

/// Takes what is visible out of the queue's sight and writes it as the answer's JSON; `None` if there is nothing.
fn take(state: &State, queue: &Queue, terms: &Terms) -> Result<Option<Vec<u8>>, Refusal> {
    let now = state.now();
    let mut redriven = 0;
    let pass = state
        .store
        .write(|conn| {
            loop {
                let mut pass = Pass::default();
                store::each_visible(conn, queue.id, now, terms.limit, |candidate| {
                    pass.sort(candidate, queue, terms, now);
                })?;
                if pass.expired.is_empty() && pass.worn_out.is_empty() {
                    for (id, first_received_at) in &pass.taken {
                        store::receive(conn, *id, now + terms.visibility_ms, *first_received_at)?;
                    }
                    return Ok(pass);
                }
                // What may not be received goes first; then look again for what may.
                if !pass.expired.is_empty() {
                    store::delete_expired(conn, queue.id, queue.cutoff(now))?;
                }
                for id in &pass.expired {
                    store::delete(conn, *id)?;
                }
                if let Some(dead_letters) = &queue.dead_letters {
                    for id in &pass.worn_out {
                        store::redrive(conn, *id, dead_letters.queue.id, now)?;
                    }
                }
                redriven += pass.worn_out.len();
            }
        })
        .map_err(Refusal::Store)?;

    if let Some(dead_letters) = &queue.dead_letters {
        dead_letters.queue.announce(redriven, 0);
    }
    if pass.taken.is_empty() {
        return Ok(None);
    }
    queue.announce(pass.taken.len(), terms.visibility_ms);
    Ok(Some(pass.finished()))
}

/// One look at the visible messages: what becomes of each, and the answer as far as it is written.
#[derive(Default)]
struct Pass {
    json: Vec<u8>,
    /// The row and the time of its first receive.
    taken: Vec<(i64, i64)>,
    expired: Vec<i64>,
    worn_out: Vec<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Message<'a> {
    message_id: &'a str,
    receipt_handle: String,
    body: &'a str,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: Attributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_attributes: Option<Box<RawValue>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    approximate_receive_count: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approximate_first_receive_timestamp: Option<String>,
}

impl Attributes {
    fn is_empty(&self) -> bool {
        self.approximate_receive_count.is_none()
            && self.sent_timestamp.is_none()
            && self.approximate_first_receive_timestamp.is_none()
    }
}

impl Pass {
    fn sort(&mut self, candidate: &Candidate<'_>, queue: &Queue, terms: &Terms, now: i64) {
        if candidate.sent_at <= queue.cutoff(now) {
            self.expired.push(candidate.id);
        } else if queue.is_worn_out(candidate.receives) {
            self.worn_out.push(candidate.id);
        } else {
            self.write(candidate, queue, terms, now);
        }
    }

    /// Writes the message straight from SQLite's own copy of it.
    fn write(&mut self, candidate: &Candidate<'_>, queue: &Queue, terms: &Terms, now: i64) {
        let told = &terms.told;
        let receives = candidate.receives + 1;
        let received_before = candidate.receives + candidate.received_elsewhere;
        let first_received_at = if received_before == 0 { now } else { candidate.first_received_at };
        let receipt = Receipt { queue: queue.id, message: candidate.id, receive: receives, uuid: candidate.uuid };
        let mut message_id = Uuid::encode_buffer();
        let message = Message {
            message_id: Uuid::from_bytes(candidate.uuid).hyphenated().encode_lower(&mut message_id),
            receipt_handle: receipt.written(),
            body: candidate.body,
            attributes: Attributes {
                approximate_receive_count: told.receive_count.then(|| (received_before + 1).to_string()),
                sent_timestamp: told.sent.then(|| candidate.sent_at.to_string()),
                approximate_first_receive_timestamp: told.first_received.then(|| first_received_at.to_string()),
            },
            message_attributes: terms.asked.of(candidate.attributes),
        };
        let opening: &[u8] = if self.taken.is_empty() { b"{\"Messages\":[" } else { b"," };
        self.json.extend_from_slice(opening);
        serde_json::to_writer(&mut self.json, &message).expect("a Vec takes whatever is written to it");
        self.taken.push((candidate.id, first_received_at));
    }

    fn finished(mut self) -> Vec<u8> {
        self.json.extend_from_slice(b"]}");
        self.json
    }
}

fn millis(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
