//! B16: what an owner may see, as administrators say it and take it back.

use hookport_tests::Sink;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{EVENTS, OWNERS, call, delete, gateway, path, put, refused};

/// B16: what is said holds from then on, and so does taking it back.
#[tokio::test]
async fn b16_permissions_are_set_and_taken_back() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let permissions = format!("{OWNERS}/ann/permissions");
    let more = json!({"owner": "ann", "permission": "tickets.view"});
    let made = gateway.subscribe(&sink, &["ticket.updated"], more).await;
    let somewhere = json!({"tickets.view": ["acme"], "projects.view": []});
    let everywhere = json!({"tickets.view": []});
    let steps = [
        (Some(somewhere), json!("acme/berlin"), true),
        (None, json!("acme/berlin"), false),
        (Some(everywhere), Value::Null, true),
        (Some(json!({})), json!("acme/berlin"), false),
    ];
    let mut expected = 0;
    for (grants, scope, gets) in steps {
        match &grants {
            Some(grants) => {
                let shown = put(&gateway, &permissions, json!({"grants": grants})).await;
                assert_eq!(&shown["grants"], grants);
            }
            None => delete(&gateway, &permissions).await,
        }
        gateway.advance(SignedDuration::from_secs(1));
        let event = json!({"type": "ticket.updated", "data": {}, "scope": scope});
        call(&gateway, Method::POST, EVENTS, Some(event)).await;
        gateway.drain(gateway.instance(0)).await;
        expected += usize::from(gets);
        assert_eq!(sink.received().len(), expected, "{grants:?}");
    }
    assert_eq!(gateway.get(&path(&made)).await["data"]["state"], "active");
}

/// B16: at most 100 permissions with 50 scopes each, and every name and scope is held against its rule.
#[tokio::test]
async fn b16_permissions_are_bounded() {
    let gateway = gateway().await;
    let permissions = format!("{OWNERS}/ann/permissions");
    let many = |n: usize| -> Value { (0..n).map(|i| (format!("p{i}"), json!([]))).collect() };
    put(&gateway, &permissions, json!({"grants": many(100)})).await;
    let scopes = |n: usize| json!({"p": (0..n).map(|i| format!("s{i}")).collect::<Vec<_>>()});
    let kept = put(&gateway, &permissions, json!({"grants": scopes(50)})).await;
    let wrong = [
        json!({"grants": many(101)}),
        json!({"grants": scopes(51)}),
        json!({"grants": {"a b": []}}),
        json!({"grants": {"p": ["/acme"]}}),
        json!({"grants": {"p": "acme"}}),
        json!({"grants": null}),
        json!({"permissions": {}}),
        json!({}),
    ];
    for body in wrong {
        let answer = call(&gateway, Method::PUT, &permissions, Some(body)).await;
        refused(&answer, 400, "invalid_request");
    }
    assert_eq!(gateway.get(&format!("{OWNERS}/ann")).await["data"], kept);
}
