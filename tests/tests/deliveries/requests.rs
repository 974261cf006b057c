//! B11, B18, B19, B20: what a request carries, and how its signature is checked.

use hookport_tests::Sink;
use hookport_tests::gateway::{TestGateway, merge, text};
use hookport_tests::sink::SinkRequest;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{EVENT_TYPES, SUBSCRIPTIONS, act, gateway, happens, now, path, post, publish, refused, register};

fn body(request: &SinkRequest) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

/// B11: what the gateway says of itself, and what belongs to the connection, is nobody else's to say.
#[tokio::test]
async fn b11_static_headers_stand_in_no_place_of_the_gateways() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let named = [
        "Webhook-Id",
        "webhook-signature",
        "webhook-timestamp",
        "Hookport-Event-Type",
        "hookport-delivery-id",
        "hookport-anything",
        "Content-Type",
        "Content-Length",
        "Host",
        "Connection",
        "Transfer-Encoding",
        "X-Webhook-Signature",
        "X-Hub-Signature-256",
        "X-Forwarded-For",
        "Cookie",
        "bad name",
        "",
    ];
    let mut bad: Vec<Value> = named.iter().map(|name| json!({(*name): "x"})).collect();
    bad.extend(["a\r\nwebhook-id: evil", "a\nb", "a\rb", "\u{0}", "é"].map(|value| json!({"x-team": value})));
    for headers in bad {
        let body = json!({"name": "x", "url": sink.url("/"), "events": ["*"], "headers": headers});
        refused(&post(&gateway, SUBSCRIPTIONS, body).await, StatusCode::BAD_REQUEST, "invalid_request");
    }
    let headers = json!({"X-Team": "blue", "Authorization": "Bearer sesame", "User-Agent": "acme/1"});
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({"headers": headers})).await;
    happens(&gateway).await;
    let [request] = &sink.received()[..] else { panic!("one request") };
    for (name, value) in [("x-team", "blue"), ("authorization", "Bearer sesame"), ("user-agent", "acme/1")] {
        assert_eq!(request.header(name), value);
    }
    assert!(request.header("webhook-id").starts_with("evt_"));
    let shown = now(&gateway, &made).await;
    assert_eq!(shown["headers"], json!({"x-team": "blue", "authorization": "(hidden)", "user-agent": "acme/1"}));
    assert!(!gateway.get(&format!("{}/attempts", path(&made))).await.to_string().contains("sesame"));
}

/// B20 for the dialect that there is: method, content type, and a user agent that can be replaced (B11).
#[tokio::test]
async fn b20_a_delivery_is_a_post_of_json_by_the_gateway() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    let event = publish(&gateway, json!({"type": "ticket.updated", "data": {"n": 1}})).await;
    gateway.drain(gateway.instance(0)).await;
    let [request] = &sink.received()[..] else { panic!("one request") };
    assert_eq!((&request.method, request.path.as_str()), (&Method::POST, "/hook"));
    assert_eq!(request.header("content-type"), "application/json");
    assert!(request.header("user-agent").starts_with("Hookport/"));
    assert_eq!(request.header("content-length"), request.body.len().to_string());
    assert_eq!(request.header("webhook-id"), event);
    assert_eq!(request.header("hookport-subscription-id"), text(&made["data"]["id"]));
    let at = gateway.clock.now().to_string();
    let expected = json!({"id": event, "type": "ticket.updated", "timestamp": at, "data": {"n": 1}});
    assert_eq!(body(request), expected);
}

/// One subscription for each payload mode, at a path of its own.
async fn modes(gateway: &TestGateway, sink: &Sink, events: &[&str], modes: &[Value]) {
    for (n, mode) in modes.iter().enumerate() {
        let mut more = json!({"url": sink.url(&format!("/{n}"))});
        if !mode.is_null() {
            merge(&mut more, json!({"payload": mode}));
        }
        gateway.subscribe(sink, events, more).await;
    }
}

/// The `data` that each path got.
fn data(sink: &Sink) -> Vec<Value> {
    let mut received = sink.received();
    received.sort_by(|a, b| a.path.cmp(&b.path));
    received.iter().map(|request| body(request)["data"].clone()).collect()
}

/// B18: nothing chosen is everything; a list is these fields and the ids that are always there.
#[tokio::test]
async fn b18_chosen_fields_and_the_ids_are_sent() {
    let gateway = TestGateway::new().await;
    let schema = json!({"type": "object", "properties": {"ticket_id": {}, "title": {}, "status": {}}});
    gateway.create(EVENT_TYPES, json!({"ref": "ticket.updated", "schema": schema})).await;
    register(&gateway, &["project.task.updated"]).await;
    let sink = Sink::start().await;
    let chosen = |fields: Value| json!({"mode": "fields", "fields": fields});
    let cases = [
        Value::Null,
        chosen(Value::Null),
        chosen(json!({})),
        chosen(json!({"ticket": null})),
        chosen(json!({"ticket": []})),
        chosen(json!({"ticket": ["title"]})),
    ];
    modes(&gateway, &sink, &["ticket.updated"], &cases).await;
    let whole = json!({"ticket_id": "t1", "title": "T", "status": "open"});
    publish(&gateway, json!({"type": "ticket.updated", "data": whole})).await;
    gateway.drain(gateway.instance(0)).await;
    let (ids, some) = (json!({"ticket_id": "t1"}), json!({"ticket_id": "t1", "title": "T"}));
    assert_eq!(data(&sink), [whole.clone(), whole.clone(), whole.clone(), whole, ids, some]);

    sink.forget();
    modes(&gateway, &sink, &["project.task.updated"], &[chosen(json!({"project": ["name"]}))]).await;
    let task = json!({"project_id": "p", "task_id": "t", "name": "N", "secret": "s"});
    publish(&gateway, json!({"type": "project.task.updated", "data": task})).await;
    gateway.drain(gateway.instance(0)).await;
    assert_eq!(data(&sink), [json!({"project_id": "p", "task_id": "t", "name": "N"})]);

    let (field, entity) = (json!({"ticket": ["title", "colour"]}), json!({"invoice": []}));
    for (fields, word) in [(field, "colour"), (entity, "invoice")] {
        let body = json!({"name": "x", "url": sink.url("/"), "events": ["ticket.updated"], "payload": chosen(fields)});
        let answer = post(&gateway, SUBSCRIPTIONS, body).await;
        refused(&answer, StatusCode::BAD_REQUEST, "invalid_request");
        assert!(text(&answer.1["error"]["message"]).contains(word), "{}", answer.1);
    }
}

