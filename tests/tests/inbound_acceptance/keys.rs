//! C1, C10 and C12: how long a dead key lives, how a key is found, and what of it and of secrets is stored.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hookport::domain::api_token::SecretHash;
use hookport::store::keys;
use hookport_tests::gateway::{TestGateway, text};
use hookport_tests::issuer::Issuer;
use hookport_tests::{SenderRequest, Sink, schemes};
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{FORGOTTEN, WEBHOOKS, kept, keyed, sent};

const TRIGGER: &str = "/api/v1/triggers/github.push/webhook";
const BASE: &str = "https://hooks.example.com";

/// The path of the URL that a trigger's webhook has after this was done to it; empty when it has none.
async fn done(gateway: &TestGateway, verb: &str) -> String {
    let path = format!("{TRIGGER}/{verb}");
    let (status, answer) = gateway.api(Method::POST, &path, gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::OK, "{verb}: {answer}");
    answer["data"]["webhook_url"].as_str().unwrap_or_default().replace(BASE, "")
}

/// How each of two instances answers a request to this URL.
async fn at_both(gateway: &TestGateway, url: &str) -> [u16; 2] {
    let request = SenderRequest::json("{}");
    let answers = [
        gateway.send(gateway.instance(0), url, &request).await,
        gateway.send(gateway.instance(1), url, &request).await,
    ];
    answers.map(|answer| answer.status().as_u16())
}

/// C1: what is regenerated or disabled is so at every receiver within five seconds, however well it knew the webhook.
#[tokio::test]
async fn c1_a_key_is_dead_at_every_receiver_within_five_seconds() {
    let gateway = TestGateway::with_instances(&["a", "b"]).await;
    gateway.create("/api/v1/triggers", json!({"ref": "github.push"})).await;
    let old = done(&gateway, "enable").await;
    assert_eq!(at_both(&gateway, &old).await, [200, 200], "both know it now");
    let new = done(&gateway, "regenerate").await;
    assert_ne!(new, old);
    assert_eq!(at_both(&gateway, &new).await, [200, 200], "a new key opens at once");
    gateway.advance(FORGOTTEN);
    assert_eq!(at_both(&gateway, &old).await, [404, 404]);
    done(&gateway, "disable").await;
    gateway.advance(FORGOTTEN);
    assert_eq!(at_both(&gateway, &new).await, [403, 403]);
    assert_eq!(at_both(&gateway, &old).await, [404, 404], "a dead key tells nothing more");
    assert_eq!(done(&gateway, "enable").await, new, "the same key");
    gateway.advance(FORGOTTEN);
    assert_eq!(at_both(&gateway, &new).await, [200, 200]);
}

/// C12: a key is looked for by its hash, in one read that is the same whatever the key shares with one that exists.
#[tokio::test]
async fn c12_every_key_is_looked_up_by_the_same_one_read() {
    let gateway = TestGateway::new().await;
    let (_, url) = keyed(&gateway, json!({})).await;
    let calls = async |url: &str, expected: u16| -> Vec<(String, String)> {
        gateway.cloud.meter().record();
        assert_eq!(sent(&gateway, url, &SenderRequest::json("{}")).await, expected, "{url}");
        let journal = gateway.cloud.meter().take_journal();
        journal.into_iter().map(|call| (call.operation, call.target)).collect()
    };
    let look_up = ("GetItem".to_owned(), "ConfigsTable".to_owned());
    let noted = ("PutItem".to_owned(), "DeliveriesTable".to_owned());
    assert_eq!(calls(url.as_str(), 200).await.first(), Some(&look_up));
    let (but_the_last, last) = url.split_at(url.len() - 1);
    let others = [
        format!("{but_the_last}{}", if last == "a" { "b" } else { "a" }),
        but_the_last.to_owned(),
        format!("{url}a"),
        format!("/api/v1/webhooks/wh_{}", "q".repeat(32)),
        "/api/v1/webhooks/x".to_owned(),
    ];
    for unknown in &others {
        assert_eq!(calls(unknown.as_str(), 404).await, [look_up.clone(), noted.clone()], "{unknown}");
    }
    for unknown in &others {
        assert_eq!(
            calls(unknown.as_str(), 404).await,
            std::slice::from_ref(&noted),
            "{unknown}: absence is remembered"
        );
    }
    let again = calls(url.as_str(), 200).await;
    assert!(again.iter().all(|(operation, _)| operation != "GetItem"), "and so is presence: {again:?}");
}

/// A gateway whose tables and queues are files.
struct OnDisk {
    gateway: TestGateway,
    folder: TempDir,
}

