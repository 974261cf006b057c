//! `hookport dev` as its user runs it: a process that is started, used, stopped and killed.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use hookport_tests::client::HttpClient;
use hookport_tests::gateway::text;
use hookport_tests::{Sink, TestGateway};
use http::{Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// A gateway in a process of its own. Killed when dropped.
struct Dev {
    child: Child,
    base_url: String,
    token: String,
}

impl Dev {
    fn start(data: Option<&Path>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookport"));
        command.args(["dev", "--port", "0", "--quiet", "--print-json"]);
        if let Some(data) = data {
            command.arg("--data").arg(data);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the command runs");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output is ours");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).expect("a line of JSON");
        let token = ready["admin_token"].as_str().unwrap_or_default().to_owned();
        Self { child, base_url: text(&ready["base_url"]), token }
    }

    /// Creates a key webhook and a subscription of `sink`, which proves itself; gives the webhook's URL.
    async fn prepare(&self, client: &HttpClient, sink: &Sink) -> String {
        let api = format!("{}/api/v1", self.base_url);
        let rate_limit = json!({"requests": 1_000_000, "window_seconds": 60});
        let webhook = json!({"name": "load", "auth_type": "none", "rate_limit": rate_limit});
        let made = client.post(&format!("{api}/inbound-webhooks"), &self.token, &webhook).await;
        let events = [&made["data"]["event_type"]];
        let subscription = json!({"name": "sink", "url": sink.url("/hook"), "events": events});
        let subscribed = client.post(&format!("{api}/subscriptions"), &self.token, &subscription).await;
        let subscription = format!("{api}/subscriptions/{}", text(&subscribed["data"]["id"]));
        while self.state(client, &subscription).await != "active" {
            tokio::task::yield_now().await;
        }
        text(&made["data"]["url"])
    }

    /// The state of a subscription.
    async fn state(&self, client: &HttpClient, url: &str) -> String {
        let request = Request::get(url).header("authorization", format!("Bearer {}", self.token)).body(Bytes::new());
        let answer = client.send(request.expect("a request")).await.expect("an answer");
        let shown: Value = serde_json::from_slice(answer.body()).expect("a JSON answer");
        text(&shown["data"]["state"])
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn numbered(url: &str, n: usize) -> Request<Bytes> {
    let request = Request::post(url).header("content-type", "application/json");
    request.body(Bytes::from(format!(r#"{{"n":{n}}}"#))).expect("a request")
}

fn numbers(sink: &Sink) -> Vec<u64> {
    let read = |body: &Bytes| serde_json::from_slice::<Value>(body).ok()?["n"].as_u64();
    sink.received().iter().filter_map(|r| read(&r.body)).collect()
}

/// `kill -9` under load: every request that was answered with 2xx is delivered after a restart, no attempt twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_gateway_loses_nothing_that_it_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let sink = Sink::start().await;
    let client = HttpClient::default();
    let mut dev = Dev::start(Some(folder.path()));
    let url = dev.prepare(&client, &sink).await;

    let (next, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let accepted = Arc::new(Mutex::new(HashSet::new()));
    let senders: Vec<_> = (0..16)
        .map(|_| {
            let (client, url) = (client.clone(), url.clone());
            let (next, over, accepted) = (Arc::clone(&next), Arc::clone(&over), Arc::clone(&accepted));
            tokio::spawn(async move {
                while !over.load(Ordering::SeqCst) {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    let Some(response) = client.send(numbered(&url, n)).await else { return };
                    if response.status() == StatusCode::OK {
                        accepted.lock().expect("not poisoned").insert(n as u64);
                    }
                }
            })
        })
        .collect();
    while accepted.lock().expect("not poisoned").len() < 400 {
        tokio::task::yield_now().await;
    }
    dev.child.kill().expect("SIGKILL");
    dev.child.wait().expect("it is dead");
    over.store(true, Ordering::SeqCst);
    for sender in senders {
        sender.await.expect("a sender ends");
    }
    let accepted = accepted.lock().expect("not poisoned").clone();
    let before = numbers(&sink).len();
    println!("{} accepted and {before} attempts made before the kill", accepted.len());

    // Restarted, it goes on at once with the messages that nobody deleted; then it is killed again.
    let restarted = Dev::start(Some(folder.path()));
    assert_eq!(restarted.token, "", "the first token is shown once");
    drop(restarted);

    // What had no message left is the sweeper's, minutes later. The test turns the clock instead of waiting for it.
    let (cloud, clock) = TestGateway::reopen(folder.path(), SignedDuration::from_mins(3)).await;
    let gateway = TestGateway::on(cloud, clock, &["a"], &[]).await;
    gateway.settle(gateway.instance(0)).await;
    let delivered: HashSet<u64> = numbers(&sink).into_iter().collect();
    let lost: Vec<_> = accepted.difference(&delivered).collect();
    assert!(lost.is_empty(), "{} of {} accepted requests were lost", lost.len(), accepted.len());
    let mut attempts = BTreeMap::<_, HashSet<String>>::new();
    for request in sink.received() {
        let fresh = attempts
            .entry(request.header("webhook-id").to_owned())
            .or_default()
            .insert(request.header("hookport-attempt").to_owned());
        assert!(fresh, "attempt {} of {} came twice", request.header("hookport-attempt"), request.header("webhook-id"));
    }
    println!("{} accepted, {} delivered, {} attempts in all", accepted.len(), delivered.len(), sink.received().len());
}

/// Ctrl-C: no more requests are taken, what is under way is finished, and the process ends with success.
#[tokio::test]
async fn a_gateway_that_is_interrupted_finishes_and_ends() {
    let sink = Sink::start().await;
    let client = HttpClient::default();
    let mut dev = Dev::start(None);
    let url = dev.prepare(&client, &sink).await;
    let response = client.send(numbered(&url, 1)).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    drop(client);
    dev.signal("-INT");
    let status = dev.child.wait().expect("it ends");
    assert!(status.success(), "{status}");
}

/// Ctrl-C twice never hangs, whatever is under way.
#[tokio::test]
async fn a_gateway_that_is_interrupted_twice_ends_at_once() {
    let client = HttpClient::default();
    let mut dev = Dev::start(None);
    // A connection that stays open and says nothing more would keep a patient server waiting.
    let stuck = tokio::net::TcpStream::connect(dev.base_url.trim_start_matches("http://")).await.expect("connected");
    let _ = client;
    dev.signal("-INT");
    dev.signal("-INT");
    dev.child.wait().expect("it ends");
    drop(stuck);
}

/// The port is taken: said in words, and nothing is left behind.
#[test]
fn a_second_gateway_on_the_same_data_is_refused_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let _first = Dev::start(Some(folder.path()));
    let second = Command::new(env!("CARGO_BIN_EXE_hookport"))
        .args(["dev", "--port", "0", "--data"])
        .arg(folder.path())
        .output()
        .expect("the command runs");
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("in use"), "{said}");
}
