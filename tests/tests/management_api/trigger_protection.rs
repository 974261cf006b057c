//! How the webhook of an event type is protected: signatures, networks, rates and sizes, changed one by one.

use hmac::Hmac;
use hookport_tests::gateway::text;
use hookport_tests::senders::tag;
use http::StatusCode;
use serde_json::{Value, json};
use sha2::Sha512;

use crate::client::{WEBHOOKS, refused_field};
use crate::triggers::{done, empty, enabled, info, patch, patched, sent, with_trigger};

#[tokio::test]
async fn signatures_are_asked_for_with_a_secret_that_is_made_or_given() {
    let gateway = with_trigger().await;
    let url = enabled(&gateway).await;
    let made = patched(&gateway, json!({"hmac": {"enabled": true}})).await;
    let secret = text(&made["secret"]);
    assert!(secret.len() == 128 && secret.bytes().all(|b| b.is_ascii_hexdigit()), "{secret}");
    let hmac = json!({"enabled": true, "algorithm": "sha256", "signature_header": null});
    assert_eq!(made["data"]["hmac"], hmac);
    assert_eq!(sent(&gateway, &url, &empty().signed(&secret)).await, StatusCode::OK);
    assert_eq!(sent(&gateway, &url, &empty()).await, StatusCode::UNAUTHORIZED);
    assert!(!info(&gateway).await.to_string().contains(&secret));

    let changed = patched(&gateway, json!({"hmac": {"algorithm": "sha512", "signature_header": "X-Sig"}})).await;
    assert_eq!(changed["secret"], json!(null), "the secret stays");
    let tag = hex::encode(tag::<Hmac<Sha512>>(&secret, &[b"{}"]));
    assert_eq!(sent(&gateway, &url, &empty().with("x-sig", &format!("sha512={tag}"))).await, StatusCode::OK);
    assert_eq!(sent(&gateway, &url, &empty().signed(&secret)).await, StatusCode::UNAUTHORIZED);

    let own = json!({"hmac": {"algorithm": "sha256", "signature_header": null, "secret": "a secret of my own"}});
    assert_eq!(patched(&gateway, own).await["secret"], json!("a secret of my own"));
    assert_eq!(sent(&gateway, &url, &empty().signed("a secret of my own")).await, StatusCode::OK);
    assert_eq!(sent(&gateway, &url, &empty().signed(&secret)).await, StatusCode::UNAUTHORIZED);
    for none in [json!({"hmac": null}), json!({"hmac": {"enabled": false}})] {
        let open = patched(&gateway, none).await;
        let hmac = json!({"enabled": false, "algorithm": null, "signature_header": null});
        assert_eq!((&open["data"]["hmac"], &open["secret"]), (&hmac, &json!(null)));
        assert_eq!(sent(&gateway, &url, &empty()).await, StatusCode::OK);
    }
    let again = patched(&gateway, json!({"hmac": {}})).await;
    assert!(text(&again["secret"]).len() == 128 && again["secret"] != made["secret"], "the old one was forgotten");
}

#[tokio::test]
async fn a_change_leaves_alone_what_it_does_not_name() {
    let gateway = with_trigger().await;
    enabled(&gateway).await;
    let first = info(&gateway).await;
    let version = async || gateway.get(WEBHOOKS).await["data"][0]["version"].clone();
    patched(&gateway, json!({})).await;
    assert_eq!((info(&gateway).await, version().await), (first.clone(), json!(1)), "nothing was asked for");
    assert_eq!(first["rate_limit"], json!({"requests": 100, "window_seconds": 60}));
    assert_eq!(first["ip_allowlist"], json!({"enabled": false, "cidrs": []}));

    done(&gateway, "disable").await;
    let steps = [
        (json!({"rate_limit": {"requests": 5}}), "rate_limit", json!({"requests": 5, "window_seconds": 60})),
        (json!({"rate_limit": {"window_seconds": 10}}), "rate_limit", json!({"requests": 5, "window_seconds": 10})),
        (json!({"payload_size_limit_kb": 512}), "max_body_bytes", json!(512 * 1_024)),
        (
            json!({"ip_allowlist": {"cidrs": ["192.0.2.77/24", "2001:db8::7"]}}),
            "ip_allowlist",
            json!({"enabled": true, "cidrs": ["192.0.2.0/24", "2001:db8::7/128"]}),
        ),
        (json!({"rate_limit": null}), "rate_limit", first["rate_limit"].clone()),
        (json!({"payload_size_limit_kb": null}), "max_body_bytes", json!(1_048_576)),
        (json!({"ip_allowlist": {"enabled": true}}), "ip_allowlist", Value::Null),
        (json!({"ip_allowlist": null}), "ip_allowlist", first["ip_allowlist"].clone()),
    ];
    let mut expected = info(&gateway).await;
    for (change, name, value) in steps {
        if !value.is_null() {
            expected[name] = value;
        }
        assert_eq!(patched(&gateway, change.clone()).await["data"], expected, "{change}");
    }
    let mut on = done(&gateway, "enable").await;
    assert_eq!(on["webhook_key"].take(), first["webhook_key"]);
}

/// C5 and defect 15 in part: no list, no limit and no secret can be set to nothing.
#[tokio::test]
async fn a_protection_that_makes_no_sense_is_refused_by_name() {
    let gateway = with_trigger().await;
    let url = enabled(&gateway).await;
    let cases = [
        (json!({"hmac": {"secret": "s".repeat(15)}}), "hmac.secret: must have 16 to 128 characters"),
        (json!({"hmac": {"secret": "s".repeat(129)}}), "hmac.secret"),
        (json!({"hmac": {"enabled": false, "secret": "s".repeat(16)}}), "hmac.secret"),
        (json!({"hmac": {"algorithm": "md5"}}), "hmac.algorithm"),
        (json!({"hmac": {"signature_header": "no header"}}), "hmac.signature_header"),
        (json!({"hmac": []}), "hmac"),
        (json!({"hmac": {"key": "x"}}), "hmac.key"),
        (json!({"ip_allowlist": {}}), "ip_allowlist.cidrs: must be given"),
        (json!({"ip_allowlist": {"enabled": true}}), "ip_allowlist.cidrs: must be given"),
        (json!({"ip_allowlist": {"cidrs": []}}), "ip_allowlist.cidrs: must have 1 to 200 entries"),
        (json!({"ip_allowlist": {"cidrs": vec!["192.0.2.1"; 201]}}), "ip_allowlist.cidrs"),
        (json!({"ip_allowlist": {"cidrs": ["192.0.2.1", "example.com"]}}), "ip_allowlist.cidrs[1]"),
        (json!({"rate_limit": {"requests": 0}}), "rate_limit.requests: must be from 1 to 1000000"),
        (json!({"rate_limit": {"window_seconds": 3_601}}), "rate_limit.window_seconds"),
        (json!({"max_body_bytes": 0}), "max_body_bytes"),
        (json!({"max_body_bytes": 4 * 1024 * 1024 + 1}), "max_body_bytes"),
        (json!({"payload_size_limit_kb": 4_097}), "payload_size_limit_kb"),
        (json!({"payload_size_limit_kb": 1, "max_body_bytes": 1_024}), "payload_size_limit_kb"),
        (json!({"event_type": "x.y"}), "event_type"),
    ];
    let before = info(&gateway).await;
    for (body, field) in cases {
        refused_field(&patch(&gateway, body).await, field);
    }
    assert_eq!(info(&gateway).await, before, "nothing was changed");
    assert_eq!(sent(&gateway, &url, &empty()).await, StatusCode::OK);
}