impl OnDisk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (cloud, clock) = TestGateway::reopen(folder.path(), SignedDuration::ZERO).await;
        let gateway = TestGateway::on(cloud, clock, &["a"], &[]).await;
        Self { gateway, folder }
    }

    /// Every byte of the tables and the queues; the keyring lies elsewhere.
    fn bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for entry in fs::read_dir(self.folder.path()).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if is_of(&path, "dynamodb") || is_of(&path, "sqs") {
                all.extend(fs::read(&path).expect("a file that can be read"));
            }
        }
        all
    }
}

fn is_of(path: &Path, service: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(service))
}

fn holds(bytes: &[u8], text: &str) -> bool {
    assert!(!text.is_empty());
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn hash(key: &str) -> SecretHash {
    SecretHash::of(&SecretString::from(key))
}

/// C12, C10: of a key, known or not, the tables hold its hash and what people are shown of it, and nothing else.
#[tokio::test]
async fn c12_of_a_key_nothing_but_its_hash_and_its_hint_is_stored() {
    let on_disk = OnDisk::new().await;
    let gateway = &on_disk.gateway;
    let (id, url) = keyed(gateway, json!({})).await;
    let added = gateway.create(&format!("{WEBHOOKS}/{id}/keys"), json!({})).await;
    let known = [url.replace("/api/v1/webhooks/", ""), text(&added["data"]["key"])];
    let unknown = format!("wh_{}", "Zq7".repeat(11));
    for key in &known {
        kept(gateway, &format!("/api/v1/webhooks/{key}"), &SenderRequest::json("{}")).await;
    }
    assert_eq!(sent(gateway, &format!("/api/v1/webhooks/{unknown}"), &SenderRequest::json("{}")).await, 404);
    let bytes = on_disk.bytes();
    for key in known.iter().chain([&unknown]) {
        assert!(holds(&bytes, hash(key).as_str()), "a key is found, and logged, by its hash");
        assert!(!holds(&bytes, &key[6..]), "{key}");
    }
    for key in &known {
        assert!(holds(&bytes, &format!("{}…", &key[..6])), "the hint of {key}");
        let found = look_up(gateway, key).await;
        let names: BTreeSet<&str> =
            found["Item"]["v"]["M"].as_object().expect("a map").keys().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(["id", "tenant"]), "a look-up by hash holds nothing more");
    }
}

/// The item that a key leads to, as it is stored.
async fn look_up(gateway: &TestGateway, key: &str) -> Value {
    let key = keys::webhook_by_key(&hash(key));
    let body = json!({"TableName": "ConfigsTable", "Key": {"pk": {"S": key.pk}, "sk": {"S": key.sk}}});
    let request = Request::post("/").header("x-amz-target", "DynamoDB_20120810.GetItem");
    let request = request.body(Bytes::from(body.to_string())).expect("a request");
    let answer = gateway.cloud.handle("test", request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
    serde_json::from_slice(answer.body()).expect("JSON")
}

/// C10: secrets are stored sealed and tokens hashed: nothing in the tables or the queues opens anything.
#[tokio::test]
async fn c10_no_secret_is_stored_as_it_is() {
    let on_disk = OnDisk::new().await;
    let gateway = &on_disk.gateway;
    let sink = Sink::start().await;
    let subscription = gateway.subscribe(&sink, &["*"], json!({})).await;
    let token = gateway.create("/api/v1/api-tokens", json!({"name": "t", "permissions": ["event:read"]})).await;
    let mut secrets = vec![
        schemes::SECRET.to_owned(),
        STANDARD.encode(format!("sender:{}", schemes::SECRET)),
        "secret+of%20the".to_owned(),
        gateway.admin_token().to_owned(),
        text(&token["token"]),
        text(&subscription["secret"]).replace("whsec_", ""),
    ];
    for scheme in schemes::all(&Arc::new(Issuer::start().await)) {
        let webhook = gateway.webhook(scheme.name, scheme.settings.clone()).await;
        let request = scheme.prove(SenderRequest::json("{}"), gateway.clock.now());
        kept(gateway, &format!("/api/inbound/default/{}{}", scheme.name, scheme.query), &request).await;
        let path = format!("{WEBHOOKS}/{webhook}/rotate-secret");
        let (status, rotated) = gateway.api(Method::POST, &path, gateway.admin_token(), None).await;
        if status == StatusCode::OK {
            secrets.push(text(&rotated["secret"]));
        }
    }
    assert!(secrets.len() > 11, "most schemes have a secret that can be rotated");
    let waiting = on_disk.bytes();
    gateway.drain(gateway.instance(0)).await;
    for bytes in [waiting, on_disk.bytes()] {
        assert!(holds(&bytes, "path-token") && holds(&bytes, "InboundQueue"), "the bytes can be searched");
        for secret in &secrets {
            assert!(!holds(&bytes, secret), "{secret}");
        }
    }
}
