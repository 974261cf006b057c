//! Tenants: every route of the API, taken from its own document, is called with another tenant's ids. It answers 404 and
//! shows no byte of theirs.

use std::collections::HashMap;

use hookport_tests::gateway::{TENANT, TestGateway, text};
use hookport_tests::{SenderRequest, Sink, gateway::SECRET};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Stands in every name, description and payload of the tenant that is spied on.
const MARKER: &str = "none-of-your-business";

/// A tenant that has one of everything, and the token of the administrator of another one.
struct World {
    gateway: TestGateway,
    /// The ids by the path that they belong under.
    ids: HashMap<&'static str, String>,
    rival: String,
    _sink: Sink,
}

async fn world() -> World {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    let mut ids = HashMap::new();
    let made = gateway.create("/api/v1/tenants", json!({"slug": "rival", "name": "Rival"})).await;
    let rival = made["token"].as_str().or(made["data"]["token"].as_str()).expect("the first token of a tenant");

    let source = json!({"type": "header", "value": "X-GitHub-Delivery"});
    let webhook = gateway.webhook(MARKER, json!({"name": MARKER, "idempotency_source": source})).await;
    let keyed = json!({"name": MARKER, "auth_type": "none", "event_type": "github.ping"});
    let keyed = gateway.create("/api/v1/inbound-webhooks", keyed).await;
    let key_path = format!("/api/v1/inbound-webhooks/{}/keys", text(&keyed["data"]["id"]));
    let key = gateway.get(&key_path).await;
    ids.insert("key_id", text(&key["data"][0]["id"]));
    let event_type = json!({"ref": format!("acme.{MARKER}"), "description": MARKER});
    let event_type = gateway.create("/api/v1/event-types", event_type).await;
    ids.insert("event-types", text(&event_type["data"]["ref"]));
    let subscription = gateway.subscribe(&sink, &["*"], json!({"name": MARKER})).await;
    ids.insert("subscriptions", text(&subscription["data"]["id"]));

    let instance = gateway.instance(0);
    let url = format!("/api/inbound/{TENANT}/{MARKER}");
    let request = SenderRequest::json(format!(r#"{{"x":"{MARKER}"}}"#)).with("x-github-delivery", MARKER);
    let kept = gateway.send(instance, &url, &request.clone().signed(SECRET)).await;
    assert_eq!(kept.status(), StatusCode::OK);
    assert_eq!(gateway.send(instance, &url, &request).await.status(), StatusCode::UNAUTHORIZED);
    gateway.drain(instance).await;
    gateway.advance(SignedDuration::from_secs(1));

    let first = async |path: String| text(&gateway.get(&path).await["data"][0]["id"]);
    ids.insert("delivery_id", first(format!("/api/v1/inbound-webhooks/{webhook}/deliveries")).await);
    ids.insert("rejection_id", first(format!("/api/v1/inbound-webhooks/{webhook}/rejections")).await);
    ids.insert("events", first("/api/v1/events".into()).await);
    ids.insert("deliveries", first("/api/v1/deliveries".into()).await);
    ids.insert("api-tokens", first("/api/v1/api-tokens".into()).await);
    ids.insert("inbound-webhooks", webhook);
    ids.insert("version", "1".to_owned());
    ids.insert("packs", MARKER.to_owned());
    World { rival: rival.to_owned(), gateway, ids, _sink: sink }
}

/// Bodies that an operation takes, so that nothing but the id is wrong.
fn body(method: &Method, path: &str) -> Option<Value> {
    let last = path.rsplit('/').next().unwrap_or_default();
    match (method.as_str(), last) {
        ("POST", "test") => Some(json!({"body": {}})),
        ("POST", "keys" | "rotate-secret" | "replay" | "regenerate") => Some(json!({})),
        ("PATCH", _) => Some(json!({})),
        ("PUT", _) if path.starts_with("/api/v1/inbound-webhooks") => Some(json!({"name": "x", "slug": "x"})),
        ("PUT", _) if path.contains("/event-types/") || path.contains("/triggers/") => Some(json!({"ref": "a.b"})),
        ("PUT", _) => Some(json!({})),
        _ => None,
    }
}

impl World {
    /// The path with the other tenant's ids in it, and how many there are.
    fn filled(&self, path: &str) -> (String, usize) {
        let mut filled = Vec::new();
        let mut count = 0;
        let mut before = "";
        for segment in path.split('/') {
            let Some(name) = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) else {
                filled.push(segment.to_owned());
                before = segment;
                continue;
            };
            count += 1;
            let place = if before == "triggers" { "event-types" } else { before };
            let id = self.ids.get(name).or_else(|| self.ids.get(place));
            filled.push(id.unwrap_or_else(|| panic!("no id for {{{name}}} of {path}")).clone());
        }
        (filled.join("/"), count)
    }
}

/// D16: another tenant's ids lead nowhere, on every route there is.
#[tokio::test]
async fn no_route_shows_or_changes_anything_of_another_tenant() {
    let world = world().await;
    let document: Value = serde_json::from_str(&hookport_local::openapi_json()).expect("the document");
    let paths = document["paths"].as_object().expect("paths");
    let mut called = 0;
    for (path, item) in paths {
        for method in ["get", "put", "post", "patch", "delete"].iter().filter(|m| item.get(**m).is_some()) {
            // Tenants and the logs of requests to nobody are the operators': a tenant's own administrator has no right.
            if path.starts_with("/api/v1/tenants") || path.starts_with("/api/v1/operator/") {
                continue;
            }
            let (filled, count) = world.filled(path);
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            // Making something new is making it in one's own tenant, and so is naming a pack.
            if count == 0 && method != Method::GET || path == "/api/v1/packs/{name}" && method == Method::PUT {
                continue;
            }
            called += 1;
            let body = body(&method, path);
            let (status, answer) = world.gateway.api(method.clone(), &filled, &world.rival, body).await;
            let what = format!("{method} {filled}: {status} {answer}");
            let expected = if count == 0 { StatusCode::OK } else { StatusCode::NOT_FOUND };
            assert_eq!(status, expected, "{what}");
            assert!(!answer.to_string().contains(MARKER), "{what}");
        }
    }
    assert!(called > 40, "{called} operations were called");
    // All of it is still there.
    for path in ["/api/v1/inbound-webhooks", "/api/v1/subscriptions", "/api/v1/event-types", "/api/v1/events"] {
        let list = world.gateway.get(path).await;
        assert!(!list["data"].as_array().expect("a list").is_empty(), "{path}");
    }
}
