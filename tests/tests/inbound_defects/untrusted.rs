//! Defects 31 and 39: what is done with bytes before they are trusted, and what capturing again does to a sample.

use hookport_tests::gateway::{SECRET, TestGateway, answer, text};
use hookport_tests::{SenderRequest, Sink, senders};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{FORGOTTEN, URL, WEBHOOKS, kept, keyed, sent};

/// The operations that a request makes the gateway call, and the tags over its body that it makes it compute.
async fn cost(gateway: &TestGateway, url: &str, request: &SenderRequest, expected: u16) -> (Vec<String>, u64) {
    let receiver = &gateway.instance(0).receiver;
    let tags = receiver.tags_computed();
    gateway.cloud.meter().record();
    assert_eq!(sent(gateway, url, request).await, expected, "{url}");
    let calls = gateway.cloud.meter().take_journal().into_iter().map(|call| call.operation).collect();
    (calls, receiver.tags_computed() - tags)
}

/// The deployment's cap costs no tag, and no write but its line in the log; a key's own cap comes before its proof, and
/// a slug's own before all writes but its line in the log.
#[tokio::test]
async fn defect_31_a_body_that_is_too_large_costs_no_work() {
    let gateway = TestGateway::with_settings(&["a"], &[("MAX_BODY_BYTES", "1000")]).await;
    gateway.webhook("github", json!({"max_body_bytes": 100})).await;
    let config = json!({"type": "hmac_sha256", "secret": SECRET});
    let (_, key_url) = keyed(&gateway, json!({"max_body_bytes": 100, "auth_config": config})).await;
    let of = |bytes: usize| SenderRequest::json(vec![b' '; bytes]).signed(SECRET);
    for url in [URL, &key_url] {
        assert_eq!(sent(&gateway, url, &of(100)).await, 200, "and the receiver knows the webhook now");
    }
    let unknown = format!("/api/v1/webhooks/wh_{}", "q".repeat(32));
    for url in [URL, "/api/inbound/default/nothing", "/api/inbound/nobody/nothing", &key_url, &unknown] {
        let (calls, tags) = cost(&gateway, url, &of(1001), 413).await;
        // Looked up, where it is not remembered, for the log that its line belongs to.
        let writes: Vec<&str> = calls.iter().map(String::as_str).filter(|call| *call != "GetItem").collect();
        assert_eq!((writes, tags), (vec!["PutItem"], 0), "{url}");
    }
    assert_eq!(cost(&gateway, &key_url, &of(101), 413).await, (vec!["PutItem".to_owned()], 0), "no proof is judged");
    assert_eq!(cost(&gateway, URL, &of(101), 413).await, (vec!["PutItem".to_owned()], 1), "the proof, and no more");
    let unproven = SenderRequest::json(vec![b' '; 101]);
    assert_eq!(cost(&gateway, URL, &unproven, 401).await.0, ["PutItem"], "strangers do not learn of its cap");
}

/// What is signed is what came over the wire: no byte is decoded, trimmed or replaced before it is judged.
#[tokio::test]
async fn defect_31_the_raw_bytes_are_what_is_signed_and_what_is_kept() {
    let gateway = TestGateway::new().await;
    let sink = Sink::start().await;
    gateway.webhook("github", json!({})).await;
    gateway.subscribe(&sink, &["github.*"], json!({})).await;
    // What decoding would make of the first is the second.
    let pairs: [(&[u8], &[u8]); 7] = [
        (b"\xef\xbb\xbf{}", b"{}"),
        (b"\xff\xfe{\0}\0", b"{}"),
        (b"caf\xe9", "caf\u{fffd}".as_bytes()),
        (b"\xed\xa0\x80", "\u{fffd}\u{fffd}\u{fffd}".as_bytes()),
        (b"{}\r\n", b"{}\n"),
        (b" {} ", b"{}"),
        (b"a\0b", b"a"),
    ];
    for (raw, decoded) in pairs {
        let bytes = |body: &[u8]| SenderRequest::json(body.to_vec()).with("content-type", "text/plain");
        for (signed, came, expected) in
            [(raw, raw, 200), (decoded, decoded, 200), (raw, decoded, 401), (decoded, raw, 401)]
        {
            let tag = format!("sha256={}", hex::encode(senders::hmac_sha256(SECRET, signed)));
            let request = bytes(came).with("x-hub-signature-256", &tag);
            assert_eq!(sent(&gateway, URL, &request).await, expected, "{signed:?} {came:?}");
            gateway.drain(gateway.instance(0)).await;
            if expected == 200 {
                assert_eq!(sink.received().last().map(|received| received.body.to_vec()), Some(came.to_vec()));
            }
        }
    }
    assert_eq!(sink.received().len(), 2 * pairs.len());
}

