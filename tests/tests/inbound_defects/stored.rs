//! Defects 29 and 35: credentials among what is kept of a request, and secrets that outlive or precede their webhook.

use std::sync::Arc;

use hookport::aws::lambda::Received;
use hookport::domain::inbound_webhook::{InboundWebhook, Proof};
use hookport::domain::text::Slug;
use hookport::message::Message;
use hookport::store::keys;
use hookport_local::cloud::{Fault, FaultKind};
use hookport_local::template::local_queue_url;
use hookport_tests::gateway::{SECRET, TestGateway, text};
use hookport_tests::issuer::Issuer;
use hookport_tests::schemes::{self, Scheme};
use hookport_tests::{SenderRequest, Sink};
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;

use crate::{URL, WEBHOOKS, aws, call, items, kept, list, sent, stored_webhook, tenant};

/// Credentials that any sender may send along, whatever is asked of it, and a header that is none.
fn plain() -> SenderRequest {
    SenderRequest::json(r#"{"n":1}"#)
        .with("cookie", "session=the-cookie-of-a-sender")
        .with("set-cookie", "session=the-cookie-of-a-server")
        .with("x-api-key", "the-api-key-of-a-sender")
        .with("proxy-authorization", "Basic dGhlLXByb3h5LW9mLWEtc2VuZGVy")
        .with("x-amz-security-token", "the-token-of-a-platform")
        .with("x-kept", "seen")
}

/// What must be nowhere: the values of all headers but the harmless ones, and the longer pieces of them.
fn credentials(headers: &HeaderMap) -> Vec<String> {
    let telling = headers.iter().filter(|(name, _)| !["content-type", "x-kept"].contains(&name.as_str()));
    let values = telling.map(|(_, value)| value.to_str().expect("text").to_owned());
    let pieces = |value: String| {
        let pieces = value.split([' ', ',', '=']).filter(|piece| piece.len() >= 16).map(str::to_owned);
        let mut pieces: Vec<String> = pieces.collect();
        pieces.push(value);
        pieces
    };
    let made = [schemes::SECRET, "secret+of%20the", "token="].map(str::to_owned);
    values.flat_map(pieces).chain(made).collect()
}

/// What is kept, queued, shown and delivered of a request that proves itself by this scheme.
async fn everything(gateway: &TestGateway, sink: &Sink, scheme: &Scheme, request: &SenderRequest) -> Vec<String> {
    let url = format!("/api/inbound/default/{}{}", scheme.name, scheme.query);
    let webhook = gateway.webhook(scheme.name, scheme.settings.clone()).await;
    let id = text(&kept(gateway, &url, request).await["delivery_id"]);
    let store = &gateway.instance(0).management_app.store;
    let delivery = id.parse().expect("an id");
    let found = store.inbound_delivery_with_request(&tenant(), delivery, gateway.clock.now()).await;
    let (row, request) = found.expect("read").expect("a row");
    let (head, _) = request.expect("a request").unpack().expect("whole");
    assert_eq!(head.path, format!("/api/inbound/default/{}", scheme.name), "without the query");

    let queue = json!({"QueueUrl": local_queue_url("InboundQueue"), "WaitTimeSeconds": 0});
    let message = text(&aws(gateway, "AmazonSQS.ReceiveMessage", queue).await["Messages"][0]["Body"]);
    let Ok(Message::Inbound(inbound)) = Message::decode(&message) else { panic!("a message: {message}") };
    let carried = inbound.carried.expect("it is small").request().expect("it is whole").unpack().expect("packed");
    assert_eq!(carried.0, head, "the message carries what the row holds");

    let received = Received { message_id: id.clone(), body: message.clone(), receive_count: 1 };
    let dispatcher = gateway.instance(0).dispatcher.clone();
    assert!(dispatcher.handle(vec![received], gateway.instance(0).dispatcher_deadline()).await.is_empty());
    let shown = [
        format!("{WEBHOOKS}/{webhook}/deliveries/{id}"),
        format!("/api/v1/events/{}", id.replace("ind_", "evt_")),
        "/api/v1/events".to_owned(),
    ];
    let mut everything =
        vec![format!("{row:?}"), format!("{head:?}"), message, format!("{:?}", sink.received().last())];
    for path in shown {
        everything.push(gateway.get(&path).await.to_string());
    }
    everything
}

/// No token, signature, password or cookie of a request that was taken is kept, queued, shown or delivered.
#[tokio::test]
async fn defect_29_a_kept_request_has_no_credential_in_it() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    gateway.subscribe(&sink, &["*"], json!({})).await;
    for scheme in schemes::all(&Arc::new(Issuer::start().await)) {
        let request = scheme.prove(plain(), gateway.clock.now());
        let everything = everything(&gateway, &sink, &scheme, &request).await;
        assert!(everything[1].contains("x-kept"), "{}: the head can be searched", scheme.name);
        for hidden in credentials(&request.headers) {
            let found = everything.iter().find(|text| text.contains(&hidden));
            assert!(found.is_none(), "{}: {hidden} is in {found:?}", scheme.name);
        }
    }
}

