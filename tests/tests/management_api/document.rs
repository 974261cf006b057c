//! The OpenAPI document: the one that is committed, and what it promises of every operation.

use std::collections::BTreeSet;
use std::path::Path;

use hookport_tests::TestGateway;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::raw;

/// Every route of the API. A new one is added here on purpose.
const ROUTES: [&str; 156] = [
    "delete /api/v1/api-tokens/{id}",
    "delete /api/v1/bookmarks/{id}",
    "delete /api/v1/dialects/{name}",
    "delete /api/v1/egress-rules/{pattern}",
    "delete /api/v1/event-types/{id_or_ref}",
    "delete /api/v1/inbound-webhooks/{id}",
    "delete /api/v1/inbound-webhooks/{id}/capture-sample",
    "delete /api/v1/inbound-webhooks/{id}/keys/{key_id}",
    "delete /api/v1/owners/{owner}",
    "delete /api/v1/owners/{owner}/permissions",
    "delete /api/v1/owners/{owner}/quotas",
    "delete /api/v1/presets/{name}",
    "delete /api/v1/registration-tokens/{id}",
    "delete /api/v1/schedules/{id}",
    "delete /api/v1/subscriptions/{id}",
    "delete /api/v1/triggers/{id_or_ref}",
    "get /api/v1/api-tokens",
    "get /api/v1/audit",
    "get /api/v1/bookmarks",
    "get /api/v1/bookmarks/{id}",
    "get /api/v1/deliveries",
    "get /api/v1/deliveries/{id}",
    "get /api/v1/dialects",
    "get /api/v1/dialects/{name}",
    "get /api/v1/egress-rules",
    "get /api/v1/event-types",
    "get /api/v1/event-types/{id_or_ref}",
    "get /api/v1/event-types/{id_or_ref}/webhook",
    "get /api/v1/events",
    "get /api/v1/events/{id}",
    "get /api/v1/events/{id}/deliveries",
    "get /api/v1/health/inbound-webhooks",
    "get /api/v1/inbound-deliveries",
    "get /api/v1/inbound-rejections",
    "get /api/v1/inbound-webhooks",
    "get /api/v1/inbound-webhooks/{id}",
    "get /api/v1/inbound-webhooks/{id}/capture-sample",
    "get /api/v1/inbound-webhooks/{id}/deliveries",
    "get /api/v1/inbound-webhooks/{id}/deliveries/{delivery_id}",
    "get /api/v1/inbound-webhooks/{id}/health",
    "get /api/v1/inbound-webhooks/{id}/keys",
    "get /api/v1/inbound-webhooks/{id}/learned-secret",
    "get /api/v1/inbound-webhooks/{id}/rejections",
    "get /api/v1/inbound-webhooks/{id}/rejections/{rejection_id}",
    "get /api/v1/inbound-webhooks/{id}/stats",
    "get /api/v1/inbound-webhooks/{id}/stats/detailed",
    "get /api/v1/inbound-webhooks/{id}/versions",
    "get /api/v1/inbound-webhooks/{id}/versions/{version}",
    "get /api/v1/inbound-webhooks/{id}/versions/{version}/diff",
    "get /api/v1/issues",
    "get /api/v1/issues/{id}",
    "get /api/v1/openapi.json",
    "get /api/v1/operator/unknown-requests",
    "get /api/v1/owners",
    "get /api/v1/owners/{owner}",
    "get /api/v1/packs",
    "get /api/v1/packs/{name}",
    "get /api/v1/presets",
    "get /api/v1/presets/{name}",
    "get /api/v1/registration-settings",
    "get /api/v1/registration-tokens",
    "get /api/v1/registration-tokens/{id}",
    "get /api/v1/replays",
    "get /api/v1/replays/{id}",
    "get /api/v1/schedules",
    "get /api/v1/schedules/{id}",
    "get /api/v1/signing-keys",
    "get /api/v1/subscriptions",
    "get /api/v1/subscriptions/{id}",
    "get /api/v1/subscriptions/{id}/analytics",
    "get /api/v1/subscriptions/{id}/attempts",
    "get /api/v1/subscriptions/{id}/deliveries",
    "get /api/v1/subscriptions/{id}/health",
    "get /api/v1/templates",
    "get /api/v1/tenants",
    "get /api/v1/tenants/{slug}",
    "get /api/v1/tenants/{slug}/jwks.json",
    "get /api/v1/triggers",
    "get /api/v1/triggers/{id_or_ref}",
    "get /api/v1/triggers/{id_or_ref}/webhook",
    "get /api/v1/unknown-requests",
    "get /webhook-deliveries/{id}",
    "patch /api/v1/event-types/{id_or_ref}/webhook",
    "patch /api/v1/subscriptions/{id}",
    "patch /api/v1/triggers/{id_or_ref}/webhook",
    "post /api/v1/api-tokens",
    "post /api/v1/bookmarks",
    "post /api/v1/bookmarks/{id}/send",
    "post /api/v1/deliveries/{id}/cancel",
    "post /api/v1/deliveries/{id}/retry",
    "post /api/v1/dialects",
    "post /api/v1/egress-rules",
    "post /api/v1/event-types",
    "post /api/v1/event-types/{id_or_ref}/webhook/disable",
    "post /api/v1/event-types/{id_or_ref}/webhook/enable",
    "post /api/v1/event-types/{id_or_ref}/webhook/regenerate",
    "post /api/v1/event-types/{id_or_ref}/webhooks/disable",
    "post /api/v1/event-types/{id_or_ref}/webhooks/enable",
    "post /api/v1/event-types/{id_or_ref}/webhooks/regenerate",
    "post /api/v1/events",
    "post /api/v1/events/{id}",
    "post /api/v1/events/{id}/resend",
    "post /api/v1/inbound-webhooks",
    "post /api/v1/inbound-webhooks/{id}/capture-sample",
    "post /api/v1/inbound-webhooks/{id}/deliveries/{delivery_id}/replay",
    "post /api/v1/inbound-webhooks/{id}/diagnose",
    "post /api/v1/inbound-webhooks/{id}/keys",
    "post /api/v1/inbound-webhooks/{id}/rotate-secret",
    "post /api/v1/inbound-webhooks/{id}/test",
    "post /api/v1/issues/{id}/acknowledge",
    "post /api/v1/issues/{id}/resolve",
    "post /api/v1/issues/{id}/retry",
    "post /api/v1/presets",
    "post /api/v1/registration-tokens",
    "post /api/v1/registrations",
    "post /api/v1/replays",
    "post /api/v1/replays/{id}/cancel",
    "post /api/v1/replays/{id}/start",
    "post /api/v1/schedules",
    "post /api/v1/schedules/{id}/run",
    "post /api/v1/signing-keys",
    "post /api/v1/subscriptions",
    "post /api/v1/subscriptions/declare",
    "post /api/v1/subscriptions/{id}/approve",
    "post /api/v1/subscriptions/{id}/cancel-retries",
    "post /api/v1/subscriptions/{id}/disable",
    "post /api/v1/subscriptions/{id}/enable",
    "post /api/v1/subscriptions/{id}/pause",
    "post /api/v1/subscriptions/{id}/recover",
    "post /api/v1/subscriptions/{id}/reject",
    "post /api/v1/subscriptions/{id}/replay-missing",
    "post /api/v1/subscriptions/{id}/resume",
    "post /api/v1/subscriptions/{id}/rotate-secret",
    "post /api/v1/subscriptions/{id}/test",
    "post /api/v1/templates/{id}/create",
    "post /api/v1/tenants",
    "post /api/v1/tenants/{slug}/registrations",
    "post /api/v1/triggers",
    "post /api/v1/triggers/{id_or_ref}/webhook/disable",
    "post /api/v1/triggers/{id_or_ref}/webhook/enable",
    "post /api/v1/triggers/{id_or_ref}/webhook/regenerate",
    "post /api/v1/triggers/{id_or_ref}/webhooks/disable",
    "post /api/v1/triggers/{id_or_ref}/webhooks/enable",
    "post /api/v1/triggers/{id_or_ref}/webhooks/regenerate",
    "post /api/v1/verify",
    "post /webhook-deliveries/{id}/status",
    "put /api/v1/event-types/{id_or_ref}",
    "put /api/v1/inbound-webhooks/{id}",
    "put /api/v1/owners/{owner}/permissions",
    "put /api/v1/owners/{owner}/quotas",
    "put /api/v1/packs/{name}",
    "put /api/v1/registration-settings",
    "put /api/v1/schedules/{id}",
    "put /api/v1/subscriptions/{id}",
    "put /api/v1/tenants/{slug}",
    "put /api/v1/triggers/{id_or_ref}",
];