/// The content type decides whether a body must be JSON, and it is asked after proof.
#[tokio::test]
async fn defect_31_only_what_says_that_it_is_json_must_be_json() {
    let gateway = TestGateway::new().await;
    gateway.webhook("github", json!({})).await;
    let must_parse = ["application/json", "Application/JSON; charset=utf-8", "application/vnd.github+json"];
    let any = ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "application/jsonp", ""];
    let types = must_parse.map(|name| (name, 400)).into_iter().chain(any.map(|name| (name, 200)));
    for (content_type, broken) in types {
        for (body, expected) in [("{", broken), ("{}", 200), ("", 200)] {
            let request = SenderRequest::json(body).with("content-type", content_type);
            assert_eq!(sent(&gateway, URL, &request).await, 401, "{content_type}: nothing is told before proof");
            let response = gateway.send(gateway.instance(0), URL, &request.signed(SECRET)).await;
            assert_eq!(response.status().as_u16(), expected, "{content_type}: {body:?}");
            assert_eq!(answer(&response)["error"] == json!("invalid_json"), expected == 400, "{content_type}");
        }
    }
    let mut none = SenderRequest::json("{").signed(SECRET);
    none.headers.remove("content-type");
    kept(&gateway, URL, &none).await;
}

/// Hex of either case is the same tag, and networks of either family are networks.
#[tokio::test]
async fn defect_31_upper_case_hex_and_ipv6_networks_are_read() {
    let gateway = TestGateway::new().await;
    let of = json!([
        {"type": "hmac_sha256", "secret": SECRET},
        {"type": "ip_allowlist", "ip_cidrs": ["2001:db8:1::/48", "2001:DB8:FFFF::7"]},
    ]);
    gateway.webhook("github", json!({"auth_type": "all", "auth_config": {"type": "all", "of": of}})).await;
    let tag = hex::encode(senders::hmac_sha256(SECRET, b"{}"));
    let mixed: String =
        tag.chars().enumerate().map(|(n, c)| if n % 2 == 0 { c.to_ascii_uppercase() } else { c }).collect();
    for (address, expected) in [
        ("2001:db8:1::", 200),
        ("2001:db8:1:ffff:ffff:ffff:ffff:ffff", 200),
        ("2001:db8:ffff::7", 200),
        ("2001:db8:2::", 401),
        ("2001:db8:ffff::8", 401),
        ("192.0.2.1", 401),
    ] {
        for tag in [tag.to_uppercase(), mixed.clone(), format!("sha256={}", tag.to_uppercase())] {
            let request = SenderRequest::json("{}").from(address).with("x-hub-signature-256", &tag);
            assert_eq!(sent(&gateway, URL, &request).await, expected, "{address} {tag}");
        }
    }
}

/// Arming again forgets the old sample at once, also long after its window, and it never comes back.
#[tokio::test]
async fn defect_39_arming_again_lets_go_of_the_sample_before() {
    let gateway = TestGateway::new().await;
    let webhook = gateway.webhook("github", json!({})).await;
    let path = format!("{WEBHOOKS}/{webhook}/capture-sample");
    let call = async |method: Method| {
        let (status, answer) = gateway.api(method, &path, gateway.admin_token(), None).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["data"].clone()
    };
    let send = async |n: u32| {
        gateway.advance(FORGOTTEN);
        let request = SenderRequest::json(format!(r#"{{"n":{n}}}"#)).signed(SECRET);
        text(&kept(&gateway, URL, &request).await["delivery_id"])
    };
    call(Method::POST).await;
    let first = send(1).await;
    gateway.advance(SignedDuration::from_hours(24));
    assert_eq!(call(Method::GET).await["sample"]["delivery_id"], json!(first), "it is shown for long");

    assert_eq!(call(Method::POST).await["sample"], Value::Null);
    gateway.advance(SignedDuration::from_mins(6));
    send(2).await;
    assert_eq!(call(Method::GET).await["sample"], Value::Null, "nothing came in time, and the old one is gone");

    call(Method::POST).await;
    let third = send(3).await;
    send(4).await;
    let shown = call(Method::GET).await;
    assert_eq!((&shown["sample"]["delivery_id"], &shown["sample"]["body"]), (&json!(third), &json!(r#"{"n":3}"#)));
}
