//! The document against the API: what it says of routes, methods and permissions is what happens.

use std::collections::{BTreeMap, BTreeSet};

use hookport::domain::permission::Permission;
use hookport_tests::TestGateway;
use http::header::ALLOW;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{call, raw, read, refused, token};

/// An operation of the document.
struct Operation {
    method: Method,
    /// The path with ids of the right kinds that name nothing.
    path: String,
    /// The permission that it needs, unless it is open to all.
    permission: Option<String>,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&management::openapi_json()).expect("a document");
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            found.push(Operation {
                method: method.to_uppercase().parse().expect("a method"),
                path: concrete(path),
                permission: operation.pointer("/security/0/bearer/0").and_then(Value::as_str).map(str::to_owned),
            });
        }
    }
    found
}

fn concrete(path: &str) -> String {
    let suffix = "01m5w3rm008000000400000003";
    let prefixes = [("api-tokens", "tok"), ("inbound-webhooks", "inw"), ("events", "evt"), ("subscriptions", "sub")];
    let prefixes = BTreeMap::from(prefixes);
    let noun = path.split('/').nth(3).unwrap_or_default();
    let prefix = prefixes.get(noun).copied().unwrap_or("dlv");
    path.replace("{id}", &format!("{prefix}_{suffix}"))
        .replace("{delivery_id}", &format!("ind_{suffix}"))
        .replace("{rejection_id}", &format!("rej_{suffix}"))
        .replace("{key_id}", &format!("key_{suffix}"))
        .replace("{owner}", "nobody")
        .replace("{pattern}", "nobody.example")
        .replace("{version}", "1")
        .replace("{id_or_ref}", "nobody.known")
        .replace("{slug}", "nobody")
        .replace("{name}", "nobody")
}

async fn try_it(gateway: &TestGateway, operation: &Operation, token: &str) -> (StatusCode, Value) {
    let body = [Method::POST, Method::PUT, Method::PATCH].contains(&operation.method).then(|| json!({}));
    call(gateway, operation.method.clone(), &operation.path, token, body).await
}

/// The operations that need no token, and what whoever brings nothing is answered: the document is everybody's, and a
/// target proves itself by its signature.
fn open_to_all() -> BTreeMap<String, StatusCode> {
    BTreeMap::from([
        ("GET /api/v1/openapi.json".to_owned(), StatusCode::OK),
        (format!("GET {}", concrete("/api/v1/tenants/{slug}/jwks.json")), StatusCode::OK),
        // Without a registration token, and of a tenant that lets nobody ask.
        ("POST /api/v1/registrations".to_owned(), StatusCode::UNAUTHORIZED),
        (format!("POST {}", concrete("/api/v1/tenants/{slug}/registrations")), StatusCode::NOT_FOUND),
        (format!("GET {}", concrete("/webhook-deliveries/{id}")), StatusCode::UNAUTHORIZED),
        (format!("POST {}", concrete("/webhook-deliveries/{id}/status")), StatusCode::UNAUTHORIZED),
    ])
}

#[tokio::test]
async fn every_operation_but_the_open_ones_needs_the_permission_that_is_documented() {
    let gateway = TestGateway::new().await;
    let every: Vec<&str> = Permission::EVERY.iter().map(|permission| permission.as_str()).collect();
    let mut tokens = BTreeMap::new();
    for permission in &every {
        let others: Vec<&str> = every.iter().copied().filter(|other| other != permission).collect();
        tokens.insert(*permission, (token(&gateway, &[*permission]).await, token(&gateway, &others).await));
    }
    let mut needed = BTreeSet::new();
    let mut open = open_to_all();
    for operation in operations() {
        let name = format!("{} {}", operation.method, operation.path);
        let Some(permission) = &operation.permission else {
            assert_eq!(Some(try_it(&gateway, &operation, "").await.0), open.remove(&name), "{name}");
            continue;
        };
        refused(&try_it(&gateway, &operation, "").await, StatusCode::UNAUTHORIZED, "unauthorized");
        let (alone, all_but) = &tokens[permission.as_str()];
        let message = refused(&try_it(&gateway, &operation, all_but).await, StatusCode::FORBIDDEN, "forbidden");
        assert!(message.contains(permission), "{name}: {message}");
        let (status, answer) = try_it(&gateway, &operation, alone).await;
        assert!(![401, 403, 404, 405].contains(&status.as_u16()) || named(&answer), "{name}: {answer}");
        assert!(!status.is_server_error(), "{name}: {answer}");
        needed.insert(permission.clone());
    }
    assert_eq!(needed.len(), every.len(), "every permission opens something");
    assert!(open.is_empty(), "{open:?}");
}

/// B17: whoever brings a token to a target's own page needs the permission to read deliveries.
#[tokio::test]
async fn b17_a_token_may_stand_for_the_signature_of_a_target_that_reads() {
    let gateway = TestGateway::new().await;
    let path = concrete("/webhook-deliveries/{id}");
    let reader = token(&gateway, &["delivery:read"]).await;
    let answer = call(&gateway, Method::GET, &path, &reader, None).await;
    refused(&answer, StatusCode::NOT_FOUND, "delivery_not_found");
    let other = token(&gateway, &["delivery:retry"]).await;
    let message = refused(&call(&gateway, Method::GET, &path, &other, None).await, StatusCode::FORBIDDEN, "forbidden");
    assert!(message.contains("delivery:read"), "{message}");
    let answer = call(&gateway, Method::GET, "/webhook-deliveries/evt_1", &reader, None).await;
    refused(&answer, StatusCode::BAD_REQUEST, "invalid_id");
}

/// Tells whether a refusal is about the thing that the path names, and so beyond permissions and routes.
fn named(answer: &Value) -> bool {
    answer["error"]["code"].as_str().is_some_and(|code| code.ends_with("_not_found"))
}

#[tokio::test]
async fn a_path_takes_the_documented_methods_and_names_them_when_asked_for_another() {
    let gateway = TestGateway::new().await;
    let mut paths = BTreeMap::<String, BTreeSet<String>>::new();
    for operation in operations() {
        let methods = paths.entry(operation.path).or_default();
        methods.insert(operation.method.to_string());
        if operation.method == Method::GET {
            methods.insert("HEAD".to_owned());
        }
    }
    let every = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS];
    for (path, methods) in paths {
        for method in every.iter().filter(|method| !methods.contains(method.as_str())) {
            let response = raw(&gateway, method.clone(), &path, None, "").await;
            refused(&read(&response), StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
            let allowed = response.headers()[ALLOW].to_str().expect("text").split(',').map(|m| m.trim().to_owned());
            assert_eq!(allowed.collect::<BTreeSet<_>>(), methods, "{method} {path}");
        }
    }
}