/// The operations that need no token of an admin's: the document, public keys, what targets are told and tell, and how
/// listeners register themselves.
const OPEN: [&str; 6] = [
    "get /api/v1/openapi.json",
    "get /api/v1/tenants/{slug}/jwks.json",
    "get /webhook-deliveries/{id}",
    "post /api/v1/registrations",
    "post /api/v1/tenants/{slug}/registrations",
    "post /webhook-deliveries/{id}/status",
];

/// Operations whose path names what need not be there: it is made by them, or treated as if it were there.
fn takes_any_name(route: &str) -> bool {
    ["put /api/v1/packs/{name}", "post /api/v1/events/{id}"].contains(&route) || route.contains(" /api/v1/owners/")
}

fn document() -> Value {
    serde_json::from_str(&management::openapi_json()).expect("a document")
}

/// The operations as `method path`, with what the document says of each.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            found.push((format!("{method} {path}"), operation));
        }
    }
    found
}

#[test]
fn the_committed_document_is_that_of_the_routes() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let committed =
        std::fs::read_to_string(committed).expect("docs/openapi.json can be read; `just openapi` writes it");
    // Compared whole, but shown by the first line that differs.
    let generated = management::openapi_json();
    let differing = generated.lines().zip(committed.lines()).find(|(generated, committed)| generated != committed);
    assert_eq!(differing, None, "docs/openapi.json is out of date: run `just openapi`");
    assert_eq!(generated.trim_end().len(), committed.trim_end().len(), "docs/openapi.json is out of date");
}

