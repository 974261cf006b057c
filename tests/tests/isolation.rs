//! Tenants and owners: every route of the API, taken from its own document, is called with ids of others. It answers as
//! if there were no such thing and shows no byte of theirs.

use std::collections::HashMap;

use bytes::Bytes;
use hookport::domain::permission::Permission;
use hookport_tests::gateway::{SECRET, TENANT, TestGateway, text};
use hookport_tests::{SenderRequest, Sink};
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Stands in every name, description and payload of the tenant that is spied on.
const MARKER: &str = "none-of-your-business";
/// The owner of the subscription that is spied on. Every tenant may have one of this name.
const OWNER: &str = "someone";

/// A tenant that has one of everything, and the token of the administrator of another one.
struct World {
    gateway: TestGateway,
    /// The ids by the path that they belong under.
    ids: HashMap<&'static str, String>,
    rival: String,
    _sinks: [Sink; 2],
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
    let more = json!({"name": MARKER, "owner": OWNER, "headers": {"x-note": MARKER}});
    let subscription = gateway.subscribe(&sink, &["github.push"], more).await;
    ids.insert("subscriptions", text(&subscription["data"]["id"]));
    let grants = json!({"grants": {MARKER: []}});
    let path = format!("/api/v1/owners/{OWNER}/permissions");
    let (status, answer) = gateway.api(Method::PUT, &path, gateway.admin_token(), Some(grants)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    ids.insert("owners", OWNER.to_owned());

    // What fails opens an issue; what is saved, planned and declared has the marker in its name.
    let failing = Sink::start().await;
    failing.answers([500]);
    let more = json!({"name": MARKER, "owner": OWNER, "retry_schedule": "none"});
    gateway.subscribe(&failing, &["github.push"], more).await;
    let dialect = json!({"row": {"name": MARKER, "summary": MARKER}});
    gateway.create("/api/v1/dialects", dialect).await;
    ids.insert("dialects", MARKER.to_owned());
    ids.insert("templates", "slack".to_owned());
    let token = json!({"name": MARKER, "kind": "single", "events": ["*"]});
    let token = gateway.create("/api/v1/registration-tokens", token).await;
    ids.insert("registration-tokens", text(&token["data"]["id"]));
    let schedule = json!({
        "name": MARKER, "cron": "0 3 1 1 *", "event_type": format!("acme.{MARKER}"), "data": MARKER,
    });
    let schedule = gateway.create("/api/v1/schedules", schedule).await;
    ids.insert("schedules", text(&schedule["data"]["id"]));

    let preset = json!({
        "row": {
            "name": MARKER, "label": MARKER, "source": "https://acme.example", "setup": MARKER,
            "verify": {"type": "token", "in": {"header": "x-token"}}, "events": {}, "dedupe": "body",
        },
        "vector": {
            "secret": "a-token", "at": "2026-09-21T14:13:20Z",
            "request": {"url": "https://hooks.example.com/x", "headers": {"x-token": "a-token"}},
        },
    });
    gateway.create("/api/v1/presets", preset).await;
    ids.insert("presets", MARKER.to_owned());

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
    ids.insert("events", first("/api/v1/events?type=github.push".into()).await);
    let delivery = first("/api/v1/deliveries?kind=event".into()).await;
    ids.insert("webhook-deliveries", delivery.clone());
    ids.insert("deliveries", delivery);
    ids.insert("api-tokens", first("/api/v1/api-tokens".into()).await);
    ids.insert("inbound-webhooks", webhook);
    ids.insert("version", "1".to_owned());
    ids.insert("packs", MARKER.to_owned());
    let bookmark = json!({"name": MARKER, "event_id": ids["events"]});
    let bookmark = gateway.create("/api/v1/bookmarks", bookmark).await;
    ids.insert("bookmarks", text(&bookmark["data"]["id"]));
    let since = gateway.clock.now().saturating_sub(SignedDuration::from_hours(1)).expect("a time");
    let replay = json!({"since": since.to_string()});
    let (status, replay) = gateway.api(Method::POST, "/api/v1/replays", gateway.admin_token(), Some(replay)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{replay}");
    ids.insert("replays", text(&replay["data"]["id"]));
    ids.insert("issues", first("/api/v1/issues".into()).await);
    World { rival: rival.to_owned(), gateway, ids, _sinks: [sink, failing] }
}

/// The operations of the document: method and path.
fn operations() -> Vec<(Method, String)> {
    let document: Value = serde_json::from_str(&hookport_local::openapi_json()).expect("the document");
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in ["get", "put", "post", "patch", "delete"].iter().filter(|m| item.get(**m).is_some()) {
            found.push((Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method"), path.clone()));
        }
    }
    found
}

/// What another tenant's administrator is answered; `None` for what is the operators', or makes something of one's own.
fn expected_of_rival(method: &Method, path: &str, count: usize) -> Option<StatusCode> {
    // Tenants, egress rules and the logs of requests to nobody: a tenant's own administrator has no right.
    let of_operators = ["/api/v1/tenants", "/api/v1/operator/", "/api/v1/egress-rules"];
    if of_operators.iter().any(|start| path.starts_with(start)) {
        return None;
    }
    match (method.as_str(), path) {
        // Making something new is making it in one's own tenant, and so is naming a pack or a type of events.
        ("PUT", "/api/v1/packs/{name}")
        | ("POST", "/api/v1/events/{id}" | "/api/v1/templates/{id}/create")
        | ("PUT", "/api/v1/registration-settings") => None,
        // It asks for the signature of the delivery's target, and for no token.
        ("POST", "/webhook-deliveries/{id}/status") => Some(StatusCode::UNAUTHORIZED),
        // Each tenant has owners of every name, and these are the caller's own.
        ("DELETE", _) if path.starts_with("/api/v1/owners/") => Some(StatusCode::NO_CONTENT),
        _ if path.starts_with("/api/v1/owners/") => Some(StatusCode::OK),
        ("GET", _) if count == 0 => Some(StatusCode::OK),
        _ if count == 0 => None,
        _ => Some(StatusCode::NOT_FOUND),
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
            // What the operators' paths name makes no difference: nobody here may call them.
            let place = if ["tenants", "egress-rules"].contains(&place) { "packs" } else { place };
            let id = self.ids.get(name).or_else(|| self.ids.get(place));
            filled.push(id.unwrap_or_else(|| panic!("no id for {{{name}}} of {path}")).clone());
        }
        (filled.join("/"), count)
    }

    /// A body that an operation takes, so that nothing but the id is wrong.
    fn body(&self, method: &Method, path: &str) -> Option<Value> {
        let last = path.rsplit('/').next().unwrap_or_default();
        let is_subscription = path.starts_with("/api/v1/subscriptions/");
        match (method.as_str(), last) {
            ("POST", "test") if !is_subscription => Some(json!({"body": {}})),
            ("POST", "keys" | "rotate-secret" | "replay" | "regenerate" | "test") => Some(json!({})),
            ("POST", "diagnose") => Some(json!({"request": {"url": "https://x.example/y", "headers": {}}})),
            ("POST", "resend") => Some(json!({"subscription_id": self.ids["subscriptions"]})),
            ("POST", "status") => Some(json!({"status": "completed"})),
            ("PATCH", _) if is_subscription => Some(json!({"trigger_challenge": true})),
            ("PATCH", _) => Some(json!({})),
            ("PUT", "quotas") => Some(json!({
                "max_subscriptions": 1,
                "max_events_per_minute": 1,
                "max_subscription_requests_per_minute": 1,
                "max_subscription_requests_per_day": 1,
            })),
            ("PUT", "permissions") => Some(json!({"grants": {}})),
            ("PUT", _) if is_subscription => {
                Some(json!({"name": "x", "url": "https://example.com/hook", "events": ["*"]}))
            }
            ("PUT", _) if path.starts_with("/api/v1/schedules") => {
                Some(json!({"name": "x", "cron": "0 * * * *", "event_type": "acme.x"}))
            }
            ("POST", "recover" | "replay-missing") => Some(json!({"since": "2026-09-21T00:00:00Z"})),
            ("PUT", _) if path.starts_with("/api/v1/inbound-webhooks") => Some(json!({"name": "x", "slug": "x"})),
            ("PUT", _) if path.contains("/event-types/") || path.contains("/triggers/") => Some(json!({"ref": "a.b"})),
            ("PUT", _) => Some(json!({})),
            _ => None,
        }
    }

    /// Calls an operation with the other one's ids in its path, and gives what came of it in words as well.
    async fn call(&self, method: &Method, path: &str, token: &str) -> (StatusCode, String) {
        let (filled, _) = self.filled(path);
        let mut request = Request::builder().method(method.clone()).uri(&filled);
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        if method == Method::PUT {
            request = request.header(IF_MATCH, "\"1\"");
        }
        let request = match self.body(method, path) {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(Bytes::from(body.to_string())),
            None => request.body(Bytes::new()),
        };
        let response = management::handle(&self.gateway.instance(0).management, request.expect("a request")).await;
        let body = String::from_utf8_lossy(response.body());
        assert!(!body.contains(MARKER), "{method} {filled}: {body}");
        (response.status(), format!("{method} {filled}: {} {body}", response.status()))
    }

    /// All of it is there as it was.
    async fn is_untouched(&self) {
        for path in ["/api/v1/inbound-webhooks", "/api/v1/event-types", "/api/v1/events", "/api/v1/deliveries"] {
            let list = self.gateway.get(path).await;
            assert!(!list["data"].as_array().expect("a list").is_empty(), "{path}");
        }
        let subscription = self.gateway.get(&format!("/api/v1/subscriptions/{}", self.ids["subscriptions"])).await;
        let state = (&subscription["data"]["name"], &subscription["data"]["state"], &subscription["data"]["owner"]);
        assert_eq!(state, (&json!(MARKER), &json!("active"), &json!(OWNER)));
        let owner = self.gateway.get(&format!("/api/v1/owners/{OWNER}")).await;
        let kept = (&owner["data"]["grants"], &owner["data"]["subscriptions"], &owner["data"]["has_own_quotas"]);
        assert_eq!(kept, (&json!({MARKER: []}), &json!(2), &json!(false)));
    }
}

/// D16: another tenant's ids lead nowhere, on every route there is.
#[tokio::test]
async fn d16_no_route_shows_or_changes_anything_of_another_tenant() {
    let world = world().await;
    let mut called = 0;
    for (method, path) in operations() {
        let (_, count) = world.filled(&path);
        let Some(expected) = expected_of_rival(&method, &path, count) else { continue };
        called += 1;
        let (status, what) = world.call(&method, &path, &world.rival).await;
        assert_eq!(status, expected, "{what}");
    }
    assert!(called > 60, "{called} operations were called");
    world.is_untouched().await;
}

/// Ids in a body lead nowhere either.
#[tokio::test]
async fn no_body_reaches_a_subscription_of_another_tenant() {
    let world = world().await;
    let subscription = &world.ids["subscriptions"];
    let body = json!({"subscription_id": subscription, "headers": {}, "body": "x"});
    let (status, answer) = world.gateway.api(Method::POST, "/api/v1/verify", &world.rival, Some(body)).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::NOT_FOUND, &json!("subscription_not_found")));
    let path = format!("/api/v1/deliveries?subscription_id={subscription}");
    let (status, answer) = world.gateway.api(Method::GET, &path, &world.rival, None).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::NOT_FOUND, &json!("subscription_not_found")));
}

