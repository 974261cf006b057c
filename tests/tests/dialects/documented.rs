//! docs/dialects.md: what it shows is what the gateway takes and sends.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hookport::dialect::{DialectName, catalogue};
use hookport_tests::gateway::text;
use hookport_tests::senders::tag;
use http::Method;
use serde_json::{Value, json};
use sha2::Sha512;

use crate::target::Target;
use crate::{DIALECTS, gateway, newest, published, subscribed};

/// The page.
fn page() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the root of the tree");
    fs::read_to_string(root.join("docs/dialects.md")).expect("docs/dialects.md can be read")
}

/// The blocks of JSON in the page.
fn blocks(page: &str) -> Vec<Value> {
    let blocks = page.split("```json\n").skip(1).map(|rest| {
        let (block, _) = rest.split_once("```").expect("a block ends");
        serde_json::from_str(block).unwrap_or_else(|error| panic!("{error}: {block}"))
    });
    blocks.collect()
}

/// The declared dialect that is shown with all of its members, as it is to be posted.
#[tokio::test]
async fn the_dialect_that_is_shown_can_be_declared_and_delivers_what_is_said_of_it() {
    let page = page();
    let shown = blocks(&page).into_iter().find(|block| block.get("row").is_some()).expect("a block with a row");
    let gateway = gateway().await;
    let added = gateway.create(DIALECTS, shown.clone()).await;
    let name = text(&shown["row"]["name"]);
    assert_eq!(added["data"]["name"], name);

    let target = Target::start().await;
    let made = subscribed(&gateway, &target, json!({"dialect": name})).await;
    let [question] = &target.asked()[..] else { panic!("one question") };
    assert_eq!(question.method, Method::GET, "as its `proof` says");
    let contact = json!({"id": 7, "name": "Ann"});
    let event = json!({
        "type": "invoice.paid", "entity_type": "contact", "entity_id": "7", "data": {"contact": contact, "more": "x"},
    });
    let id = published(&gateway, event).await;
    let request = newest(&target);
    let now = gateway.clock.now();
    assert_eq!(request.method, Method::PUT);
    let headers = ["content-type", "user-agent", "x-acme-event", "x-acme-attempt", "webhook-id"];
    let sent = headers.map(|name| request.header(name).to_owned());
    assert_eq!(sent, ["application/vnd.acme+json", "Acme-Hooks/2", "invoice.paid", "1", ""]);
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    let expected = json!({
        "event": "invoice.paid", "sent_at": now.to_string(), "contact": contact, "title": "contact 7: Ann",
        "source": {"system": "hookport", "tenant": "default"},
    });
    assert_eq!(body, expected);

    let seconds = now.as_second().to_string();
    let signed: [&[u8]; 5] = [seconds.as_bytes(), b".", id.as_bytes(), b".", &request.body];
    let signature = STANDARD.encode(tag::<Hmac<Sha512>>(&text(&made["secret"]), &signed));
    assert_eq!(request.header("x-acme-signature"), format!("t={seconds};id={id};s={signature}"));
}

#[test]
fn every_built_in_dialect_and_every_piece_is_in_the_page() {
    let page = page();
    for dialect in catalogue::all() {
        assert!(page.contains(&format!("| `{}` |", dialect.name)), "{}", dialect.name);
    }
    let pieces = [
        "id",
        "type",
        "timestamp",
        "time",
        "occurred_at",
        "attempt",
        "delivery_id",
        "subscription_id",
        "tenant",
        "source",
        "entity_type",
        "entity_id",
        "subject",
        "scope",
        "body",
        "signature",
        "data",
    ];
    for piece in pieces {
        assert!(page.contains(&format!("`{{{piece}}}`")), "{{{piece}}}");
    }
}

/// A row that is shown without its envelope is one that could be posted in it.
#[test]
fn every_row_that_is_shown_makes_sense() {
    let page = page();
    let rows: Vec<Value> = blocks(&page)
        .into_iter()
        .filter_map(|block| block.get("row").cloned().or_else(|| block.get("signatures").is_some().then_some(block)))
        .collect();
    assert!(rows.len() >= 2, "{}", rows.len());
    for row in rows {
        let dialect: hookport::dialect::Dialect = serde_json::from_value(row.clone()).expect("a row");
        assert_eq!(dialect.check(), Ok(()), "{row}");
        assert_ne!(dialect.name, DialectName::default());
    }
}
