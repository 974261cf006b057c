//! C4 and D1 to D4 through the front: every hash in every spelling, and the right credential in the wrong place.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use hookport_tests::SenderRequest;
use hookport_tests::gateway::{SECRET, TestGateway, answer};
use hookport_tests::senders;
use http::StatusCode;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::{keyed, sent};

const HASHES: [&str; 3] = ["sha1", "sha256", "sha512"];
/// Where a webhook that is reached by a key looks for a signature.
const HEADERS: [&str; 2] = ["x-webhook-signature", "x-hub-signature-256"];
const BODY: &[u8] = br#"{"event":"test"}"#;
const TOKEN: &str = "a-token-of-the-sender";

fn tag_of<M: KeyInit + Mac>(secret: &str, body: &[u8]) -> String {
    hex::encode(senders::tag::<M>(secret, &[body]))
}

fn tag(hash: &str, secret: &str, body: &[u8]) -> String {
    match hash {
        "sha1" => tag_of::<Hmac<Sha1>>(secret, body),
        "sha256" => tag_of::<Hmac<Sha256>>(secret, body),
        "sha512" => tag_of::<Hmac<Sha512>>(secret, body),
        other => panic!("no hash is called {other}"),
    }
}

/// A webhook that asks for a signature by this hash. Gives its URL.
async fn signed(gateway: &TestGateway, hash: &str) -> String {
    keyed(gateway, json!({"auth_config": {"type": format!("hmac_{hash}"), "secret": SECRET}})).await.1
}

/// C4: three hashes, either header, bare and after the hash's name, in either case, also over an empty body.
#[tokio::test]
async fn c4_every_hash_is_taken_in_every_spelling_from_either_header() {
    let gateway = TestGateway::new().await;
    for hash in HASHES {
        let url = signed(&gateway, hash).await;
        for body in [BODY, &b""[..]] {
            let tag = tag(hash, SECRET, body);
            let spellings = [
                tag.clone(),
                tag.to_uppercase(),
                format!("{hash}={tag}"),
                format!("{hash}={}", tag.to_uppercase()),
                format!("{}={tag}", hash.to_uppercase()),
            ];
            for header in HEADERS {
                for value in &spellings {
                    let request = SenderRequest::json(body).with(header, value);
                    assert_eq!(sent(&gateway, &url, &request).await, 200, "{header}: {value}");
                }
            }
        }
    }
}

/// C4: another prefix, an odd length, no hex, nothing, another body, another secret, another hash, another header.
#[tokio::test]
async fn c4_every_hash_is_refused_when_anything_is_wrong() {
    let gateway = TestGateway::new().await;
    for hash in HASHES {
        let url = signed(&gateway, hash).await;
        let other = if hash == "sha1" { "sha256" } else { "sha1" };
        let good = tag(hash, SECRET, BODY);
        let values = [
            format!("{other}={good}"),
            format!("md5={good}"),
            format!("={good}"),
            good[1..].to_owned(),
            good[2..].to_owned(),
            format!("{good}00"),
            "z".repeat(good.len()),
            String::new(),
            format!("{hash}="),
            tag(hash, SECRET, b"{}"),
            tag(hash, "a secret of someone else", BODY),
            tag(other, SECRET, BODY),
        ];
        let wrong = values.iter().flat_map(|value| HEADERS.map(|header| SenderRequest::json(BODY).with(header, value)));
        let misplaced = [
            SenderRequest::json(BODY),
            SenderRequest::json(BODY).with("x-hub-signature", &good),
            SenderRequest::json(BODY).with("x-signature", &good),
            SenderRequest::json(&b""[..]).with(HEADERS[0], &good),
            // The first header that is there is the one that is judged.
            SenderRequest::json(BODY).with(HEADERS[0], "sha256=00").with(HEADERS[1], &good),
        ];
        for request in wrong.chain(misplaced) {
            let response = gateway.send(gateway.instance(0), &url, &request).await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{hash}: {:?}", request.headers);
            assert_eq!(answer(&response), json!({"error": "unauthorized"}), "{hash}: {:?}", request.headers);
        }
    }
}

