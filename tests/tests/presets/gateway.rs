//! Presets in a gateway: made by name, taken when right, and otherwise the bare 401 of a URL that leads nowhere.

use bytes::Bytes;
use hookport::scheme::Scheme;
use hookport::scheme::catalogue::presets;
use hookport::scheme::naming::normal;
use hookport::scheme::preset::Preset;
use hookport::scheme::settings::Settings;
use hookport::scheme::sign::{SignError, SignedRequest, Signer, sign};
use hookport_tests::gateway::{TestGateway, answer, merge, text};
use http::{Method, Request, Response, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::vectors::{Vector, vectors_of};

/// The base URL of test gateways.
const BASE: &str = "https://hooks.example.com";

/// The vector whose secrets a webhook is made with: one that a sample can be signed by.
pub fn secrets_of(preset: &Preset) -> Vector {
    let mut vectors = vectors_of(preset).vectors;
    let signable = vectors.iter().position(|vector| vector.private_key.is_some());
    // Some providers publish vectors with secrets that are shorter than any that they give.
    let usable = vectors.iter().position(|vector| vector.secret.len() >= 8);
    let signable = signable.or(usable).unwrap_or(0);
    vectors.swap_remove(signable)
}

/// A webhook of a preset, with the secrets of its vector; `more` changes members. Gives the answer.
pub async fn webhook(gateway: &TestGateway, preset: &Preset, more: Value) -> Value {
    let vector = secrets_of(preset);
    let mut config = json!({"settings": vector.settings});
    if preset.verify.has_secret() {
        config["secret"] = vector.secret.clone().into();
    }
    let mut body = json!({"name": preset.label, "slug": slug(preset), "preset": preset.name, "auth_config": config});
    merge(&mut body, more);
    gateway.create("/api/v1/inbound-webhooks", body).await
}

/// The slug of a preset's webhook; some names are reserved.
pub fn slug(preset: &Preset) -> String {
    format!("of-{}", preset.name)
}

pub fn url(slug: &str) -> String {
    format!("{BASE}/api/inbound/default/{slug}")
}

/// A sample of a preset, signed now with `secret`, or with what its vector has.
pub fn sample(
    gateway: &TestGateway,
    preset: &Preset,
    event: Option<&str>,
    secret: Option<&str>,
    seed: u8,
) -> Result<SignedRequest, SignError> {
    let vector = secrets_of(preset);
    let named = event.and_then(|event| preset.samples.get(event));
    let sample = named.or_else(|| preset.samples.values().next()).expect("a preset has a sample");
    let own = vector.private_key.unwrap_or(vector.secret);
    let secret = SecretString::from(secret.map_or(own, str::to_owned));
    let settings = Settings::from(vector.settings);
    let signer = Signer { secret: &secret, settings: &settings, now: gateway.clock.now(), random: [seed; 16] };
    sign(preset, sample, &url(&slug(preset)), &signer)
}

/// Sends a signed request to the gateway, to its own path or to another one.
pub async fn send(gateway: &TestGateway, request: &SignedRequest, path: Option<&str>) -> Response<Bytes> {
    let own = request.url.strip_prefix(BASE).expect("a URL of the gateway");
    let mut made = Request::builder().method(request.method.as_str()).uri(path.unwrap_or(own));
    for (name, value) in &request.headers {
        made = made.header(name, value);
    }
    let made = made.body(Bytes::from(request.body.clone())).expect("a request");
    gateway.instance(0).receiver.handle(made).await
}

/// D1 to D4, for every built-in row: what it signs is taken; another secret, no proof, and another header are refused
/// alike, in the same bytes as a slug that does not exist.
#[tokio::test]
async fn every_preset_takes_what_it_signs_and_refuses_the_rest_as_if_there_were_nothing() {
    let gateway = TestGateway::new().await;
    let (mut wrong, mut taken) = (Vec::new(), 0);
    for preset in presets() {
        webhook(&gateway, preset, json!({})).await;
        let name = &preset.name;
        let signed = match sample(&gateway, preset, None, None, 1) {
            Ok(signed) => signed,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let nowhere = send(&gateway, &signed, Some("/api/inbound/default/nowhere")).await;
        let bare = |response: &Response<Bytes>| {
            (response.status(), response.headers().clone(), response.body().clone())
                == (nowhere.status(), nowhere.headers().clone(), nowhere.body().clone())
        };
        let response = send(&gateway, &signed, None).await;
        match (response.status(), preset.verify.certificate().is_some()) {
            (StatusCode::OK, false) => taken += 1,
            // Nobody serves its certificate here, which is no fault of the sender's.
            (StatusCode::SERVICE_UNAVAILABLE, true) => {}
            (status, _) => wrong.push(format!("{name}: {status} {:?}", response.body())),
        }
        let unproven = SignedRequest { headers: Vec::new(), ..signed.clone() };
        let stripped = SignedRequest { url: url(&slug(preset)), body: b"{}".to_vec(), ..unproven.clone() };
        if !bare(&send(&gateway, &stripped, None).await) {
            wrong.push(format!("{name}: takes what proves nothing"));
        }
        let renamed = signed.headers.iter().map(|(name, value)| (format!("x-not-{name}"), value.clone()));
        let renamed = SignedRequest { url: url(&slug(preset)), headers: renamed.collect(), ..signed.clone() };
        let is_in_header = match &preset.verify {
            Scheme::Token(token) => preset.verify.is_credential_header("authorization") || token_is_in_header(token),
            _ => true,
        };
        if is_in_header && !in_body(preset) && !bare(&send(&gateway, &renamed, None).await) {
            wrong.push(format!("{name}: takes a proof under another name"));
        }
        if !preset.verify.has_public_key() {
            let other = match preset.verify.key_text().map(|how| how.encoding) {
                Some(hookport::scheme::key::KeyEncoding::Hex) => "00ff00ff00ff00ff00ff00ff00ff00ff",
                Some(hookport::scheme::key::KeyEncoding::Base64) => {
                    "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
                }
                _ => "user:another secret",
            };
            let forged = sample(&gateway, preset, None, Some(other), 2);
            match forged {
                Ok(forged) if !bare(&send(&gateway, &forged, None).await) => {
                    wrong.push(format!("{name}: takes another secret"));
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(taken >= 150, "{taken}");
}

fn token_is_in_header(token: &hookport::scheme::Token) -> bool {
    matches!(token.place.at, hookport::scheme::place::At::Header(_))
}

/// Tells whether the proof is in the body, where no header's name matters.
fn in_body(preset: &Preset) -> bool {
    use hookport::scheme::place::At;
    match &preset.verify {
        Scheme::Signature(signature) => {
            signature.signature.iter().all(|place| matches!(place.at, At::Json(_) | At::Form(_) | At::Query(_)))
        }
        Scheme::Token(token) => matches!(token.place.at, At::Json(_) | At::Form(_) | At::Query(_)),
        Scheme::Jws(_) | Scheme::HttpMessageSignature(_) => false,
    }
}

fn preset(name: &str) -> &'static Preset {
    hookport::scheme::catalogue::preset(name).expect("a built-in preset")
}

#[tokio::test]
async fn events_are_called_as_the_provider_calls_them_and_told_apart_by_what_is_signed() {
    let gateway = TestGateway::new().await;
    for (name, event, expected) in [
        ("github", "push", "github.push"),
        ("stripe", "payment_intent.succeeded", "stripe.payment_intent.succeeded"),
        ("shopify", "orders/create", "shopify.orders.create"),
        ("twilio", "", "twilio"),
    ] {
        let made = webhook(&gateway, preset(name), json!({})).await;
        let id = text(&made["data"]["id"]);
        assert_eq!(made["data"]["preset"], name);
        let signed = sample(&gateway, preset(name), Some(event), None, 3).expect("a sample");
        let first = answer(&send(&gateway, &signed, None).await);
        let again = answer(&send(&gateway, &signed, None).await);
        assert_eq!(again["delivery_id"], first["delivery_id"], "{name}");
        assert_eq!(again["duplicate"], true, "{name}");
        let other = sample(&gateway, preset(name), Some(event), None, 4).expect("another sample");
        let other = answer(&send(&gateway, &other, None).await);
        assert_ne!(other["delivery_id"], first["delivery_id"], "{name}");
        let listed = gateway.get(&format!("/api/v1/inbound-webhooks/{id}/deliveries")).await;
        let found = text(&listed["data"][0]["event_type"]);
        assert!(found.starts_with(expected), "{name}: {found}");
    }
}

/// GitHub's delivery header is not signed: whoever changes it does not get an event in twice.
#[tokio::test]
async fn a_header_that_nobody_signed_tells_nothing_apart() {
    let gateway = TestGateway::new().await;
    webhook(&gateway, preset("github"), json!({})).await;
    let mut signed = sample(&gateway, preset("github"), Some("push"), None, 5).expect("a sample");
    let first = answer(&send(&gateway, &signed, None).await);
    signed.headers.push(("x-github-delivery".to_owned(), "another".to_owned()));
    assert_eq!(answer(&send(&gateway, &signed, None).await)["delivery_id"], first["delivery_id"]);
}

#[tokio::test]
async fn an_event_type_that_is_given_is_that_of_every_request() {
    let gateway = TestGateway::new().await;
    let made = webhook(&gateway, preset("github"), json!({"event_type": "code.changed"})).await;
    assert_eq!(made["data"]["names_events"], false);
    let signed = sample(&gateway, preset("github"), Some("push"), None, 6).expect("a sample");
    send(&gateway, &signed, None).await;
    let id = text(&made["data"]["id"]);
    let listed = gateway.get(&format!("/api/v1/inbound-webhooks/{id}/deliveries")).await;
    assert_eq!(listed["data"][0]["event_type"], "code.changed");
}

fn row_of_acme() -> Value {
    json!({
        "name": "acme-shop", "label": "Acme Shop", "source": "https://acme.example/docs", "setup": "Paste the URL.",
        "secret": {"label": "Key", "given_by": "gateway"},
        "verify": {
            "type": "signature", "algorithm": "hmac-sha256", "encoding": "hex", "signed": "{timestamp}:{body}",
            "signature": {"header": "X-Acme", "split": ";", "equals": "=", "part": "sig"},
            "timestamp": {"header": "X-Acme", "split": ";", "equals": "=", "part": "at", "format": "seconds"},
        },
        "events": {"type": [{"json": "$.what"}], "known": ["order.made"]},
        "dedupe": {"json": "$.nr"},
        "samples": {"order.made": {"body": {"what": "order.made", "nr": "@uuid"}}},
    })
}

/// HMAC-SHA256 of `1790000000:{"what":"order.made","nr":"1"}` with the key `key`, made with Python's hmac.
fn vector_of_acme() -> Value {
    json!({
        "secret": "key", "at": "2026-09-21T14:13:20Z",
        "request": {
            "url": "https://hooks.example.com/api/inbound/acme/x", "body": r#"{"what":"order.made","nr":"1"}"#,
            "headers": {"X-Acme": format!("at=1790000000;sig={}", "65369f3e498685619b422d109485e97d921aba12bba02512cb4eebf437a4b816")},
        },
    })
}

#[tokio::test]
async fn a_row_that_an_admin_adds_while_it_runs_works_at_once() {
    let gateway = TestGateway::new().await;
    let row = json!({"row": row_of_acme(), "vector": vector_of_acme()});
    let made = gateway.create("/api/v1/presets", row).await;
    assert_eq!(made["data"]["is_own"], true);
    let webhook = json!({"name": "shop", "slug": "acme-shop", "preset": "acme-shop"});
    let webhook = gateway.create("/api/v1/inbound-webhooks", webhook).await;
    let secret = text(&webhook["secret"]);
    let acme = Preset::parse(&row_of_acme().to_string()).expect("a row");
    let secret = SecretString::from(secret);
    let settings = Settings::default();
    let signer = Signer { secret: &secret, settings: &settings, now: gateway.clock.now(), random: [7; 16] };
    let signed = sign(&acme, &acme.samples["order.made"], &url("acme-shop"), &signer).expect("a request");
    let response = send(&gateway, &signed, None).await;
    assert_eq!(response.status(), StatusCode::OK);
    let id = text(&webhook["data"]["id"]);
    let listed = gateway.get(&format!("/api/v1/inbound-webhooks/{id}/deliveries")).await;
    assert_eq!(listed["data"][0]["event_type"], format!("acme_shop.{}", normal("order.made")));
    // Its webhooks have a copy: they go on without it.
    let (status, _) = gateway.api(Method::DELETE, "/api/v1/presets/acme-shop", gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(answer(&send(&gateway, &signed, None).await)["duplicate"], true);
}

#[tokio::test]
async fn a_row_is_not_taken_without_a_vector_that_it_takes() {
    let gateway = TestGateway::new().await;
    let put = async |row: Value, vector: Value| {
        let body = json!({"row": row, "vector": vector});
        let (status, answer) = gateway.api(Method::POST, "/api/v1/presets", gateway.admin_token(), Some(body)).await;
        (status.as_u16(), text(&answer["error"]["code"]), text(&answer["error"]["message"]))
    };
    let mut vector = vector_of_acme();
    vector["secret"] = "another".into();
    let (status, code, message) = put(row_of_acme(), vector).await;
    assert_eq!((status, code.as_str()), (400, "vector_refused"), "{message}");
    assert!(message.contains("signature_mismatch"), "{message}");
    let mut row = row_of_acme();
    row["name"] = "stripe".into();
    assert_eq!(put(row, vector_of_acme()).await.1, "preset_built_in");
    for (member, broken) in [
        ("dedupe", json!({"header": "X-Unsigned"})),
        ("settings", json!({"unread": {"label": "x"}})),
        ("verify", json!({"type": "signature"})),
        ("unknown", json!(1)),
    ] {
        let mut row = row_of_acme();
        row[member] = broken;
        let (status, code, message) = put(row, vector_of_acme()).await;
        assert_eq!((status, code.as_str()), (400, "invalid_request"), "{member}: {message}");
    }
    assert_eq!(gateway.get("/api/v1/presets").await["data"].as_array().map(Vec::len), Some(presets().len()));
}
