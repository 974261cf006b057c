//! Schedules: an event at each of their times, once, whoever dies and however often messages come.

#[path = "schedules/changes.rs"]
mod changes;
#[path = "schedules/faults.rs"]
mod faults;
#[path = "schedules/times.rs"]
mod times;

use hookport_tests::gateway::{merge, text};
use hookport_tests::inbound::list;
use hookport_tests::{Instance, TestGateway};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const SCHEDULES: &str = "/api/v1/schedules";
const EVENT_TYPES: &str = "/api/v1/event-types";

type Answer = (StatusCode, Value);

/// A gateway with two instances that knows `report.due`. Its clock begins at 14:13:20.
async fn gateway() -> TestGateway {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    gateway.create(EVENT_TYPES, json!({"ref": "report.due"})).await;
    gateway
}

/// A schedule of every hour as it is sent; `more` changes members.
fn hourly(more: Value) -> Value {
    let mut body = json!({"name": "Report", "cron": "0 * * * *", "event_type": "report.due", "data": {"n": 1}});
    merge(&mut body, more);
    body
}

/// Makes a schedule and works what follows. Gives its id.
async fn made(gateway: &TestGateway, more: Value) -> String {
    let answer = gateway.create(SCHEDULES, hourly(more)).await;
    pass(gateway, 2).await;
    text(&answer["data"]["id"])
}

async fn call(gateway: &TestGateway, method: Method, path: &str, body: Option<Value>) -> Answer {
    gateway.api(method, path, gateway.admin_token(), body).await
}

/// Does what is due now on one instance.
async fn work(gateway: &TestGateway, instance: &Instance) {
    gateway.tick(instance).await;
    gateway.drain(instance).await;
}

/// Lets minutes pass, in each of which one instance or the other does what is due.
async fn pass(gateway: &TestGateway, minutes: usize) {
    for minute in 0..minutes {
        let instance = gateway.instance(minute % 2);
        gateway.drain(instance).await;
        gateway.advance(SignedDuration::from_mins(1));
        work(gateway, instance).await;
    }
}

/// Turns the clock to a time at once.
fn turn(gateway: &TestGateway, to: &str) {
    let to: Timestamp = to.parse().expect("a time");
    gateway.advance(to.duration_since(gateway.clock.now()));
}

/// The events that schedules published, oldest first.
async fn events(gateway: &TestGateway) -> Vec<Value> {
    let mut events = list(gateway, "/api/v1/events?type=report.due&limit=100").await;
    events.reverse();
    events
}

/// When they happened.
async fn times(gateway: &TestGateway) -> Vec<String> {
    events(gateway).await.iter().map(|event| text(&event["occurred_at"])).collect()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.0.as_u16(), &answer.1["error"]["code"]), (status, &json!(code)), "{}", answer.1);
}