/// A token that acts for one owner finds nothing of what another owner of the same tenant has.
#[tokio::test]
async fn no_route_shows_or_changes_anything_of_another_owner() {
    let world = world().await;
    let permissions = Permission::EVERY.iter().filter(|permission| permission.is_for_owners());
    let permissions: Vec<&str> = permissions.map(|permission| permission.as_str()).collect();
    let body = json!({"name": "ann", "owner": "ann", "permissions": permissions});
    let ann = text(&world.gateway.create("/api/v1/api-tokens", body).await["token"]);
    let (mut not_found, mut forbidden) = (0, 0);
    for (method, path) in operations() {
        // The tenant's event types are its owners' to know, and so is which packs they came from.
        let is_shared =
            ["/api/v1/event-types", "/api/v1/triggers", "/api/v1/packs", "/api/v1/dialects", "/api/v1/templates"];
        let is_shared = is_shared.iter().any(|start| path.starts_with(start))
            // These are everybody's to read or to ask.
            || ["/jwks.json", "/registrations"].iter().any(|end| path.ends_with(end));
        let (_, count) = world.filled(&path);
        let is_new = method != Method::GET && count == 0 || path == "/api/v1/events/{id}" && method == Method::POST;
        if is_shared || is_new || path == "/webhook-deliveries/{id}/status" {
            continue;
        }
        let (status, what) = world.call(&method, &path, &ann).await;
        match status {
            StatusCode::OK => assert_eq!(count, 0, "{what}"),
            StatusCode::NOT_FOUND => not_found += 1,
            StatusCode::FORBIDDEN => forbidden += 1,
            _ => panic!("{what}"),
        }
    }
    assert!(not_found >= 20 && forbidden > 20, "{not_found} things not found, {forbidden} operations forbidden");
    world.is_untouched().await;
}
