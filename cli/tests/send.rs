//! `hookport send` and `hookport presets` as their user runs them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookport::clock::Clock;
use hookport::scheme::catalogue::{preset, presets};
use hookport::scheme::preset::Preset;
use hookport::scheme::settings::Settings;
use hookport::scheme::signature::Keys;
use hookport::scheme::view::{Request, View};
use hookport_local::dev::{Options, start};
use hookport_tests::Sink;
use hookport_tests::client::HttpClient;
use hookport_tests::gateway::text;
use hookport_tests::sink::{Reply, SinkRequest};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

const SECRET: &str = "It's a Secret to Everybody";
/// Where nothing listens: a command that connects to it fails.
const NOWHERE: &str = "http://127.0.0.1:9/hook";

/// What the command did.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the command without holding up the sink that answers it.
async fn hookport<const N: usize>(args: [&str; N]) -> Ran {
    hookport_with(args.map(str::to_owned).to_vec()).await
}

async fn hookport_with(args: Vec<String>) -> Ran {
    let run = move || Command::new(env!("CARGO_BIN_EXE_hookport")).args(args).output().expect("the command runs");
    let output = tokio::task::spawn_blocking(run).await.expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A preset's first vector that has a key to sign with.
fn vector(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/fixtures/presets/{name}.json"));
    let json = std::fs::read_to_string(path).expect("the vectors are there");
    let all: Value = serde_json::from_str(&json).expect("JSON");
    let has_public_key = preset(name).expect("a preset").verify.has_public_key();
    let mut vectors = all["vectors"].as_array().expect("a list").iter();
    vectors.find(|vector| vector["private_key"].is_string() == has_public_key).expect("a key").clone()
}

/// Tells whether a row takes a request.
fn is_taken(row: &Preset, request: &Request<'_>, secret: &str, settings: &Value) -> bool {
    let secret = SecretString::from(secret.to_owned());
    let settings: BTreeMap<String, String> = serde_json::from_value(settings.clone()).expect("texts by name");
    let settings = Settings::from(settings);
    let keys = Keys { secrets: &[&secret], settings: &settings, certificate: None };
    row.verify.judge(&View::new(*request), &keys, Clock::system().now()).0.is_ok()
}

/// Tells whether a row takes what reached a sink.
fn is_taken_at(sink: &Sink, row: &Preset, received: &SinkRequest) -> bool {
    let request = Request {
        method: received.method.as_str(),
        base_url: &sink.url(""),
        path_and_query: &received.path,
        headers: &received.headers,
        body: &received.body,
    };
    is_taken(row, &request, SECRET, &json!({}))
}

fn private_key(folder: &Path, vector: &Value) -> String {
    let path = folder.join("key.pem");
    std::fs::write(&path, text(&vector["private_key"])).expect("a file");
    path.to_str().expect("text").to_owned()
}

#[tokio::test]
async fn what_is_printed_for_tools_is_taken_by_the_rows_own_verifier() {
    let folder = tempfile::tempdir().expect("a folder");
    for (sample, name) in [
        ("github.push", "github"),
        ("stripe", "stripe"),
        ("shopify.orders.create", "shopify"),
        ("standard_webhooks.user.created", "standard-webhooks"),
        ("slack", "slack"),
        ("twilio", "twilio"),
        ("braintree", "braintree"),
        ("docker-hub.push", "docker-hub"),
        ("netlify", "netlify"),
        ("http-message-signatures-hmac", "http-message-signatures-hmac"),
        ("http-message-signatures-rsa-pss", "http-message-signatures-rsa-pss"),
        ("discord", "discord"),
        ("sendgrid", "sendgrid"),
    ] {
        let (row, vector) = (preset(name).expect("a preset"), vector(name));
        let mut args =
            ["send", sample, "--to", "https://hooks.example.com/in?x=1", "--json"].map(str::to_owned).to_vec();
        if row.verify.has_public_key() {
            args.extend(["--secret-file".to_owned(), private_key(folder.path(), &vector)]);
        } else {
            args.extend(["--secret".to_owned(), text(&vector["secret"])]);
        }
        for (setting, value) in vector["settings"].as_object().into_iter().flatten() {
            args.extend(["--setting".to_owned(), format!("{setting}={}", text(value))]);
        }
        let ran = hookport_with(args).await;
        assert_eq!(ran.code, Some(0), "{name}: {ran:?}");
        let line: Value = serde_json::from_str(&ran.out).expect("one line of JSON");
        assert_eq!(line["preset"], name);
        assert!(row.samples.contains_key(&text(&line["event"])), "{name}: {}", line["event"]);
        let given = if row.verify.has_public_key() { &line["private_key"] } else { &line["secret"] };
        assert!(given.is_string(), "{name}: what was given is told to tools");

        let mut headers = HeaderMap::new();
        for (header, value) in line["headers"].as_object().expect("an object") {
            let header = HeaderName::try_from(header.as_str()).expect("the name of a header");
            headers.insert(header, HeaderValue::try_from(text(value)).expect("its value"));
        }
        let (url, method) = (text(&line["url"]), text(&line["method"]));
        let path = url.strip_prefix("https://hooks.example.com").expect("it goes where it was told");
        let body = STANDARD.decode(text(&line["body_base64"])).expect("base64");
        let request = Request {
            method: &method,
            base_url: "https://hooks.example.com",
            path_and_query: path,
            headers: &headers,
            body: &body,
        };
        let secret = text(&vector["secret"]);
        assert!(is_taken(row, &request, &secret, &vector["settings"]), "{name}");
        // The verifier of this test can say no.
        let nothing = HeaderMap::new();
        let spoiled = Request { headers: &nothing, body: b"{}", path_and_query: "/in", ..request };
        assert!(!is_taken(row, &spoiled, &secret, &vector["settings"]), "{name}: it takes anything");
    }
}

#[tokio::test]
async fn what_is_sent_is_taken_at_the_other_end_and_the_answer_is_shown() {
    let sink = Sink::start().await;
    let ran = hookport(["send", "github.push", "--to", &sink.url("/hook"), "--secret", SECRET]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with(&format!("POST {}\n  github.push, ", sink.url("/hook"))), "{}", ran.out);
    assert!(ran.out.contains("x-hub-signature-256"), "{}", ran.out);
    assert!(ran.out.ends_with("200 OK\nseen\n"), "{}", ran.out);
    let received = sink.received();
    let row = preset("github").expect("a preset");
    assert_eq!(received.len(), 1);
    assert!(is_taken_at(&sink, row, &received[0]));
    let signature = received[0].header("x-hub-signature-256");
    assert!(!ran.out.contains(signature) && !ran.out.contains(SECRET), "{}", ran.out);
}

#[tokio::test]
async fn an_answer_that_is_no_success_is_exit_code_one() {
    let sink = Sink::start().await;
    sink.answers([503, 302]);
    for status in ["503 Service Unavailable", "302 Found"] {
        let ran = hookport(["send", "stripe", "--to", &sink.url("/hook"), "--secret", SECRET]).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.out.contains(status), "{}", ran.out);
    }
    let ran = hookport(["send", "stripe", "--to", NOWHERE, "--secret", SECRET]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains(NOWHERE) && !ran.err.contains(SECRET), "{}", ran.err);
}

