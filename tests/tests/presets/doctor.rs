//! The signature doctor: requests that were spoiled in known ways, and what it says of them.

#[path = "doctor/bodies.rs"]
mod bodies;
#[path = "doctor/schemes.rs"]
mod schemes;
#[path = "doctor/secrets.rs"]
mod secrets;
#[path = "doctor/sent.rs"]
mod sent;
#[path = "doctor/signatures.rs"]
mod signatures;
#[path = "doctor/unknown.rs"]
mod unknown;

use serde_json::{Value, json};

use sent::{BODY, Sender, Sent};

/// A request that was spoiled in a known way, and what must be said of it.
struct Row {
    name: &'static str,
    sent: Sent,
    /// Members of the cause.
    cause: Value,
    /// Members of the whole diagnosis.
    whole: Value,
}

fn row(name: &'static str, sent: Sent, cause: Value) -> Row {
    Row { name, sent, cause, whole: json!({}) }
}

impl Row {
    fn and(mut self, whole: Value) -> Self {
        self.whole = whole;
        self
    }
}

/// Tells whether each of these members is what it should be.
fn has(said: &Value, wanted: &Value) -> bool {
    let members = wanted.as_object().expect("members");
    members.iter().all(|(name, value)| said.get(name) == Some(value))
}

fn rows() -> Vec<Row> {
    [secrets::rows(), signatures::rows(), schemes::rows(), bodies::rows(), unknown::rows()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn what_was_done_to_a_request_is_what_the_doctor_says() {
    let rows = rows();
    let unknown = rows.iter().filter(|row| row.cause["code"] == "unknown").count();
    assert!(rows.len() >= 75 && unknown >= 8, "{} rows, {unknown} unknown", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let diagnosis = row.sent.diagnosed();
        let said = serde_json::to_value(&diagnosis).expect("plain data");
        if !has(&said["cause"], &row.cause) || !has(&said, &row.whole) {
            wrong.push(format!("{}: {said}, and not {} {}", row.name, row.cause, row.whole));
        }
        if said["cause"]["code"] != diagnosis.cause.code() || diagnosis.tried > 400 {
            wrong.push(format!("{}: code {}, {} tried", row.name, diagnosis.cause.code(), diagnosis.tried));
        }
        let text = format!("{said} {} {diagnosis:?}", diagnosis.message);
        let told = row.sent.hidden().into_iter().filter(|hidden| text.contains(hidden.as_str()));
        wrong.extend(told.map(|hidden| format!("{}: tells {hidden:?}", row.name)));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_row_stands_for_something_else() {
    let rows = rows();
    let names: std::collections::BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len());
}

#[test]
fn a_large_body_is_varied_in_cheap_ways_only() {
    let padded = |body: &str, size: usize| format!("{body}{}", " ".repeat(size));
    let signed = |body: &str| Sender::of("github").body(body).send();
    let longer = signed(&padded(BODY, 300_000)).spoil(|sent| sent.shown.body.push(b'\n'));
    assert_eq!(longer.diagnosed().cause.code(), "body_newline");
    let spaced = BODY.replace(',', ", ").replace("\":", "\": ");
    let rewritten = signed(&spaced).arrives(BODY);
    assert_eq!(rewritten.diagnosed().cause.code(), "body_reserialised");
    let rewritten = signed(&padded(&spaced, 100_000)).arrives(padded(BODY, 100_000));
    assert_eq!(rewritten.diagnosed().cause.code(), "unknown");
    let huge = signed(&padded(BODY, 1_100_000));
    assert_eq!(huge.diagnosed().cause.code(), "valid", "judged as it is");
    let diagnosis = huge.arrives(padded(BODY, 1_099_999)).diagnosed();
    assert_eq!((diagnosis.cause.code(), diagnosis.tried), ("unknown", 1));
}