/// B19: the keys are the very bytes that their receivers know; the full payload has what was overwritten.
#[tokio::test]
async fn b19_keys_alone_or_everything_with_the_previous_values() {
    let gateway = TestGateway::new().await;
    register(&gateway, &["user.updated"]).await;
    let sink = Sink::start().await;
    modes(&gateway, &sink, &["user.updated"], &[json!({"mode": "keys"}), json!({"mode": "full"})]).await;
    let event = json!({
        "type": "user.updated",
        "entity_type": "User",
        "entity_id": "IDNUMBER1234",
        "data": {"name": "new"},
        "previous": {"name": "old"},
        "changes": {"name": {"previous": "old", "new": "new"}},
        "instructions": {"notify": true},
    });
    publish(&gateway, event).await;
    gateway.drain(gateway.instance(0)).await;
    let mut received = sink.received();
    received.sort_by(|a, b| a.path.cmp(&b.path));
    let [keys, full] = &received[..] else { panic!("two requests") };
    let at = gateway.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ");
    let expected =
        format!(r#"{{ "id":"IDNUMBER1234", "entityType":"USER", "eventType":"UPDATE", "timestamp":"{at}" }}"#);
    assert_eq!(keys.body, expected);
    assert_eq!(keys.header("content-type"), "application/json");
    let full = body(full);
    assert_eq!((&full["data"], &full["previous"]), (&json!({"name": "new"}), &json!({"name": "old"})));
    assert_eq!(full["changes"], json!({"name": {"previous": "old", "new": "new"}}));
    assert_eq!(full["instructions"], json!({"notify": true}));
    assert_eq!((&full["entity_type"], &full["entity_id"]), (&json!("User"), &json!("IDNUMBER1234")));
}

/// B1: a receiver whose check fails is told what is wrong, by the subscription or by the secret that it has.
#[tokio::test]
async fn b1_a_signature_is_explained() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    let id = &made["data"]["id"];
    happens(&gateway).await;
    let [request] = &sink.received()[..] else { panic!("one request") };
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: Value = names.iter().map(|name| ((*name).to_owned(), json!(request.header(name)))).collect();
    let sent = String::from_utf8(request.body.to_vec()).expect("text");
    let verify = async |body: Value| post(&gateway, "/api/v1/verify", body).await;
    let right = json!({"valid": true, "scheme": "standard", "reason": null});
    let by_id = json!({"subscription_id": id, "headers": headers, "body": sent});
    let (status, answer) = verify(by_id.clone()).await;
    assert_eq!((status, &answer["data"]), (StatusCode::OK, &right), "{answer}");
    let by_secret = json!({"secret": made["secret"], "headers": headers, "body": sent});
    assert_eq!(verify(by_secret).await.1["data"], right);

    let code = async |body: Value| verify(body).await.1["data"]["reason"]["code"].clone();
    let other = json!({"subscription_id": id, "headers": headers, "body": sent.replace('{', "{ ")});
    assert_eq!(code(other).await, "signature_mismatch");
    let wrong = json!({"secret": "not the secret of it", "headers": headers, "body": sent});
    assert_eq!(code(wrong).await, "signature_mismatch");
    let unsigned = json!({"subscription_id": id, "headers": {}, "body": sent});
    assert_eq!(code(unsigned).await, "signature_missing");
    gateway.advance(SignedDuration::from_mins(6));
    assert_eq!(code(by_id).await, "timestamp_too_old");
    for body in [json!({"headers": {}}), json!({"subscription_id": id, "secret": made["secret"], "headers": {}})] {
        refused(&verify(body).await, StatusCode::BAD_REQUEST, "invalid_request");
    }
}

/// B1: while a secret is rotated both of them sign, and then the new one alone.
#[tokio::test]
async fn b1_a_rotated_secret_signs_beside_the_new_one_until_its_end() {
    let gateway = gateway().await;
    let sink = Sink::start().await;
    let made = gateway.subscribe(&sink, &["ticket.updated"], json!({})).await;
    let (status, rotated) =
        post(&gateway, &format!("{}/rotate-secret", path(&made)), json!({"overlap_hours": 1})).await;
    assert_eq!(status, StatusCode::OK, "{rotated}");
    crate::work(&gateway).await;
    for (hours, signatures) in [(0, 2), (2, 1)] {
        gateway.advance(SignedDuration::from_hours(hours));
        sink.forget();
        happens(&gateway).await;
        let [request] = &sink.received()[..] else { panic!("one request") };
        assert_eq!(request.header("webhook-signature").split(' ').count(), signatures, "after {hours} h");
    }
    act(&gateway, &format!("{}/disable", path(&made))).await;
    sink.forget();
    happens(&gateway).await;
    assert!(sink.received().is_empty());
}