#[tokio::test]
async fn several_requests_have_ids_of_their_own_and_one_failure_is_told() {
    let sink = Sink::start().await;
    sink.answers([200, 500, 200]);
    let ran = hookport(["send", "github", "--to", &sink.url("/hook"), "--secret", SECRET, "--count", "3"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let mut ids: Vec<_> = sink.received().iter().map(|got| got.header("x-github-delivery").to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

#[tokio::test]
async fn a_secret_is_shown_neither_in_the_url_nor_in_the_answer() {
    let sink = Sink::start().await;
    let secret = "4f0c8a5e31";
    sink.replies([Reply::status(200).saying(format!("you said {secret}, {}", "x".repeat(2_000)))]);
    let to = sink.url("/hook?event=x");
    let ran = hookport(["send", "docker-hub.push", "--to", &to, "--secret", secret]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(sink.received()[0].path.contains(&format!("token={secret}")), "{}", sink.received()[0].path);
    assert!(ran.out.contains("token=…") && !ran.out.contains(secret), "{}", ran.out);
    assert!(ran.out.ends_with("x\n… and more\n") && ran.out.len() < 1_500, "{}", ran.out);
}

#[tokio::test]
async fn a_printed_request_is_not_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).expect("a file");
    let sink = Sink::start().await;
    let (to, file) = (sink.url("/hook?a=b"), file.to_str().expect("text"));
    let ran = hookport(["send", "github.push", "--to", &to, "--secret-file", file, "--print"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("POST /hook?a=b HTTP/1.1\nhost: 127.0.0.1:"), "{}", ran.out);
    let (head, body) = ran.out.split_once("\n\n").expect("a head and a body");
    assert!(head.contains("\nx-hub-signature-256: sha256="), "{head}");
    assert_eq!(serde_json::from_str::<Value>(body).expect("JSON")["ref"], "refs/heads/main");
    assert!(!ran.out.contains(SECRET), "{}", ran.out);
    assert!(sink.received().is_empty());

    // The line feed at the end of the file is no part of the secret.
    let ran = hookport(["send", "github.push", "--to", &to, "--secret-file", file]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(is_taken_at(&sink, preset("github").expect("a preset"), &sink.received()[0]));
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_explained_and_is_exit_code_two() {
    let send = |args: &[&str]| {
        let mut all = ["send", "--to", NOWHERE].map(str::to_owned).to_vec();
        all.extend(args.iter().map(|arg| (*arg).to_owned()));
        hookport_with(all)
    };
    let cases: [(&[&str], &[&str]); 7] = [
        (&["githb", "--secret", SECRET], &["githb", "github, "]),
        (&["hubspot", "--secret", SECRET], &["hubspot-v1, hubspot-v2, hubspot-v3"]),
        (&["github.psh", "--secret", SECRET], &["github.issues, github.push"]),
        (&["websub", "--secret", SECRET], &["--setting topic=…"]),
        (&["github", "--secret", SECRET, "--setting", "topic=x"], &["no setting \"topic\""]),
        (&["github", "--secret", SECRET, "--setting", "topic"], &["NAME=VALUE"]),
        (&["github"], &["--secret"]),
    ];
    for (args, expected) in cases {
        let ran = send(args).await;
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
        for said in expected {
            assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
        }
        assert!(!ran.err.contains(SECRET), "{args:?}: {}", ran.err);
    }
    let ran = hookport(["send", "github", "--to", "ftp://example.com/", "--secret", SECRET]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[tokio::test]
async fn a_shared_secret_where_a_private_key_is_needed_is_explained() {
    let ran = hookport(["send", "discord", "--to", NOWHERE, "--secret", SECRET]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("PKCS #8"), "{}", ran.err);
}

/// The whole way: a webhook of a gateway takes what is sent, and refuses it under another secret.
#[tokio::test]
async fn a_gateway_takes_what_is_sent_and_the_exit_code_says_so() {
    let host = std::net::Ipv4Addr::LOCALHOST.into();
    let options = Options { host, port: 0, data: None, new_token: false, trusted_targets: vec![] };
    let running = start(options).await.expect("a gateway");
    let token = running.admin_token.as_ref().expect("a first token").expose_secret().to_owned();
    let client = HttpClient::default();
    let webhook = json!({
        "name": "GitHub",
        "slug": "github",
        "event_type": "github.push",
        "auth_type": "hmac_sha256",
        "auth_config": {"type": "hmac_sha256", "signature_header": "X-Hub-Signature-256", "secret": SECRET},
    });
    let made = client.post(&format!("{}/api/v1/inbound-webhooks", running.base_url), &token, &webhook).await;
    assert!(made["data"]["id"].is_string(), "{made}");
    let to = format!("{}/api/inbound/default/github", running.base_url);
    let ran = hookport(["send", "github.push", "--to", &to, "--secret", SECRET]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("200 OK\n{") && ran.out.contains("delivery_id"), "{}", ran.out);
    let ran = hookport(["send", "github.push", "--to", &to, "--secret", "another"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.ends_with("401 Unauthorized\n"), "{}", ran.out);
    drop(client);
    running.shut_down().await;
}

#[tokio::test]
async fn presets_are_listed_and_told_of_without_a_gateway() {
    let ran = hookport(["presets"]).await;
    assert_eq!((ran.code, ran.out.lines().count()), (Some(0), presets().len()), "{}", ran.err);
    let line = ran.out.lines().find(|line| line.starts_with("github ")).expect("a line for GitHub");
    assert!(line.contains("  GitHub ") && line.ends_with("  issues, push"), "{line}");
    let ran = hookport(["presets", "websub"]).await;
    assert!(ran.out.contains("\nsetting   topic: ") && ran.out.contains("\ndocs      https://"), "{}", ran.out);
    let ran = hookport(["presets", "--json"]).await;
    let rows: Vec<_> = ran.out.lines().map(|line| Preset::parse(line).expect("a row")).collect();
    assert_eq!(rows, presets());
    let ran = hookport(["presets", "stripe", "--json"]).await;
    assert_eq!(Preset::parse(&ran.out).as_ref(), Ok(preset("stripe").expect("a preset")));
    let ran = hookport(["presets", "strip"]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("stripe"), "{}", ran.err);
}