/// What a webhook asks for, requests that show it, and requests that show it elsewhere; each with its query.
struct Case {
    config: Value,
    right: Vec<(SenderRequest, &'static str)>,
    wrong: Vec<(SenderRequest, &'static str)>,
}

fn cases() -> [Case; 5] {
    let plain = || SenderRequest::json("{}");
    let tag = tag("sha256", SECRET, b"{}");
    let upper = tag.to_uppercase();
    let bearer = format!("Bearer {TOKEN}");
    let basic = format!("Basic {}", STANDARD.encode(format!("sender:{TOKEN}")));
    let elsewhere = || plain().from("203.0.113.7");
    [
        Case {
            config: json!({"type": "hmac_sha256", "signature_header": "X-Sig", "secret": SECRET}),
            right: vec![(plain().with("x-sig", &tag), ""), (plain().with("x-sig", &upper), "")],
            wrong: vec![
                (plain().with("x-hub-signature-256", &tag), ""),
                (plain().with("x-signature", &tag), ""),
                (plain().with("authorization", &tag), ""),
            ],
        },
        Case {
            config: json!({"type": "bearer", "token": TOKEN}),
            right: vec![(plain().with("authorization", &bearer), "")],
            wrong: vec![
                (plain().with("x-authorization", &bearer), ""),
                (plain().with("proxy-authorization", &bearer), ""),
                (plain().with("authorization", TOKEN), ""),
                (plain().with("authorization", &basic), ""),
                (plain(), "?access_token=a-token-of-the-sender"),
            ],
        },
        Case {
            config: json!({"type": "basic", "username": "sender", "password": TOKEN}),
            right: vec![(plain().with("authorization", &basic), "")],
            wrong: vec![(plain().with("authorization", &bearer), ""), (plain().with("x-authorization", &basic), "")],
        },
        Case {
            config: json!({"type": "ip_allowlist", "ip_cidrs": ["192.0.2.0/24", "2001:db8:1::/48"]}),
            right: vec![(plain().from("192.0.2.1"), ""), (plain().from("2001:db8:1:ffff::7"), "")],
            wrong: vec![
                (elsewhere().with("x-forwarded-for", "192.0.2.1"), ""),
                (elsewhere().with("x-real-ip", "192.0.2.1"), ""),
                (plain().from("2001:db8:2::7"), ""),
            ],
        },
        Case {
            config: json!({"type": "path_token", "query_param": "key", "token": TOKEN}),
            right: vec![(plain(), "?key=a-token-of-the-sender"), (plain(), "?x=1&key=a%2Dtoken-of-the-sender&y")],
            wrong: vec![
                (plain(), "?token=a-token-of-the-sender"),
                (plain(), "?Key=a-token-of-the-sender"),
                (plain(), "?key="),
                (plain().with("key", TOKEN), ""),
                (plain().with("authorization", &bearer), ""),
                (SenderRequest::json(format!(r#"{{"key":"{TOKEN}"}}"#)), ""),
            ],
        },
    ]
}

/// D1 to D4: the right credential in the wrong place is none; hex of either case and IPv6 networks are read.
#[tokio::test]
async fn d1_d2_d3_d4_the_right_credential_in_the_wrong_place_is_none() {
    let gateway = TestGateway::new().await;
    for Case { config, right, wrong } in cases() {
        let slug = config["type"].as_str().expect("a type").replace('_', "-");
        gateway.webhook(&slug, json!({"auth_type": config["type"], "auth_config": config})).await;
        for (requests, status) in [(right, StatusCode::OK), (wrong, StatusCode::UNAUTHORIZED)] {
            for (request, query) in requests {
                let url = format!("/api/inbound/default/{slug}{query}");
                let response = gateway.send(gateway.instance(0), &url, &request).await;
                assert_eq!(response.status(), status, "{url}: {:?} {:?}", request.headers, request.from);
                assert!(status == StatusCode::OK || response.body().is_empty(), "{url}");
            }
        }
    }
}