#[tokio::test]
async fn the_document_is_served_to_everybody() {
    let gateway = TestGateway::new().await;
    let response = raw(&gateway, Method::GET, "/api/v1/openapi.json", None, "").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(response.body(), management::openapi_json().as_bytes());
}

#[test]
fn the_document_lists_every_route() {
    let document = document();
    let mut routes: Vec<String> = operations(&document).into_iter().map(|(name, _)| name).collect();
    routes.sort_unstable();
    assert_eq!(routes, ROUTES);
    assert_eq!(document["openapi"], json!("3.1.0"));
}

#[test]
fn every_operation_is_named_and_every_answer_described() {
    let document = document();
    let mut names = BTreeSet::new();
    for (route, operation) in operations(&document) {
        let name = operation["operationId"].as_str().expect("an operation id");
        assert!(names.insert(name.to_owned()), "{name} is there twice");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{route}");
        assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{route}");
        for (status, answer) in operation["responses"].as_object().expect("answers") {
            let answer = match answer["$ref"].as_str() {
                Some(place) => document.pointer(place.trim_start_matches('#')).expect("a shared answer"),
                None => answer,
            };
            assert!(answer["description"].as_str().is_some_and(|text| !text.is_empty()), "{route} {status}");
            if status.starts_with('4') || status.starts_with('5') {
                let shape = &answer["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(shape, &json!("#/components/schemas/ErrorBody"), "{route} {status}");
            }
        }
    }
}

#[test]
fn every_operation_says_what_it_needs_and_how_it_can_be_refused() {
    let document = document();
    for (route, operation) in operations(&document) {
        let Some(permission) = operation.pointer("/security/0/bearer/0").and_then(Value::as_str) else {
            assert!(OPEN.contains(&route.as_str()), "{route}");
            continue;
        };
        let description = operation["description"].as_str().expect("a description");
        assert!(description.ends_with(&format!("Needs the permission `{permission}`.")), "{route}: {description}");
        let mut expected = vec!["401", "403", "500", "503"];
        if operation.get("requestBody").is_some() {
            expected.extend(["400", "413", "415"]);
        }
        if route.contains('{') && !takes_any_name(&route) {
            expected.push("404");
        }
        for status in expected {
            assert!(operation["responses"].get(status).is_some(), "{route} says nothing of {status}");
        }
    }
}

#[test]
fn every_body_is_closed_and_every_reference_leads_somewhere() {
    let document = document();
    for (route, operation) in operations(&document) {
        let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") else { continue };
        // Its body is the payload of an event.
        if route != "post /api/v1/events/{id}" {
            is_closed(&document, schema, &route);
        }
    }
    follow(&document, &document);
}

/// Checks that a body takes no other members than those that are documented, in each of its forms.
fn is_closed(document: &Value, schema: &Value, route: &str) {
    if let Some(place) = schema["$ref"].as_str() {
        let shared = document.pointer(place.trim_start_matches('#')).expect("a schema");
        is_closed(document, shared, route);
    } else if let Some(forms) = schema["oneOf"].as_array() {
        forms.iter().for_each(|form| is_closed(document, form, route));
    } else if schema["type"] != "null" {
        assert_eq!(schema["additionalProperties"], json!(false), "{route}: {schema}");
    }
}

/// Checks every reference below `part`.
fn follow(document: &Value, part: &Value) {
    match part {
        Value::Object(members) => {
            if let Some(place) = members.get("$ref").and_then(Value::as_str) {
                assert!(document.pointer(place.trim_start_matches('#')).is_some(), "{place} leads nowhere");
            }
            members.values().for_each(|member| follow(document, member));
        }
        Value::Array(items) => items.iter().for_each(|item| follow(document, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
