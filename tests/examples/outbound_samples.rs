//! Prints a delivery in every built-in dialect, one a line, for `tests/interop/outbound.py` and `outbound.mjs`.
//!
//! Each is what a target on loopback got from a gateway in this process: nothing is made here but the event. Beside the
//! built-in dialects there are several schemes at once, secrets that are being changed, and rows of a tenant's own. The
//! libraries compare with the time of day, so the lines are to be read within five minutes.

#[path = "../tests/dialects/target.rs"]
mod target;

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::clock::Clock;
use hookport::dialect::catalogue;
use hookport::dialect::proof::ProofStyle;
use hookport_local::cloud::Cloud;
use hookport_local::template::Template;
use hookport_tests::TestGateway;
use hookport_tests::gateway::{merge, text};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::target::Target;

const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";

/// A target that is subscribed in a dialect.
struct Sample {
    dialect: String,
    target: Target,
    made: Value,
    /// The secret by which a receiver would check what comes.
    secret: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let clock = Clock::system();
    let template = Template::embedded().context("the template cannot be honoured")?;
    let cloud = Cloud::open(None, &template, clock.clone()).await.context("the stand-ins do not open")?;
    let gateway = TestGateway::on(cloud, clock, &["a"], &[]).await;
    gateway.create("/api/v1/event-types", json!({"ref": "invoice.paid"})).await;
    let samples = samples(&gateway).await?;

    let event = json!({
        "type": "invoice.paid", "entity_type": "invoice", "entity_id": "42",
        "data": {"total": "7.10 €", "lines": [{"n": 1}, {"n": 2}]},
    });
    let (status, answer) = gateway.api(Method::POST, "/api/v1/events", gateway.admin_token(), Some(event)).await;
    ensure!(status == StatusCode::ACCEPTED, "the event is not published: {answer}");
    gateway.drain(gateway.instance(0)).await;

    let public_key = gateway.get("/api/v1/signing-keys").await["data"][0]["public_key"].clone();
    let mut out = std::io::stdout().lock();
    for sample in &samples {
        writeln!(out, "{}", line(sample, &public_key)?)?;
    }
    Ok(())
}

/// Subscribes a target for each way of signing.
async fn samples(gateway: &TestGateway) -> anyhow::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for dialect in catalogue::all() {
        // No target here is a chat, for which a message would be proof enough.
        let is_chat = dialect.proof == ProofStyle::Message;
        let more = if is_chat { json!({"proof": "challenge"}) } else { json!({}) };
        samples.push(sample(gateway, dialect.name.as_str(), more).await?);
    }
    samples.push(sample(gateway, "standard", json!({"also_sign": ["standard-v1a"]})).await?);
    samples.push(sample(gateway, "standard", json!({"also_sign": ["hub", "timestamped", "rfc9421"]})).await?);
    for row in rows() {
        let name = text(&row["name"]);
        gateway.create("/api/v1/dialects", json!({"row": row})).await;
        samples.push(sample(gateway, &name, json!({})).await?);
    }
    for dialect in ["standard", "timestamped", "rfc9421"] {
        let mut rotating = sample(gateway, dialect, json!({})).await?;
        let path = format!("{SUBSCRIPTIONS}/{}/rotate-secret", text(&rotating.made["data"]["id"]));
        let (status, answer) = gateway.api(Method::POST, &path, gateway.admin_token(), Some(json!({}))).await;
        ensure!(status == StatusCode::OK, "{dialect}: the secret is not changed: {answer}");
        gateway.drain(gateway.instance(0)).await;
        rotating.secret = text(&answer["secret"]);
        samples.push(rotating);
    }
    Ok(samples)
}

/// Dialects of a tenant's own: headers as GitHub's receivers know them, and all that Standard Webhooks has at once.
fn rows() -> [Value; 2] {
    let github = json!({
        "name": "github-like",
        "headers": {"x-github-event": "{type}", "x-github-delivery": "{delivery_id}"},
        "body": {"as": "data"},
        "signatures": [{
            "type": "mac", "algorithm": "hmac-sha256", "encoding": "hex",
            "signed": "{body}", "headers": ["x-hub-signature-256"], "value": "sha256={signature}",
        }],
        "secret": "hex",
    });
    let both = json!({
        "name": "both-keys",
        "method": "PUT",
        "body": {"as": "json", "json": {"what": "{type}", "of": "{subject}", "total": "{data:/total}"}},
        "signatures": [{"type": "standard"}, {"type": "standard_asymmetric"}],
    });
    [github, both]
}

/// Subscribes a target, which proves itself.
async fn sample(gateway: &TestGateway, dialect: &str, more: Value) -> anyhow::Result<Sample> {
    let target = Target::start().await;
    let mut body = json!({
        "name": dialect, "url": target.url("/hooks?tenant=acme"), "events": ["invoice.paid"], "dialect": dialect,
    });
    merge(&mut body, more);
    let made = gateway.create(SUBSCRIPTIONS, body).await;
    gateway.drain(gateway.instance(0)).await;
    ensure!(target.asked().len() == 1, "{dialect}: the target was not asked to prove itself");
    let secret = text(&made["secret"]);
    Ok(Sample { dialect: dialect.to_owned(), target, made, secret })
}

fn line(sample: &Sample, public_key: &Value) -> anyhow::Result<Value> {
    let received = sample.target.received();
    let [request] = &received[..] else { bail!("{}: {} deliveries", sample.dialect, received.len()) };
    let mut headers = BTreeMap::new();
    for (name, value) in &request.headers {
        headers.insert(name.as_str(), value.to_str().context("a header is no text")?);
    }
    Ok(json!({
        "dialect": sample.dialect,
        "method": request.method.as_str(),
        "url": sample.target.url(&request.path),
        "headers": headers,
        "body_base64": STANDARD.encode(&request.body),
        "secret": sample.secret,
        "public_key": public_key,
    }))
}