/// The secrets of a webhook, sealed as they are stored.
fn sealed(webhook: &InboundWebhook) -> Vec<String> {
    let secrets = webhook.auth.proofs.iter().filter_map(Proof::secret);
    secrets.map(|secrets| text(&serde_json::to_value(&secrets.current).expect("a text"))).collect()
}

/// The items that judge a webhook's senders: the webhook, and the copy that its slug leads to.
async fn judging(gateway: &TestGateway) -> String {
    let slug = Slug::try_from("github".to_owned()).expect("a slug");
    let mut found = items(gateway, "ConfigsTable", &keys::inbound_webhooks(&tenant())).await;
    found.extend(items(gateway, "ConfigsTable", &keys::webhook_by_slug(&tenant(), &slug).pk).await);
    json!(found).to_string()
}

/// Another type, another secret, another allow-list, and the end: nothing that judges holds the secret before it.
#[tokio::test]
async fn defect_35_no_secret_outlives_its_proof() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let path = format!("{WEBHOOKS}/{webhook}");
    let mut before = sealed(&stored_webhook(&gateway, &webhook).await);
    let configs = [
        json!({"type": "bearer"}),
        json!({"type": "hmac_sha512"}),
        json!({"type": "all", "of": [{"type": "bearer"}, {"type": "hmac_sha256"}]}),
        json!({"type": "path_token"}),
        json!({"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24"]}),
        json!({"type": "bearer"}),
    ];
    for config in configs {
        let has_secret = config["type"] != "ip_allowlist";
        let body = json!({"name": "x", "slug": "github", "auth_config": config});
        let (status, answer) = call(&gateway, Method::PUT, &path, body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let now = sealed(&stored_webhook(&gateway, &webhook).await);
        let stored = judging(&gateway).await;
        assert_eq!(now.is_empty(), !has_secret, "{config}");
        assert!(now.iter().all(|secret| stored.contains(secret)), "{config}: the items can be searched");
        for secret in &before {
            assert!(!stored.contains(secret), "{config}: what was before it is still there");
        }
        before.extend(now);
    }
    let rotation = format!("{path}/rotate-secret");
    assert_eq!(call(&gateway, Method::POST, &rotation, json!({})).await.0, StatusCode::OK);
    let stored = judging(&gateway).await;
    assert!(before.iter().all(|secret| !stored.contains(secret)), "a rotated secret is gone");
    let (status, _) = gateway.api(Method::DELETE, &path, gateway.admin_token(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(judging(&gateway).await, "[]", "and with the webhook everything that judged");
}

/// A webhook and its secret are one write: neither is ever there without the other, and none is put into a vault apart.
#[tokio::test]
async fn defect_35_a_webhook_and_its_secret_are_stored_together_or_not_at_all() {
    let gateway = TestGateway::new().await;
    let config = json!({"type": "hmac_sha256", "secret": SECRET});
    let body = json!({"name": "x", "slug": "github", "auth_config": config});
    let proven = SenderRequest::json("{}").signed(SECRET);
    gateway.cloud.meter().record();
    for kind in [FaultKind::Before, FaultKind::Throttle, FaultKind::TimeOut { effect: false }] {
        gateway.cloud.faults().set(Fault::new(kind).on("TransactWriteItems").by("a"));
        let (status, answer) = call(&gateway, Method::POST, WEBHOOKS, body.clone()).await;
        assert!(status.is_server_error(), "{kind:?}: {answer}");
        assert_eq!(gateway.cloud.faults().hit(), 1, "{kind:?}");
        gateway.cloud.faults().clear();
        assert_eq!((list(&gateway, WEBHOOKS).await, judging(&gateway).await), (vec![], "[]".to_owned()), "{kind:?}");
        assert_eq!(sent(&gateway, URL, &proven).await, 401, "{kind:?}");
        gateway.advance(crate::FORGOTTEN);
    }
    // The write came through and its answer did not: all of it is there.
    gateway.cloud.faults().set(Fault::new(FaultKind::After).on("TransactWriteItems").by("a"));
    let (status, answer) = call(&gateway, Method::POST, WEBHOOKS, body.clone()).await;
    assert!(status.is_server_error(), "{answer}");
    gateway.cloud.faults().clear();
    assert_eq!(sent(&gateway, URL, &proven).await, 200);

    let webhook = text(&list(&gateway, WEBHOOKS).await[0]["id"]);
    let path = format!("{WEBHOOKS}/{webhook}");
    let change = json!({"name": "x", "slug": "github", "auth_config": {"type": "bearer"}});
    gateway.cloud.faults().set(Fault::new(FaultKind::Before).on("TransactWriteItems").by("a"));
    assert!(call(&gateway, Method::PUT, &path, change.clone()).await.0.is_server_error());
    gateway.cloud.faults().clear();
    gateway.advance(crate::FORGOTTEN);
    assert_eq!(sent(&gateway, URL, &proven).await, 200, "the proof and the secret before still hold");
    assert_eq!(call(&gateway, Method::PUT, &path, change).await.0, StatusCode::OK);
    let calls = gateway.cloud.meter().take_journal().into_iter().map(|call| call.operation);
    let of_the_vault: Vec<String> = calls.filter(|operation| operation.contains("Secret")).collect();
    assert!(of_the_vault.iter().all(|operation| operation == "GetSecretValue"), "{of_the_vault:?}");
}
