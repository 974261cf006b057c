//! Requests that are wrong in form: each is refused in the API's own shape, with a reason that helps.

use hookport_tests::TestGateway;
use http::{Method, StatusCode};
use serde_json::json;

use crate::client::{
    SUBSCRIPTIONS, TENANTS, TOKENS, WEBHOOKS, call, get, post, put, raw, read, refused, refused_field,
};

const CREATIONS: [&str; 4] = [WEBHOOKS, SUBSCRIPTIONS, TOKENS, TENANTS];

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let gateway = TestGateway::new().await;
    let deep = "[".repeat(100_000);
    for junk in
        ["", " ", "{", "}", "[]", "null", "1", "\"x\"", "{\"name\":\"x\"}{", "{name:1}", "\u{feff}{}", deep.as_str()]
    {
        for path in CREATIONS {
            let response = raw(&gateway, Method::POST, path, Some("application/json"), junk.to_owned()).await;
            refused(&read(&response), StatusCode::BAD_REQUEST, "invalid_request");
        }
    }
    let not_utf8 = vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}'];
    let response = raw(&gateway, Method::POST, TOKENS, Some("application/json"), not_utf8).await;
    refused(&read(&response), StatusCode::BAD_REQUEST, "invalid_request");
}

#[tokio::test]
async fn an_array_is_not_taken_for_an_object_at_any_depth() {
    let gateway = TestGateway::new().await;
    let response = raw(&gateway, Method::POST, TENANTS, Some("application/json"), r#"["acme","Acme"]"#).await;
    refused(&read(&response), StatusCode::BAD_REQUEST, "invalid_request");
    let body = json!({"name": "x", "slug": "x", "auth_config": ["hmac_sha256", null, null]});
    refused_field(&post(&gateway, WEBHOOKS, body).await, "auth_config");
}

#[tokio::test]
async fn an_unknown_member_is_named_and_refused() {
    let gateway = TestGateway::new().await;
    for path in CREATIONS {
        let answer = post(&gateway, path, json!({"name": "x", "surprise": 1})).await;
        refused_field(&answer, "surprise");
    }
    for inner in ["secret_vault_path", "token"] {
        let config = json!({"type": "hmac_sha256", inner: "acme/secret"});
        let answer = post(&gateway, WEBHOOKS, json!({"name": "x", "slug": "x", "auth_config": config})).await;
        refused_field(&answer, &format!("auth_config.{inner}"));
    }
}

#[tokio::test]
async fn a_name_has_at_most_255_characters() {
    let gateway = TestGateway::new().await;
    let with_name = |name: String| {
        [
            (WEBHOOKS, json!({"name": name})),
            (SUBSCRIPTIONS, json!({"name": name, "url": "https://example.com/", "events": ["*"]})),
            (TOKENS, json!({"name": name, "permissions": ["event:read"]})),
            (TENANTS, json!({"slug": "acme", "name": name})),
        ]
    };
    for (path, body) in with_name("é".repeat(256)) {
        refused_field(&post(&gateway, path, body).await, "name: must have 1 to 255 characters");
    }
    for (path, body) in with_name("   ".to_owned()) {
        refused_field(&post(&gateway, path, body).await, "name");
    }
    for (path, body) in with_name("é".repeat(255)) {
        assert_eq!(post(&gateway, path, body).await.0, StatusCode::CREATED, "{path}");
    }
}

#[tokio::test]
async fn a_body_must_be_sent_as_json() {
    let gateway = TestGateway::new().await;
    let body = r#"{"name":"x"}"#;
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("json")] {
        let response = raw(&gateway, Method::POST, WEBHOOKS, content_type, body).await;
        refused(&read(&response), StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type");
    }
    let response = raw(&gateway, Method::POST, WEBHOOKS, Some("application/json; charset=utf-8"), body).await;
    assert_eq!(response.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_body_has_at_most_256_kib() {
    let gateway = TestGateway::new().await;
    let of = |bytes: usize| {
        let mut body = br#"{"name":"x"}"#.to_vec();
        body.resize(bytes, b' ');
        body
    };
    let response = raw(&gateway, Method::POST, WEBHOOKS, Some("application/json"), of(256 * 1024 + 1)).await;
    refused(&read(&response), StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    let response = raw(&gateway, Method::POST, WEBHOOKS, Some("application/json"), of(256 * 1024)).await;
    assert_eq!(response.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn an_id_of_another_kind_is_refused_before_anything_is_read() {
    let gateway = TestGateway::new().await;
    let suffix = "01m5w3rm008000000400000003";
    let bad = ["x".to_owned(), format!("evil_{suffix}"), format!("INW_{suffix}"), "inw_".to_owned(), "%ff".to_owned()];
    for id in bad {
        let paths = [
            format!("{WEBHOOKS}/{id}"),
            format!("{WEBHOOKS}/{id}/deliveries"),
            format!("{WEBHOOKS}/inw_{suffix}/deliveries/{id}"),
            format!("{WEBHOOKS}/{id}/deliveries/ind_{suffix}"),
            format!("{SUBSCRIPTIONS}/{id}"),
            format!("{SUBSCRIPTIONS}/{id}/deliveries"),
            format!("/api/v1/events/{id}"),
            format!("/api/v1/events/{id}/deliveries"),
            format!("/api/v1/deliveries/{id}"),
        ];
        for path in paths {
            refused(&get(&gateway, &path).await, StatusCode::BAD_REQUEST, "invalid_id");
        }
        let answer = put(&gateway, &format!("{WEBHOOKS}/{id}"), json!({"name": "x"})).await;
        refused(&answer, StatusCode::BAD_REQUEST, "invalid_id");
        let answer = call(&gateway, Method::DELETE, &format!("{TOKENS}/{id}"), gateway.admin_token(), None).await;
        refused(&answer, StatusCode::BAD_REQUEST, "invalid_id");
    }
}

#[tokio::test]
async fn an_id_that_names_nothing_is_not_found() {
    let gateway = TestGateway::new().await;
    let suffix = "01m5w3rm008000000400000003";
    let cases = [
        (format!("{WEBHOOKS}/inw_{suffix}"), "inbound_webhook_not_found"),
        (format!("{WEBHOOKS}/inw_{suffix}/deliveries"), "inbound_webhook_not_found"),
        (format!("{WEBHOOKS}/inw_{suffix}/deliveries/ind_{suffix}"), "inbound_delivery_not_found"),
        (format!("{SUBSCRIPTIONS}/sub_{suffix}"), "subscription_not_found"),
        (format!("{SUBSCRIPTIONS}/sub_{suffix}/deliveries"), "subscription_not_found"),
        (format!("/api/v1/events/evt_{suffix}"), "event_not_found"),
        (format!("/api/v1/events/evt_{suffix}/deliveries"), "event_not_found"),
        (format!("/api/v1/deliveries/dlv_{suffix}"), "delivery_not_found"),
    ];
    for (path, code) in cases {
        refused(&get(&gateway, &path).await, StatusCode::NOT_FOUND, code);
    }
}

#[tokio::test]
async fn a_path_that_leads_nowhere_is_not_found() {
    let gateway = TestGateway::new().await;
    for path in ["/", "/api", "/api/v1", "/api/v1/nothing", "/api/v1/tenants/", "/api/v1//tenants", "/API/v1/tenants"] {
        refused(&get(&gateway, path).await, StatusCode::NOT_FOUND, "not_found");
    }
}
